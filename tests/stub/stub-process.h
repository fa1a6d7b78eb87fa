/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Link-time twin of daemon/kernel/process.h: which files and tables are the same is what the test
 * says, and nobody is signalled.
 */

#include <stddef.h>
#include <sys/types.h>

#define STUB_PROCESS_ENTRIES 16

typedef struct StubProcess {
        /* Open files: an fd of a thread, and which one it is. Our own fds with our own pid. */
        struct {
                pid_t tid;
                int fd;
                int file;
        } files[STUB_PROCESS_ENTRIES];
        size_t n_files;
        /* Threads that share a table with others of the same number. */
        struct {
                pid_t tid;
                int table;
        } tables[STUB_PROCESS_ENTRIES];
        size_t n_tables;

        int open_error;
        int signal_error;
        /* Called once a pidfd is open: what happens between the two looks. */
        void (*opened)(void *userdata);
        void *userdata;
        const char *unit;

        pid_t pinned;   /* the last process a pidfd was opened of */
        pid_t signaled; /* the last one signalled, 0 for none */
        int signal;
} StubProcess;

extern StubProcess stub_process;

void stub_process_add_file(pid_t tid, int fd, int file);
void stub_process_add_table(pid_t tid, int table);
