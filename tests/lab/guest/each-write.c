/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * each-write: holds a process, and those that it forks from now on, before each system call that
 * changes something on one file system, and runs a command meanwhile.
 *
 *      each-write PID DIRECTORY COMMAND [ARGUMENT...]
 *
 * The file system is the one of DIRECTORY. The command gets two more arguments: which such call it
 * is, from 1 on, and what it does, for people. Says "watching" when it does, and goes on until the
 * process ends or each-write is ended. Calls that name their file by a descriptor, or by a path in
 * a directory that is a descriptor, are seen; others, like those on absolute paths, are not.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its first argument is a descriptor; `path` is which one is a path there, 0 for none. */
typedef struct Call {
        uint64_t number;
        const char *name;
        int path;
} Call;

static const Call calls[] = {
        {SYS_openat, "openat", 1},       {SYS_unlinkat, "unlinkat", 1},
        {SYS_renameat, "renameat", 1},   {SYS_renameat2, "renameat2", 1},
        {SYS_linkat, "linkat", 1},       {SYS_symlinkat, "symlinkat", 2},
        {SYS_mkdirat, "mkdirat", 1},     {SYS_mknodat, "mknodat", 1},
        {SYS_fchmodat, "fchmodat", 1},   {SYS_fchownat, "fchownat", 1},
        {SYS_write, "write", 0},         {SYS_pwrite64, "pwrite64", 0},
        {SYS_writev, "writev", 0},       {SYS_ftruncate, "ftruncate", 0},
        {SYS_fallocate, "fallocate", 0}, {SYS_fchmod, "fchmod", 0},
        {SYS_fchown, "fchown", 0},       {SYS_fsync, "fsync", 0},
        {SYS_fdatasync, "fdatasync", 0}, {SYS_syncfs, "syncfs", 0},
};

typedef struct Watch {
        dev_t file_system;
        char **command; /* with room for two more words */
        int n_command;
        unsigned n;
} Watch;

static void fail(const char *what) {
        perror(what);
        exit(EXIT_FAILURE);
}

static const Call *find_call(const struct __ptrace_syscall_info *info) {
        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
                if (calls[i].number == info->entry.nr)
                        return &calls[i];
        return NULL;
}

static bool is_there(const Watch *watch, pid_t pid, int fd) {
        struct stat status;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
        return stat(path, &status) == 0 && status.st_dev == watch->file_system;
}

static bool changes(const struct __ptrace_syscall_info *info) {
        return info->entry.nr != SYS_openat ||
               (info->entry.args[2] & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR));
}

static void read_path(pid_t pid, const Call *call, const struct __ptrace_syscall_info *info,
                      char *name, size_t size) {
        char file[64];
        ssize_t n;

        if (call->path > 0) {
                int fd;

                snprintf(file, sizeof(file), "/proc/%d/mem", (int)pid);
                fd = open(file, O_RDONLY | O_CLOEXEC);
                n = pread(fd, name, size - 1, (off_t)info->entry.args[call->path]);
                close(fd);
        } else {
                snprintf(file, sizeof(file), "/proc/%d/fd/%d", (int)pid, (int)info->entry.args[0]);
                n = readlink(file, name, size - 1);
        }
        name[n > 0 ? n : 0] = '\0';
}

static void describe(pid_t pid, const Call *call, const struct __ptrace_syscall_info *info,
                     char *text, size_t size) {
        char path[256];
        const char *slash;

        read_path(pid, call, info, path, sizeof(path));
        slash = strrchr(path, '/');
        snprintf(text, size, "%s %s", call->name, slash ? slash + 1 : path);
}

static void run_command(Watch *watch, const char *what) {
        char number[16];
        pid_t child;

        snprintf(number, sizeof(number), "%u", ++watch->n);
        watch->command[watch->n_command] = number;
        watch->command[watch->n_command + 1] = (char *)what;
        child = fork();
        if (child == 0) {
                execvp(watch->command[0], watch->command);
                _exit(127);
        }
        if (child < 0 || waitpid(child, NULL, 0) < 0)
                fail("the command");
}

static void at_call(Watch *watch, pid_t pid) {
        struct __ptrace_syscall_info info;
        const Call *call;
        char what[512];

        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
            info.op != PTRACE_SYSCALL_INFO_ENTRY)
                return;
        call = find_call(&info);
        if (!call || !changes(&info) || !is_there(watch, pid, (int)info.entry.args[0]))
                return;
        describe(pid, call, &info, what, sizeof(what));
        run_command(watch, what);
}

/* Lets it go on, with the signal that it was to get. */
static void go_on(Watch *watch, pid_t pid, int status) {
        int signal = WSTOPSIG(status), event = status >> 16;

        if (signal == (SIGTRAP | 0x80)) {
                at_call(watch, pid);
                signal = 0;
        } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
                ptrace(PTRACE_LISTEN, pid, 0, 0);
                return;
        } else if (event != 0)
                signal = 0;
        ptrace(PTRACE_SYSCALL, pid, 0, signal);
}

int main(int argc, char **argv) {
        Watch watch = {0};
        struct stat directory;
        pid_t pid;
        int status;

        if (argc < 4)
                return 2;
        if (stat(argv[2], &directory) < 0)
                fail(argv[2]);
        watch.file_system = directory.st_dev;
        watch.n_command = argc - 3;
        watch.command = calloc((size_t)argc, sizeof(char *));
        if (!watch.command)
                fail("memory");
        memcpy(watch.command, argv + 3, (size_t)watch.n_command * sizeof(char *));
        pid = atoi(argv[1]);
        if (ptrace(PTRACE_SEIZE, pid, 0,
                   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                           PTRACE_O_TRACECLONE) < 0 ||
            ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
                fail(argv[1]);
        puts("watching");
        fflush(stdout);
        while ((pid = waitpid(-1, &status, __WALL)) > 0)
                if (WIFSTOPPED(status))
                        go_on(&watch, pid, status);
        return EXIT_SUCCESS;
}
