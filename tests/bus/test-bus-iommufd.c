/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Iommufd mode on the bus: Acquire in each preparation, the lease's numbers, Add and Remove, and
 * how a group comes back from whoever has its cdevs. What the test itself has open is what cannot
 * be found (tests/bus/fixture-holder.h).
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/kernel/iommufd.h"
#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fixture-bus.h"
#include "tests/bus/fixture-holder.h"

#define DEVICE "0000:03:00.0"
#define GROUP "group/4"
#define OTHER "0000:07:00.0"

/* A client, on a machine with iommufd. */
static Client *client_with_iommufd(void) {
        fake_machine_set_iommufd(true);
        return client_new();
}

static Grant acquire(Client *client) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 1, GROUP, 0));
}

static Grant acquire_prepared(Client *client, const char *prepare) {
        return grant_of(
                manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "prepare", "s", prepare));
}

static bool lease_is(Client *client, const char *path, const char *state) {
        _cleanup_free_ char *now = property(client, path, VFIOD_INTERFACE_LEASE, "State");

        return strcmp(now, state) == 0;
}

static bool is_over(const Client *client, const char *path) {
        return count_signals(client, "InterfacesRemoved", VFIOD_PATH, path) > 0;
}

static const struct {
        const char *prepare, *calls, *ioas, *ids, *iovas, *alignment;
} preparations[] = {
        {"attach",
         "open an iommufd\nallocate an IOAS\nopen group 4\nopen cdev " DEVICE "\nbind cdev " DEVICE
         " to the iommufd\nattach " DEVICE " to the IOAS\nread the IOVA ranges of the IOAS",
         "1", "[(\"" DEVICE "\" 2 0)]", "[(0 4276092927) (4277141504 281474976710655)]", "4096"},
        {"bind",
         "open an iommufd\nopen group 4\nopen cdev " DEVICE "\nbind cdev " DEVICE " to the iommufd",
         "0", "[(\"" DEVICE "\" 1 0)]", "[]", "0"},
        {"open", "open an iommufd\nopen group 4\nopen cdev " DEVICE, "0", "[(\"" DEVICE "\" 0 0)]",
         "[]", "0"},
};

START_TEST(each_preparation_hands_over_iommufd_and_cdevs_and_tells_their_numbers) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire_prepared(client, preparations[_i].prepare);
        _cleanup_free_ char *calls = fake_machine_calls();
        _cleanup_free_ char *word = string_format("\"%s\"", preparations[_i].prepare);

        expect_files(&grant, "iommufd:,cdev:" DEVICE);
        ck_assert_int_ge(grant.lease_fd, 0);
        ck_assert_str_eq(calls, preparations[_i].calls);
        expect_lease(client, grant.path, "Mode", "\"iommufd\"");
        expect_lease(client, grant.path, "Prepare", word);
        expect_lease(client, grant.path, "Devices", "[\"" DEVICE "\"]");
        expect_lease(client, grant.path, "Ioas", preparations[_i].ioas);
        expect_lease(client, grant.path, "DeviceIds", preparations[_i].ids);
        expect_lease(client, grant.path, "IovaRanges", preparations[_i].iovas);
        expect_lease(client, grant.path, "IovaAlignment", preparations[_i].alignment);
}
END_TEST

START_TEST(a_lease_in_group_mode_has_no_numbers) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "mode", "s", "group"));

        expect_files(&grant, "container:,group:4,device:" DEVICE);
        expect_lease(client, grant.path, "Mode", "\"group\"");
        expect_lease(client, grant.path, "Prepare", "\"attach\"");
        expect_lease(client, grant.path, "Ioas", "0");
        expect_lease(client, grant.path, "DeviceIds", "[]");
        expect_lease(client, grant.path, "IovaRanges", "[]");
        expect_lease(client, grant.path, "IovaAlignment", "0");
}
END_TEST

/* Whether there is an iommufd is looked at for each request. */
START_TEST(auto_is_what_the_kernel_has) {
        Client *client = client_new();
        _cleanup_grant_ Grant group = acquire(client), iommufd = {.lease_fd = -EBADF};
        _cleanup_grant_ Grant without = {.lease_fd = -EBADF};

        fake_machine_set_iommufd(true);
        iommufd = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/9", 1, "mode", "s", "auto"));
        fake_machine_fault("cdevs", "any", ENODEV);
        without = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/8", 0));
        expect_files(&group, "container:,group:4,device:" DEVICE);
        expect_files(&iommufd, "iommufd:,cdev:" OTHER);
        expect_files(&without, "container:,group:8,device:0000:06:00.0");
        expect_lease(client, iommufd.path, "Mode", "\"iommufd\"");
        expect_lease(client, without.path, "Mode", "\"group\"");
}
END_TEST

START_TEST(features_name_iommufd_where_it_can_be_had) {
        Client *client = client_new();
        _cleanup_free_ char *before =
                property(client, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "Features");
        _cleanup_free_ char *after = NULL;
        _cleanup_message_ Message *plan = NULL;

        fake_machine_set_iommufd(true);
        plan = manager(client, "Plan", "sasa{sv}", "acquire", 1, GROUP, 0);
        expect_text(plan, "open an iommufd");
        after = property(client, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, "Features");
        ck_assert_ptr_null(strstr(before, "iommufd"));
        expect_part(after, "\"group\" \"type1v2\"");
        expect_part(after, "\"iommufd\"");
}
END_TEST

START_TEST(devices_are_bound_first_when_that_is_wanted) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/2", 1, "bind", "b", true));

        expect_files(&grant, "iommufd:,cdev:0000:01:00.0,cdev:0000:01:00.1");
        expect_lease(client, grant.path, "DeviceIds",
                     "[(\"0000:01:00.0\" 2 0) (\"0000:01:00.1\" 3 0)]");
}
END_TEST

START_TEST(get_fds_gives_the_same_files_in_the_same_order) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, GROUP, "group/9", 0));
        _cleanup_grant_ Grant all = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        _cleanup_grant_ Grant page =
                grant_of_files(lease(client, grant.path, "GetFds", "uu", 1, 1));

        expect_files(&grant, "iommufd:,cdev:" DEVICE ",cdev:" OTHER);
        ck_assert_uint_eq(all.total, 3);
        for (size_t i = 0; i < 3; i++)
                ck_assert(same_file(all.files[i].fd, grant.files[i].fd));
        expect_files(&page, "cdev:" DEVICE);
}
END_TEST

START_TEST(deferred_files_are_fetched_later) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "defer_fds", "b", true));
        _cleanup_grant_ Grant all = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));

        ck_assert_uint_eq(grant.n_files, 0);
        expect_files(&all, "iommufd:,cdev:" DEVICE);
}
END_TEST

/* Short names are names too. */
START_TEST(cookies_stand_beside_the_kernels_numbers) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 2, GROUP, "group/9", 1, "cookies",
                                 "a{st}", 2, "03:00.0", (uint64_t)UINT64_MAX, OTHER, (uint64_t)7));
        _cleanup_grant_ Grant added =
                grant_of_files(lease(client, grant.path, "Add", "asa{sv}", 1, "group/8", 1,
                                     "cookies", "a{st}", 1, "0000:06:00.0", (uint64_t)9));

        expect_files(&added, "cdev:0000:06:00.0");
        expect_lease(client, grant.path, "DeviceIds",
                     "[(\"" DEVICE "\" 2 18446744073709551615) (\"0000:06:00.0\" 4 9) (\"" OTHER
                     "\" 3 7)]");
}
END_TEST

START_TEST(cookies_of_devices_that_are_only_opened_have_no_number_of_the_kernels) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant =
                grant_of(manager(client, "Acquire", "asa{sv}", 1, GROUP, 2, "prepare", "s", "open",
                                 "cookies", "a{st}", 1, DEVICE, (uint64_t)7));

        expect_lease(client, grant.path, "DeviceIds", "[(\"" DEVICE "\" 0 7)]");
}
END_TEST

static const struct {
        const char *name, *value, *error, *words;
} texts[] = {
        {"mode", "cdev", "InvalidOptionValue",
         "option mode: 'cdev' is not 'auto', 'group' or 'iommufd'"},
        {"prepare", "all", "InvalidOptionValue",
         "option prepare: 'all' is not 'attach', 'bind' or 'open'"},
        {"cookies", "7", "InvalidOptionValue", "option cookies must be of type 'a{st}', not 's'"},
};

START_TEST(options_that_say_nothing_are_refused) {
        Client *client = client_with_iommufd();

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                _cleanup_message_ Message *reply = manager(client, "Acquire", "asa{sv}", 1, GROUP,
                                                           1, texts[i].name, "s", texts[i].value);

                expect_refusal(reply, texts[i].error, texts[i].words);
        }
}
END_TEST

START_TEST(options_that_contradict_each_other_are_refused) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *bind = manager(client, "Acquire", "asa{sv}", 1, "group/9", 2,
                                                  "mode", "s", "group", "prepare", "s", "bind");
        _cleanup_message_ Message *prepare =
                manager(client, "Acquire", "asa{sv}", 1, "group/9", 2, "join", "o", grant.path,
                        "prepare", "s", "attach");
        _cleanup_message_ Message *mode = manager(client, "Acquire", "asa{sv}", 1, "group/9", 2,
                                                  "join", "o", grant.path, "mode", "s", "group");
        _cleanup_message_ Message *add = lease(client, grant.path, "Add", "asa{sv}", 1, "group/9",
                                               1, "mode", "s", "iommufd");

        expect_refusal(bind, "InvalidOptionValue", "option prepare: 'bind' is of mode 'iommufd'");
        expect_refusal(prepare, "InvalidOptionValue",
                       "option prepare: a lease that is joined is prepared already");
        expect_refusal(mode, "InvalidOptionValue",
                       "option mode: lease 1 is in mode 'iommufd'; acquire a lease of its own");
        expect_refusal(add, "InvalidOption", "there is no option 'mode' here");
}
END_TEST

static Message *acquire_with_cookie(Client *client, const char *mode, const char *device) {
        return manager(client, "Acquire", "asa{sv}", 1, GROUP, 2, "mode", "s", mode, "cookies",
                       "a{st}", 1, device, (uint64_t)7);
}

START_TEST(cookies_that_are_for_no_device_asked_for_are_refused) {
        Client *client = client_with_iommufd();
        _cleanup_message_ Message *group = acquire_with_cookie(client, "group", DEVICE);
        _cleanup_message_ Message *other = acquire_with_cookie(client, "iommufd", OTHER);
        _cleanup_message_ Message *of_group = acquire_with_cookie(client, "auto", GROUP);
        _cleanup_message_ Message *hostile = acquire_with_cookie(client, "auto", "a/\nb");
        _cleanup_message_ Message *twice =
                manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "cookies", "a{st}", 2, DEVICE,
                        (uint64_t)7, "03:00.0", (uint64_t)8);
        _cleanup_message_ Message *many = NULL, *none = NULL;

        expect_refusal(group, "InvalidOptionValue",
                       "option cookies: only in mode 'iommufd', and this is 'group'");
        expect_refusal(other, "InvalidOptionValue",
                       "option cookies: " OTHER " is not among the devices asked for");
        expect_refusal(of_group, "InvalidOptionValue",
                       "option cookies: '" GROUP "' is not the name of a device");
        expect_refusal(hostile, "InvalidOptionValue", "is not the name of a device");
        expect_refusal(twice, "InvalidOptionValue", "option cookies: " DEVICE " is given twice");
        fixture_config()->limit_targets = 1;
        many = manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "cookies", "a{st}", 2, DEVICE,
                       (uint64_t)7, OTHER, (uint64_t)8);
        expect_refusal(many, "TooManyTargets", "option cookies: more than 1 (limits.targets)");
        none = manager(client, "Acquire", "asa{sv}", 1, GROUP, 2, "cookies", "a{st}", 0,
                       "defer_fds", "b", true);
        expect_done(none);
}
END_TEST

START_TEST(a_kernel_without_it_is_told_from_one_without_cdevs) {
        Client *client = client_new();
        _cleanup_message_ Message *none =
                manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "mode", "s", "iommufd");
        _cleanup_message_ Message *bind =
                manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "prepare", "s", "bind");
        _cleanup_message_ Message *no_cdevs = NULL;
        _cleanup_free_ char *calls = NULL;

        expect_refusal(none, "Unsupported", "this kernel has no iommufd (CONFIG_IOMMUFD)");
        expect_refusal(bind, "Unsupported", "this kernel has no iommufd (CONFIG_IOMMUFD)");
        fake_machine_set_iommufd(true);
        fake_machine_fault("cdevs", "any", ENODEV);
        no_cdevs = manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "mode", "s", "iommufd");
        expect_refusal(no_cdevs, "Unsupported", "CONFIG_VFIO_DEVICE_CDEV");
        calls = fake_machine_calls();
        ck_assert_str_eq(calls, "");
}
END_TEST

/* Each row: a call of the kernel's that fails, and what is said of it. */
static const struct {
        const char *what, *subject, *words;
} faults[] = {
        {"open-iommufd", "any", "open an iommufd: Input/output error"},
        {"alloc-ioas", "any", "allocate an IOAS: Input/output error"},
        {"open-group", "9", "see that group 9 is free: Input/output error"},
        {"open-cdev", OTHER, "open cdev " OTHER ": Input/output error"},
        {"bind-cdev", OTHER, "bind cdev " OTHER " to the iommufd: Input/output error"},
        {"attach-cdev", OTHER, "attach " OTHER " to the IOAS: Input/output error"},
        {"read-iovas", "any", "read the IOVA ranges of the IOAS: Input/output error"},
};

START_TEST(what_the_kernel_refuses_is_named_and_undone) {
        Client *client = client_with_iommufd();
        _cleanup_message_ Message *warm_up = manager(client, "ListLeases", NULL);
        _cleanup_message_ Message *reply = NULL, *leases = NULL;
        size_t before = count_open_fds();
        _cleanup_grant_ Grant grant = {.lease_fd = -EBADF};

        fake_machine_fault(faults[_i].what, faults[_i].subject, EIO);
        reply = manager(client, "Acquire", "asa{sv}", 2, GROUP, "group/9", 0);
        fake_machine_clear(faults[_i].what, faults[_i].subject);
        expect_refusal(reply, "Failed", faults[_i].words);
        leases = manager(client, "ListLeases", NULL);
        expect_text(leases, "[]");
        ck_assert(!fake_machine_device_is_open(DEVICE) && !fake_machine_device_is_open(OTHER));
        settle();
        expect_open_fds(before);
        grant = grant_of(manager(client, "Acquire", "asa{sv}", 2, GROUP, "group/9", 0));
        ck_assert_uint_eq(grant.n_files, 3);
}
END_TEST

START_TEST(add_puts_more_cdevs_into_the_leases_iommufd) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_grant_ Grant added =
                grant_of_files(lease(client, grant.path, "Add", "asa{sv}", 1, "group/9", 0));
        _cleanup_free_ char *calls = fake_machine_calls();

        expect_files(&added, "cdev:" OTHER);
        expect_lease(client, grant.path, "Groups", "[4 9]");
        expect_lease(client, grant.path, "Ioas", "1");
        expect_lease(client, grant.path, "DeviceIds", "[(\"" DEVICE "\" 2 0) (\"" OTHER "\" 3 0)]");
        expect_part(calls, "open group 9\nopen cdev " OTHER "\nbind cdev " OTHER
                           " to the iommufd\nattach " OTHER " to the IOAS\nread the IOVA ranges");
        settle();
        ck_assert_uint_ge(count_signals(client, "PropertiesChanged", grant.path,
                                        "\"DeviceIds\" <[(\"" DEVICE "\" 2 0) (\"" OTHER
                                        "\" 3 0)]>"),
                          1);
        ck_assert_uint_ge(
                count_signals(client, "PropertiesChanged", grant.path, "\"IovaRanges\" <[(0 "), 1);
}
END_TEST

START_TEST(add_that_fails_leaves_the_lease_as_it_was) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client);
        size_t before = count_open_fds();
        _cleanup_message_ Message *failed = NULL;

        fake_machine_fault("read-iovas", "any", EIO);
        failed = lease(client, grant.path, "Add", "asa{sv}", 1, "group/9", 1, "cookies", "a{st}", 1,
                       OTHER, (uint64_t)7);
        expect_refusal(failed, "Failed", "read the IOVA ranges");
        expect_lease(client, grant.path, "Groups", "[4]");
        expect_lease(client, grant.path, "DeviceIds", "[(\"" DEVICE "\" 2 0)]");
        settle();
        expect_open_fds(before);
        ck_assert(!fake_machine_device_is_open(OTHER));
}
END_TEST

START_TEST(join_is_in_the_mode_of_the_lease) {
        Client *client = client_new();
        _cleanup_grant_ Grant group = acquire(client), joined = {.lease_fd = -EBADF};
        _cleanup_grant_ Grant iommufd = {.lease_fd = -EBADF}, more = {.lease_fd = -EBADF};
        _cleanup_message_ Message *unknown = NULL;

        fake_machine_set_iommufd(true);
        joined = grant_of(
                manager(client, "Acquire", "asa{sv}", 1, "group/9", 1, "join", "o", group.path));
        expect_files(&joined, "group:9,device:" OTHER);
        iommufd = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/8", 0));
        more = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/5", 3, "join", "o",
                                iommufd.path, "mode", "s", "iommufd", "bind", "b", true));
        expect_files(&more, "cdev:0000:04:00.0");
        ck_assert_str_eq(more.path, iommufd.path);
        fake_machine_set_iommufd(false);
        unknown = manager(client, "Acquire", "asa{sv}", 1, "group/2", 2, "join", "o", iommufd.path,
                          "bind", "b", true);
        expect_refusal(unknown, "Unsupported", "this kernel has no iommufd");
}
END_TEST

static Grant acquire_two(Client *client, const char *prepare) {
        return grant_of(manager(client, "Acquire", "asa{sv}", 2, GROUP, "group/9", 1, "prepare",
                                "s", prepare));
}

static void close_cdev(Grant *grant, const char *device) {
        for (size_t i = 0; i < grant->n_files; i++)
                if (strcmp(grant->files[i].name, device) == 0)
                        grant->files[i].fd = fd_close(grant->files[i].fd);
}

START_TEST(remove_takes_cdevs_back_that_nobody_has_open) {
        static const char *const prepares[] = {"attach", "bind", "open"};
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire_two(client, prepares[_i]);
        _cleanup_grant_ Grant again = {.lease_fd = -EBADF}, rest = {.lease_fd = -EBADF};
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *ids = NULL;

        close_cdev(&grant, OTHER);
        reply = lease(client, grant.path, "Remove", "as", 1, OTHER);
        expect_done(reply);
        expect_lease(client, grant.path, "Groups", "[4]");
        expect_lease(client, grant.path, "Devices", "[\"" DEVICE "\"]");
        ids = property(client, grant.path, VFIOD_INTERFACE_LEASE, "DeviceIds");
        ck_assert_ptr_null(strstr(ids, OTHER));
        rest = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        expect_files(&rest, "iommufd:,cdev:" DEVICE);
        ck_assert(!fake_machine_device_is_open(OTHER));
        again = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/9", 0));
        ck_assert_str_eq(again.path, "/org/vfiod1/lease/2");
}
END_TEST

/* Also one that is not bound, of which the kernel says nothing. */
START_TEST(remove_of_what_a_holder_has_open_is_refused_and_loses_nothing) {
        static const char *const prepares[] = {"attach", "bind", "open"};
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire_two(client, prepares[_i]);
        _cleanup_grant_ Grant all = {.lease_fd = -EBADF};
        int kept = fd_duplicate(grant.lease_fd);
        pid_t holder = hand_over(&grant, 0);
        _cleanup_free_ char *words = string_format(
                "a device of group 9 is still open: held by pid %d (client, uid 0): ", holder);
        _cleanup_message_ Message *reply = lease(client, grant.path, "Remove", "as", 1, "group/9");

        expect_refusal(reply, "InUse", words);
        expect_refusal(reply, "InUse", "cdev " OTHER);
        expect_lease(client, grant.path, "Groups", "[4 9]");
        all = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        expect_files(&all, "iommufd:,cdev:" DEVICE ",cdev:" OTHER);
        ck_assert(fake_machine_cdev_is(OTHER, FAKE_CDEV_BOUND) == (_i != 2));
        ck_assert(fake_machine_cdev_is(OTHER, FAKE_CDEV_ATTACHED) == (_i == 0));
        grant_done(&all);
        (void)kill(holder, SIGKILL);
        fd_close(kept);
        wait_until(is_over(client, "/org/vfiod1/lease/1"));
}
END_TEST

START_TEST(a_group_is_leased_in_one_mode_at_a_time) {
        static const char *const modes[] = {"group", "iommufd"};
        Client *client = client_with_iommufd();

        for (size_t i = 0; i < 2; i++) {
                _cleanup_grant_ Grant grant = grant_of(
                        manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "mode", "s", modes[i]));
                _cleanup_free_ char *path = strdup(grant.path);
                _cleanup_message_ Message *other = manager(client, "Acquire", "asa{sv}", 1, GROUP,
                                                           1, "mode", "s", modes[1 - i]);

                expect_refusal(other, "Leased", "group 4 is leased to uid 0");
                grant_done(&grant);
                wait_until(is_over(client, path));
        }
}
END_TEST

/* The kernel keeps the two modes of a group apart, with and without us. */
START_TEST(a_group_open_without_a_lease_is_not_given_away_as_cdevs) {
        _cleanup_free_ char *path = fake_machine_path("dev/vfio/4");
        _cleanup_close_ int holder = open(path, O_RDWR | O_CLOEXEC);
        Client *client = client_with_iommufd();
        _cleanup_message_ Message *reply = NULL;

        ck_assert_int_eq(flock(holder, LOCK_EX), 0);
        reply = manager(client, "Acquire", "asa{sv}", 1, GROUP, 0);
        expect_refusal(reply, "HeldOutside",
                       "group 4 is open in a process that has no lease of it");
        ck_assert(!fake_machine_device_is_open(DEVICE));
}
END_TEST

/* Opens a cdev as somebody does who was not given it. */
static Grant open_outside(bool bound) {
        const Roots roots = ROOTS_NULL;
        Grant grant = {.lease_fd = -EBADF, .n_files = 2};
        uint32_t id;

        grant.files[0].fd = iommufd_open(&roots);
        grant.files[1].fd = cdev_open(&roots, "pci", DEVICE);
        for (size_t i = 0; i < 2; i++) {
                grant.files[i].kind = strdup(i == 0 ? "iommufd" : "cdev");
                grant.files[i].name = strdup("");
                ck_assert_int_ge(grant.files[i].fd, 0);
        }
        if (bound)
                ck_assert_int_eq(cdev_bind(grant.files[1].fd, grant.files[0].fd, &id), 0);
        return grant;
}

START_TEST(a_cdev_bound_without_a_lease_is_given_away_in_neither_mode) {
        static const char *const modes[] = {"group", "iommufd"};
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant holder = open_outside(true);

        for (size_t i = 0; i < 2; i++) {
                _cleanup_message_ Message *reply =
                        manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "mode", "s", modes[i]);

                expect_refusal(reply, "HeldOutside",
                               "group 4 is open in a process that has no lease of it");
        }
}
END_TEST

/* It is sealed then, so that the kernel tells of it. */
START_TEST(a_release_drains_until_the_last_copy_of_a_cdev_is_closed) {
        static const char *const prepares[] = {"attach", "bind", "open"};
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire_prepared(client, prepares[_i]);
        _cleanup_close_ int kept = dup(grant_file(&grant, "cdev", DEVICE));
        _cleanup_close_ _unused_ int iommufd = dup(grant_file(&grant, "iommufd", ""));
        _cleanup_message_ Message *released = lease(client, grant.path, "Release", NULL);
        _cleanup_message_ Message *refused = NULL, *again = NULL;
        _cleanup_free_ char *path = strdup(grant.path);

        expect_done(released);
        grant_done(&grant);
        settle();
        ck_assert(lease_is(client, path, "\"draining\""));
        refused = manager(client, "Plan", "sasa{sv}", "acquire", 1, GROUP, 0);
        expect_refusal(refused, "Leased", "group 4 was given back by uid 0");
        kept = fd_close(kept);
        wait_until(is_over(client, path));
        again = manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "defer_fds", "b", true);
        expect_done(again);
}
END_TEST

START_TEST(a_release_closes_every_file_of_ours) {
        Client *client = client_with_iommufd();
        _cleanup_message_ Message *warm_up = manager(client, "ListLeases", NULL);
        size_t before = count_open_fds();
        _cleanup_grant_ Grant grant = acquire_prepared(client, "open");
        _cleanup_free_ char *path = strdup(grant.path);

        grant_done(&grant);
        wait_until(is_over(client, path));
        ck_assert(!fake_machine_device_is_open(DEVICE));
        settle();
        expect_open_fds(before);
}
END_TEST

static void begin_unbind(Client *client, Message **reply, const char *policy, uint64_t timeout_ms) {
        begin(client, reply, "Unbind", "asa{sv}", 1, GROUP, 2, "policy", "s", policy, "timeout",
              "t", timeout_ms);
}

static void wait_for_asking(Client *client) {
        wait_until(count_signals(client, "ReleaseRequested", "/lease/1", NULL) > 0);
}

static void end_holder(Client *client, pid_t holder) {
        (void)kill(holder, SIGKILL);
        wait_until(is_over(client, "/org/vfiod1/lease/1"));
}

START_TEST(unbind_that_fails_names_who_has_iommufd_and_cdev) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client);
        pid_t holder = hand_over(&grant, 0);
        _cleanup_message_ Message *reply = manager(client, "Unbind", "asa{sv}", 1, GROUP, 0);
        _cleanup_message_ Message *holders = manager(client, "ListHolders", "as", 1, GROUP);

        expect_refusal(reply, "Leased", "group 4 is leased to uid 0 (lease 1)");
        expect_refusal(reply, "Leased", "cdev " DEVICE);
        expect_text(holders, "(\"cdev\" \"" DEVICE "\" ");
        expect_text(holders, "(\"iommufd\" \"\" ");
        expect_text(holders, "(\"lease\" ");
        expect_driver(DEVICE, "vfio-pci");
        end_holder(client, holder);
}
END_TEST

/* The holder keeps iommufd and lease_fd: it may be one that knows nothing of leases. */
START_TEST(a_holder_that_closes_only_its_cdev_has_given_it_back) {
        static const char *const prepares[] = {"attach", "bind", "open"};
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire_prepared(client, prepares[_i]);
        _cleanup_grant_ Grant rest = {.lease_fd = -EBADF};
        _cleanup_message_ Message *reply = NULL;
        pid_t cdev_holder, other;

        rest = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        rest.lease_fd = fd_duplicate(grant.lease_fd);
        cdev_holder = hand_over(&grant, 0);
        grant_close(&rest, "cdev");
        other = hand_over(&rest, 0);
        begin(client, &reply, "Unbind", "asa{sv}", 1, GROUP, 1, "policy", "s", "wait");
        wait_for_asking(client);
        settle();
        ck_assert_ptr_null(reply);
        (void)kill(cdev_holder, SIGKILL);
        wait_until(reply);
        expect_done(reply);
        expect_driver(DEVICE, "");
        ck_assert(is_alive(other));
        (void)kill(other, SIGKILL);
        wait_until(is_over(client, "/org/vfiod1/lease/1"));
}
END_TEST

START_TEST(wait_that_expires_leaves_the_lease_as_it_was) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client), again = {.lease_fd = -EBADF};
        pid_t holder = hand_over(&grant, 0);
        _cleanup_message_ Message *reply = NULL;

        begin_unbind(client, &reply, "wait", 200);
        wait_until(reply);
        expect_refusal(reply, "StillHeld", "not given back in time");
        ck_assert(lease_is(client, "/org/vfiod1/lease/1", "\"held\""));
        ck_assert(fake_machine_cdev_is(DEVICE, FAKE_CDEV_ATTACHED));
        again = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        expect_files(&again, "iommufd:,cdev:" DEVICE);
        grant_done(&again);
        end_holder(client, holder);
}
END_TEST

START_TEST(revoke_quiets_detaches_sends_sigbus_and_unbinds) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *calls = NULL;
        pid_t holder = hand_over(&grant, 0);

        begin_unbind(client, &reply, "revoke", 50);
        wait_until(reply);
        expect_done(reply);
        calls = fake_machine_calls_but_requests();
        expect_part(calls, "quiesce " DEVICE "\ndetach " DEVICE
                           " from its IOAS\nsend SIGBUS\nopen group 4\nreset " DEVICE "\n");
        expect_driver(DEVICE, "");
        wait_until(!is_alive(holder));
        wait_until(is_over(client, "/org/vfiod1/lease/1"));
}
END_TEST

/* Its DMA goes on as before. */
START_TEST(without_sigkill_a_holder_that_survives_keeps_its_cdev_attached) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client), again = {.lease_fd = -EBADF};
        _cleanup_message_ Message *reply = NULL;
        _cleanup_free_ char *calls = NULL;
        pid_t holder = hand_over(&grant, SIGBUS);

        fixture_config()->sigbus_grace_ms = 100;
        fixture_config()->sigkill = false;
        begin_unbind(client, &reply, "revoke", 0);
        wait_until(reply);
        expect_refusal(reply, "StillHeld", "held by pid ");
        calls = fake_machine_calls_but_requests();
        expect_part(calls, "detach " DEVICE " from its IOAS\nsend SIGBUS\nattach " DEVICE
                           " to the IOAS\nrestore " DEVICE);
        ck_assert(fake_machine_cdev_is(DEVICE, FAKE_CDEV_ATTACHED));
        ck_assert(lease_is(client, "/org/vfiod1/lease/1", "\"held\""));
        again = grant_of_files(lease(client, grant.path, "GetFds", "uu", 0, 0));
        expect_files(&again, "iommufd:,cdev:" DEVICE);
        grant_done(&again);
        end_holder(client, holder);
}
END_TEST

/* Each preparation: the kernel tells of a bound cdev, and of an unbound one once it is sealed. */
START_TEST(a_holder_that_cannot_be_found_makes_the_device_stuck_until_it_lets_go) {
        static const char *const prepares[] = {"attach", "open"};
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire_prepared(client, prepares[_i]);
        _cleanup_message_ Message *reply = NULL, *again = NULL;

        begin_unbind(client, &reply, "revoke", 50);
        wait_until(reply);
        expect_refusal(reply, "Stuck", "group 4 is held by a process that cannot be found");
        expect_driver(DEVICE, "vfio-pci");
        grant_done(&grant);
        wait_until(is_over(client, "/org/vfiod1/lease/1"));
        again = manager(client, "Acquire", "asa{sv}", 1, GROUP, 1, "defer_fds", "b", true);
        expect_done(again);
}
END_TEST

/* Bound or not: what the kernel would not tell of is seen by looking. */
START_TEST(a_cdev_open_without_a_lease_is_not_unbound_under_its_holder) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant outside = open_outside(_i);
        pid_t holder = hand_over(&outside, 0);
        _cleanup_free_ char *words = string_format("held by pid %d (client, uid 0): ", holder);
        _cleanup_message_ Message *refused = manager(client, "Unbind", "asa{sv}", 1, GROUP, 0);
        _cleanup_message_ Message *reply = NULL;
        const char *sentence = sd_bus_message_get_error(refused)->message;

        expect_refusal(refused, "HeldOutside",
                       "a device of group 4 is open in a process that has no lease of it; held by");
        expect_part(sentence, words);
        ck_assert_ptr_null(strstr(strstr(sentence, words) + 1, words));
        begin(client, &reply, "Unbind", "asa{sv}", 1, GROUP, 1, "policy", "s", "wait");
        settle();
        ck_assert_ptr_null(reply);
        (void)kill(holder, SIGKILL);
        wait_until(reply);
        expect_done(reply);
        expect_driver(DEVICE, "");
}
END_TEST

START_TEST(a_cdev_open_without_a_lease_is_revoked) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant outside = open_outside(_i);
        pid_t holder = hand_over(&outside, 0);
        _cleanup_message_ Message *reply = NULL;

        begin_unbind(client, &reply, "revoke", 50);
        wait_until(reply);
        expect_done(reply);
        expect_driver(DEVICE, "");
        wait_until(!is_alive(holder));
}
END_TEST

START_TEST(dry_runs_say_what_would_be_done) {
        Client *client = client_with_iommufd();
        _cleanup_grant_ Grant grant = acquire(client);
        _cleanup_message_ Message *unbind =
                manager(client, "Plan", "sasa{sv}", "unbind", 1, GROUP, 1, "policy", "s", "revoke");
        _cleanup_message_ Message *acquired = manager(client, "Plan", "sasa{sv}", "acquire", 1,
                                                      "group/9", 1, "prepare", "s", "bind");

        expect_text(unbind, "detach " DEVICE " from its IOAS");
        expect_text(unbind, "see that nobody holds group 4");
        expect_text(unbind, "close cdev " DEVICE);
        expect_text(acquired, "[\"open an iommufd\" \"see that group 9 is free\" \"open cdev " OTHER
                              "\" \"bind cdev " OTHER " to the iommufd\"]");
        ck_assert(lease_is(client, grant.path, "\"held\""));
}
END_TEST

START_TEST(an_acquire_leaves_one_record_with_its_plan) {
        _cleanup_grant_ Grant grant = acquire(client_with_iommufd());

        ck_assert_uint_eq(fake_journal_count(), 1);
        expect_part(fake_journal_record(0),
                    "\n" VFIOD_JOURNAL_PLAN "=open an iommufd; allocate an IOAS; see that group 4");
}
END_TEST

static void add_acquire_tests(TCase *tests) {
        tcase_add_loop_test(tests,
                            each_preparation_hands_over_iommufd_and_cdevs_and_tells_their_numbers,
                            0, (int)ELEMENTS(preparations));
        tcase_add_test(tests, a_lease_in_group_mode_has_no_numbers);
        tcase_add_test(tests, auto_is_what_the_kernel_has);
        tcase_add_test(tests, features_name_iommufd_where_it_can_be_had);
        tcase_add_test(tests, devices_are_bound_first_when_that_is_wanted);
        tcase_add_test(tests, get_fds_gives_the_same_files_in_the_same_order);
        tcase_add_test(tests, deferred_files_are_fetched_later);
        tcase_add_test(tests, cookies_stand_beside_the_kernels_numbers);
        tcase_add_test(tests,
                       cookies_of_devices_that_are_only_opened_have_no_number_of_the_kernels);
        tcase_add_test(tests, options_that_say_nothing_are_refused);
        tcase_add_test(tests, options_that_contradict_each_other_are_refused);
        tcase_add_test(tests, cookies_that_are_for_no_device_asked_for_are_refused);
        tcase_add_test(tests, a_kernel_without_it_is_told_from_one_without_cdevs);
        tcase_add_loop_test(tests, what_the_kernel_refuses_is_named_and_undone, 0,
                            (int)ELEMENTS(faults));
        tcase_add_test(tests, an_acquire_leaves_one_record_with_its_plan);
}

static void add_lease_tests(TCase *tests) {
        tcase_add_test(tests, add_puts_more_cdevs_into_the_leases_iommufd);
        tcase_add_test(tests, add_that_fails_leaves_the_lease_as_it_was);
        tcase_add_test(tests, join_is_in_the_mode_of_the_lease);
        tcase_add_loop_test(tests, remove_takes_cdevs_back_that_nobody_has_open, 0, 3);
        tcase_add_loop_test(tests, remove_of_what_a_holder_has_open_is_refused_and_loses_nothing, 0,
                            3);
        tcase_add_test(tests, a_group_is_leased_in_one_mode_at_a_time);
        tcase_add_test(tests, a_group_open_without_a_lease_is_not_given_away_as_cdevs);
        tcase_add_test(tests, a_cdev_bound_without_a_lease_is_given_away_in_neither_mode);
        tcase_add_loop_test(tests, a_release_drains_until_the_last_copy_of_a_cdev_is_closed, 0, 3);
        tcase_add_test(tests, a_release_closes_every_file_of_ours);
}

static void add_unbind_tests(TCase *tests) {
        tcase_add_test(tests, unbind_that_fails_names_who_has_iommufd_and_cdev);
        tcase_add_loop_test(tests, a_holder_that_closes_only_its_cdev_has_given_it_back, 0, 3);
        tcase_add_test(tests, wait_that_expires_leaves_the_lease_as_it_was);
        tcase_add_test(tests, revoke_quiets_detaches_sends_sigbus_and_unbinds);
        tcase_add_test(tests, without_sigkill_a_holder_that_survives_keeps_its_cdev_attached);
        tcase_add_loop_test(
                tests, a_holder_that_cannot_be_found_makes_the_device_stuck_until_it_lets_go, 0, 2);
        tcase_add_loop_test(tests, a_cdev_open_without_a_lease_is_not_unbound_under_its_holder, 0,
                            2);
        tcase_add_loop_test(tests, a_cdev_open_without_a_lease_is_revoked, 0, 2);
        tcase_add_test(tests, dry_runs_say_what_would_be_done);
}

int main(void) {
        TCase *tests = bus_tests_new("bus-iommufd");

        add_acquire_tests(tests);
        add_lease_tests(tests);
        add_unbind_tests(tests);
        return bus_tests_run(tests);
}
