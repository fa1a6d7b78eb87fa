/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Everything that an operation does to the kernel is made to fail, one after the other, with each
 * errno that the kernel is known to give there: the operation fails, its sentence names the device
 * or group, and the machine is as it was. What is done is counted by the fake machine in a run that
 * nobody disturbs, so that a new step is made to fail without anybody thinking of it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bus/fixture-bus.h"

#define NIC "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define DISK "0000:02:00.0"
#define CARD "0000:03:00.0"

/* Of kernel-facts.md; those of mediated devices are in test-bus-mdev.c. */
static const struct {
        const char *what;
        int errnos[8]; /* 0-terminated */
        /* Something else may do: a host driver's module is built in, the kernel finds the driver by
         * itself. */
        bool optional;
} effects[] = {
        {"module", {ENOENT, ENOMEM, EPERM}, true},
        {"override", {EINVAL, ENOMEM, ENODEV}},
        {"unbind", {EIO, ENOMEM, EPERM}},
        {"bind", {EINVAL, EBUSY, ENOMEM, EIO, ENOTTY}, true},
        {"probe", {EINVAL}, true},
        {"open-container", {ENODEV, EPERM, ENOMEM}},
        {"open-group", {EBUSY, EPERM, ENODEV}},
        {"set-container", {EINVAL, EBADFD, ENODEV, EPERM, EBUSY}},
        {"set-iommu", {EINVAL, ENODEV, EPERM, EBUSY, ENOMEM}},
        {"viable", {EPERM}},
        {"get-device", {EACCES, EINVAL, ENODEV, EBUSY}},
        {"open-iommufd", {ENODEV, EPERM, ENOMEM}},
        {"alloc-ioas", {ENOMEM, EINVAL}},
        {"read-iovas", {EINVAL, ENOENT}},
        {"open-cdev", {ENODEV, EPERM}},
        {"bind-cdev", {EINVAL, EBUSY, EPERM, ENODEV}},
        {"attach-cdev", {EINVAL, EBUSY, ENODEV, ENOSPC, ENOMEM}},
        {"vfs", {EBUSY, ERANGE, ENOENT, ENOMEM}},
        {"autoprobe", {EINVAL}},
        {"reset", {ENOTTY, EAGAIN, EIO}},
        {"reset-method", {EINVAL}},
};

typedef Message *(*Act)(Client *client);

typedef struct Case {
        const char *name;
        Act set_up; /* NULL: nothing */
        Act act;
        Act tear_down; /* after an act that was done; NULL: nothing */
        bool iommufd;
} Case;

static Message *bind_pair(Client *client) {
        return manager(client, "Bind", "asa{sv}", 1, "group/2", 0);
}

static Message *unbind_pair(Client *client) {
        return manager(client, "Unbind", "asa{sv}", 1, "group/2", 0);
}

static Message *acquire_pair(Client *client) {
        return manager(client, "Acquire", "asa{sv}", 1, "group/2", 1, "bind", "b", 1);
}

static Message *acquire_card(Client *client) {
        return manager(client, "Acquire", "asa{sv}", 1, "group/4", 0);
}

static Message *make_functions(Client *client) {
        _cleanup_free_ char *path = device_object(DISK);

        return ask(client, path, VFIOD_INTERFACE_DEVICE, "SetVfs", "ua{sv}", 2, 1, "autoprobe", "b",
                   0);
}

static Message *remove_functions(Client *client) {
        _cleanup_free_ char *path = device_object(DISK);

        return ask(client, path, VFIOD_INTERFACE_DEVICE, "SetVfs", "ua{sv}", 0, 1, "autoprobe", "b",
                   1);
}

static Message *reset_card(Client *client) {
        _cleanup_free_ char *path = device_object(CARD);

        return ask(client, path, VFIOD_INTERFACE_DEVICE, "Reset", "s", "bus");
}

static const Case cases[] = {
        {"bind", NULL, bind_pair, unbind_pair},
        {"unbind", bind_pair, unbind_pair, NULL},
        {"acquire with bind", NULL, acquire_pair, unbind_pair},
        {"acquire in iommufd mode", NULL, acquire_card, NULL, .iommufd = true},
        {"set-vfs", NULL, make_functions, remove_functions},
        {"set-vfs to none", make_functions, remove_functions, NULL},
        {"reset", NULL, reset_card, NULL},
};

/* What an operation may have moved. Allocated. */
static char *render_machine(void) {
        static const char *const devices[] = {NIC, SOUND, DISK, CARD};
        char *text = NULL;

        for (size_t i = 0; i < ELEMENTS(devices); i++) {
                _cleanup_free_ char *driver = fake_machine_driver(devices[i]);
                _cleanup_free_ char *override = fake_machine_override(devices[i]);
                _cleanup_free_ char *vfs = fake_machine_attribute(devices[i], "sriov_numvfs");
                _cleanup_free_ char *probe =
                        fake_machine_attribute(devices[i], "sriov_drivers_autoprobe");
                _cleanup_free_ char *reset = fake_machine_attribute(devices[i], "reset_method");

                ck_assert_int_ge(
                        string_append(&text, "%s '%s' '%s' '%s' '%s' '%s' %d %d\n", devices[i],
                                      driver, override, vfs, probe, reset,
                                      fake_machine_device_is_open(devices[i]),
                                      fake_machine_group_is_open(fake_machine_group(devices[i]))),
                        0);
        }
        return text;
}

static void expect_machine(const char *before, const char *where) {
        _cleanup_free_ char *now = render_machine();

        ck_assert_msg(strcmp(now, before) == 0, "%s: before\n%snow\n%s", where, before, now);
}

/* A lease ends with the reply that has its lease_fd. */
static void wait_until_no_lease(Client *client) {
        for (;;) {
                _cleanup_message_ Message *reply = manager(client, "ListLeases", "");
                _cleanup_free_ char *text = render(reply);

                if (strcmp(text, "[]") == 0)
                        return;
                turn();
        }
}

static void do_act(Client *client, Act act) {
        Message *reply = act ? act(client) : NULL;

        if (reply)
                expect_done(reply);
        sd_bus_message_unref(reply);
        wait_until_no_lease(client);
}

/* A sentence names what it is about: the device or group, or else what is in the singular. */
static void expect_sentence(const char *sentence, const char *subject, const char *where) {
        _cleanup_free_ char *first = strndup(subject, strcspn(subject, " "));

        if (strcmp(first, "any") == 0)
                ck_assert_msg(strstr(sentence, "iommu") || strstr(sentence, "container") ||
                                      strstr(sentence, "IO"),
                              "%s: %s", where, sentence);
        else
                ck_assert_msg(strstr(sentence, first), "%s: '%s' is not in: %s", where, first,
                              sentence);
}

static size_t effect_of(const char *line) {
        for (size_t i = 0; i < ELEMENTS(effects); i++)
                if (strncmp(line, effects[i].what, strlen(effects[i].what)) == 0 &&
                    line[strlen(effects[i].what)] == ' ')
                        return i;
        ck_abort_msg("which errnos does the kernel give for '%s'?", line);
        return 0;
}

/* A line for each thing that it does to the kernel, and what the machine is like afterwards. */
typedef struct Undisturbed {
        char **lines;
        char *asked;
} Undisturbed;

/* In iommufd mode a group is only tried, and one whose node is gone cannot be held by anybody. */
static bool may_be_done(const Case *it, size_t effect, int error) {
        return effects[effect].optional ||
               (it->iommufd && error == ENODEV && strcmp(effects[effect].what, "open-group") == 0);
}

static void fail_once(Client *client, const Case *it, const Undisturbed *whole, size_t at,
                      int error) {
        const char *line = whole->lines[at - 1];
        _cleanup_free_ char *where =
                string_format("%s, %zu. '%s': %s", it->name, at, line, strerrorname_np(error));
        _cleanup_free_ char *before = NULL;
        Message *reply;
        bool done;

        do_act(client, it->set_up);
        before = render_machine();
        fake_machine_count(at, error);
        reply = it->act(client);
        done = !sd_bus_message_is_method_error(reply, NULL);
        if (!done)
                expect_sentence(sd_bus_message_get_error(reply)->message, strchr(line, ' ') + 1,
                                where);
        sd_bus_message_unref(reply);
        wait_until_no_lease(client);
        settle();
        fake_machine_count(0, 0);
        ck_assert_msg(!done || may_be_done(it, effect_of(line), error),
                      "%s: it was done all the same", where);
        expect_machine(done ? whole->asked : before, where);
        if (done)
                do_act(client, it->tear_down);
        else if (it->set_up)
                do_act(client, it->act);
}

/* Not what the end of its lease does. */
static Undisturbed run_undisturbed(Client *client, const Case *it) {
        _cleanup_free_ char *counted = NULL;
        Undisturbed whole = {0};
        char *at = NULL;
        Message *reply;

        do_act(client, it->set_up);
        fake_machine_count(0, 0);
        reply = it->act(client);
        expect_done(reply);
        counted = fake_machine_counted();
        sd_bus_message_unref(reply);
        wait_until_no_lease(client);
        whole.asked = render_machine();
        for (char *line = strtok_r(counted, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
                ck_assert_int_eq(strv_push(&whole.lines, line), 0);
        do_act(client, it->tear_down);
        return whole;
}

START_TEST(each_effect_that_fails_is_undone_and_named) {
        const Case *it = &cases[_i];
        Client *client;
        Undisturbed whole;

        if (it->iommufd)
                fake_machine_set_iommufd(true);
        client = client_new();
        whole = run_undisturbed(client, it);
        ck_assert_uint_ge(strv_length(whole.lines), 2);
        for (size_t at = 1; whole.lines[at - 1]; at++)
                for (const int *error = effects[effect_of(whole.lines[at - 1])].errnos; *error;
                     error++)
                        fail_once(client, it, &whole, at, *error);
        strv_free(whole.lines);
        free(whole.asked);
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-faults");

        tcase_add_loop_test(tests, each_effect_that_fails_is_undone_and_named, 0, ELEMENTS(cases));
        return bus_tests_run(tests);
}
