/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bind, Unbind and Plan: what is done to the machine, what is refused, and what is shown of it. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"

static void expect_override(const char *device, const char *override) {
        _cleanup_free_ char *now = fake_machine_override(device);

        ck_assert_msg(strcmp(now, override) == 0, "override of %s is '%s', not '%s'", device, now,
                      override);
}

static void expect_property(Client *client, const char *device, const char *name,
                            const char *value) {
        _cleanup_free_ char *now = device_property(client, device, name);

        ck_assert_msg(strcmp(now, value) == 0, "%s of %s is %s, not %s", name, device, now, value);
}

static void expect_untouched(void) {
        _cleanup_free_ char *calls = fake_machine_calls();

        ck_assert_str_eq(calls, "");
        expect_driver("0000:01:00.0", "e1000e");
        expect_driver("0000:01:00.1", "snd_hda_intel");
        expect_override("0000:01:00.0", "");
}

static void do_bind(Client *client, const char *target) {
        _cleanup_message_ Message *reply = manager(client, "Bind", "asa{sv}", 1, target, 0);

        expect_done(reply);
}

static void do_unbind(Client *client, const char *target) {
        _cleanup_message_ Message *reply = manager(client, "Unbind", "asa{sv}", 1, target, 0);

        expect_done(reply);
}

/* The steps of Plan in the form of the log of calls. */
static char *steps_of(Message *reply) {
        char *text = strdup("");
        const char *step;

        expect_done(reply);
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "s"), 0);
        while (sd_bus_message_read(reply, "s", &step) > 0)
                ck_assert_int_ge(string_append(&text, "%s%s", text[0] ? "\n" : "", step), 0);
        return text;
}

START_TEST(a_device_whose_use_cannot_be_seen_is_not_taken) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;

        fake_machine_fault("table", "any", EMFILE);
        reply = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
        expect_refusal(reply, "HostDevice",
                       "vfiod cannot see what it is used for (Too many open files)");
        expect_untouched();
        fake_machine_clear("table", "any");
        do_bind(client, "group/2");
        expect_driver("0000:01:00.0", "vfio-pci");
}
END_TEST

START_TEST(bind_moves_every_member_but_the_bridge) {
        Client *client = client_new();

        do_bind(client, "0000:01:00.0");
        expect_driver("0000:00:1c.0", "pcieport");
        expect_driver("0000:01:00.0", "vfio-pci");
        expect_driver("0000:01:00.1", "vfio-pci");
        expect_override("0000:01:00.0", "vfio-pci");
        expect_property(client, "0000:01:00.0", "Driver", "\"vfio-pci\"");
        expect_property(client, "0000:01:00.0", "OriginalDriver", "\"e1000e\"");
        expect_property(client, "0000:01:00.1", "OriginalDriver", "\"snd_hda_intel\"");
        expect_property(client, "0000:00:1c.0", "OriginalDriver", "\"\"");
        expect_property(client, "0000:01:00.0", "Interfaces", "[]");
        expect_property(client, "0000:01:00.0", "State", "\"idle\"");
}
END_TEST

START_TEST(binding_a_bound_group_does_nothing_and_succeeds) {
        Client *client = client_new();
        _cleanup_free_ char *before = NULL, *after = NULL;

        do_bind(client, "group/2");
        before = fake_machine_calls();
        do_bind(client, "group/2");
        after = fake_machine_calls();
        ck_assert_str_eq(before, after);
        expect_property(client, "0000:01:00.0", "OriginalDriver", "\"e1000e\"");
}
END_TEST

START_TEST(unbind_gives_back_the_driver_and_the_override_of_before) {
        Client *client = client_new();

        fake_machine_set_override("0000:01:00.1", "snd_hda_intel");
        do_bind(client, "group/2");
        do_unbind(client, "0000:01:00.1");
        expect_driver("0000:01:00.0", "e1000e");
        expect_driver("0000:01:00.1", "snd_hda_intel");
        expect_override("0000:01:00.0", "");
        expect_override("0000:01:00.1", "snd_hda_intel");
        expect_property(client, "0000:01:00.0", "OriginalDriver", "\"\"");
        expect_property(client, "0000:01:00.0", "Vfio", "false");
}
END_TEST

START_TEST(unbinding_what_is_on_no_vfio_driver_does_nothing_and_succeeds) {
        do_unbind(client_new(), "group/2");
        expect_untouched();
}
END_TEST

START_TEST(unbind_of_what_vfiod_did_not_bind_lets_the_kernel_choose) {
        _cleanup_free_ char *calls = NULL;

        do_unbind(client_new(), "group/4");
        calls = fake_machine_calls();
        expect_part(calls, "let the kernel find a driver for 0000:03:00.0");
        expect_driver("0000:03:00.0", "");
        expect_override("0000:03:00.0", "");
}
END_TEST

START_TEST(a_device_on_no_driver_is_bound_and_goes_back_to_none) {
        Client *client = client_new();

        do_bind(client, "group/5");
        expect_driver("0000:04:00.0", "vfio-pci");
        do_unbind(client, "group/5");
        expect_driver("0000:04:00.0", "");
        expect_override("0000:04:00.0", "");
}
END_TEST

START_TEST(a_variant_driver_is_preferred_and_can_be_passed_over) {
        Client *client = client_new();
        _cleanup_message_ Message *plain = NULL;

        fake_machine_replace("0000:01:00.0", 0x15b3, 0x101e);
        do_bind(client, "group/2");
        expect_driver("0000:01:00.0", "mlx5_vfio_pci");
        expect_driver("0000:01:00.1", "vfio-pci");
        do_unbind(client, "group/2");
        plain = manager(client, "Bind", "asa{sv}", 1, "group/2", 1, "driver", "s", "vfio-pci");
        expect_done(plain);
        expect_driver("0000:01:00.0", "vfio-pci");
}
END_TEST

START_TEST(plan_of_bind_is_what_bind_does) {
        Client *client = client_new();
        _cleanup_message_ Message *reply =
                manager(client, "Plan", "sasa{sv}", "bind", 2, "group/2", "group/3", 0);
        _cleanup_message_ Message *done = NULL, *empty = NULL;
        _cleanup_free_ char *steps = steps_of(reply), *calls = NULL;

        expect_untouched();
        expect_part(steps, "set driver_override of 0000:01:00.0 to vfio-pci");
        done = manager(client, "Bind", "asa{sv}", 2, "group/2", "group/3", 0);
        expect_done(done);
        calls = fake_machine_calls();
        ck_assert_str_eq(steps, calls);
        empty = manager(client, "Plan", "sasa{sv}", "bind", 1, "group/2", 0);
        expect_text(empty, "[]");
}
END_TEST

START_TEST(plan_of_unbind_is_what_unbind_does) {
        static const char claim[] = "see that nobody holds group 3\nclaim group 3\n";
        Client *client = client_new();
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *before = NULL, *steps = NULL, *calls = NULL;

        do_bind(client, "group/3");
        before = fake_machine_calls();
        reply = manager(client, "Plan", "sasa{sv}", "unbind", 1, "group/3", 0);
        steps = steps_of(reply);
        do_unbind(client, "group/3");
        calls = fake_machine_calls();
        /* Looking leaves no trace, and a claim is an open group. */
        expect_part(steps, claim);
        expect_part(calls + strlen(before) + 1, steps + strlen(claim));
}
END_TEST

START_TEST(plan_of_acquire_is_what_acquire_does) {
        Client *client = client_new();
        _cleanup_message_ Message *reply = manager(client, "Plan", "sasa{sv}", "acquire", 2,
                                                   "group/2", "group/9", 1, "bind", "b", true);
        _cleanup_free_ char *steps = steps_of(reply), *calls = NULL;
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        expect_untouched();
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 2, "group/2", "group/9", 1, "bind",
                                 "b", true));
        calls = fake_machine_calls();
        ck_assert_str_eq(steps, calls);
}
END_TEST

START_TEST(plan_knows_five_operations) {
        _cleanup_message_ Message *reply =
                manager(client_new(), "Plan", "sasa{sv}", "steal", 1, "group/2", 0);

        expect_refusal(reply, "InvalidOptionValue",
                       "must be 'bind', 'unbind', 'acquire', 'assign' or 'unassign'");
}
END_TEST

static const struct {
        const char *target, *error, *subject;
} bind_refusals[] = {
        {"group/0", "NothingToBind", "group 0"},
        {"group/1", "HostDevice", "0000:00:1f.0"},
        {"0000:00:1f.2", "HostDevice", "group 1"},
        {"group/6", "NotViable", "0000:00:1d.0 is bound to shpchp"},
        {"group/7", "NoVfioDriver", "10000000.gpu"},
        {"group/99", "NotFound", "99"},
        {"0000:7f:00.0", "NotFound", "0000:7f:00.0"},
};

START_TEST(bind_and_its_plan_refuse_alike_and_name_the_subject) {
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(bind_refusals); i++) {
                _cleanup_message_ Message *planned = manager(client, "Plan", "sasa{sv}", "bind", 2,
                                                             "group/2", bind_refusals[i].target, 0);
                _cleanup_message_ Message *done = manager(client, "Bind", "asa{sv}", 2, "group/2",
                                                          bind_refusals[i].target, 0);

                expect_refusal(planned, bind_refusals[i].error, bind_refusals[i].subject);
                expect_refusal(done, bind_refusals[i].error, bind_refusals[i].subject);
                ck_assert_str_eq(sd_bus_message_get_error(planned)->message,
                                 sd_bus_message_get_error(done)->message);
        }
        expect_untouched();
}
END_TEST

START_TEST(a_driver_that_is_no_vfio_driver_is_refused) {
        _cleanup_message_ Message *reply =
                manager(client_new(), "Bind", "asa{sv}", 1, "group/2", 1, "driver", "s", "e1000e");

        expect_refusal(reply, "NoVfioDriver", "e1000e");
        expect_untouched();
}
END_TEST

START_TEST(a_leased_group_is_neither_bound_nor_unbound) {
        static const char *const members[] = {"Bind", "Unbind"};
        Client *client = client_new();
        _cleanup_grant_ Grant grant = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/4", 1, "label", "s", "dpdk"));

        for (size_t i = 0; i < ELEMENTS(members); i++) {
                _cleanup_message_ Message *reply =
                        manager(client, members[i], "asa{sv}", 1, "group/4", 0);

                expect_refusal(reply, "Leased", "group 4 is leased to uid 0 (lease 1 for 'dpdk')");
        }
}
END_TEST

START_TEST(unbind_of_a_group_that_is_open_without_a_lease_is_refused) {
        _cleanup_free_ char *path = fake_machine_path("dev/vfio/4");
        _cleanup_close_ int holder = open(path, O_RDWR | O_CLOEXEC);
        _cleanup_message_ Message *reply = NULL;

        ck_assert_int_eq(flock(holder, LOCK_EX), 0);
        reply = manager(client_new(), "Unbind", "asa{sv}", 1, "group/4", 0);
        expect_refusal(reply, "HeldOutside", "group 4");
        expect_driver("0000:03:00.0", "vfio-pci");
}
END_TEST

static const struct {
        const char *what, *subject, *sentence;
} failures[] = {
        {"override", "0000:01:00.1", "set driver_override of 0000:01:00.1 to vfio-pci: "},
        {"unbind", "0000:01:00.1", "unbind 0000:01:00.1 from snd_hda_intel: "},
        {"module", "vfio_pci", "load module vfio_pci: "},
};

START_TEST(what_the_kernel_refuses_is_named_and_undone) {
        Client *client = client_new();

        for (size_t i = 0; i < ELEMENTS(failures); i++) {
                _cleanup_message_ Message *reply = NULL;

                fake_machine_fault(failures[i].what, failures[i].subject, EIO);
                reply = manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
                fake_machine_clear(failures[i].what, failures[i].subject);
                expect_refusal(reply, "Failed", failures[i].sentence);
                expect_refusal(reply, "Failed", "Input/output error");
                expect_driver("0000:01:00.0", "e1000e");
                expect_driver("0000:01:00.1", "snd_hda_intel");
                expect_override("0000:01:00.0", "");
                expect_override("0000:01:00.1", "");
                expect_property(client, "0000:01:00.0", "Driver", "\"e1000e\"");
                expect_property(client, "0000:01:00.0", "OriginalDriver", "\"\"");
                expect_property(client, "0000:01:00.0", "State", "\"idle\"");
        }
}
END_TEST

START_TEST(bind_is_seen_as_changed_properties_of_group_and_devices) {
        Client *client = client_new(), *other = client_new();
        Client *both[] = {client, other};

        do_bind(client, "group/2");
        settle();
        for (size_t i = 0; i < ELEMENTS(both); i++) {
                ck_assert_uint_ge(count_signals(both[i], "PropertiesChanged",
                                                "/device/_30000_3a01_3a00_2e0",
                                                "\"Driver\" <\"vfio-pci\">"),
                                  1);
                ck_assert_uint_ge(count_signals(both[i], "PropertiesChanged",
                                                "/device/_30000_3a01_3a00_2e0",
                                                "\"State\" <\"busy\">"),
                                  1);
                ck_assert_uint_ge(
                        count_signals(both[i], "PropertiesChanged", "/group/2", "\"Bound\" <true>"),
                        1);
                ck_assert_uint_eq(count_signals(both[i], "PropertiesChanged", "/group/3", NULL), 0);
        }
        /* The last word is what is. */
        expect_part(client->signals[strv_length(client->signals) - 1], "<\"idle\">");
}
END_TEST

START_TEST(each_operation_leaves_one_record_in_the_journal) {
        Client *client = client_new();
        _cleanup_message_ Message *planned = NULL, *refused = NULL;

        do_bind(client, "group/2");
        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0), "MESSAGE=bind group/2 for uid 0: done\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OPERATION "=bind\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_TARGETS "=group/2\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_CALLER_UID "=0\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_CALLER_NAME "=peer-1\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_OUTCOME "=done\n");
        expect_part(fake_journal_record(0), "\n" VFIOD_JOURNAL_ERROR "=\n");
        expect_part(fake_journal_record(0),
                    "\n" VFIOD_JOURNAL_FROM "=0000:01:00.0=e1000e 0000:01:00.1=snd_hda_intel\n");
        expect_part(fake_journal_record(0),
                    "\n" VFIOD_JOURNAL_TO "=0000:01:00.0=vfio-pci 0000:01:00.1=vfio-pci\n");
        planned = manager(client, "Plan", "sasa{sv}", "bind", 1, "group/1", 0);
        ck_assert_uint_eq(fake_journal_count(), 1);
        refused = manager(client, "Bind", "asa{sv}", 1, "group/1", 0);
        ck_assert_uint_eq(fake_journal_count(), 2);
        expect_part(fake_journal_record(1), "\n" VFIOD_JOURNAL_OUTCOME "=refused\n");
        expect_part(fake_journal_record(1),
                    "\n" VFIOD_JOURNAL_ERROR "=" VFIOD_ERROR_PREFIX "HostDevice\n");
}
END_TEST

#define GPU "0000:04:00.0"

/* The display, by an attribute that the real reader reads. */
static void boot_with_gpu(void) {
        fake_machine_set_attribute(GPU, "boot_vga", "1\n");
}

START_TEST(what_the_host_uses_is_refused_and_explained) {
        Client *client = client_new();
        _cleanup_message_ Message *bound = NULL, *acquired = NULL, *explained = NULL, *told = NULL;

        boot_with_gpu();
        told = manager(client, "Acquire", "asa{sv}", 1, GPU, 0);
        expect_refusal(told, "NotBound", GPU " is in use by the host: it is the display");
        bound = manager(client, "Bind", "asa{sv}", 1, GPU, 0);
        expect_refusal(bound, "HostDevice",
                       GPU " is in use by the host: it is the display that the host has booted");
        acquired = manager(client, "Acquire", "asa{sv}", 1, GPU, 1, "bind", "b", 1);
        expect_refusal(acquired, "HostDevice", "it is the display");
        explained = manager(client, "Explain", "as", 1, GPU);
        expect_text(explained, "and in use by the host: it is the display that the host has booted "
                               "with\"");
        ck_assert_int_ge(sd_bus_message_rewind(explained, 1), 0);
        expect_text(explained, "\"InUse\" <[\"it is the display that the host has booted with\"]>");
        ck_assert_int_ge(sd_bus_message_rewind(explained, 1), 0);
        expect_text(explained,
                    "\"Remedy\" <\"" GPU " is in use by the host: it is the display that "
                    "the host has booted with; end that use");
}
END_TEST

START_TEST(who_overrides_safety_leaves_a_warning_for_each_reason) {
        Client *client = client_new();
        _cleanup_message_ Message *planned = NULL, *bound = NULL;

        boot_with_gpu();
        planned = manager(client, "Plan", "sasa{sv}", "bind", 1, GPU, 1, "override_safety", "b", 1);
        expect_text(planned, "bind " GPU " to vfio-pci");
        ck_assert_uint_eq(fake_journal_count(), 0);
        bound = manager(client, "Bind", "asa{sv}", 1, GPU, 1, "override_safety", "b", 1);
        expect_done(bound);
        ck_assert_uint_eq(fake_journal_count(), 2);
        expect_part(fake_journal_record(0), "MESSAGE=bind " GPU " for uid 0 overrides safety: " GPU
                                            " is in use by the host: it is the display");
        expect_part(fake_journal_record(0), "\nPRIORITY=4\n");
        expect_part(fake_journal_record(1), "\n" VFIOD_JOURNAL_OUTCOME "=done\n");
}
END_TEST

START_TEST(safety_is_overridden_only_where_something_is_bound) {
        _cleanup_message_ Message *reply = manager(client_new(), "Acquire", "asa{sv}", 1, "group/4",
                                                   1, "override_safety", "b", 1);

        expect_refusal(reply, "InvalidOptionValue",
                       "override_safety: only together with option bind");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-bind");

        tcase_add_test(tests, a_device_whose_use_cannot_be_seen_is_not_taken);
        tcase_add_test(tests, bind_moves_every_member_but_the_bridge);
        tcase_add_test(tests, binding_a_bound_group_does_nothing_and_succeeds);
        tcase_add_test(tests, unbind_gives_back_the_driver_and_the_override_of_before);
        tcase_add_test(tests, unbinding_what_is_on_no_vfio_driver_does_nothing_and_succeeds);
        tcase_add_test(tests, unbind_of_what_vfiod_did_not_bind_lets_the_kernel_choose);
        tcase_add_test(tests, a_device_on_no_driver_is_bound_and_goes_back_to_none);
        tcase_add_test(tests, a_variant_driver_is_preferred_and_can_be_passed_over);
        tcase_add_test(tests, plan_of_bind_is_what_bind_does);
        tcase_add_test(tests, plan_of_unbind_is_what_unbind_does);
        tcase_add_test(tests, plan_of_acquire_is_what_acquire_does);
        tcase_add_test(tests, plan_knows_five_operations);
        tcase_add_test(tests, bind_and_its_plan_refuse_alike_and_name_the_subject);
        tcase_add_test(tests, a_driver_that_is_no_vfio_driver_is_refused);
        tcase_add_test(tests, a_leased_group_is_neither_bound_nor_unbound);
        tcase_add_test(tests, unbind_of_a_group_that_is_open_without_a_lease_is_refused);
        tcase_add_test(tests, what_the_kernel_refuses_is_named_and_undone);
        tcase_add_test(tests, bind_is_seen_as_changed_properties_of_group_and_devices);
        tcase_add_test(tests, each_operation_leaves_one_record_in_the_journal);
        tcase_add_test(tests, what_the_host_uses_is_refused_and_explained);
        tcase_add_test(tests, who_overrides_safety_leaves_a_warning_for_each_reason);
        tcase_add_test(tests, safety_is_overridden_only_where_something_is_bound);
        return bus_tests_run(tests);
}
