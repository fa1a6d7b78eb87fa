/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/kernel/module.h where systemd runs: with a service manager of the test's own, which keeps
 * what it was asked for, and knows one module. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "daemon/kernel/module.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define OUR_JOB MANAGER_PATH "/job/2"
#define OTHER_JOB MANAGER_PATH "/job/1"
/* Long enough for whoever does not wait to be seen. */
#define MODPROBE_USEC 50000

static int end_job(sd_bus *bus, const char *job, const char *unit) {
        return sd_bus_emit_signal(bus, MANAGER_PATH, MANAGER, "JobRemoved", "uoss", 1, job, unit,
                                  "done");
}

/* Its job is not the first to end, and the module is there only when it has. */
static int start_unit(sd_bus_message *call, const Tree *tree) {
        sd_bus *bus = sd_bus_message_get_bus(call);
        _cleanup_free_ char *asked = NULL;
        const char *unit, *mode;
        int r;

        r = sd_bus_message_read(call, "ss", &unit, &mode);
        if (r < 0)
                return r;
        asked = string_format("%s %s", unit, mode);
        tree_write(tree, "asked", asked);
        if (strcmp(unit, "modprobe@masked.service") == 0)
                return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.UnitMasked",
                                                  "as scripted");
        r = sd_bus_reply_method_return(call, "o", OUR_JOB);
        if (r >= 0)
                r = end_job(bus, OTHER_JOB, "other.service");
        if (r >= 0)
                r = sd_bus_flush(bus);
        (void)usleep(MODPROBE_USEC);
        if (strcmp(unit, "modprobe@vfio_pci.service") == 0)
                tree_write(tree, "sys/module/vfio_pci/initstate", "live\n");
        return r < 0 ? r : end_job(bus, OUR_JOB, unit);
}

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error _unused_) {
        if (sd_bus_message_is_method_call(call, NULL, "Hello"))
                return sd_bus_reply_method_return(call, "s", ":1.1");
        if (sd_bus_message_is_method_call(call, NULL, "StartUnit"))
                return start_unit(call, userdata);
        return sd_bus_reply_method_return(call, NULL);
}

static int serve(int listening, const Tree *tree) {
        int connection = accept(listening, NULL, NULL), r;
        sd_bus *bus = NULL;

        r = connection < 0 ? -errno : sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_fd(bus, connection, connection);
        if (r >= 0)
                r = sd_bus_set_server(bus, true, (sd_id128_t){.bytes = {1}});
        /* A unique name, as on a bus: a match for the well-known one takes it, and no nameless one.
         */
        if (r >= 0)
                r = sd_bus_set_sender(bus, ":1.2");
        if (r >= 0)
                r = sd_bus_add_filter(bus, NULL, on_call, (void *)tree);
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0 && (r = sd_bus_process(bus, NULL)) >= 0)
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        return r;
}

/* A machine on which systemd seems to run, and can be reached at a socket of that name only. */
static void init_managed_at(Tree *tree, const char *name) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int listening = -EBADF;
        _cleanup_free_ char *where = NULL;

        tree_init(tree);
        tree_mkdir(tree, "run/systemd/system");
        tree->roots.run_fd = tree_open(tree, "run");
        tree_write(tree, "proc/sys/kernel/modprobe", "/bin/false\n");

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", tree->path, name);
        listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listening, 1), 0);
        if (fork() == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                _exit(serve(listening, tree) < 0);
        }
        where = string_format("unix:path=%s/bus", tree->path);
        ck_assert_int_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", where, true), 0);
}

static void init_managed(Tree *tree) {
        init_managed_at(tree, "bus");
}

static void assert_asked_for(const Tree *tree, const char *expected) {
        _cleanup_free_ char *asked = tree_read(tree, "asked");

        ck_assert_str_eq(asked, expected);
}

static void assert_nobody_asked(Tree *tree) {
        ck_assert(!tree_has(tree, "asked"));
}

START_TEST(systemd_is_asked_for_the_module_and_waited_for) {
        _cleanup_tree_ Tree tree;

        init_managed(&tree);
        ck_assert_int_eq(module_load(&tree.roots, "vfio-pci"), 0);
        assert_asked_for(&tree, "modprobe@vfio_pci.service fail");
}
END_TEST

START_TEST(a_module_that_is_not_there_afterwards_has_failed) {
        _cleanup_tree_ Tree tree;

        init_managed(&tree);
        ck_assert_int_eq(module_load(&tree.roots, "unknown"), -ENOENT);
        assert_asked_for(&tree, "modprobe@unknown.service fail");
}
END_TEST

START_TEST(a_module_that_is_still_being_loaded_is_waited_for) {
        _cleanup_tree_ Tree tree;

        init_managed(&tree);
        tree_write(&tree, "sys/module/vfio_pci/initstate", "coming\n");
        ck_assert_int_eq(module_load(&tree.roots, "vfio_pci"), 0);
        assert_asked_for(&tree, "modprobe@vfio_pci.service fail");
}
END_TEST

START_TEST(whether_a_modalias_brought_a_module_is_not_known) {
        _cleanup_tree_ Tree tree;

        init_managed(&tree);
        ck_assert_int_eq(module_load(&tree.roots, "pci:v00008086d0000100Esv"), 0);
        assert_asked_for(&tree, "modprobe@pci:v00008086d0000100Esv.service fail");
}
END_TEST

START_TEST(nobody_is_asked_for_a_module_that_is_there) {
        _cleanup_tree_ Tree tree;

        init_managed(&tree);
        tree_write(&tree, "sys/module/e1000/initstate", "live\n");
        tree_mkdir(&tree, "sys/module/built_in_with_parameters");
        tree_write(&tree, "modules/modules.builtin",
                   "kernel/drivers/vfio/vfio.ko\nkernel/drivers/block/built-in.ko\n");
        ck_assert_int_eq(module_load(&tree.roots, "e1000"), 0);
        ck_assert_int_eq(module_load(&tree.roots, "built_in_with_parameters"), 0);
        ck_assert_int_eq(module_load(&tree.roots, "built_in"), 0);
        assert_nobody_asked(&tree);
}
END_TEST

START_TEST(a_unit_that_cannot_be_started_is_an_error) {
        _cleanup_tree_ Tree tree;

        init_managed(&tree);
        ck_assert_int_lt(module_load(&tree.roots, "masked"), 0);
        assert_asked_for(&tree, "modprobe@masked.service fail");
}
END_TEST

START_TEST(a_name_that_no_unit_can_have_is_refused) {
        static const char *const names[] = {"", "../evil", "of:Nfoo(Cbar", "a b", "a@b:"};
        _cleanup_tree_ Tree tree;

        init_managed(&tree);
        for (size_t i = 0; i < ELEMENTS(names); i++)
                ck_assert_int_eq(module_load(&tree.roots, names[i]), -EINVAL);
        assert_nobody_asked(&tree);
}
END_TEST

START_TEST(without_a_bus_systemd_is_asked_directly) {
        _cleanup_tree_ Tree tree;

        init_managed_at(&tree, "run/systemd/private");
        ck_assert_int_eq(module_load(&tree.roots, "vfio_pci"), 0);
        assert_asked_for(&tree, "modprobe@vfio_pci.service fail");
}
END_TEST

START_TEST(systemd_that_cannot_be_reached_is_an_error) {
        _cleanup_tree_ Tree tree;

        init_managed_at(&tree, "nowhere");
        ck_assert_int_eq(module_load(&tree.roots, "vfio_pci"), -ENOENT);
        assert_nobody_asked(&tree);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("module-unit");

        tcase_add_test(tests, systemd_is_asked_for_the_module_and_waited_for);
        tcase_add_test(tests, a_module_that_is_not_there_afterwards_has_failed);
        tcase_add_test(tests, a_module_that_is_still_being_loaded_is_waited_for);
        tcase_add_test(tests, whether_a_modalias_brought_a_module_is_not_known);
        tcase_add_test(tests, nobody_is_asked_for_a_module_that_is_there);
        tcase_add_test(tests, a_unit_that_cannot_be_started_is_an_error);
        tcase_add_test(tests, a_name_that_no_unit_can_have_is_refused);
        tcase_add_test(tests, without_a_bus_systemd_is_asked_directly);
        tcase_add_test(tests, systemd_that_cannot_be_reached_is_an_error);
        return tests_run(tests);
}
