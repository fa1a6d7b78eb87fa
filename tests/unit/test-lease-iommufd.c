/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/lease-iommufd.h: the numbers of a lease's devices, and where its IOAS can be mapped.
 */

#include "daemon/core/lease-iommufd.h"

#include <stdlib.h>

#include "daemon/core/lease.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static void assert_device(const LeaseIommufd *iommufd, const char *device, uint32_t id,
                          uint64_t cookie) {
        const LeaseDeviceId *known = lease_iommufd_find(iommufd, device);

        ck_assert_ptr_nonnull(known);
        ck_assert_str_eq(known->device, device);
        ck_assert_uint_eq(known->id, id);
        ck_assert_uint_eq(known->cookie, cookie);
}

START_TEST(id_and_cookie_of_a_device_come_in_either_order) {
        LeaseIommufd iommufd = {0};

        ck_assert_int_eq(lease_iommufd_set_id(&iommufd, "a", 2), 0);
        ck_assert_int_eq(lease_iommufd_set_cookie(&iommufd, "b", UINT64_MAX), 0);
        assert_device(&iommufd, "a", 2, 0);
        assert_device(&iommufd, "b", 0, UINT64_MAX);
        ck_assert_int_eq(lease_iommufd_set_cookie(&iommufd, "a", 7), 0);
        ck_assert_int_eq(lease_iommufd_set_id(&iommufd, "b", 3), 0);
        assert_device(&iommufd, "a", 2, 7);
        assert_device(&iommufd, "b", 3, UINT64_MAX);
        ck_assert_uint_eq(iommufd.n_ids, 2);
        ck_assert_int_eq(lease_iommufd_set_id(&iommufd, "a", 9), 0);
        assert_device(&iommufd, "a", 9, 7);
        ck_assert_ptr_null(lease_iommufd_find(&iommufd, "c"));
        lease_iommufd_done(&iommufd);
}
END_TEST

START_TEST(a_device_that_is_forgotten_leaves_the_others) {
        LeaseIommufd iommufd = {0};

        for (uint32_t i = 0; i < 3; i++)
                ck_assert_int_eq(lease_iommufd_set_id(&iommufd, (char[]){(char)('a' + i), 0}, i),
                                 0);
        lease_iommufd_forget(&iommufd, "a");
        lease_iommufd_forget(&iommufd, "a");
        ck_assert_ptr_null(lease_iommufd_find(&iommufd, "a"));
        assert_device(&iommufd, "b", 1, 0);
        assert_device(&iommufd, "c", 2, 0);
        lease_iommufd_forget(&iommufd, "c");
        lease_iommufd_forget(&iommufd, "b");
        ck_assert_uint_eq(iommufd.n_ids, 0);
        lease_iommufd_done(&iommufd);
}
END_TEST

static IovaRange *one_range(uint64_t first, uint64_t last) {
        IovaRange *range = malloc(sizeof(IovaRange));

        ck_assert_ptr_nonnull(range);
        *range = (IovaRange){first, last};
        return range;
}

START_TEST(new_iova_ranges_replace_the_old_ones) {
        LeaseIommufd iommufd = {.ioas = 1};

        lease_iommufd_set_iovas(&iommufd, one_range(0, 0xffff), 1, 4096);
        lease_iommufd_set_iovas(&iommufd, one_range(0, 0xfff), 1, 8192);
        ck_assert_uint_eq(iommufd.n_iovas, 1);
        ck_assert_uint_eq(iommufd.iovas[0].last, 0xfff);
        ck_assert_uint_eq(iommufd.alignment, 8192);
        lease_iommufd_set_iovas(&iommufd, NULL, 0, 4096);
        ck_assert_uint_eq(iommufd.n_iovas, 0);
        ck_assert_uint_eq(iommufd.ioas, 1);
        lease_iommufd_done(&iommufd);
}
END_TEST

START_TEST(done_leaves_nothing_and_twice_is_harmless) {
        LeaseIommufd iommufd = {.ioas = 1};

        ck_assert_int_eq(lease_iommufd_set_id(&iommufd, "a", 2), 0);
        lease_iommufd_set_iovas(&iommufd, one_range(0, 1), 1, 1);
        lease_iommufd_done(&iommufd);
        lease_iommufd_done(&iommufd);
        ck_assert_ptr_null(lease_iommufd_find(&iommufd, "a"));
        ck_assert_uint_eq(iommufd.ioas, 0);
        ck_assert_uint_eq(iommufd.n_iovas, 0);
}
END_TEST

START_TEST(a_device_that_leaves_the_lease_is_forgotten_and_a_lease_takes_all_with_it) {
        LeaseTable leases;
        Lease *lease;

        lease_table_init(&leases);
        ck_assert_int_eq(lease_new(&leases, 1000, NULL, &lease), 0);
        ck_assert_int_eq(lease->mode, MODE_GROUP);
        ck_assert_int_eq(lease_add_device(lease, "a"), 0);
        ck_assert_int_eq(lease_iommufd_set_id(&lease->iommufd, "a", 2), 0);
        ck_assert_int_eq(lease_iommufd_set_id(&lease->iommufd, "b", 3), 0);
        lease_iommufd_set_iovas(&lease->iommufd, one_range(0, 1), 1, 1);
        lease_remove_device(lease, "a");
        ck_assert_ptr_null(lease_iommufd_find(&lease->iommufd, "a"));
        assert_device(&lease->iommufd, "b", 3, 0);
        lease_table_done(&leases);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("lease-iommufd");

        tcase_add_test(tests, id_and_cookie_of_a_device_come_in_either_order);
        tcase_add_test(tests, a_device_that_is_forgotten_leaves_the_others);
        tcase_add_test(tests, new_iova_ranges_replace_the_old_ones);
        tcase_add_test(tests, done_leaves_nothing_and_twice_is_harmless);
        tcase_add_test(tests,
                       a_device_that_leaves_the_lease_is_forgotten_and_a_lease_takes_all_with_it);
        return tests_run(tests);
}
