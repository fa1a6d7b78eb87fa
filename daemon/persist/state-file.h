/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One file in a directory of ours, replaced as a whole: whoever reads it finds the old text or the
 * new one, also after a power cut (rename(2), fsync(2)). What is in it is the caller's business
 * (daemon/core/state.h).
 */

#include <sys/types.h>

/* A state of every lease and plan that the limits allow is far smaller. */
#define STATE_FILE_MAX (16U << 20)

/*
 * Replaces file `name` in `directory` by `text`. On -errno the old file is still there, and nothing
 * else. Waits for the disk: on a tmpfs that is no time.
 */
int state_file_write(int directory, const char *name, const char *text);
/* The same for others to read too: state_file_write() is with 0600, whatever the umask. */
int state_file_write_mode(int directory, const char *name, mode_t mode, const char *text);

/*
 * The whole text, allocated. -ENOENT: there is none. -EPERM: it is not a plain file of `owner` that
 * nobody else can write to. -EFBIG: above STATE_FILE_MAX. -EBADMSG: it has a NUL in it.
 */
int state_file_read(int directory, const char *name, uid_t owner, char **ret);
