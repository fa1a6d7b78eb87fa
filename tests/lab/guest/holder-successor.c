/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holders that end at a bad moment, and whose pid another process gets: one that has no file of a
 * device, so that nobody may touch it. The process that arranges this has none either.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"
#include "vfio-files.h"

#define DOOMED_MAX 64

/* Between the ends of two that vanish: many of these are as long as looking for all holders takes.
 */
#define VANISH_EVERY_USEC 10000

/* Whose pids are to be used again. */
static pid_t doomed[DOOMED_MAX];
static size_t n_doomed;

static void do_nothing(void) {
        for (;;)
                pause();
}

static bool is_quiesced(void) {
        return !(config_read(&files.devices[0], PCI_COMMAND) & PCI_COMMAND_MEMORY);
}

/* When somebody switches memory decode off, which vfiod does before it sends signals, ends the
 * doomed ones before their time. */
static void end_the_doomed(void) {
        int pidfds[DOOMED_MAX];

        /* Not by their pids: an innocent one may have it by then. */
        for (size_t i = 0; i < n_doomed; i++) {
                pidfds[i] = pidfd_open(doomed[i], 0);
                if (pidfds[i] < 0)
                        die("pidfd_open: %m");
        }
        while (!is_quiesced())
                usleep(1000);
        for (size_t i = 0; i < n_doomed; i++) {
                (void)pidfd_send_signal(pidfds[i], SIGKILL, NULL, 0);
                usleep(VANISH_EVERY_USEC);
        }
        _exit(EXIT_SUCCESS);
}

static pid_t start(void (*life)(void)) {
        pid_t child = fork();

        if (child < 0)
                die("fork: %m");
        if (child == 0)
                life();
        return child;
}

static void start_doomed(void) {
        if (n_doomed == DOOMED_MAX)
                die("more than %d", DOOMED_MAX);
        doomed[n_doomed] = start(do_nothing);
        printf("doomed: %d\n", (int)doomed[n_doomed++]);
}

/* Whoever ends the doomed one, the other one stays. */
void hold_in_two_children(char ***arguments) {
        (void)arguments;
        start_doomed();
        printf("stays: %d\n", (int)start(do_nothing));
        close_files();
}

/* The doomed ones are looked at first, having the lowest pids, and end while the others are. */
void hold_in_vanishing_children(char ***arguments) {
        const Device *device = &files.devices[0];
        uint64_t vanish = parse_number(next_argument(arguments, "how many vanish"));
        uint64_t others = parse_number(next_argument(arguments, "how many others there are"));

        config_write(device, PCI_COMMAND, config_read(device, PCI_COMMAND) | PCI_COMMAND_MEMORY);
        for (uint64_t i = 0; i < vanish; i++)
                start_doomed();
        start(end_the_doomed);
        for (uint64_t i = 0; i < others; i++)
                start(do_nothing);
        close_files();
}

/* fork(), with a pid of our choice. Somebody else's child may have it for a moment. */
static pid_t fork_as(pid_t pid) {
        pid_t wanted[] = {pid};
        struct clone_args arguments = {
                .exit_signal = SIGCHLD,
                .set_tid = (uintptr_t)wanted,
                .set_tid_size = 1,
        };
        long child;

        do
                child = syscall(SYS_clone3, &arguments, sizeof(arguments));
        while (child < 0 && errno == EEXIST);
        if (child < 0)
                die("clone3 of process %d: %m", (int)pid);
        return (pid_t)child;
}

static void be_innocent(void) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        do_nothing();
}

static void replace(pid_t pid) {
        if (fork_as(pid) == 0)
                be_innocent();
        printf("process %d is an innocent one now\n", (int)pid);
}

static bool was_doomed(pid_t pid) {
        for (size_t i = 0; i < n_doomed; i++)
                if (doomed[i] == pid) {
                        doomed[i] = 0;
                        return true;
                }
        return false;
}

void reap_children(void) {
        int status;
        pid_t child;

        while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
                /* First, because that is what somebody may be caught by. */
                if (was_doomed(child))
                        replace(child);
                if (WIFSIGNALED(status))
                        printf("process %d was ended by SIG%s\n", (int)child,
                               sigabbrev_np(WTERMSIG(status)));
                else
                        printf("process %d ended\n", (int)child);
        }
}
