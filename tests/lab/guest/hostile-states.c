/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections that are many, end at the wrong moment, or come with signals. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"
#include "vfio-files.h"

#define CONNECTIONS_MAX 4096
/* An operation on the device takes about as long; deaths are spread over it. */
#define OPERATION_USEC 100000

static void raise_limit_of_files(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                die("getrlimit: %m");
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                die("setrlimit: %m");
}

/*
 * How far it goes is up to its number: from silence to a call that nobody reads the answer of. Who
 * is silent on the bus keeps dbus-daemon from taking others, which is not vfiod's to mend.
 */
static int open_one(size_t i) {
        static const char start[] = "\0AUTH EXTERNAL";
        Packet call = PACKET_NULL;
        int fd = i % 4 < 2 && !over_bus ? wire_connect() : wire_open();

        if (fd < 0)
                return -1;
        if (i % 4 == 1 && !over_bus)
                (void)send(fd, start, sizeof(start) - 1, MSG_NOSIGNAL);
        if (i % 4 == 3) {
                packet_call(&call, 0, 2, "ListDevices", NULL, NULL);
                (void)wire_send(fd, &call);
                packet_done(&call);
        }
        return fd;
}

static bool hung_up(int fd) {
        struct pollfd p = {.fd = fd, .events = POLLRDHUP};

        return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* connections N: open at once; those that are hung up are opened again. */
void harm_connections(char **arguments) {
        size_t wanted = parse_number(next_argument(&arguments, "how many"));
        unsigned long opened = 0, refused = 0;
        static int fds[CONNECTIONS_MAX];

        if (wanted > CONNECTIONS_MAX)
                die("at most %d", CONNECTIONS_MAX);
        raise_limit_of_files();
        for (size_t i = 0; i < wanted; i++)
                fds[i] = -1;
        while (!stop) {
                for (size_t i = 0; i < wanted && !stop; i++) {
                        if (fds[i] >= 0 && !hung_up(fds[i]))
                                continue;
                        if (fds[i] >= 0)
                                close(fds[i]);
                        fds[i] = open_one(i);
                        opened += fds[i] >= 0;
                        refused += fds[i] < 0;
                }
                at_it();
                usleep(10000);
        }
        printf("%lu connections opened, %lu refused\n", opened, refused);
}

/* --- deaths */

enum {
        CONNECTED,
        AUTHENTICATING,
        AUTHENTICATED,
        HALF_SENT,
        HALF_SENT_WITH_FILES,
        ACQUIRING, /* while polkit is asked, or a worker opens the device */
        ANSWERED,  /* and the answer is not read */
        HELD,
        HELD_RELEASING,
        HELD_WAITING,
        HELD_REVOKING,
        UNBINDING,
        BINDING,
        ALL_AT_ONCE,
        N_STATES
};

static void die_here(void) {
        (void)kill(getpid(), SIGKILL);
}

static void send_acquire(int fd, uint32_t serial, const char *target) {
        Packet body = PACKET_NULL, call = PACKET_NULL;

        packet_strings(&body, target);
        packet_no_options(&body);
        packet_call(&call, ALLOW_INTERACTIVE, serial, "Acquire", "asa{sv}", &body);
        (void)wire_send(fd, &call);
        packet_done(&body);
        packet_done(&call);
}

static void wait_for_answer(int fd) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};

        (void)poll(&readable, 1, 10000);
}

/* Bind, Unbind, which may wait until nobody holds the group any more. */
static void send_move(int fd, const char *member, const char *target, const char *policy) {
        Packet body = PACKET_NULL, call = PACKET_NULL;

        packet_strings(&body, target);
        if (policy)
                packet_option(&body, "policy", policy);
        else
                packet_no_options(&body);
        packet_call(&call, 0, 3, member, "asa{sv}", &body);
        (void)wire_send(fd, &call);
        packet_done(&body);
        packet_done(&call);
}

static void send_half_a_call(int fd, unsigned n_files) {
        Packet call = PACKET_NULL;

        packet_call(&call, 0, 2, "ListDevices", NULL, NULL);
        (void)wire_send_fds(fd, call.data, call.size / 2, n_files);
        packet_done(&call);
}

/* The path of the lease in the answer, whose files stay open; false: it was refused, or hung up. */
static bool take_lease(int fd, char *path, size_t size) {
        static const char prefix[] = "/org/vfiod1/lease/";
        char data[4096], control[CMSG_SPACE(16 * sizeof(int))], *found = NULL;
        struct iovec vector = {.iov_base = data, .iov_len = sizeof(data) - 1};
        struct msghdr m = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};
        ssize_t n;

        wait_for_answer(fd);
        n = recvmsg(fd, &m, 0);
        if (n > 0) {
                data[n] = '\0';
                found = memmem(data, (size_t)n, prefix, strlen(prefix));
        }
        return found && snprintf(path, size, "%s", found) > 0;
}

static void send_to_lease(int fd, const char *path, const char *member) {
        Header header = {
                .type = CALL,
                .serial = 5,
                .path = path,
                .interface = "org.vfiod1.Lease",
                .member = member,
                .destination = NAME,
        };
        Packet call = PACKET_NULL;

        packet_message(&call, &header, NULL);
        (void)wire_send(fd, &call);
        packet_done(&call);
}

/* With a lease whose answer was read: holds it, gives it back, or waits for itself. */
static void live_with_a_lease(unsigned state, int fd, const char *target, unsigned delay) {
        char path[64];

        send_acquire(fd, 2, target);
        if (!take_lease(fd, path, sizeof(path)))
                die_here();
        if (state == HELD_RELEASING)
                send_to_lease(fd, path, "Release");
        else if (state == HELD_WAITING)
                send_move(fd, "Unbind", target, "wait");
        else if (state == HELD_REVOKING)
                send_move(fd, "Unbind", target, "revoke");
        usleep(delay);
        die_here();
}

/* Comes to the state of that number, and dies there. */
static void live_up_to(unsigned state, const char *target, unsigned delay) {
        int fd = state < AUTHENTICATED ? wire_connect() : wire_open();

        if (fd < 0)
                die_here();
        switch (state) {
        case AUTHENTICATING:
                (void)send(fd, "\0AUTH EXT", 9, MSG_NOSIGNAL);
                break;
        case HALF_SENT:
                send_half_a_call(fd, 0);
                break;
        case HALF_SENT_WITH_FILES:
                send_half_a_call(fd, 100);
                break;
        case ACQUIRING:
                send_acquire(fd, 2, target);
                usleep(delay);
                break;
        case ANSWERED:
                send_acquire(fd, 2, target);
                wait_for_answer(fd);
                break;
        case HELD:
        case HELD_RELEASING:
        case HELD_WAITING:
        case HELD_REVOKING:
                live_with_a_lease(state, fd, target, delay);
                break;
        case UNBINDING:
                send_move(fd, "Unbind", target, NULL);
                usleep(delay);
                break;
        case BINDING:
                send_move(fd, "Bind", target, NULL);
                usleep(delay);
                break;
        case ALL_AT_ONCE:
                send_move(fd, "Bind", target, NULL);
                send_acquire(fd, 4, target);
                send_move(fd, "Unbind", target, NULL);
                break;
        default:
                break;
        }
        die_here();
}

/* deaths TARGET: processes that end, without a word, in every state that one can be in. */
void harm_deaths(char **arguments) {
        const char *target = next_argument(&arguments, "the device");
        unsigned long deaths = 0;
        unsigned seed = 1;

        while (!stop) {
                unsigned delay = (unsigned)rand_r(&seed) % OPERATION_USEC;
                pid_t child = fork();

                if (child < 0)
                        die("fork: %m");
                if (child == 0)
                        live_up_to((unsigned)(deaths % N_STATES), target, delay);
                while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
                        continue;
                if (++deaths == N_STATES)
                        at_it();
        }
        printf("%lu deaths in %d states\n", deaths, N_STATES);
}

/* --- signals */

static void must_fail(long r, const char *what) {
        if (r >= 0)
                die("%s succeeded", what);
        if (errno != EPERM && errno != ESRCH)
                die("%s: %m", what);
}

static void signal_directly(pid_t daemon, int number) {
        int pidfd = (int)syscall(SYS_pidfd_open, daemon, 0);

        must_fail(kill(daemon, number), "kill");
        must_fail(kill(-getpgid(daemon), number), "kill of the group");
        must_fail(syscall(SYS_tgkill, daemon, daemon, number), "tgkill");
        must_fail(syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0), "pidfd_send_signal");
        close(pidfd);
}

/*
 * The kernel signals the owner of a file when there is something to read, and checks whether
 * whoever made it the owner may: not before, so all of this succeeds and must have no effect.
 */
static void signal_by_owning(pid_t daemon, int number) {
        Packet call = PACKET_NULL, reply = PACKET_NULL;
        int fd = wire_open();

        if (fd < 0)
                return;
        if (fcntl(fd, F_SETSIG, number) < 0 || fcntl(fd, F_SETOWN, -getpgid(daemon)) < 0 ||
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) < 0)
                die("fcntl: %m");
        packet_call(&call, 0, 2, "ListLeases", NULL, NULL);
        (void)wire_call(fd, &call, 2, &reply);
        packet_done(&call);
        packet_done(&reply);
        close(fd);
}

/* signals PID: to the daemon, its group and its workers, in each way there is. */
void harm_signals(char **arguments) {
        static const int numbers[] = {SIGKILL, SIGTERM, SIGHUP, SIGSTOP, SIGCHLD, SIGBUS, SIGSEGV};
        pid_t daemon = (pid_t)parse_number(next_argument(&arguments, "the daemon's process"));
        unsigned long rounds = 0;

        for (; !stop; rounds++) {
                int number = numbers[rounds % (sizeof(numbers) / sizeof(numbers[0]))];

                signal_directly(daemon, number);
                signal_by_owning(daemon, number);
                if (rounds >= 50)
                        at_it();
        }
        printf("%lu rounds of signals\n", rounds);
}
