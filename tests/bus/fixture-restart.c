/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/bus/fixture-restart.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"

static struct {
        char path[32];
        int fd;
} state;

/* A file of its own, as each vfiod has: locks tell them apart. */
static int open_directory(void) {
        return open(state.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int restart_directory(void) {
        return state.fd;
}

void restart_setup(void) {
        fixture_setup();
        (void)strcpy(state.path, "/tmp/vfiod-test.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(state.path));
        state.fd = open_directory();
        manager_start(fixture_event());
        fixture_stop();
        fixture_start(open_directory(), NULL, -EBADF);
}

void restart_teardown(void) {
        static const char *const files[] = {"state.json", "state.json.bad"};

        settle();
        for (size_t i = 0; i < ELEMENTS(files); i++)
                (void)unlinkat(state.fd, files[i], 0);
        fd_close(state.fd);
        ck_assert_int_eq(rmdir(state.path), 0);
        manager_stop();
        fixture_teardown();
}

void go_down(void) {
        settle();
        go_down_now();
}

void go_down_now(void) {
        fixture_stop();
        settle();
}

int come_up_with(const char *name) {
        _cleanup_strv_ char **names = NULL;
        int first = manager_hand_over(&names);

        fixture_start(open_directory(), names, first);
        for (int i = 0; names && names[i]; i++)
                if (string_equal(names[i], name))
                        return first + i;
        return -EBADF;
}

void come_up(void) {
        (void)come_up_with(NULL);
}

void restart(void) {
        go_down();
        come_up();
}

Grant acquire(Client *client, const char *target) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 1, target, 0));
}

void expect_store(const char *names) {
        _cleanup_free_ char *is = NULL;

        settle();
        is = manager_names();
        ck_assert_str_eq(is, names);
}

void wait_until_over(void) {
        Client *client = client_new();

        for (;;) {
                _cleanup_message_ Message *reply = manager(client, "ListLeases", "");
                _cleanup_free_ char *text = render(reply);

                if (strcmp(text, "[]") == 0)
                        break;
                turn();
        }
        expect_store("");
}
