/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine's /sys, /dev, /proc and modules as plain files below a temporary directory, for
 * everything in daemon/kernel that reads or writes. What the real ones do on a write is not
 * imitated: a test reads back what was written.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/kernel/roots.h"
#include "daemon/util/cleanup.h"

typedef struct Tree {
        char path[64];
        Roots roots;
} Tree;

void tree_init(Tree *tree);
void tree_done(Tree *tree);

#define _cleanup_tree_ _cleanup_(tree_done)

/* A directory of the tree. */
int tree_open(const Tree *tree, const char *path);

/* Paths begin with "sys/", "dev/", "proc/" or "modules/", or are the test's own; directories above
 * are made. */
void tree_write(const Tree *tree, const char *path, const char *content);
void tree_write_bytes(const Tree *tree, const char *path, const char *bytes, size_t size);
void tree_link(const Tree *tree, const char *path, const char *target);
void tree_mkdir(const Tree *tree, const char *path);
void tree_remove(const Tree *tree, const char *path);

bool tree_has(const Tree *tree, const char *path);

/* What is in a file. Allocated. */
char *tree_read(const Tree *tree, const char *path);

/* Unpacks a recording (tests/data/record-machine.sh) into sys/. */
void tree_load(const Tree *tree, const char *file);
