/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/process-stat.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/kernel/sysfs.h"
#include "daemon/util/fd.h"

/* The name of the process is in brackets and may have any character in it, brackets too. */
int process_read_stat(int dir, pid_t *ret_parent, unsigned *ret_flags, uint64_t *ret_start_time) {
        _cleanup_free_ char *text = NULL;
        const char *fields;
        int r = sysfs_read(dir, "stat", &text);

        if (r < 0)
                return r;
        fields = strrchr(text, ')');
        if (!fields || sscanf(fields + 1,
                              " %*c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                              "%*d %*d %" SCNu64,
                              ret_parent, ret_flags, ret_start_time) != 3)
                return -ESRCH;
        return 0;
}

/* "Uid:    real    effective    saved    file system" */
int process_read_uids(int dir, uid_t ret[3]) {
        _cleanup_free_ char *text = NULL;
        const char *line;
        int r = sysfs_read(dir, "status", &text);

        if (r < 0)
                return r;
        line = strstr(text, "\nUid:");
        return line && sscanf(line, "\nUid: %u %u %u", &ret[0], &ret[1], &ret[2]) == 3 ? 0 : -ESRCH;
}

static int open_process(const Roots *roots, pid_t pid) {
        char name[16];
        int fd;

        (void)snprintf(name, sizeof(name), "%d", pid);
        fd = openat(roots->proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

int process_read_start_time(const Roots *roots, pid_t pid, uint64_t *ret) {
        _cleanup_close_ int dir = open_process(roots, pid);
        unsigned flags;
        pid_t parent;

        return dir < 0 ? dir : process_read_stat(dir, &parent, &flags, ret);
}

int process_check(const Roots *roots, const ProcessPin *pin) {
        _cleanup_close_ int dir = open_process(roots, pin->pid);
        uint64_t start_time;
        uid_t uids[3];
        unsigned flags;
        pid_t parent;
        int r;

        r = dir < 0 ? dir : process_read_stat(dir, &parent, &flags, &start_time);
        if (r >= 0)
                r = process_read_uids(dir, uids);
        if (r < 0)
                return r;
        if (start_time != pin->start_time)
                return -ESRCH;
        for (size_t i = 0; i < 3; i++)
                if (uids[i] != pin->uid)
                        return -EPERM;
        return 0;
}
