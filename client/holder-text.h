/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Holders for people: the table of `vfioctl holders`, and the sentence of who is being waited for.
 * Pure: rows in, text out. What a process says of itself is shown without its control characters.
 */

#include <stdio.h>

#include "client/holder-list.h"
#include "client/output.h"

/*
 * NULL-terminated: "device 0000:01:00.0 (fd 7)", "mapping 0000:01:00.0", "container (fd 5)". One
 * text for each kind and name, whatever number of times the process has it open or mapped. "and 12
 * more" where there are others.
 */
int holder_files_text(const Holder *holder, char ***ret);

/* A row for each of a holder's files; how many are not listed, of files and of holders. */
int holders_print(FILE *f, const Style *style, const HolderList *list);

/* The first holder who keeps a device, or else the first one; NULL for an empty list. */
Holder *holders_foremost(const HolderList *list);

/*
 * What an Unbind that waits has to say: "waiting for pid 812 (qemu-system-x86, alice) and 2 others
 * to give back 0000:01:00.0", and, with `revoke` behind the deadline, "taking 0000:01:00.0 back
 * from pid 812 ...". *ret_rest: "; 12 s left", "" where no deadline lies ahead. Both times in
 * microseconds, 0 for no deadline.
 */
int holders_live_text(const HolderList *list, bool revoke, uint64_t deadline, uint64_t now,
                      char **ret_text, char **ret_rest);
