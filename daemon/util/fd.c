/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/util/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                (void)close(fd);
                errno = saved;
        }
        return -EBADF;
}

int fd_duplicate(int fd) {
        int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return duplicate < 0 ? -errno : duplicate;
}

/* Room for the one fd that a message of ours may carry, aligned as the kernel wants it. */
typedef union ControlBuffer {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
} ControlBuffer;

int fd_send(int socket, const void *data, size_t size, int fd) {
        struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
        ControlBuffer control = {0};

        if (fd >= 0) {
                struct cmsghdr *header;

                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
                header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(header), &fd, sizeof(int));
        }
        if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
                return -errno;
        return 0;
}

int fd_receive(int socket, void *data, size_t size, int *ret_fd) {
        struct iovec iov = {.iov_base = data, .iov_len = size};
        ControlBuffer control = {0};
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = sizeof(control.bytes),
        };
        struct cmsghdr *header;
        ssize_t n;
        int fd = -EBADF;

        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;

        header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
                memcpy(&fd, CMSG_DATA(header), sizeof(int));
        *ret_fd = fd;
        return (int)n;
}
