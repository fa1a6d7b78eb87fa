/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/handles.h: who owns which file, and in which order. */

#include "daemon/broker/handles.h"

#include <errno.h>
#include <fcntl.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static int open_file(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

/* A container, groups 1 and 2, and their devices a, b and c. */
static void init_handles(Handles *handles) {
        static const struct {
                HandleKind kind;
                uint32_t group;
                const char *device;
        } rows[] = {
                {HANDLE_CONTAINER, 0, NULL}, {HANDLE_GROUP, 1, NULL}, {HANDLE_GROUP, 2, NULL},
                {HANDLE_DEVICE, 1, "a"},     {HANDLE_DEVICE, 1, "b"}, {HANDLE_DEVICE, 2, "c"},
        };

        *handles = (Handles)HANDLES_NULL;
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                ck_assert_int_eq(handles_add_consume(handles, rows[i].kind, rows[i].group,
                                                     rows[i].device, open_file()),
                                 0);
}

static void assert_handles(const Handles *handles, const char *expected) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; i < handles->n_handles; i++) {
                const Handle *handle = &handles->handles[i];

                (void)string_append(&text, "%s%s%.0u%s", i > 0 ? " " : "",
                                    handle_kind_name(handle->kind), handle->group,
                                    string_or_empty(handle->device));
                ck_assert_int_ge(fcntl(handle->fd, F_GETFD), 0);
                ck_assert(handle->fresh);
        }
        ck_assert_str_eq(text, expected);
}

START_TEST(files_are_found_by_what_they_are_of) {
        _cleanup_handles_ Handles handles;

        init_handles(&handles);
        assert_handles(&handles, "container group1 group2 device1a device1b device2c");
        ck_assert_int_eq(handles_find(&handles, HANDLE_GROUP, 2, NULL), handles.handles[2].fd);
        ck_assert_int_eq(handles_find(&handles, HANDLE_DEVICE, 1, "b"), handles.handles[4].fd);
        ck_assert_int_eq(handles_find(&handles, HANDLE_DEVICE, 2, "b"), -EBADF);
        ck_assert_int_eq(handles_find(&handles, HANDLE_GROUP, 3, NULL), -EBADF);
        ck_assert_int_eq(handles_find(&handles, HANDLE_CLAIM, 1, NULL), -EBADF);
}
END_TEST

START_TEST(closing_keeps_the_order_of_the_rest) {
        _cleanup_handles_ Handles handles;
        int fd;

        init_handles(&handles);
        fd = handles_find(&handles, HANDLE_DEVICE, 1, "a");
        handles_close(&handles, HANDLE_DEVICE, 1, "a");
        handles_close(&handles, HANDLE_DEVICE, 1, "a");
        ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
        assert_handles(&handles, "container group1 group2 device1b device2c");
        handles_close_kind(&handles, HANDLE_DEVICE);
        assert_handles(&handles, "container group1 group2");
        handles_close_kind(&handles, HANDLE_CLAIM);
        assert_handles(&handles, "container group1 group2");
}
END_TEST

START_TEST(files_move_by_device_by_group_and_all) {
        _cleanup_handles_ Handles handles, to = HANDLES_NULL;

        init_handles(&handles);
        ck_assert_int_eq(handles_move_device(&handles, "b", &to), 0);
        assert_handles(&handles, "container group1 group2 device1a device2c");
        assert_handles(&to, "device1b");
        ck_assert_int_eq(handles_move_group(&handles, 1, &to), 0);
        assert_handles(&handles, "container group2 device2c");
        assert_handles(&to, "device1b group1 device1a");
        ck_assert_int_eq(handles_move_group(&handles, 7, &to), 0);
        ck_assert_int_eq(handles_move_all(&to, &handles), 0);
        assert_handles(&handles, "container group2 device2c device1b group1 device1a");
        assert_handles(&to, "");
}
END_TEST

/* Group 0 is a group like any other, and the container is of none. */
START_TEST(the_container_does_not_move_with_group_zero) {
        _cleanup_handles_ Handles handles = HANDLES_NULL, to = HANDLES_NULL;

        ck_assert_int_eq(handles_add_consume(&handles, HANDLE_CONTAINER, 0, NULL, open_file()), 0);
        ck_assert_int_eq(handles_add_consume(&handles, HANDLE_GROUP, 0, NULL, open_file()), 0);
        ck_assert_int_eq(handles_move_group(&handles, 0, &to), 0);
        assert_handles(&handles, "container");
        assert_handles(&to, "group");
}
END_TEST

/* An iommufd, and cdevs of groups 0 and 1. */
static void init_cdevs(Handles *handles) {
        static const struct {
                HandleKind kind;
                uint32_t group;
                const char *device;
        } rows[] = {{HANDLE_IOMMUFD, 0, NULL},
                    {HANDLE_CDEV, 0, "a"},
                    {HANDLE_CDEV, 1, "b"},
                    {HANDLE_CDEV, 1, "c"}};

        *handles = (Handles)HANDLES_NULL;
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                ck_assert_int_eq(handles_add_consume(handles, rows[i].kind, rows[i].group,
                                                     rows[i].device, open_file()),
                                 0);
}

START_TEST(cdevs_move_as_devices_do_and_an_iommufd_as_the_container) {
        _cleanup_handles_ Handles handles, to = HANDLES_NULL;

        init_cdevs(&handles);
        ck_assert_int_eq(handles_find(&handles, HANDLE_DEVICE, 1, "b"), -EBADF);
        ck_assert_int_eq(handles_move_device(&handles, "c", &to), 0);
        assert_handles(&handles, "iommufd cdeva cdev1b");
        assert_handles(&to, "cdev1c");
        ck_assert_int_eq(handles_move_group(&handles, 0, &to), 0);
        assert_handles(&handles, "iommufd cdev1b");
        ck_assert_int_eq(handles_move_group(&handles, 1, &to), 0);
        assert_handles(&handles, "iommufd");
        assert_handles(&to, "cdev1c cdeva cdev1b");
        ck_assert_int_eq(handles_move_all(&handles, &to), 0);
        assert_handles(&to, "cdev1c cdeva cdev1b iommufd");
}
END_TEST

START_TEST(each_kind_is_a_device_shared_by_the_lease_or_neither) {
        static const struct {
                HandleKind kind;
                bool device, shared;
        } rows[] = {{HANDLE_CONTAINER, false, true}, {HANDLE_GROUP, false, false},
                    {HANDLE_DEVICE, true, false},    {HANDLE_IOMMUFD, false, true},
                    {HANDLE_CDEV, true, false},      {HANDLE_LEASE, false, false},
                    {HANDLE_CLAIM, false, false}};

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                ck_assert(handle_kind_is_device(rows[i].kind) == rows[i].device);
                ck_assert(handle_kind_is_shared(rows[i].kind) == rows[i].shared);
        }
}
END_TEST

START_TEST(done_closes_everything_and_twice_is_harmless) {
        size_t before = count_fds();
        Handles handles;

        init_handles(&handles);
        ck_assert_uint_eq(count_fds(), before + 6);
        handles_done(&handles);
        handles_done(&handles);
        ck_assert_uint_eq(count_fds(), before);
        assert_handles(&handles, "");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("handles");

        tcase_add_test(tests, files_are_found_by_what_they_are_of);
        tcase_add_test(tests, closing_keeps_the_order_of_the_rest);
        tcase_add_test(tests, files_move_by_device_by_group_and_all);
        tcase_add_test(tests, the_container_does_not_move_with_group_zero);
        tcase_add_test(tests, cdevs_move_as_devices_do_and_an_iommufd_as_the_container);
        tcase_add_test(tests, each_kind_is_a_device_shared_by_the_lease_or_neither);
        tcase_add_test(tests, done_closes_everything_and_twice_is_harmless);
        return tests_run(tests);
}
