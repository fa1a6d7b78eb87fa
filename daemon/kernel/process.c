/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/process.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/string.h"

bool process_same_file(pid_t a, int fd_a, pid_t b, int fd_b) {
        return syscall(SYS_kcmp, a, b, KCMP_FILE, (unsigned long)fd_a, (unsigned long)fd_b) == 0;
}

bool process_same_table(pid_t a, pid_t b) {
        return syscall(SYS_kcmp, a, b, KCMP_FILES, 0UL, 0UL) == 0;
}

/* By number: the wrappers came with glibc 2.36, and their header differs from release to release.
 */
int process_open(pid_t pid) {
        int fd = (int)syscall(SYS_pidfd_open, pid, 0U);

        return fd < 0 ? -errno : fd;
}

int process_signal(int pidfd, int signal) {
        return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U) < 0 ? -errno : 0;
}

void process_unit(pid_t pid, char *buffer, size_t size) {
        _cleanup_free_ char *unit = NULL;

        if (sd_pid_get_user_unit(pid, &unit) < 0)
                (void)sd_pid_get_unit(pid, &unit);
        (void)snprintf(buffer, size, "%s", string_or_empty(unit));
}
