/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is asked about, or done to, another process by system calls; what is read from /proc is in
 * holder-process.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether the two are one open file: kcmp(2), KCMP_FILE. False too where it cannot be told. */
bool process_same_file(pid_t a, int fd_a, pid_t b, int fd_b);

/* Whether two threads share one table of files: KCMP_FILES. False too where it cannot be told. */
bool process_same_table(pid_t a, pid_t b);

/* A pidfd, which the caller owns, or -errno. */
int process_open(pid_t pid);

/* Signals the process that the pidfd pins, whoever has its number by now. */
int process_signal(int pidfd, int signal);

/* Its systemd unit, a user's before the system's; "" for none, cut at size - 1. */
void process_unit(pid_t pid, char *buffer, size_t size);
