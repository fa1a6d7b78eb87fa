/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/test-hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define KILL_FILE "vfiod/kill"

/* Two lines of the file; whatever is wrong with it: nobody is to die. */
static char *read_order(const Roots *roots) {
        _cleanup_close_ int fd = openat(roots->run_fd, KILL_FILE, O_RDONLY | O_CLOEXEC);
        char text[1024];
        ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

        if (n <= 0)
                return NULL;
        text[n] = '\0';
        return strdup(text);
}

static bool is_meant(char *order, const Step *step, const char **ret_whom) {
        _cleanup_free_ char *description = step_describe(step);
        char *end = strchr(order, '\n');

        if (!end || !description)
                return false;
        *end = '\0';
        *ret_whom = order;
        end[1 + strcspn(end + 1, "\n")] = '\0';
        return string_equal(end + 1, description);
}

void test_hook_before(const Roots *roots, pid_t vfiod, const Step *step) {
        _cleanup_free_ char *order = read_order(roots);
        const char *whom;

        if (!order || !is_meant(order, step, &whom) || unlinkat(roots->run_fd, KILL_FILE, 0) < 0)
                return;
        if (!string_equal(whom, "worker"))
                (void)kill(vfiod, SIGKILL);
        if (!string_equal(whom, "vfiod"))
                (void)kill(getpid(), SIGKILL);
}
