/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * holders: what it costs to find who has a group among many processes.
 *
 *      holders crowd PROCESSES FILES NODE      makes so many processes with so many files each,
 *                                              the last of which has NODE too; says "ready", and
 *                                              ends with its standard input
 *      holders scan GROUP ROUNDS               looks for holders of the group, as the daemon does;
 *                                              prints the median in microseconds and how many
 *                                              processes were found, as JSON
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/kernel/holders.h"
#include "tests/bench/common.h"

#define ROUNDS_MAX 1000
#define FIRST_FILE 3

/* What an ordinary service has: files, pipes, sockets. All are above the standard streams. */
static void open_files(unsigned n) {
        int fds[2];

        for (unsigned i = FIRST_FILE; i + 1 < n; i += 2) {
                if (i % 6 == 1)
                        check(pipe(fds), "pipe");
                else if (i % 6 == 3)
                        check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
                else {
                        check(open("/proc/self/exe", O_RDONLY), "open a file");
                        check(open("/dev/null", O_RDWR), "open /dev/null");
                }
        }
        while (dup(STDERR_FILENO) + 1 < (int)n)
                continue;
}

static _Noreturn void stand_by(unsigned files, const char *node) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        open_files(node ? files - 1 : files);
        if (node)
                check(open(node, O_RDWR), node);
        check((int)write(STDOUT_FILENO, ".", 1), "say that it is there");
        for (;;)
                pause();
}

/* Each child tells through the pipe that is its standard output. */
static int crowd(unsigned processes, unsigned files, const char *node) {
        int ready[2];
        char byte;

        check(pipe2(ready, O_CLOEXEC), "pipe");
        for (unsigned i = 0; i < processes; i++)
                if (check(fork(), "fork") == 0) {
                        check(dup2(ready[1], STDOUT_FILENO), "dup2");
                        close(ready[0]);
                        close(ready[1]);
                        stand_by(files, i + 1 == processes ? node : NULL);
                }
        close(ready[1]);
        for (unsigned i = 0; i < processes; i++)
                if (read(ready[0], &byte, 1) != 1)
                        die("a process has ended", ECHILD);
        puts("ready");
        fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
                continue;
        return 0;
}

static int take(void *userdata, const Hold *hold) {
        return holds_add(userdata, hold);
}

/* All of it, with what is read of the group before. Returns the number of processes found. */
static size_t scan_once(const Roots *roots, uint32_t group) {
        HolderSearch *search = NULL;
        Holds holds = HOLDS_NULL;
        size_t found = 0;

        check_errno(holder_search_new(roots, &group, 1, NULL, 0, 0, &search), "begin the search");
        check_errno(holder_search_all(search, take, &holds), "search");
        for (size_t i = 0; i < holds.n_holds; i = holds_next_process(&holds, i))
                found++;
        holds_done(&holds);
        holder_search_free(search);
        return found;
}

static int scan(uint32_t group, unsigned rounds) {
        static double times[ROUNDS_MAX];
        size_t found = 0;
        Roots roots;

        if (rounds == 0 || rounds > ROUNDS_MAX)
                die("rounds", ERANGE);
        check_errno(roots_open(&roots), "open /sys, /dev and /proc");
        for (unsigned i = 0; i < rounds; i++) {
                double started = now_usec();

                found = scan_once(&roots, group);
                times[i] = now_usec() - started;
        }
        roots_done(&roots);
        printf("{\"scan_usec\": %.0f, \"found\": %zu}\n", median(times, rounds), found);
        return 0;
}

int main(int argc, char **argv) {
        if (argc == 5 && strcmp(argv[1], "crowd") == 0)
                return crowd((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), argv[4]);
        if (argc == 4 && strcmp(argv[1], "scan") == 0)
                return scan((uint32_t)atoi(argv[2]), (unsigned)atoi(argv[3]));
        die("usage: holders crowd PROCESSES FILES NODE | holders scan GROUP ROUNDS", EINVAL);
}
