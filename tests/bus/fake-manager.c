/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/bus/fake-manager.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define FILES_MAX 64
/* Above everything that a test opens. */
#define FIRST_FD 900

static struct {
        sd_event_source *io;
        struct {
                char *name;
                int fd;
        } files[FILES_MAX];
        size_t n_files;
        bool hold;
        int barriers[FILES_MAX];
        size_t n_barriers;
} manager;

static void forget_at(size_t i) {
        free(manager.files[i].name);
        fd_close(manager.files[i].fd);
        manager.files[i] = manager.files[--manager.n_files];
}

void manager_lose(const char *name) {
        for (size_t i = manager.n_files; i > 0; i--)
                if (strcmp(manager.files[i - 1].name, name) == 0)
                        forget_at(i - 1);
}

static void store(const char *name, int fd) {
        ck_assert_uint_lt(manager.n_files, FILES_MAX);
        manager.files[manager.n_files].name = strdup(name);
        manager.files[manager.n_files++].fd = fd;
}

void manager_have(const char *name, int fd) {
        store(name, fd_duplicate(fd));
}

static void answer_barriers(void) {
        while (manager.n_barriers > 0)
                fd_close(manager.barriers[--manager.n_barriers]);
}

void manager_hold_barriers(bool hold) {
        manager.hold = hold;
        if (!hold)
                answer_barriers();
}

/* Owns the file. */
static void obey(const char *text, int fd) {
        const char *name = strstr(text, "FDNAME=");
        _cleanup_free_ char *plain = name ? strndup(name + 7, strcspn(name + 7, "\n")) : NULL;
        _cleanup_close_ int file = fd;

        if (string_after(text, "BARRIER=1")) {
                manager.barriers[manager.n_barriers++] = TAKE_FD(file);
                if (!manager.hold)
                        answer_barriers();
        } else if (string_after(text, "FDSTORE=1\n")) {
                ck_assert(plain && strstr(text, "\nFDPOLL=0"));
                store(plain, TAKE_FD(file));
        } else if (string_after(text, "FDSTOREREMOVE=1\n") && plain)
                manager_lose(plain);
}

static int on_message(sd_event_source *source _unused_, int fd, uint32_t events _unused_,
                      void *userdata _unused_) {
        char text[512], control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        struct iovec vector = {.iov_base = text, .iov_len = sizeof(text) - 1};
        struct msghdr header = {.msg_iov = &vector,
                                .msg_iovlen = 1,
                                .msg_control = control,
                                .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        int file = -EBADF;

        ck_assert_int_ge(n, 0);
        text[n] = '\0';
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                        (void)memcpy(&file, CMSG_DATA(c), sizeof(file));
        obey(text, file);
        return 0;
}

void manager_start(sd_event *event) {
        _cleanup_free_ char *name = string_format("@vfiod-test-%d", getpid());
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void)memcpy(address.sun_path + 1, name + 1, strlen(name + 1));
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                         0);
        ck_assert_int_ge(sd_event_add_io(event, &manager.io, fd, EPOLLIN, on_message, NULL), 0);
        ck_assert_int_ge(sd_event_source_set_io_fd_own(manager.io, true), 0);
        /* Before whatever waits for it. */
        ck_assert_int_ge(sd_event_source_set_priority(manager.io, SD_EVENT_PRIORITY_IMPORTANT), 0);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, true), 0);
}

void manager_stop(void) {
        (void)unsetenv("NOTIFY_SOCKET");
        manager.io = sd_event_source_disable_unref(manager.io);
        answer_barriers();
        while (manager.n_files > 0)
                forget_at(manager.n_files - 1);
}

char *manager_names(void) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < manager.n_files; i++)
                ck_assert_int_eq(strv_push(&names, manager.files[i].name), 0);
        if (names)
                strv_sort(names);
        return strv_join(names, " ");
}

int manager_hand_over(char ***ret_names) {
        *ret_names = NULL;
        for (size_t i = 0; i < manager.n_files; i++) {
                ck_assert_int_eq(strv_push(ret_names, manager.files[i].name), 0);
                ck_assert_int_ge(dup3(manager.files[i].fd, FIRST_FD + (int)i, O_CLOEXEC), 0);
        }
        return FIRST_FD;
}
