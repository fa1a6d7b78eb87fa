/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Targets: what people write to name a device or a group. Pure text; whether such a device exists
 * is the topology's business (daemon/core/select.h).
 */

#include <stdbool.h>
#include <stdint.h>

/* Longest device name taken; the kernel's own names are far shorter. */
#define ADDRESS_MAX 128

typedef enum TargetKind {
        TARGET_DEVICE,
        TARGET_GROUP,
} TargetKind;

typedef struct Target {
        TargetKind kind;
        uint32_t group;               /* TARGET_GROUP */
        char device[ADDRESS_MAX + 1]; /* TARGET_DEVICE, as the kernel spells it */
} Target;

/* Of the characters of a device's name (below), and neither empty nor too long. */
bool address_is_name(const char *text);

/* The length of a UUID as text, without its zero. */
#define UUID_LENGTH 36

/* Reads a UUID in the usual form, in any case, into the kernel's: lower case. -EINVAL. */
int uuid_parse(const char *text, char ret[UUID_LENGTH + 1]);

/*
 * Reads "group/42", "0000:01:00.0" or "01:00.0" (domain 0000, any case), or another device name of
 * the characters [A-Za-z0-9._:@+-], such as an mdev UUID or a platform device. -EINVAL for the
 * rest, and for what has the shape of a PCI address but is out of its range.
 */
int target_parse(const char *text, Target *ret);
