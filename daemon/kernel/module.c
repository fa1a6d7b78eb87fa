/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/module.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "daemon/kernel/sysfs.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static inline void fclosep(FILE **file) {
        if (*file)
                (void)fclose(*file);
}

static int run(const char *program, char *const *arguments) {
        static char *const environment[] = {NULL};
        int status, r;
        pid_t pid;

        r = posix_spawn(&pid, program, NULL, NULL, arguments, environment);
        if (r != 0)
                return -r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENOENT;
}

int module_load(const Roots *roots, const char *name) {
        _cleanup_free_ char *program = NULL;
        int r;

        r = sysfs_read(roots->proc_fd, "sys/kernel/modprobe", &program);
        if (r < 0)
                return r;
        return run(program, (char *[]){program, (char *)(strchr(name, ':') ? "-qb" : "-q"),
                                       (char *)"--", (char *)name, NULL});
}

int module_read_aliases(const Roots *roots, int (*line)(void *userdata, const char *line),
                        void *userdata) {
        _cleanup_close_ int fd = openat(roots->modules_fd, "modules.alias", O_RDONLY | O_CLOEXEC);
        _cleanup_(fclosep) FILE *file = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r;

        if (fd < 0)
                return -errno;
        file = fdopen(fd, "re");
        if (!file)
                return -errno;
        (void)TAKE_FD(fd);

        while (getline(&text, &size, file) >= 0) {
                r = line(userdata, text);
                if (r < 0)
                        return r;
        }
        return ferror(file) ? -EIO : 0;
}
