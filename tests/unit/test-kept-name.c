/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/kept-name.h: a name says which file of which lease it is, and nothing else does. */

#include "daemon/broker/kept-name.h"

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static const struct {
        uint32_t lease;
        Handle handle;
        const char *name;
} names[] = {
        {7, {.kind = HANDLE_LEASE}, "lease-7.lease"},
        {4294967295U, {.kind = HANDLE_CONTAINER}, "lease-4294967295.container"},
        {7, {.kind = HANDLE_IOMMUFD}, "lease-7.iommufd"},
        {7, {.kind = HANDLE_GROUP, .group = 3}, "lease-7.group.3"},
        {7,
         {.kind = HANDLE_DEVICE, .group = 3, .device = (char *)"0000:01:00.0"},
         "lease-7.device.3.0000=01=00.0"},
        {7,
         {.kind = HANDLE_CDEV, .group = 0, .device = (char *)"a.b@c+d-e_f"},
         "lease-7.cdev.0.a.b@c+d-e_f"},
};

START_TEST(what_a_file_is_called_tells_which_one_it_is) {
        _cleanup_free_ char *name = kept_name_format(names[_i].lease, &names[_i].handle);
        const Handle *handle = &names[_i].handle;
        KeptName parsed;

        ck_assert_str_eq(name, names[_i].name);
        ck_assert(kept_name_parse(name, &parsed));
        ck_assert_uint_eq(parsed.lease, names[_i].lease);
        ck_assert_int_eq(parsed.kind, handle->kind);
        ck_assert_uint_eq(parsed.group, handle->group);
        ck_assert_str_eq(parsed.device, string_or_empty(handle->device));
}
END_TEST

static const char *const strangers[] = {
        "",
        "socket",
        "stored",
        "lease-",
        "lease-7",
        "lease-7.",
        "lease-.lease",
        "lease-x.lease",
        "lease-4294967296.lease",
        "lease-7.claim",
        "lease-7.lease.3",
        "lease-7.container.x",
        "lease-7.group",
        "lease-7.group.",
        "lease-7.group.x",
        "lease-7.group.3.",
        "lease-7.lease.",
        "lease-07.lease",
        "lease-7.group.3.0000=01=00.0",
        "lease-7.device.3",
        "lease-7.device.3.",
        "lease-7.device.3.01=00.0",
        "lease-7.device.3.group/3",
        "lease-7.device.3.../x",
};

START_TEST(a_name_that_was_never_given_is_nobodys) {
        KeptName parsed;

        ck_assert_msg(!kept_name_parse(strangers[_i], &parsed), "%s", strangers[_i]);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("kept-name");

        tcase_add_loop_test(tests, what_a_file_is_called_tells_which_one_it_is, 0, ELEMENTS(names));
        tcase_add_loop_test(tests, a_name_that_was_never_given_is_nobodys, 0, ELEMENTS(strangers));
        return tests_run(tests);
}
