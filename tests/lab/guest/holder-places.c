/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a holder can keep its files so that whoever looks for them must look twice. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "holder.h"
#include "vfio-files.h"

#define PASSED_MAX (DEVICES_MAX + 3)

/* Both ends of the socket in which files are in flight. */
static int flight[2] = {-EBADF, -EBADF};

/* --- other processes */

static pid_t fork_or_die(void) {
        pid_t child = fork();

        if (child < 0)
                die("fork: %m");
        return child;
}

/* The owner's end comes before its holder's: nothing links the child to the lease but its files. */
void hand_to_child(char ***arguments) {
        pid_t child = fork_or_die();

        (void)arguments;
        if (child > 0) {
                printf("process %d goes on with the files\n", (int)child);
                exit(EXIT_SUCCESS);
        }
        if (setsid() < 0)
                die("setsid: %m");
}

void hand_to_many_children(char ***arguments) {
        uint64_t children = parse_number(next_argument(arguments, "the number of children"));

        for (uint64_t i = 0; i < children; i++)
                if (fork_or_die() == 0)
                        for (;;)
                                pause();
}

/* --- a thread with its own table of files, which only /proc/PID/task/TID/fd shows */

static pthread_barrier_t tables_are_two;

static void *keep_table(void *unused) {
        if (unshare(CLONE_FILES) < 0)
                die("unshare: %m");
        pthread_barrier_wait(&tables_are_two);
        for (;;)
                pause();
        return unused;
}

void hand_to_thread(char ***arguments) {
        pthread_t thread;

        (void)arguments;
        errno = pthread_barrier_init(&tables_are_two, NULL, 2);
        if (errno == 0)
                errno = pthread_create(&thread, NULL, keep_table, NULL);
        if (errno != 0)
                die("a thread: %m");
        pthread_barrier_wait(&tables_are_two);
        close_files();
}

/* --- a mapping: the kernel keeps the file behind it open */

void hand_to_mapping(char ***arguments) {
        (void)arguments;
        for (size_t i = 0; i < files.n_devices; i++) {
                close(files.devices[i].fd);
                files.devices[i].fd = -EBADF;
        }
        close(files.group);
        close(*mapper());
        files.group = *mapper() = -EBADF;
}

/* --- sockets */

static void send_fds(int socket, const char *words, const int *fds, size_t n_fds) {
        union {
                char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
                struct cmsghdr align;
        } control = {.bytes = {0}};
        struct iovec data = {.iov_base = (void *)words, .iov_len = strlen(words) + 1};
        struct msghdr message = {
                .msg_iov = &data,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = CMSG_SPACE(n_fds * sizeof(int)),
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
        if (sendmsg(socket, &message, 0) < 0)
                die("sendmsg: %m");
}

/* How many came; at most n_fds of them, or the end. */
static size_t receive_fds(int socket, char *words, size_t size, int *fds, size_t n_fds) {
        union {
                char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
                struct cmsghdr align;
        } control = {.bytes = {0}};
        struct iovec data = {.iov_base = words, .iov_len = size};
        struct msghdr message = {
                .msg_iov = &data,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = sizeof(control.bytes),
        };
        struct cmsghdr *header;

        if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0)
                die("recvmsg: %m");
        header = CMSG_FIRSTHDR(&message);
        if (!header || header->cmsg_len > CMSG_LEN(n_fds * sizeof(int)))
                die("no files came, or more than %zu", n_fds);
        memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
        return (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

/* A name that is no path: the two processes have no directory in common that both may write. */
static struct sockaddr_un socket_address(char ***arguments, socklen_t *ret_length) {
        const char *name = next_argument(arguments, "the name of the socket");
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (strlen(name) >= sizeof(address.sun_path))
                die("the socket's name '%s' is too long", name);
        memcpy(address.sun_path + 1, name, strlen(name));
        *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
        return address;
}

static int open_socket(void) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die("socket: %m");
        return fd;
}

/* All but the devices: lease, container or iommufd, and the group where there is one. */
static size_t other_fds(int *fds) {
        size_t n = 0;

        fds[n++] = files.lease;
        fds[n++] = *mapper();
        if (files.group >= 0)
                fds[n++] = files.group;
        return n;
}

/* One device with everything that belongs to it. */
void send_away(char ***arguments) {
        socklen_t length;
        struct sockaddr_un address = socket_address(arguments, &length);
        int fd = open_socket(), fds[PASSED_MAX] = {files.devices[0].fd};
        size_t n = 1 + other_fds(fds + 1);

        if (connect(fd, (const struct sockaddr *)&address, length) < 0)
                die("connect: %m");
        send_fds(fd, files.devices[0].name, fds, n);
        puts("sent everything away");
        exit(EXIT_SUCCESS);
}

void receive(char ***arguments) {
        static char name[256];
        socklen_t length;
        struct sockaddr_un address = socket_address(arguments, &length);
        int listening = open_socket(), fds[4], fd;
        size_t n;

        if (bind(listening, (const struct sockaddr *)&address, length) < 0 ||
            listen(listening, 1) < 0)
                die("bind: %m");
        puts("waiting for files");
        fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
                die("accept: %m");
        n = receive_fds(fd, name, sizeof(name) - 1, fds, sizeof(fds) / sizeof(fds[0]));
        close(fd);
        close(listening);
        files.devices[files.n_devices++] = (Device){.name = name, .fd = fds[0]};
        files.lease = fds[1];
        if (n == 4) {
                files.container = fds[2];
                files.group = fds[3];
        } else
                files.iommufd = fds[2];
}

static void close_others(void) {
        close(files.group);
        close(*mapper());
        close(files.lease);
        files.group = *mapper() = files.lease = -EBADF;
}

/* Nobody reads the devices there, and nothing under /proc shows them. */
void leave_in_flight(char ***arguments) {
        const char *others =
                next_argument(arguments, "'keep', 'close' or 'send' (the other files)");
        int fds[PASSED_MAX];
        size_t n = 0;

        for (; n < files.n_devices; n++)
                fds[n] = files.devices[n].fd;
        if (strcmp(others, "send") == 0)
                n += other_fds(fds + n);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, flight) < 0)
                die("socketpair: %m");
        send_fds(flight[0], "devices", fds, n);
        close_devices();
        if (strcmp(others, "keep") != 0)
                close_others();
}

void take_out_of_flight(void) {
        for (size_t i = 0; i < 2; i++) {
                if (flight[i] >= 0)
                        close(flight[i]);
                flight[i] = -EBADF;
        }
}

void take_in(void) {
        int fds[DEVICES_MAX];
        char words[16];

        if (flight[1] < 0)
                return;
        if (receive_fds(flight[1], words, sizeof(words), fds, files.n_devices) != files.n_devices)
                die("not all devices came back");
        for (size_t i = 0; i < files.n_devices; i++)
                files.devices[i].fd = fds[i];
        take_out_of_flight();
}
