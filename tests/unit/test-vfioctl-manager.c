/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * client/manager.h and client/connection.h over a socket pair. The other end is a process that
 * answers as vfiod would: with more files than one message carries, with errors, or not at all.
 */

#include "client/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/holder-list.h"
#include "client/json.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-check.h"

/* Two messages and a rest. */
#define N_FILES (2 * VFIOD_BUS_FDS_MAX + 5)
#define LEASE VFIOD_PATH_LEASE "/7"

/* --- the other end */

static int append_files(sd_bus_message *m, uint32_t first, uint32_t count) {
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(ssh)");
        for (uint32_t i = first; i < N_FILES && i < first + count && r >= 0; i++) {
                char name[16];

                snprintf(name, sizeof(name), "%u", i);
                r = sd_bus_message_append(m, "(ssh)", "device", name, fd);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* With the target "many", as the system bus would have it; with any other, one page of files. */
static int on_acquire(sd_bus_message *m, _unused_ void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *options = NULL;
        _cleanup_close_ int lease_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        _cleanup_strv_ char **targets = NULL;
        bool defer, many;
        int r;

        r = sd_bus_message_read_strv(m, &targets);
        if (r >= 0)
                r = json_from_message(m, &options);
        if (r < 0)
                return r;
        defer = json_get_bool(options, "defer_fds");
        many = string_equal(targets[0], "many");
        if (many && !defer)
                return sd_bus_error_setf(reterr, VFIOD_ERROR_PREFIX "TooManyFds", "too many");

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "oh", LEASE, lease_fd);
        if (r >= 0)
                r = append_files(reply, 0, defer ? 0 : 2);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int on_get_fds(sd_bus_message *m, _unused_ void *userdata, _unused_ sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint32_t first, count;
        int r;

        r = sd_bus_message_read(m, "uu", &first, &count);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_files(reply, first, count);
        if (r >= 0)
                r = sd_bus_message_append(reply, "u", N_FILES);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* Fails with the member, the number of targets and the options: a test sees what was sent. */
static int on_change(sd_bus_message *m, _unused_ void *userdata, sd_bus_error *reterr) {
        _cleanup_json_ json_object *options = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &targets);
        if (r >= 0)
                r = json_from_message(m, &options);
        if (r < 0)
                return r;
        return sd_bus_error_setf(reterr, VFIOD_ERROR_FAILED, "%s %zu %s",
                                 sd_bus_message_get_member(m), strv_length(targets),
                                 json_object_to_json_string_ext(options, JSON_C_TO_STRING_PLAIN));
}

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
        else if (r >= 0)
                r = sd_bus_message_append(reply, "aa{sv}", 2, 2, "Pid", "u", 7, "Files", "a(ssi)",
                                          1, "device", "n", 3, 1, "Files", "s", "none");
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Acquire", "asa{sv}", "oha(ssh)", on_acquire, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Bind", "asa{sv}", "", on_change, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Explain", "as", "aa{sv}", on_explain, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListHolders", "as", "aa{sv}", on_list_holders, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetDevice", "s", "oa{sv}", on_get, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetGroup", "u", "oa{sv}", on_get, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable lease_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetFds", "uu", "a(ssh)u", on_get_fds, SD_BUS_VTABLE_UNPRIVILEGED),
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
            sd_bus_add_object_vtable(bus, NULL, LEASE, VFIOD_INTERFACE_LEASE, lease_vtable, NULL) <
                    0 ||
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

static void connect_to_server(Connection *c) {
        int ends[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        server = fork();
        ck_assert_int_ge(server, 0);
        if (server == 0) {
                (void)close(ends[0]);
                serve(ends[1]);
        }
        (void)close(ends[1]);
        *c = (Connection)CONNECTION_NULL;
        ck_assert_int_ge(sd_bus_new(&c->bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(c->bus, ends[0], ends[0]), 0);
        ck_assert_int_ge(sd_bus_negotiate_fds(c->bus, 1), 0);
        ck_assert_int_ge(sd_bus_start(c->bus), 0);
}

/* Hanging up ends the server. */
static void disconnect(Connection *c) {
        connection_done(c);
        ck_assert_int_eq(waitpid(server, NULL, 0), server);
}

#define _cleanup_disconnect_ _cleanup_(disconnect)
#define TARGETS(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

START_TEST(a_grant_has_the_lease_and_its_labelled_files) {
        _cleanup_disconnect_ Connection c;
        _cleanup_grant_ Grant grant = GRANT_NULL;
        OperationOptions options = {0};
        struct stat status;

        connect_to_server(&c);
        ck_assert_int_eq(manager_acquire(&c, TARGETS("few"), &options, &grant), 0);
        ck_assert_str_eq(grant.lease, LEASE);
        ck_assert_uint_eq(grant.n_files, 2);
        ck_assert_str_eq(grant.files[1].kind, "device");
        ck_assert_str_eq(grant.files[1].name, "1");
        ck_assert_int_eq(fcntl(grant.files[1].fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fstat(grant.lease_fd, &status), 0);
        ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

START_TEST(more_files_than_one_message_carries_come_in_pages) {
        _cleanup_disconnect_ Connection c;
        _cleanup_grant_ Grant grant = GRANT_NULL;
        OperationOptions options = {0};

        connect_to_server(&c);
        ck_assert_int_eq(manager_acquire(&c, TARGETS("many"), &options, &grant), 0);
        ck_assert_uint_eq(grant.n_files, N_FILES);
        for (size_t i = 0; i < N_FILES; i++) {
                _cleanup_free_ char *name = string_format("%zu", i);

                ck_assert_str_eq(grant.files[i].name, name);
                ck_assert_int_eq(fcntl(grant.files[i].fd, F_GETFD), FD_CLOEXEC);
        }
}
END_TEST

START_TEST(options_are_sent_only_where_they_were_given) {
        static const struct {
                OperationOptions options;
                const char *expected;
        } rows[] = {
                {{0}, "Bind 2 {}"},
                {{.driver = "x"}, "Bind 2 {\"driver\":\"x\"}"},
                {{.bind = true, .label = "", .mode = "m", .prepare = "p"},
                 "Bind 2 {\"label\":\"\",\"mode\":\"m\",\"prepare\":\"p\",\"bind\":true}"},
                {{.policy = "wait"}, "Bind 2 {\"policy\":\"wait\"}"},
                {{.policy = "revoke", .has_timeout = true},
                 "Bind 2 {\"policy\":\"revoke\",\"timeout\":0}"},
        };
        _cleanup_disconnect_ Connection c;

        connect_to_server(&c);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                ck_assert_int_lt(manager_change(&c, "Bind", TARGETS("a", "b"), &rows[i].options),
                                 0);
                ck_assert_str_eq(c.error.name, VFIOD_ERROR_FAILED);
                assert_row_str("options", c.error.message, rows[i].expected);
        }
}
END_TEST

START_TEST(what_is_not_said_of_a_holder_is_empty) {
        _cleanup_disconnect_ Connection c;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_holder_list_ HolderList list = HOLDER_LIST_NULL;

        connect_to_server(&c);
        ck_assert_int_eq(manager_list_holders(&c, TARGETS("a"), &reply), 0);
        ck_assert_int_eq(holder_list_read(reply, &list), 0);
        ck_assert_uint_eq(list.n_holders, 1);
        ck_assert_uint_eq(list.holders[0].pid, 7);
        ck_assert_str_eq(list.holders[0].command, "");
        ck_assert_str_eq(list.holders[0].unit, "");
        ck_assert_str_eq(list.holders[0].lease, "/");
        ck_assert_uint_eq(list.holders[0].n_files, 0);
}
END_TEST

START_TEST(holders_of_another_shape_are_an_error_and_no_holders) {
        _cleanup_disconnect_ Connection c;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_holder_list_ HolderList list = HOLDER_LIST_NULL;

        connect_to_server(&c);
        ck_assert_int_eq(manager_list_holders(&c, TARGETS("b"), &reply), 0);
        ck_assert_int_lt(holder_list_read(reply, &list), 0);
        ck_assert_uint_eq(list.n_holders, 0);
}
END_TEST

START_TEST(devices_and_groups_are_asked_for_together) {
        _cleanup_disconnect_ Connection c;
        sd_bus_message *replies[4] = {NULL};

        connect_to_server(&c);
        ck_assert_int_eq(manager_get(&c, TARGETS("a", "group/3"), replies), 0);
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
        _cleanup_disconnect_ Connection c;
        sd_bus_message *replies[6] = {NULL};

        connect_to_server(&c);
        ck_assert_int_lt(manager_get(&c, TARGETS("a", "lost", "b"), replies), 0);
        ck_assert_str_eq(c.error.name, "org.vfiod1.Error.NotFound");
        ck_assert_str_eq(c.error.message, "lost is lost");
        for (size_t i = 0; i < ELEMENTS(replies); i++)
                ck_assert_ptr_null(replies[i]);
}
END_TEST

START_TEST(more_calls_than_the_bus_allows_at_once_are_sent_in_turns) {
        enum { N = 150 };
        _cleanup_disconnect_ Connection c;
        const char *targets[N + 1] = {NULL};
        sd_bus_message *replies[2 * N] = {NULL};

        for (size_t i = 0; i < N; i++)
                targets[i] = "a";
        connect_to_server(&c);
        ck_assert_int_eq(manager_get(&c, (char **)targets, replies), 0);
        for (size_t i = 0; i < ELEMENTS(replies); i++) {
                ck_assert_ptr_nonnull(replies[i]);
                sd_bus_message_unref(replies[i]);
        }
}
END_TEST

START_TEST(a_daemon_that_dies_in_a_call_cannot_be_reached) {
        _cleanup_disconnect_ Connection c;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        connect_to_server(&c);
        ck_assert_int_lt(manager_explain(&c, TARGETS("gone"), &reply), 0);
        ck_assert_ptr_null(reply);
        ck_assert_int_eq(connection_report(&c, -ECONNRESET), 6);
}
END_TEST

START_TEST(a_reply_becomes_json_under_its_own_names) {
        _cleanup_disconnect_ Connection c;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *value = NULL;

        connect_to_server(&c);
        ck_assert_int_eq(manager_explain(&c, TARGETS("a"), &reply), 0);
        ck_assert_int_eq(json_from_message(reply, &value), 0);
        ck_assert_str_eq(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
                         "[{\"Device\":\"a\",\"Group\":3}]");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfioctl-manager");

        tcase_add_test(tests, a_grant_has_the_lease_and_its_labelled_files);
        tcase_add_test(tests, more_files_than_one_message_carries_come_in_pages);
        tcase_add_test(tests, options_are_sent_only_where_they_were_given);
        tcase_add_test(tests, what_is_not_said_of_a_holder_is_empty);
        tcase_add_test(tests, holders_of_another_shape_are_an_error_and_no_holders);
        tcase_add_test(tests, devices_and_groups_are_asked_for_together);
        tcase_add_test(tests, one_error_among_many_answers_is_the_answer);
        tcase_add_test(tests, more_calls_than_the_bus_allows_at_once_are_sent_in_turns);
        tcase_add_test(tests, a_daemon_that_dies_in_a_call_cannot_be_reached);
        tcase_add_test(tests, a_reply_becomes_json_under_its_own_names);
        return tests_run(tests);
}
