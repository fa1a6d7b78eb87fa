/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/interface-addresses.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "daemon/util/fd.h"

/* The kernel makes messages no larger than 8 KiB for who has not read a larger one
 * (include/linux/netlink.h, NLMSG_GOODSIZE). */
#define MESSAGES_SIZE (16 * 1024)

/* Addresses do not change all the time. */
#define TRIES 10

typedef struct Question {
        int fd;
        int (*interface)(void *userdata, const char *name);
        void *userdata;
} Question;

static int ask(const Question *question) {
        const struct {
                struct nlmsghdr header;
                struct ifaddrmsg message;
        } request = {
                .header = {.nlmsg_len = sizeof(request),
                           .nlmsg_type = RTM_GETADDR,
                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                .message = {.ifa_family = AF_INET},
        };

        return send(question->fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* Any socket tells the name of an interface; one that has gone since has none. */
static int tell(const Question *question, const struct ifaddrmsg *address) {
        struct ifreq interface = {.ifr_ifindex = (int)address->ifa_index};

        if (address->ifa_family != AF_INET)
                return 0;
        if (ioctl(question->fd, SIOCGIFNAME, &interface) < 0)
                return errno == ENODEV ? 0 : -errno;
        return question->interface(question->userdata, interface.ifr_name);
}

/* 1: it was the last. -EAGAIN: addresses have changed since the first, and some may be missing. */
static int take(const Question *question, const struct nlmsghdr *message) {
        int error;

        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
                return -EAGAIN;
        switch (message->nlmsg_type) {
        case NLMSG_DONE:
        case NLMSG_ERROR:
                /* Both begin with the number of an error. */
                error = *(const int *)NLMSG_DATA(message);
                return error < 0 ? error : 1;
        case RTM_NEWADDR:
                return tell(question, NLMSG_DATA(message));
        default:
                return 0;
        }
}

static int take_all(const Question *question) {
        _Alignas(struct nlmsghdr) char messages[MESSAGES_SIZE];
        ssize_t n = recv(question->fd, messages, sizeof(messages), MSG_TRUNC);
        int64_t left = n;
        int r = 0;

        if (n < 0)
                return -errno;
        if (left > MESSAGES_SIZE)
                return -EMSGSIZE;
        for (const struct nlmsghdr *message = (const struct nlmsghdr *)messages;
             r == 0 && NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
                r = take(question, message);
        return r;
}

static int read_once(Question *question) {
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        int r;

        if (fd < 0)
                return -errno;
        question->fd = fd;
        r = ask(question);
        while (r == 0)
                r = take_all(question);
        return r < 0 ? r : 0;
}

int interface_addresses_read(int (*interface)(void *userdata, const char *name), void *userdata) {
        Question question = {.interface = interface, .userdata = userdata};
        int r = -EAGAIN;

        for (unsigned i = 0; r == -EAGAIN && i < TRIES; i++)
                r = read_once(&question);
        return r;
}
