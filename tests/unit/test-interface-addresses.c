/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/kernel/interface-addresses.h in a network namespace of its own, where there is one
 * interface, "lo", and what the test gives it.
 */

#include "daemon/kernel/interface-addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

/* By SIOCSIFADDR, "lo:a" is an address of lo with that label. "0.0.0.0" takes it away. */
static void set_address(const char *label, const char *address) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in value = {.sin_family = AF_INET};
        struct ifreq request = {0};

        ck_assert_int_eq(inet_pton(AF_INET, address, &value.sin_addr), 1);
        (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", label);
        memcpy(&request.ifr_addr, &value, sizeof(value));
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
}

static int add_name(void *userdata, const char *name) {
        return string_append(userdata, "%s ", name);
}

static void assert_told(const char *names) {
        _cleanup_free_ char *told = strdup("");

        ck_assert_int_eq(interface_addresses_read(add_name, &told), 0);
        ck_assert_str_eq(told, names);
}

START_TEST(an_interface_is_told_for_each_of_its_addresses_whatever_that_is_called) {
        assert_told("");
        set_address("lo", "192.0.2.1");
        assert_told("lo ");
        set_address("lo:mgmt", "198.51.100.1");
        assert_told("lo lo ");
        set_address("lo", "0.0.0.0");
        assert_told("lo ");
        set_address("lo:mgmt", "0.0.0.0");
        assert_told("");
}
END_TEST

/* More than a message of the kernel's has room for. */
START_TEST(of_hundreds_of_addresses_none_is_missing) {
        _cleanup_free_ char *told = strdup("");

        for (unsigned i = 0; i < 400; i++) {
                char label[16], address[32];

                (void)snprintf(label, sizeof(label), "lo:%u", i);
                (void)snprintf(address, sizeof(address), "192.0.%u.%u", i / 200, i % 200 + 1);
                set_address(label, address);
        }
        ck_assert_int_eq(interface_addresses_read(add_name, &told), 0);
        ck_assert_uint_eq(strlen(told), strlen("lo ") * 400);
}
END_TEST

static int refuse(void *userdata, const char *name _unused_) {
        ++*(size_t *)userdata;
        return -ENOMEM;
}

START_TEST(an_error_of_who_is_told_ends_it) {
        size_t calls = 0;

        set_address("lo", "192.0.2.1");
        set_address("lo:mgmt", "198.51.100.1");
        ck_assert_int_eq(interface_addresses_read(refuse, &calls), -ENOMEM);
        ck_assert_uint_eq(calls, 1);
}
END_TEST

/* Each test has a namespace of its own. */
static void enter(void) {
        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
}

int main(void) {
        TCase *tests = tests_new("interface-addresses");

        if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
                (void)puts("1..0 # SKIP no network namespace can be made here");
                return 0;
        }
        tcase_add_checked_fixture(tests, enter, NULL);
        tcase_add_test(tests,
                       an_interface_is_told_for_each_of_its_addresses_whatever_that_is_called);
        tcase_add_test(tests, of_hundreds_of_addresses_none_is_missing);
        tcase_add_test(tests, an_error_of_who_is_told_ends_it);
        return tests_run(tests);
}
