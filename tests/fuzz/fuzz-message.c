/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whole D-Bus messages into the real vtables: a client on the socket that has introduced itself,
 * and then sends the input as it is. Its first byte says how many files come with it, and which
 * user the client is.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz-world.h"
#include "tests/fuzz/fuzz.h"

#define FILES(first) ((first) & 7U)
#define IS_NOBODY(first) ((first) & 8U)
#define NOBODY 65534U
#define FILE_NAME "sent-by-fuzz-message"
#define FILES_MAX 7
/* Where the files of one message can be at most: fds are given out from the lowest on. */
#define FORGOTTEN_FD_MAX 200

static void start_server(const FuzzWorld *world, int fd) {
        sd_bus *server;
        sd_id128_t id;

        MUST(sd_id128_randomize(&id) >= 0);
        MUST(sd_bus_new(&server) >= 0);
        MUST(sd_bus_set_fd(server, fd, fd) >= 0);
        MUST(sd_bus_set_server(server, true, id) >= 0);
        MUST(sd_bus_negotiate_fds(server, true) >= 0);
        MUST(sd_bus_start(server) >= 0);
        MUST(bus_add_connection(world->bus, server, false) >= 0);
        sd_bus_unref(server);
}

/* The D-Bus specification, "Authentication Protocol": EXTERNAL, the uid in decimal, in hexadecimal.
 */
static void introduce(const FuzzWorld *world, int fd, uid_t uid) {
        char line[128], digits[16], hexadecimal[33] = "";

        (void)snprintf(digits, sizeof(digits), "%u", uid);
        for (size_t i = 0; digits[i]; i++)
                (void)snprintf(hexadecimal + 2 * i, 3, "%02x", digits[i]);
        (void)snprintf(line, sizeof(line), "%cAUTH EXTERNAL %s\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n",
                       'x', hexadecimal);
        line[0] = '\0';
        MUST(write(fd, line, strlen(line + 1) + 1) > 0);
        fuzz_world_settle(world);
}

/* ASan's leak check, where it is linked in. */
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));

/*
 * sd-bus (at least 252 to 257) forgets the files of a message that it drops as malformed, and the
 * memory of their list: nobody can close them any more. It is no fault of the code that is tested
 * here; so only inputs without files show what that leaks.
 */
static void close_forgotten(void) {
        for (int fd = 3; fd < FORGOTTEN_FD_MAX; fd++) {
                char path[32], link[64] = "";

                (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                if (readlink(path, link, sizeof(link) - 1) > 0 &&
                    string_after(link, "/memfd:" FILE_NAME))
                        fd_close(fd);
        }
}

/* What cannot be sent because the other end has hung up is not sent. */
static void send_bytes(int fd, const uint8_t *data, size_t size, unsigned n_files) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(FILES_MAX * sizeof(int))];
        } control = {0};
        struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
        int files[FILES_MAX];

        for (unsigned i = 0; i < n_files; i++)
                files[i] = memfd_create(FILE_NAME, MFD_CLOEXEC);
        if (n_files > 0) {
                struct cmsghdr *header;

                message.msg_control = control.bytes;
                message.msg_controllen = CMSG_SPACE(n_files * sizeof(int));
                header = CMSG_FIRSTHDR(&message);
                header->cmsg_level = SOL_SOCKET;
                header->cmsg_type = SCM_RIGHTS;
                header->cmsg_len = CMSG_LEN(n_files * sizeof(int));
                memcpy(CMSG_DATA(header), files, n_files * sizeof(int));
        }
        (void)sendmsg(fd, &message, MSG_NOSIGNAL);
        for (unsigned i = 0; i < n_files; i++)
                fd_close(files[i]);
}

/* Answers and the files with them; false once the other end has hung up or has nothing to say. */
static bool receive(int fd) {
        char buffer[65536];
        int files[16] = {0};
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(files))];
        } control;
        struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof(control.bytes)};
        ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

        for (struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL; header;
             header = CMSG_NXTHDR(&message, header)) {
                size_t n_files = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                memcpy(files, CMSG_DATA(header), n_files * sizeof(int));
                for (size_t i = 0; i < n_files; i++)
                        fd_close(files[i]);
        }
        return n > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uid_t uid;
        FuzzWorld world;
        int ends[2];

        if (size < 1)
                return -1;
        uid = geteuid() == 0 && IS_NOBODY(data[0]) ? NOBODY : geteuid();
        fuzz_world_init(&world);
        fuzz_socket_pair(uid, ends);
        start_server(&world, ends[0]);
        introduce(&world, ends[1], uid);
        send_bytes(ends[1], data + 1, size - 1, FILES(data[0]));
        if (FILES(data[0]) && __lsan_disable)
                __lsan_disable();
        do
                fuzz_world_settle(&world);
        while (receive(ends[1]));
        if (FILES(data[0]) && __lsan_enable)
                __lsan_enable();
        fd_close(ends[1]);
        fuzz_world_settle(&world);
        close_forgotten();
        fuzz_world_done(&world);
        return 0;
}
