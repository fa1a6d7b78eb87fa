/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/stub/stub-process.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "daemon/kernel/process.h"
#include "daemon/util/string.h"

StubProcess stub_process;

void stub_process_add_file(pid_t tid, int fd, int file) {
        size_t i = stub_process.n_files++;

        assert(i < STUB_PROCESS_ENTRIES);
        stub_process.files[i].tid = tid;
        stub_process.files[i].fd = fd;
        stub_process.files[i].file = file;
}

void stub_process_add_table(pid_t tid, int table) {
        size_t i = stub_process.n_tables++;

        assert(i < STUB_PROCESS_ENTRIES);
        stub_process.tables[i].tid = tid;
        stub_process.tables[i].table = table;
}

static int find_file(pid_t tid, int fd) {
        for (size_t i = 0; i < stub_process.n_files; i++)
                if (stub_process.files[i].tid == tid && stub_process.files[i].fd == fd)
                        return stub_process.files[i].file;
        return -1;
}

static int find_table(pid_t tid) {
        for (size_t i = 0; i < stub_process.n_tables; i++)
                if (stub_process.tables[i].tid == tid)
                        return stub_process.tables[i].table;
        return -1;
}

bool process_same_file(pid_t a, int fd_a, pid_t b, int fd_b) {
        return find_file(a, fd_a) >= 0 && find_file(a, fd_a) == find_file(b, fd_b);
}

bool process_same_table(pid_t a, pid_t b) {
        return find_table(a) >= 0 && find_table(a) == find_table(b);
}

int process_open(pid_t pid) {
        if (stub_process.open_error < 0)
                return stub_process.open_error;
        stub_process.pinned = pid;
        if (stub_process.opened)
                stub_process.opened(stub_process.userdata);
        return memfd_create("pidfd", MFD_CLOEXEC);
}

int process_signal(int pidfd _unused_, int signal) {
        if (stub_process.signal_error < 0)
                return stub_process.signal_error;
        stub_process.signaled = stub_process.pinned;
        stub_process.signal = signal;
        return 0;
}

void process_unit(pid_t pid _unused_, char *buffer, size_t size) {
        (void)snprintf(buffer, size, "%s", string_or_empty(stub_process.unit));
}
