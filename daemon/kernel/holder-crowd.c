/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many processes: several processes of ours look at them at once and leave those in the list that
 * have something, for the search itself to look at. The kernel makes an inode for every file that
 * is looked at, which is nearly all of the time that a search takes, and more processors do it
 * faster.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/kernel/holder-private.h"
#include "daemon/util/fd.h"

/* Fewer are looked at sooner than a process is forked. */
#define SHARE_MIN 100
#define SHARES_MAX 8

/* One hold is enough to know that the process is worth a look. */
static int stop_at(void *userdata _unused_, const Hold *hold _unused_) {
        return -ECANCELED;
}

/* It has copies of the worker's files, which are not to be open longer than the worker's. */
static void end_with(pid_t worker) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != worker)
                _exit(EXIT_FAILURE);
}

/* What a process of ours finds is not kept: it has a copy of the search, and ends. */
static _Noreturn void sift_share(HolderSearch *search, const Numbers *pids, size_t share,
                                 size_t n_shares, int fd) {
        for (size_t i = share; i < pids->n; i += n_shares) {
                pid_t pid = (pid_t)pids->numbers[i];

                if (holder_process_look(search, pid, stop_at, NULL) < 0 &&
                    write(fd, &pids->numbers[i], sizeof(uint32_t)) != sizeof(uint32_t))
                        _exit(EXIT_FAILURE);
        }
        _exit(EXIT_SUCCESS);
}

static size_t count_shares(const Numbers *pids) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        size_t n = pids->n / SHARE_MIN;

        if (processors > 0 && n > (size_t)processors)
                n = (size_t)processors;
        return n > SHARES_MAX ? SHARES_MAX : n;
}

/* All of them, so that none of our copies is open any more afterwards. */
static bool wait_for_shares(const pid_t *children, size_t n) {
        bool good = true;

        for (size_t i = 0; i < n; i++) {
                int status;

                if (waitpid(children[i], &status, 0) != children[i] || status != 0)
                        good = false;
        }
        return good;
}

static int read_sifted(int fd, Numbers *sifted) {
        uint32_t pid;

        while (read(fd, &pid, sizeof(pid)) == sizeof(pid))
                if (numbers_add(sifted, pid) < 0)
                        return -ENOMEM;
        return 0;
}

/* *pids stays as it is when anything goes wrong: then all of them are looked at one by one. */
void holder_crowd_sift(HolderSearch *search, Numbers *pids) {
        size_t n_shares = count_shares(pids), n = 0;
        _cleanup_(numbers_done) Numbers sifted = {0};
        pid_t worker = getpid(), children[SHARES_MAX];
        bool good = true;
        int ends[2];

        if (n_shares < 2 || pipe2(ends, O_CLOEXEC) < 0)
                return;
        for (; good && n < n_shares; n += good) {
                children[n] = fork();
                if (children[n] == 0) {
                        end_with(worker);
                        sift_share(search, pids, n, n_shares, ends[1]);
                }
                good = children[n] > 0;
        }
        (void)close(ends[1]);
        good = read_sifted(ends[0], &sifted) >= 0 && good;
        (void)close(ends[0]);
        if (!wait_for_shares(children, n) || !good)
                return;
        numbers_done(pids);
        *pids = sifted;
        sifted = (Numbers){0};
}
