/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The directories the kernel (and systemd) shows itself in. Everything in kernel/ works relative to
 * them, so that a test can point it at a tree recorded on another machine.
 */

#include <errno.h>

typedef struct Roots {
        int sys_fd;     /* /sys */
        int dev_fd;     /* /dev */
        int proc_fd;    /* /proc */
        int modules_fd; /* /lib/modules/RELEASE; -EBADF where there are no modules */
        int run_fd;     /* /run, where systemd shows itself; -EBADF where there is none */
} Roots;

#define ROOTS_NULL                                                                                 \
        {.sys_fd = -EBADF,                                                                         \
         .dev_fd = -EBADF,                                                                         \
         .proc_fd = -EBADF,                                                                        \
         .modules_fd = -EBADF,                                                                     \
         .run_fd = -EBADF}

int roots_open(Roots *roots);
void roots_done(Roots *roots);
