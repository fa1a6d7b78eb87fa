/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * soak-user: somebody who leases devices for a while, for the soak. Does what is said on standard
 * input, a line at a time, and answers each with a line:
 *
 *      soak-user bus|socket MODE PREPARE BIND MANNERS TARGET...
 *
 *      add TARGET     leases one more; bound first if BIND is "bind"
 *      remove TARGET  leaves one
 *      map MIB        so much memory for DMA, in place of what was mapped
 *      fetch          has the files of the lease handed over once more
 *      check          the devices answer, and what was mapped still is
 *      release        ends the lease, and the process
 *
 * The first line that it says is "held LEASE MODE". "refused NAME: SENTENCE" is an answer like
 * "ok". Who is "polite" gives back when asked; who is "deaf" does not. The end of standard input
 * ends it as a program ends that forgets its lease. What nobody has asked for is said in a line
 * that begins with "!": it gave back, or has lost the lease.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/vfiod.h"
#include "vfio-files.h"

typedef struct User {
        bool on_bus;
        bool polite;
        vfiod_acquire_options options;
        vfiod_connection *connection;
        vfiod_lease *lease;
        int lease_fd; /* once a connection was lost: the library looks at it no more */
} User;

static bool asked_back, ended;

static void say_refused(const User *user) {
        printf("refused %s: %s\n", vfiod_error_name(user->connection),
               vfiod_error_message(user->connection));
}

static int open_connection(User *user) {
        if (vfiod_connection_new(&user->connection) < 0)
                die("no memory");
        return user->on_bus ? vfiod_connection_open(user->connection, NULL)
                            : vfiod_connection_open_socket(user->connection, NULL);
}

static void on_event(vfiod_lease *lease, const vfiod_lease_event *event, void *userdata) {
        (void)lease;
        (void)userdata;
        if (event->type == VFIOD_LEASE_ENDED)
                ended = true;
        if (event->type == VFIOD_LEASE_RELEASE_REQUESTED)
                asked_back = true;
}

/* vfio-files.h knows the files of one set-up; of cdevs that nobody has bound nothing can be asked.
 */
static void take_up_files(const User *user) {
        const vfiod_file *file;
        bool ready = !user->options.prepare || strcmp(user->options.prepare, "open") != 0;

        files.container = files.iommufd = -EBADF;
        files.ioas = vfiod_lease_get_ioas(user->lease);
        files.n_devices = 0;
        for (size_t i = 0; (file = vfiod_lease_get_file(user->lease, i)); i++) {
                bool device = strcmp(file->kind, VFIOD_KIND_DEVICE) == 0 ||
                              strcmp(file->kind, VFIOD_KIND_CDEV) == 0;

                if (strcmp(file->kind, VFIOD_KIND_CONTAINER) == 0)
                        files.container = file->fd;
                if (strcmp(file->kind, VFIOD_KIND_IOMMUFD) == 0)
                        files.iommufd = file->fd;
                if (device && ready && files.n_devices < DEVICES_MAX)
                        files.devices[files.n_devices++] =
                                (Device){.name = file->name, .fd = file->fd};
        }
}

static bool may_map(const User *user) {
        return !user->options.prepare || strcmp(user->options.prepare, VFIOD_PREPARE_ATTACH) == 0;
}

static int acquire(User *user, char **targets) {
        int r = open_connection(user);

        if (r >= 0)
                r = vfiod_acquire(user->connection, (const char *const *)targets, &user->options,
                                  &user->lease);
        if (r < 0) {
                say_refused(user);
                return r;
        }
        vfiod_lease_set_callback(user->lease, on_event, NULL);
        take_up_files(user);
        printf("held %u %s\n", vfiod_lease_get_id(user->lease), vfiod_lease_get_mode(user->lease));
        return 0;
}

static int open_lease(User *user, const char *path, vfiod_lease **ret) {
        int r = open_connection(user);

        if (r >= 0)
                r = vfiod_lease_open(user->connection, path, ret);
        if (r >= 0)
                r = vfiod_lease_fetch_files(*ret);
        return r;
}

/* Who connects while vfiod dies is hung up on once more. */
static int open_lease_patiently(User *user, const char *path, vfiod_lease **ret) {
        for (unsigned tries = 0;; tries++) {
                int r = open_lease(user, path, ret);

                if ((r != -ECONNRESET && r != -EHOSTUNREACH) || tries == 100)
                        return r;
                *ret = vfiod_lease_free(*ret);
                vfiod_connection_free(user->connection);
                usleep(100000);
        }
}

/* The socket's other end was a vfiod that is no more. The lease is there with the next one. */
static int connect_again(User *user) {
        char *path = strdup(vfiod_lease_get_path(user->lease));
        vfiod_connection *old = user->connection;
        vfiod_lease *lease = NULL;
        int r;

        if (!path)
                die("no memory");
        r = open_lease_patiently(user, path, &lease);
        if (r >= 0) {
                if (user->lease_fd < 0)
                        user->lease_fd = vfiod_lease_take_fd(user->lease, VFIOD_KIND_LEASE, NULL);
                /* What is mapped stays, since the files are those of before. */
                vfiod_lease_free(user->lease);
                user->lease = lease;
                vfiod_lease_set_callback(lease, on_event, NULL);
                take_up_files(user);
        } else {
                printf("! cannot connect again: %s: %s\n", vfiod_error_name(user->connection),
                       vfiod_error_message(user->connection));
                vfiod_lease_free(lease);
        }
        vfiod_connection_free(old);
        free(path);
        return r;
}

static void check_devices(void) {
        for (size_t i = 0; i < files.n_devices; i++)
                if (config_read(&files.devices[i], PCI_VENDOR_ID) == UINT16_MAX)
                        die("%s does not answer", files.devices[i].name);
}

static void forget_mapping(void) {
        if (files.mapped > 0 && unmap_memory() != files.mapped)
                die("what was mapped is not there");
        files.mapped = 0;
}

static void map(const User *user, uint64_t mib) {
        if (!may_map(user))
                return;
        forget_mapping();
        map_memory(mib * MIB);
}

/* Mapped anew, because the kernel tells of what is mapped only when that ends. */
static void check(const User *user) {
        uint64_t mapped = files.mapped;

        check_devices();
        if (mapped == 0)
                return;
        forget_mapping();
        map(user, mapped / MIB);
}

static int change(User *user, const char *verb, const char *target) {
        const char *const targets[] = {target, NULL};
        vfiod_acquire_options options = VFIOD_ACQUIRE_OPTIONS_NULL;
        int r;

        options.bind = user->options.bind;
        r = strcmp(verb, "add") == 0 ? vfiod_lease_add(user->lease, targets, &options)
                                     : vfiod_lease_remove(user->lease, targets);
        /* Remove has closed our files of it by then, also where it is refused. */
        if (r < 0 && strcmp(verb, "remove") == 0 && r != -ECONNRESET) {
                say_refused(user);
                if (vfiod_lease_fetch_files(user->lease) < 0)
                        printf("! cannot fetch: %s\n", vfiod_error_message(user->connection));
                take_up_files(user);
                return 1;
        }
        return r;
}

/* 0 or -errno with what the connection says of it; 1: it was answered. */
static int obey(User *user, const char *verb, char *argument) {
        if (strcmp(verb, "add") == 0 || strcmp(verb, "remove") == 0)
                return change(user, verb, argument);
        if (strcmp(verb, "fetch") == 0)
                return vfiod_lease_fetch_files(user->lease);
        if (strcmp(verb, "release") == 0)
                return vfiod_release(user->connection, vfiod_lease_get_path(user->lease));
        if (strcmp(verb, "map") == 0)
                map(user, parse_number(argument));
        else if (strcmp(verb, "check") == 0)
                check(user);
        else
                die("no verb '%s'", verb);
        return 0;
}

static void do_line(User *user, char *line) {
        char *argument = strchr(line, ' ');
        int r;

        line[strcspn(line, "\n")] = '\0';
        if (argument)
                *argument++ = '\0';
        r = obey(user, line, argument);
        if (r < 0)
                say_refused(user);
        take_up_files(user);
        if (r == 0)
                puts("ok");
        if (r == 0 && strcmp(line, "release") == 0)
                exit(EXIT_SUCCESS);
}

/* Whether the lease's own file says that it is over; a byte in it asks for the lease. */
static void read_lease_fd(const User *user) {
        char byte;
        ssize_t n = read(user->lease_fd, &byte, 1);

        ended = ended || n == 0;
        asked_back = asked_back || n == 1;
}

static void heed_events(User *user) {
        if (ended) {
                puts("! the lease has ended");
                exit(3);
        }
        if (!asked_back)
                return;
        asked_back = false;
        if (!user->polite)
                return;
        if (vfiod_lease_release(user->lease) < 0)
                printf("! could not give back: %s\n", vfiod_error_message(user->connection));
        else
                puts("! gave back");
        exit(EXIT_SUCCESS);
}

static void serve(User *user) {
        char line[256];

        for (;;) {
                struct pollfd fds[] = {
                        {.fd = STDIN_FILENO, .events = POLLIN},
                        {.fd = vfiod_connection_get_fd(user->connection), .events = POLLIN},
                        {.fd = user->lease_fd, .events = POLLIN},
                };

                if (poll(fds, 3, -1) < 0 && errno != EINTR)
                        die("poll: %m");
                if (fds[2].revents)
                        read_lease_fd(user);
                if (fds[1].revents && vfiod_connection_process(user->connection) < 0 &&
                    connect_again(user) < 0)
                        exit(4);
                heed_events(user);
                if (!fds[0].revents)
                        continue;
                if (!fgets(line, sizeof(line), stdin))
                        return;
                do_line(user, line);
        }
}

int main(int argc, char **argv) {
        User user = {.options = VFIOD_ACQUIRE_OPTIONS_NULL, .lease_fd = -EBADF};

        if (argc < 7)
                die("soak-user bus|socket MODE PREPARE BIND MANNERS TARGET...");
        setvbuf(stdout, NULL, _IOLBF, 0);
        /* poll() must see what is there to be read. */
        setvbuf(stdin, NULL, _IONBF, 0);
        user.on_bus = strcmp(argv[1], "bus") == 0;
        user.options.mode = argv[2];
        user.options.prepare = argv[3];
        user.options.bind = strcmp(argv[4], "bind") == 0;
        user.options.label = "soak";
        user.polite = strcmp(argv[5], "polite") == 0;
        if (acquire(&user, argv + 6) < 0)
                return EXIT_FAILURE;
        serve(&user);
        return EXIT_SUCCESS;
}
