/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/test-hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define KILL_FILE "vfiod/kill"

/* What is in the file; whatever is wrong with it: nobody is to die. */
static char *read_orders(const Roots *roots) {
        _cleanup_close_ int fd = openat(roots->run_fd, KILL_FILE, O_RDONLY | O_CLOEXEC);
        char text[4096];
        ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

        if (n <= 0)
                return NULL;
        text[n] = '\0';
        return strdup(text);
}

/* Ends the line that begins here. Returns where the next one does. */
static char *end_line(char *line) {
        char *end = line + strcspn(line, "\n");

        if (*end == '\0')
                return end;
        *end = '\0';
        return end + 1;
}

static bool is_meant(const char *which, const Step *step) {
        _cleanup_free_ char *description = step_describe(step);

        return string_equal(which, "any") || string_equal(which, string_or_empty(description));
}

static int keep_orders(const Roots *roots, const char *orders) {
        _cleanup_close_ int fd = -EBADF;

        if (string_is_empty(orders))
                return unlinkat(roots->run_fd, KILL_FILE, 0);
        fd = openat(roots->run_fd, KILL_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC);
        return fd >= 0 && write(fd, orders, strlen(orders)) > 0 ? 0 : -1;
}

void test_hook_before(const Roots *roots, pid_t vfiod, const Step *step) {
        _cleanup_free_ char *orders = read_orders(roots);
        char *which = orders ? end_line(orders) : NULL;
        char *rest = which ? end_line(which) : NULL;

        if (!rest || !is_meant(which, step) || keep_orders(roots, rest) < 0)
                return;
        if (string_equal(orders, "vfiod") || string_equal(orders, "both"))
                (void)kill(vfiod, SIGKILL);
        if (string_equal(orders, "worker") || string_equal(orders, "both"))
                (void)kill(getpid(), SIGKILL);
}
