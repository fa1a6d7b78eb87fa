/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns how a process comes to be that has the granted files and nothing else. */

#include "tests/bus/fixture-holder.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/util/fd.h"

#define FDS_MAX 1024

void grant_close(Grant *grant, const char *kind) {
        for (size_t i = 0; i < grant->n_files; i++)
                if (strcmp(grant->files[i].kind, kind) == 0)
                        grant->files[i].fd = fd_close(grant->files[i].fd);
}

static bool is_handed_over(const Grant *grant, int fd) {
        for (size_t i = 0; i < grant->n_files; i++)
                if (grant->files[i].fd == fd)
                        return true;
        return fd == grant->lease_fd;
}

/* What the holder does until it dies; `ready` learns its pid once it is as it is to be. The test is
 * vfiod too: what it has as such is not passed on. */
static _Noreturn void hold(const Grant *grant, int ignored, int ready) {
        pid_t self = getpid();

        /* Not a sanitizer's, which would take its time over a report first. */
        (void)signal(SIGBUS, SIG_DFL);
        if (ignored)
                (void)signal(ignored, SIG_IGN);
        for (int fd = 0; fd < FDS_MAX; fd++)
                if (!is_handed_over(grant, fd) && fd != ready)
                        (void)close(fd);
        if (write(ready, &self, sizeof(self)) != sizeof(self))
                _exit(EXIT_FAILURE);
        (void)close(ready);
        for (;;)
                (void)pause();
}

pid_t hand_over(Grant *grant, int ignored) {
        int ends[2];
        pid_t child, holder = 0;

        ck_assert_int_eq(pipe(ends), 0);
        child = fork();
        if (child == 0) {
                if (fork() == 0)
                        hold(grant, ignored, ends[1]);
                _exit(EXIT_SUCCESS);
        }
        ck_assert_int_eq(read(ends[0], &holder, sizeof(holder)), sizeof(holder));
        (void)waitpid(child, NULL, 0);
        (void)close(ends[0]);
        (void)close(ends[1]);
        for (size_t i = 0; i < grant->n_files; i++)
                grant->files[i].fd = fd_close(grant->files[i].fd);
        grant->lease_fd = fd_close(grant->lease_fd);
        return holder;
}

bool is_alive(pid_t pid) {
        return kill(pid, 0) == 0;
}
