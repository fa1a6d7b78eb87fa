/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leases of libvfiod: acquiring, their files and facts, adding, removing, the end. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-lib.h"

#define REFUSED VFIOD_ERROR_PREFIX "Leased"
/* Three messages of files. */
#define MANY 40

static vfiod_lease *acquire(const Client *client) {
        vfiod_lease *lease = NULL;

        ck_assert_int_eq(vfiod_acquire(client->c, TARGETS(SCRIPT_DEVICE), NULL, &lease), 0);
        return lease;
}

static size_t count_files(const vfiod_lease *lease) {
        size_t n = 0;

        while (vfiod_lease_get_file(lease, n))
                n++;
        return n;
}

START_TEST(a_lease_has_its_labelled_files) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);
        static const char *const expected[][2] = {
                {"container", ""}, {"group", "3"}, {"device", SCRIPT_DEVICE}};

        ck_assert_str_eq(vfiod_lease_get_path(lease), SCRIPT_LEASE);
        ck_assert_uint_eq(vfiod_lease_get_id(lease), 7);
        ck_assert_str_eq(vfiod_lease_get_mode(lease), "group");
        ck_assert_uint_eq(count_files(lease), ELEMENTS(expected));
        for (size_t i = 0; i < ELEMENTS(expected); i++) {
                const vfiod_file *file = vfiod_lease_get_file(lease, i);

                ck_assert_str_eq(file->kind, expected[i][0]);
                ck_assert_str_eq(file->name, expected[i][1]);
                ck_assert_int_eq(fcntl(file->fd, F_GETFD), FD_CLOEXEC);
        }
        ck_assert_int_eq(fcntl(vfiod_lease_get_fd(lease, "lease", NULL), F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(group_mode_has_no_ioas_and_is_not_asked_for_one) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);

        ck_assert_uint_eq(vfiod_lease_get_ioas(lease), 0);
        ck_assert_uint_eq(vfiod_lease_get_iova_alignment(lease), 0);
        ck_assert_ptr_null(vfiod_lease_get_iova_range(lease, 0));
        ck_assert_ptr_null(vfiod_lease_get_device_id(lease, 0));
}
END_TEST

START_TEST(iommufd_mode_tells_what_the_kernel_calls_things) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 2, .iommufd = true});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);
        const vfiod_device_id *id;

        ck_assert_str_eq(vfiod_lease_get_mode(lease), "iommufd");
        ck_assert_uint_eq(vfiod_lease_get_ioas(lease), SCRIPT_IOAS);
        ck_assert_uint_eq(vfiod_lease_get_iova_alignment(lease), 4096);
        ck_assert_uint_eq(vfiod_lease_get_iova_range(lease, 0)->last, 0xfedfffff);
        ck_assert_uint_eq(vfiod_lease_get_iova_range(lease, 1)->first, 0xfef00000);
        ck_assert_uint_eq(vfiod_lease_get_iova_range(lease, 1)->last, UINT64_MAX);
        ck_assert_ptr_null(vfiod_lease_get_iova_range(lease, 2));
        id = vfiod_lease_get_device_id(lease, 0);
        ck_assert_str_eq(id->name, SCRIPT_DEVICE);
        ck_assert_uint_eq(id->id, 100);
        ck_assert_uint_eq(id->cookie, UINT64_MAX);
        ck_assert_str_eq(vfiod_lease_get_device_id(lease, 1)->name, SCRIPT_SIBLING);
        ck_assert_ptr_null(vfiod_lease_get_device_id(lease, 2));
}
END_TEST

START_TEST(a_file_is_found_by_kind_and_name) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 2});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);

        ck_assert_int_ge(vfiod_lease_get_fd(lease, "container", NULL), 0);
        ck_assert_int_eq(vfiod_lease_get_fd(lease, "group", "3"),
                         vfiod_lease_get_fd(lease, "group", NULL));
        ck_assert_int_eq(vfiod_lease_get_fd(lease, "device", SCRIPT_DEVICE),
                         vfiod_lease_get_fd(lease, "device", "01:00.0"));
        ck_assert_int_eq(vfiod_lease_get_fd(lease, "device", NULL), -ENOTUNIQ);
        ck_assert_int_eq(vfiod_lease_get_fd(lease, "device", "02:00.0"), -ENOENT);
        ck_assert_int_eq(vfiod_lease_get_fd(lease, "cdev", NULL), -ENOENT);
}
END_TEST

START_TEST(a_file_that_was_taken_is_the_callers) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 2});
        vfiod_lease *lease = acquire(&client);
        size_t before = count_fds();
        int device, lease_fd;

        device = vfiod_lease_take_fd(lease, "device", SCRIPT_DEVICE);
        lease_fd = vfiod_lease_take_fd(lease, "lease", NULL);
        ck_assert_int_ge(device, 0);
        ck_assert_int_ge(lease_fd, 0);
        ck_assert_uint_eq(count_fds(), before);
        ck_assert_int_lt(vfiod_lease_get_file(lease, 2)->fd, 0);
        ck_assert_int_eq(vfiod_lease_take_fd(lease, "device", SCRIPT_DEVICE), -ENOENT);
        ck_assert_int_eq(vfiod_lease_take_fd(lease, "lease", NULL), -ENOENT);
        ck_assert_int_ge(vfiod_lease_get_fd(lease, "device", NULL), 0);

        vfiod_lease_free(lease);
        ck_assert_int_eq(fcntl(device, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(lease_fd, F_GETFD), FD_CLOEXEC);
        (void)close(device);
        (void)close(lease_fd);
}
END_TEST

START_TEST(a_lease_outlives_its_connection_as_far_as_it_can) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .iommufd = true});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);

        (void)client_leave(&client);
        ck_assert_int_eq(fcntl(vfiod_lease_get_fd(lease, "cdev", NULL), F_GETFD), FD_CLOEXEC);
        ck_assert_uint_eq(vfiod_lease_get_ioas(lease), SCRIPT_IOAS);
        ck_assert_int_eq(vfiod_lease_fetch_files(lease), -ENOTCONN);
        ck_assert_int_eq(vfiod_lease_add(lease, TARGETS("a"), NULL), -ENOTCONN);
        ck_assert_int_eq(vfiod_lease_remove(lease, TARGETS("a")), -ENOTCONN);
        ck_assert_int_ge(vfiod_lease_get_fd(lease, "cdev", NULL), 0);
        ck_assert_int_eq(vfiod_lease_release(lease), -ENOTCONN);
}
END_TEST

START_TEST(more_files_than_one_message_carries_come_in_pages) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = MANY});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);
        vfiod_acquire_options options = VFIOD_ACQUIRE_OPTIONS_NULL;

        ck_assert_uint_eq(count_files(lease), MANY + 2);
        for (size_t i = 0; i < MANY; i++) {
                _cleanup_free_ char *name = string_format("0000:01:00.%zu", i);

                ck_assert_str_eq(vfiod_lease_get_file(lease, i + 2)->name, name);
        }
        options.label = "x";
        ck_assert_int_eq(vfiod_lease_add(lease, TARGETS(SCRIPT_ADDED), &options), 0);
        ck_assert_uint_eq(count_files(lease), MANY + 3);
        ck_assert_str_eq(vfiod_lease_get_file(lease, MANY + 2)->name, SCRIPT_ADDED);
        lease = vfiod_lease_free(lease);
        ck_assert_str_eq(client_leave(&client),
                         "Acquire [\"" SCRIPT_DEVICE "\"] {}\n"
                         "Acquire [\"" SCRIPT_DEVICE "\"] {\"defer_fds\":true}\n"
                         "GetFds 0 0\nGetFds 16 0\nGetFds 32 0\n"
                         "Add [\"" SCRIPT_ADDED "\"] {\"label\":\"x\"}\n"
                         "Add [\"" SCRIPT_ADDED "\"] {\"label\":\"x\",\"defer_fds\":true}\n"
                         "GetFds 0 0\nGetFds 16 0\nGetFds 32 0\nleft\n");
}
END_TEST

START_TEST(pages_that_never_fill_are_an_error_and_no_lease) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = MANY, .short_pages = true});
        size_t before = count_fds();
        vfiod_lease *lease = NULL;

        assert_failed(&client, vfiod_acquire(client.c, TARGETS("a"), NULL, &lease), EBADMSG,
                      "org.freedesktop.DBus.Error.InconsistentMessage");
        ck_assert_ptr_null(lease);
        ck_assert_uint_eq(count_fds(), before);
}
END_TEST

START_TEST(a_path_that_is_no_lease_is_an_error_and_no_lease) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .strange = true});
        size_t before = count_fds();
        vfiod_lease *lease = NULL;

        ck_assert_int_eq(vfiod_acquire(client.c, TARGETS("a"), NULL, &lease), -EINVAL);
        ck_assert_int_eq(vfiod_lease_open(client.c, "lease/7", &lease), -EINVAL);
        ck_assert_int_eq(vfiod_lease_open(client.c, NULL, &lease), -EINVAL);
        ck_assert_ptr_null(lease);
        ck_assert_uint_eq(count_fds(), before);
}
END_TEST

START_TEST(options_are_sent_only_where_they_are_given) {
        static const vfiod_cookie cookies[] = {{"a", 1}, {"b", UINT64_MAX}};
        static const struct {
                vfiod_acquire_options options;
                const char *expected;
        } rows[] = {
                {VFIOD_ACQUIRE_OPTIONS_NULL, "{}"},
                {{.size = sizeof(vfiod_acquire_options),
                  .mode = "m",
                  .prepare = "p",
                  .driver = "d",
                  .label = "",
                  .bind = true},
                 "{\"driver\":\"d\",\"label\":\"\",\"mode\":\"m\",\"prepare\":\"p\",\"bind\":"
                 "true}"},
                {{.size = sizeof(vfiod_acquire_options), .hot_reset = true, .memlock = UINT64_MAX},
                 "{\"hot_reset\":true,\"memlock\":18446744073709551615}"},
                {{.size = sizeof(vfiod_acquire_options), .cookies = cookies, .n_cookies = 2},
                 "{\"cookies\":{\"a\":1,\"b\":18446744073709551615}}"},
        };
        _cleanup_client_ Client client =
                client_start(&(Script){.failing = "Acquire", .error = REFUSED});
        _cleanup_free_ char *expected = NULL;

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                vfiod_lease *lease = NULL;

                assert_failed(
                        &client,
                        vfiod_acquire(client.c, TARGETS("a", "group/3"), &rows[i].options, &lease),
                        EBUSY, REFUSED);
                ck_assert_ptr_null(lease);
                ck_assert_int_ge(string_append(&expected, "Acquire [\"a\",\"group/3\"] %s\n",
                                               rows[i].expected),
                                 0);
        }
        ck_assert_int_ge(string_append(&expected, "left\n"), 0);
        ck_assert_str_eq(client_leave(&client), expected);
}
END_TEST

/* A program that was built against a later header. */
typedef struct LaterOptions {
        vfiod_acquire_options options;
        uint64_t added;
} LaterOptions;

START_TEST(options_of_a_later_version_are_taken_while_they_are_not_used) {
        _cleanup_client_ Client client = client_start(&(Script){0});
        _cleanup_lease_ vfiod_lease *lease = NULL;
        LaterOptions later = {.options = VFIOD_ACQUIRE_OPTIONS_NULL};

        later.options.size = sizeof(later);
        ck_assert_int_eq(vfiod_acquire(client.c, TARGETS("a"), &later.options, &lease), 0);
        later.added = 1;
        ck_assert_int_eq(vfiod_acquire(client.c, TARGETS("a"), &later.options, &lease), -E2BIG);
        later.options.size = 0;
        ck_assert_int_eq(vfiod_acquire(client.c, TARGETS("a"), &later.options, &lease), -EINVAL);
}
END_TEST

START_TEST(a_lease_that_is_released_keeps_no_file) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1});
        size_t before = count_fds();
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);

        ck_assert_int_eq(vfiod_lease_release(lease), 0);
        ck_assert_uint_eq(count_fds(), before);
        ck_assert_uint_eq(count_files(lease), 0);
        ck_assert_int_eq(vfiod_lease_get_fd(lease, "lease", NULL), -ENOENT);
        lease = vfiod_lease_free(lease);
        ck_assert_str_eq(client_leave(&client), "Acquire [\"" SCRIPT_DEVICE "\"] {}\n"
                                                "Release\nleft\n");
}
END_TEST

START_TEST(any_lease_can_be_released_by_its_path) {
        _cleanup_client_ Client client = client_start(&(Script){
                .failing = "Release", .error = "org.freedesktop.DBus.Error.AccessDenied"});

        assert_failed(&client, vfiod_release(client.c, SCRIPT_LEASE), EACCES,
                      "org.freedesktop.DBus.Error.AccessDenied");
        ck_assert_int_eq(vfiod_release(client.c, "/org/vfiod1/lease/8"), -ESTALE);
        ck_assert_int_eq(vfiod_release(client.c, "no path"), -EINVAL);
}
END_TEST

START_TEST(a_lease_that_is_opened_has_facts_and_fetches_files) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .iommufd = true});
        _cleanup_lease_ vfiod_lease *lease = NULL;
        size_t before;

        ck_assert_int_eq(vfiod_lease_open(client.c, SCRIPT_LEASE, &lease), 0);
        ck_assert_str_eq(vfiod_lease_get_mode(lease), "iommufd");
        ck_assert_uint_eq(vfiod_lease_get_ioas(lease), SCRIPT_IOAS);
        ck_assert_ptr_null(vfiod_lease_get_file(lease, 0));
        ck_assert_int_eq(vfiod_lease_get_fd(lease, "lease", NULL), -ENOENT);

        before = count_fds();
        ck_assert_int_eq(vfiod_lease_fetch_files(lease), 0);
        ck_assert_uint_eq(count_files(lease), 2);
        ck_assert_uint_eq(count_fds(), before + 2);
        ck_assert_int_eq(vfiod_lease_fetch_files(lease), 0);
        ck_assert_uint_eq(count_fds(), before + 2);
}
END_TEST

START_TEST(a_lease_that_is_gone_cannot_be_opened) {
        _cleanup_client_ Client client = client_start(&(Script){0});
        vfiod_lease *lease = NULL;

        assert_failed(&client, vfiod_lease_open(client.c, "/org/vfiod1/lease/8", &lease), ESTALE,
                      "org.freedesktop.DBus.Error.UnknownObject");
        ck_assert_ptr_null(lease);
}
END_TEST

START_TEST(what_is_added_comes_behind_and_its_facts_with_it) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .iommufd = true});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);
        vfiod_acquire_options options = VFIOD_ACQUIRE_OPTIONS_NULL;

        options.bind = true;
        ck_assert_int_eq(vfiod_lease_add(lease, TARGETS(SCRIPT_ADDED), &options), 0);
        ck_assert_uint_eq(count_files(lease), 3);
        ck_assert_str_eq(vfiod_lease_get_file(lease, 2)->name, SCRIPT_ADDED);
        ck_assert_str_eq(vfiod_lease_get_device_id(lease, 1)->name, SCRIPT_ADDED);
        ck_assert_uint_eq(vfiod_lease_get_iova_range(lease, 1)->last, 0xffffffff);
}
END_TEST

START_TEST(what_is_removed_is_closed_before_vfiod_is_asked) {
        _cleanup_client_ Client client = client_start(&(Script){.n_devices = 1, .iommufd = true});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);
        size_t before = count_fds();

        ck_assert_int_eq(vfiod_lease_add(lease, TARGETS(SCRIPT_ADDED), NULL), 0);
        ck_assert_int_eq(vfiod_lease_remove(lease, TARGETS("group/4")), 0);
        ck_assert_uint_eq(count_fds(), before);
        ck_assert_uint_eq(count_files(lease), 2);
        ck_assert_ptr_null(vfiod_lease_get_device_id(lease, 1));
        ck_assert_uint_eq(vfiod_lease_get_iova_range(lease, 1)->last, UINT64_MAX);
        lease = vfiod_lease_free(lease);
        ck_assert_str_eq(client_leave(&client),
                         "Acquire [\"" SCRIPT_DEVICE "\"] {}\nAdd [\"" SCRIPT_ADDED "\"] {}\n"
                         "Explain [\"group/4\"]\nRemove [\"group/4\"]\nleft\n");
}
END_TEST

START_TEST(what_was_not_removed_can_be_fetched_again) {
        _cleanup_client_ Client client = client_start(&(Script){
                .n_devices = 2, .failing = "Remove", .error = VFIOD_ERROR_PREFIX "InUse"});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);

        assert_failed(&client, vfiod_lease_remove(lease, TARGETS("group/3")), EBUSY,
                      VFIOD_ERROR_PREFIX "InUse");
        ck_assert_uint_eq(count_files(lease), 1);
        ck_assert_int_eq(vfiod_lease_fetch_files(lease), 0);
        ck_assert_uint_eq(count_files(lease), 4);
}
END_TEST

START_TEST(a_refusal_of_adding_changes_nothing) {
        _cleanup_client_ Client client = client_start(
                &(Script){.n_devices = 1, .iommufd = true, .failing = "Add", .error = REFUSED});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);

        assert_failed(&client, vfiod_lease_add(lease, TARGETS(SCRIPT_ADDED), NULL), EBUSY, REFUSED);
        ck_assert_uint_eq(count_files(lease), 2);
        ck_assert_ptr_null(vfiod_lease_get_device_id(lease, 1));
}
END_TEST

START_TEST(a_refusal_of_files_keeps_those_there_are) {
        _cleanup_client_ Client client =
                client_start(&(Script){.n_devices = 1, .failing = "GetFds", .error = REFUSED});
        _cleanup_lease_ vfiod_lease *lease = acquire(&client);

        assert_failed(&client, vfiod_lease_fetch_files(lease), EBUSY, REFUSED);
        ck_assert_uint_eq(count_files(lease), 3);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("lib-lease");

        tcase_add_test(tests, a_lease_has_its_labelled_files);
        tcase_add_test(tests, group_mode_has_no_ioas_and_is_not_asked_for_one);
        tcase_add_test(tests, iommufd_mode_tells_what_the_kernel_calls_things);
        tcase_add_test(tests, a_file_is_found_by_kind_and_name);
        tcase_add_test(tests, a_file_that_was_taken_is_the_callers);
        tcase_add_test(tests, a_lease_outlives_its_connection_as_far_as_it_can);
        tcase_add_test(tests, more_files_than_one_message_carries_come_in_pages);
        tcase_add_test(tests, pages_that_never_fill_are_an_error_and_no_lease);
        tcase_add_test(tests, a_path_that_is_no_lease_is_an_error_and_no_lease);
        tcase_add_test(tests, options_are_sent_only_where_they_are_given);
        tcase_add_test(tests, options_of_a_later_version_are_taken_while_they_are_not_used);
        tcase_add_test(tests, a_lease_that_is_released_keeps_no_file);
        tcase_add_test(tests, any_lease_can_be_released_by_its_path);
        tcase_add_test(tests, a_lease_that_is_opened_has_facts_and_fetches_files);
        tcase_add_test(tests, a_lease_that_is_gone_cannot_be_opened);
        tcase_add_test(tests, what_is_added_comes_behind_and_its_facts_with_it);
        tcase_add_test(tests, what_is_removed_is_closed_before_vfiod_is_asked);
        tcase_add_test(tests, what_was_not_removed_can_be_fetched_again);
        tcase_add_test(tests, a_refusal_of_adding_changes_nothing);
        tcase_add_test(tests, a_refusal_of_files_keeps_those_there_are);
        return tests_run(tests);
}
