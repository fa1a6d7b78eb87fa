/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holders that end at a bad moment, and whose pid another process gets: one that has no file of a
 * device, so that nobody may touch it. The process that arranges this has none either.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"
#include "vfio-files.h"

/* Whose pid is to be used again; 0 for none. */
static pid_t doomed;

/* The same where a child of ours that is older can see it, too. */
static pid_t *betrayed;

static void do_nothing(void) {
        for (;;)
                pause();
}

/* A holder that ends in the middle of being taken back: when somebody switched memory decode off,
 * which vfiod does before it sends signals. */
static void vanish_when_quiesced(void) {
        while (config_read(&files.devices[0], PCI_COMMAND) & PCI_COMMAND_MEMORY)
                ;
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

/* The second one's pid is used again when it has ended; the first one stays. */
void hold_in_two_children(char ***arguments) {
        pid_t stays = start(do_nothing);

        (void)arguments;
        doomed = start(do_nothing);
        close_files();
        printf("stays: %d\nleaves: %d\n", (int)stays, (int)doomed);
}

void hold_in_vanishing_child(char ***arguments) {
        const Device *device = &files.devices[0];

        (void)arguments;
        config_write(device, PCI_COMMAND, config_read(device, PCI_COMMAND) | PCI_COMMAND_MEMORY);
        doomed = start(vanish_when_quiesced);
        close_files();
        printf("vanishes: %d\n", (int)doomed);
}

static void on_sigbus_betray(int signal) {
        (void)signal;
        kill(*betrayed, SIGKILL);
        _exit(EXIT_SUCCESS);
}

static void betray_when_signalled(void) {
        signal(SIGBUS, on_sigbus_betray);
        do_nothing();
}

/* Who sends SIGBUS to the holders in the order of their pids has others to look at between the
 * first one, which ends the last one when it gets it, and that last one. */
void hold_in_betrayed_child(char ***arguments) {
        uint64_t between = parse_number(next_argument(arguments, "how many others there are"));

        betrayed = mmap(NULL, sizeof(*betrayed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
        if (betrayed == MAP_FAILED)
                die("mmap: %m");
        printf("betrays: %d\n", (int)start(betray_when_signalled));
        for (uint64_t i = 0; i < between; i++)
                start(do_nothing);
        doomed = *betrayed = start(do_nothing);
        close_files();
        printf("leaves: %d\n", (int)doomed);
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

void reap_children(void) {
        int status;
        pid_t child;

        while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
                if (WIFSIGNALED(status))
                        printf("process %d was ended by SIG%s\n", (int)child,
                               sigabbrev_np(WTERMSIG(status)));
                else
                        printf("process %d ended\n", (int)child);
                if (child == doomed) {
                        doomed = 0;
                        replace(child);
                }
        }
}
