/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * client/manager.h and client/connection.h over a socket pair. The other end is a process that
 * answers as vfiod would: with more files than one message carries, with errors, or not at all.
 */

#include "client/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/holder-list.h"
#include "client/json.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"

/* --- the other end */

/* A member "a" for the target "a", and so on; "lost" is not found, "gone" hangs up. */
static int on_explain(sd_bus_message *m, _unused_ void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &targets);
        if (r < 0)
                return r;
        if (string_equal(targets[0], "lost"))
                return sd_bus_error_setf(reterr, VFIOD_ERROR_PREFIX "NotFound", "lost is lost");
        if (string_equal(targets[0], "gone"))
                _exit(0);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "aa{sv}", 1, 2, "Device", "s", targets[0], "Group",
                                          "u", 3);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_get(sd_bus_message *m, _unused_ void *userdata, _unused_ sd_bus_error *reterr) {
        if (string_equal(sd_bus_message_get_member(m), "GetGroup"))
                return sd_bus_reply_method_return(m, "oa{sv}", VFIOD_PATH_GROUP "/3", 1, "Number",
                                                  "u", 3);
        return sd_bus_reply_method_return(m, "oa{sv}", VFIOD_PATH_DEVICE "/a", 1, "Name", "s", "a");
}

/* For "a", a holder without any of the properties; for any other target, something else. */
static int on_list_holders(sd_bus_message *m, _unused_ void *userdata,
                           _unused_ sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &targets);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0 && string_equal(targets[0], "a"))
                r = sd_bus_message_append(reply, "aa{sv}", 1, 1, "Pid", "u", 7);
        else if (r >= 0 && string_equal(targets[0], "more"))
                r = sd_bus_message_append(reply, "aa{sv}", 1, 3, "Pid", "u", 7, "MoreFiles", "u", 5,
                                          "MoreHolders", "u", 6);
        else if (r >= 0 && string_equal(targets[0], "others"))
                r = sd_bus_message_append(reply, "aa{sv}", 1, 1, "MoreHolders", "u", 6);
        else if (r >= 0)
                r = sd_bus_message_append(reply, "aa{sv}", 2, 2, "Pid", "u", 7, "Files", "a(ssi)",
                                          1, "device", "n", 3, 1, "Files", "s", "none");
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Explain", "as", "aa{sv}", on_explain, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListHolders", "as", "aa{sv}", on_list_holders, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetDevice", "s", "oa{sv}", on_get, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetGroup", "u", "oa{sv}", on_get, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static void serve(int fd) {
        sd_id128_t id = SD_ID128_NULL;
        sd_bus *bus;
        int r;

        if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 ||
            sd_bus_set_server(bus, 1, id) < 0 || sd_bus_negotiate_fds(bus, 1) < 0 ||
            sd_bus_add_object_vtable(bus, NULL, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, manager_vtable,
                                     NULL) < 0 ||
            sd_bus_start(bus) < 0)
                _exit(1);
        do {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        } while (r >= 0);
        _exit(0);
}

/* --- this end */

static pid_t server;

static vfiod_connection *connect_to_server(void) {
        vfiod_connection *c;
        sd_bus *bus;
        int ends[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        server = fork();
        ck_assert_int_ge(server, 0);
        if (server == 0) {
                (void)close(ends[0]);
                serve(ends[1]);
        }
        (void)close(ends[1]);
        ck_assert_int_eq(vfiod_connection_new(&c), 0);
        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, ends[0], ends[0]), 0);
        ck_assert_int_eq(connection_start(c, bus), 0);
        return c;
}

/* Hanging up ends the server. */
static void disconnect(vfiod_connection **c) {
        vfiod_connection_free(*c);
        ck_assert_int_eq(waitpid(server, NULL, 0), server);
}

#define _cleanup_disconnect_ _cleanup_(disconnect)
#define TARGETS(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

START_TEST(what_is_not_said_of_a_holder_is_empty) {
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_holder_list_ HolderList list = HOLDER_LIST_NULL;

        ck_assert_int_eq(manager_list_holders(c, TARGETS("a"), &reply), 0);
        ck_assert_int_eq(holder_list_read(reply, &list), 0);
        ck_assert_uint_eq(list.n_holders, 1);
        ck_assert_uint_eq(list.holders[0].pid, 7);
        ck_assert_str_eq(list.holders[0].command, "");
        ck_assert_str_eq(list.holders[0].unit, "");
        ck_assert_str_eq(list.holders[0].lease, "/");
        ck_assert_uint_eq(list.holders[0].n_files, 0);
}
END_TEST

START_TEST(what_is_not_listed_is_a_number_and_no_holder) {
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();

        for (size_t n = 0; n < 2; n++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
                _cleanup_holder_list_ HolderList list = HOLDER_LIST_NULL;

                ck_assert_int_eq(manager_list_holders(c, TARGETS(n ? "more" : "others"), &reply),
                                 0);
                ck_assert_int_eq(holder_list_read(reply, &list), 0);
                ck_assert_uint_eq(list.n_holders, n);
                ck_assert_uint_eq(list.n_more_holders, 6);
                ck_assert(n == 0 || list.holders[0].n_more_files == 5);
        }
}
END_TEST

START_TEST(holders_of_another_shape_are_an_error_and_no_holders) {
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_holder_list_ HolderList list = HOLDER_LIST_NULL;

        ck_assert_int_eq(manager_list_holders(c, TARGETS("b"), &reply), 0);
        ck_assert_int_lt(holder_list_read(reply, &list), 0);
        ck_assert_uint_eq(list.n_holders, 0);
}
END_TEST

START_TEST(devices_and_groups_are_asked_for_together) {
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();
        sd_bus_message *replies[4] = {NULL};

        ck_assert_int_eq(manager_get(c, TARGETS("a", "group/3"), replies), 0);
        ck_assert_int_gt(sd_bus_message_has_signature(replies[0], "oa{sv}"), 0);
        ck_assert_int_gt(sd_bus_message_has_signature(replies[1], "aa{sv}"), 0);
        for (size_t i = 0; i < ELEMENTS(replies); i++) {
                _cleanup_json_ json_object *value = NULL;
                const char *key = i == 0 ? "Name" : "Number";

                if (i % 2 == 0) {
                        ck_assert_int_eq(json_from_object(replies[i], &value), 0);
                        ck_assert(json_object_object_get_ex(value, key, NULL));
                        ck_assert(json_object_object_get_ex(value, "Path", NULL));
                }
                sd_bus_message_unref(replies[i]);
        }
}
END_TEST

START_TEST(one_error_among_many_answers_is_the_answer) {
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();
        sd_bus_message *replies[6] = {NULL};

        ck_assert_int_lt(manager_get(c, TARGETS("a", "lost", "b"), replies), 0);
        ck_assert_str_eq(c->error.name, "org.vfiod1.Error.NotFound");
        ck_assert_str_eq(c->error.message, "lost is lost");
        for (size_t i = 0; i < ELEMENTS(replies); i++)
                ck_assert_ptr_null(replies[i]);
}
END_TEST

START_TEST(more_calls_than_the_bus_allows_at_once_are_sent_in_turns) {
        enum { N = 150 };
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();
        const char *targets[N + 1] = {NULL};
        sd_bus_message *replies[2 * N] = {NULL};

        for (size_t i = 0; i < N; i++)
                targets[i] = "a";
        ck_assert_int_eq(manager_get(c, (char **)targets, replies), 0);
        for (size_t i = 0; i < ELEMENTS(replies); i++) {
                ck_assert_ptr_nonnull(replies[i]);
                sd_bus_message_unref(replies[i]);
        }
}
END_TEST

START_TEST(a_daemon_that_dies_in_a_call_cannot_be_reached) {
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        ck_assert_int_lt(manager_explain(c, TARGETS("gone"), &reply), 0);
        ck_assert_ptr_null(reply);
        ck_assert_int_eq(connection_report(c, -ECONNRESET), 6);
}
END_TEST

START_TEST(a_reply_becomes_json_under_its_own_names) {
        _cleanup_disconnect_ vfiod_connection *c = connect_to_server();
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *value = NULL;

        ck_assert_int_eq(manager_explain(c, TARGETS("a"), &reply), 0);
        ck_assert_int_eq(json_from_message(reply, &value), 0);
        ck_assert_str_eq(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
                         "[{\"Device\":\"a\",\"Group\":3}]");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-manager");

        tcase_add_test(tests, what_is_not_said_of_a_holder_is_empty);
        tcase_add_test(tests, what_is_not_listed_is_a_number_and_no_holder);
        tcase_add_test(tests, holders_of_another_shape_are_an_error_and_no_holders);
        tcase_add_test(tests, devices_and_groups_are_asked_for_together);
        tcase_add_test(tests, one_error_among_many_answers_is_the_answer);
        tcase_add_test(tests, more_calls_than_the_bus_allows_at_once_are_sent_in_turns);
        tcase_add_test(tests, a_daemon_that_dies_in_a_call_cannot_be_reached);
        tcase_add_test(tests, a_reply_becomes_json_under_its_own_names);
        return tests_run(tests);
}
