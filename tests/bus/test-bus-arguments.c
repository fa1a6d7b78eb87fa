/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bad input: every method that takes targets or options, with every kind of bad ones. Each is
 * refused with its own error and a sentence that names what is wrong, and nothing is done.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/bus/fixture-bus.h"

#define TARGETS_MAX 10000

/* The methods that take targets: a call of each, with what else it needs. */
typedef enum Method {
        EXPLAIN,
        BIND,
        UNBIND,
        ACQUIRE,
        PLAN_BIND,
        PLAN_UNBIND,
        PLAN_ACQUIRE,
        ADD,
        REMOVE,
        N_METHODS,
} Method;

static const struct {
        const char *member;
        const char *operation; /* of Plan */
        bool on_lease;
        bool options;
} methods[] = {
        [EXPLAIN] = {"Explain", NULL, false, false},
        [BIND] = {"Bind", NULL, false, true},
        [UNBIND] = {"Unbind", NULL, false, true},
        [ACQUIRE] = {"Acquire", NULL, false, true},
        [PLAN_BIND] = {"Plan", "bind", false, true},
        [PLAN_UNBIND] = {"Plan", "unbind", false, true},
        [PLAN_ACQUIRE] = {"Plan", "acquire", false, true},
        [ADD] = {"Add", NULL, true, true},
        [REMOVE] = {"Remove", NULL, true, false},
};

static void check(int r) {
        ck_assert_int_ge(r, 0);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        *(Message **)userdata = sd_bus_message_ref(reply);
        return 0;
}

/* Calls with these targets, and with one option of a value of that type, or none. */
static Message *call(Client *client, Method method, char *const *targets, const char *option,
                     const char *type, const void *value) {
        const char *path = methods[method].on_lease ? "/org/vfiod1/lease/1" : VFIOD_PATH;
        const char *interface =
                methods[method].on_lease ? VFIOD_INTERFACE_LEASE : VFIOD_INTERFACE_MANAGER;
        _cleanup_message_ Message *m = NULL;
        Message *reply = NULL;

        check(sd_bus_message_new_method_call(client->bus, &m, NULL, path, interface,
                                             methods[method].member));
        if (methods[method].operation)
                check(sd_bus_message_append(m, "s", methods[method].operation));
        check(sd_bus_message_append_strv(m, (char **)targets));
        if (methods[method].options) {
                check(sd_bus_message_open_container(m, 'a', "{sv}"));
                if (option) {
                        check(sd_bus_message_open_container(m, 'e', "sv"));
                        check(sd_bus_message_append(m, "s", option));
                        check(sd_bus_message_open_container(m, 'v', type));
                        if (type[0] == 'a')
                                check(sd_bus_message_append(m, type, 0));
                        else
                                check(sd_bus_message_append_basic(m, type[0], value));
                        check(sd_bus_message_close_container(m));
                        check(sd_bus_message_close_container(m));
                }
                check(sd_bus_message_close_container(m));
        }
        check(sd_bus_call_async(client->bus, NULL, m, on_reply, &reply, UINT64_MAX));
        wait_until(reply);
        return reply;
}

/* What every test begins with: a client with a lease of group 4. */
static Client *begin_test(Grant *grant) {
        Client *client = client_new();

        *grant = grant_of(manager(client, "Acquire", "asa{sv}", 1, "group/4", 0));
        return client;
}

static void expect_nothing_done(void) {
        _cleanup_free_ char *calls = fake_machine_calls();

        /* The lease's own. */
        ck_assert_str_eq(calls, "open a container\nopen group 4\nput group 4 into the container\n"
                                "set the container's IOMMU to TYPE1v2\n"
                                "open device 0000:03:00.0 of group 4");
}

static void expect_all_refuse(char *const *targets, const char *error, const char *subject) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);

        for (Method method = 0; method < N_METHODS; method++) {
                _cleanup_message_ Message *reply = call(client, method, targets, NULL, NULL, NULL);

                expect_refusal(reply, error, subject);
        }
        expect_nothing_done();
}

#define TARGETS(...) ((char *[]){__VA_ARGS__, NULL})
#define T(text) (char *)(text)

START_TEST(an_empty_list_of_targets_is_refused_everywhere) {
        expect_all_refuse((char *[]){NULL}, "NoTargets", "no target given");
}
END_TEST

START_TEST(ten_thousand_targets_are_refused_everywhere) {
        char **targets = NULL;

        for (unsigned i = 0; i < TARGETS_MAX; i++) {
                _cleanup_free_ char *target = string_format("group/%u", i);

                check(strv_push(&targets, target));
        }
        expect_all_refuse(targets, "TooManyTargets",
                          "more than 64 targets in one request, the limit (limits.targets)");
        strv_free(targets);
}
END_TEST

START_TEST(one_target_more_than_the_limit_is_refused_and_the_limit_is_not) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);
        _cleanup_message_ Message *two = NULL, *three = NULL;

        fixture_config()->limit_targets = 2;
        two = call(client, EXPLAIN, TARGETS(T("group/2"), T("group/3")), NULL, NULL, NULL);
        expect_done(two);
        three = call(client, EXPLAIN, TARGETS(T("group/2"), T("group/3"), T("group/5")), NULL, NULL,
                     NULL);
        expect_refusal(three, "TooManyTargets", "more than 2 targets");
}
END_TEST

START_TEST(a_malformed_target_is_refused_everywhere) {
        expect_all_refuse(TARGETS(T("group/2"), T("0000:01:00.9")), "InvalidTarget",
                          "'0000:01:00.9' is neither");
}
END_TEST

START_TEST(malformed_targets_of_many_kinds_are_refused) {
        static const char *const texts[] = {
                "",
                " ",
                "group/",
                "group/-1",
                "group/2 ",
                "group/x",
                "group/4294967296",
                "Group/2",
                "../../../etc/passwd",
                "0000:01:20.0",
                "0000:01:00.8",
                "1:00.0x y",
                "\xc3\xa4",
                "\x1b[31m",
        };
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                _cleanup_message_ Message *reply =
                        call(client, BIND, TARGETS(T(texts[i])), NULL, NULL, NULL);
                const char *sentence;

                expect_refusal(reply, "InvalidTarget", "'");
                for (sentence = sd_bus_message_get_error(reply)->message; *sentence; sentence++)
                        ck_assert_msg(*sentence >= ' ' && *sentence <= '~',
                                      "a control character is quoted back");
        }
        expect_nothing_done();
}
END_TEST

START_TEST(a_very_long_target_is_refused_and_quoted_in_part) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);
        char target[100001];
        _cleanup_message_ Message *reply = NULL;

        memset(target, 'x', sizeof(target) - 1);
        target[sizeof(target) - 1] = '\0';
        reply = call(client, BIND, TARGETS(target), NULL, NULL, NULL);
        expect_refusal(reply, "InvalidTarget", "xxxx");
        ck_assert_uint_lt(strlen(sd_bus_message_get_error(reply)->message), 300);
}
END_TEST

START_TEST(the_same_target_twice_is_refused_everywhere) {
        expect_all_refuse(TARGETS(T("0000:01:00.0"), T("group/3"), T("0000:01:00.0")),
                          "DuplicateTarget", "'0000:01:00.0' is given twice");
}
END_TEST

START_TEST(the_same_target_in_two_spellings_is_refused_everywhere) {
        expect_all_refuse(TARGETS(T("0000:01:00.0"), T("01:00.0")), "DuplicateTarget", "01:00.0");
}
END_TEST

START_TEST(a_device_and_its_own_group_are_refused_everywhere) {
        expect_all_refuse(TARGETS(T("0000:01:00.0"), T("group/2")), "DuplicateTarget",
                          "0000:01:00.0 is given twice: by name and by its group 2");
}
END_TEST

START_TEST(a_device_that_is_not_there_is_refused_everywhere) {
        expect_all_refuse(TARGETS(T("0000:7f:00.0")), "NotFound", "0000:7f:00.0");
}
END_TEST

START_TEST(a_group_that_is_not_there_is_refused_everywhere) {
        expect_all_refuse(TARGETS(T("group/2"), T("group/77")), "NotFound", "77");
}
END_TEST

START_TEST(an_unknown_option_is_refused_everywhere) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);

        for (Method method = 0; method < N_METHODS; method++) {
                _cleanup_message_ Message *reply = NULL;

                if (!methods[method].options)
                        continue;
                reply = call(client, method, TARGETS(T("group/9")), "colour", "s", "blue");
                expect_refusal(reply, "InvalidOption", "'colour'");
        }
        expect_nothing_done();
}
END_TEST

/* Each option of each method that knows it: with the type it has. */
static const struct {
        const char *name;
        char type;
        Method knows[5];
        size_t n;
} options[] = {
        {"driver", 's', {BIND, ACQUIRE, PLAN_BIND, PLAN_ACQUIRE, ADD}, 5},
        {"policy", 's', {UNBIND, PLAN_UNBIND}, 2},
        {"mode", 's', {ACQUIRE, PLAN_ACQUIRE}, 2},
        {"prepare", 's', {ACQUIRE, PLAN_ACQUIRE}, 2},
        {"label", 's', {ACQUIRE, PLAN_ACQUIRE}, 2},
        {"join", 'o', {ACQUIRE, PLAN_ACQUIRE}, 2},
        {"bind", 'b', {ACQUIRE, PLAN_ACQUIRE, ADD}, 3},
        {"memlock", 't', {ACQUIRE, PLAN_ACQUIRE, ADD}, 3},
        {"timeout", 't', {UNBIND, PLAN_UNBIND}, 2},
        {"hot_reset", 'b', {ACQUIRE, PLAN_ACQUIRE, ADD}, 3},
        {"defer_fds", 'b', {ACQUIRE, PLAN_ACQUIRE, ADD}, 3},
};

static const struct {
        char type;
        const void *value;
} values[] = {
        {'s', "auto"},         {'o', "/"},  {'b', &(int){1}},
        {'u', &(uint32_t){1}}, {'a', NULL}, {'t', &(uint64_t){1}},
};

START_TEST(an_option_of_a_wrong_type_is_refused_everywhere) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);

        for (size_t i = 0; i < ELEMENTS(options); i++)
                for (size_t j = 0; j < options[i].n; j++)
                        for (size_t k = 0; k < ELEMENTS(values); k++) {
                                const char type[] = {values[k].type,
                                                     values[k].type == 'a' ? 's' : '\0', '\0'};
                                _cleanup_free_ char *sentence =
                                        string_format("option %s must be of type '%c', not '%s'",
                                                      options[i].name, options[i].type, type);
                                _cleanup_message_ Message *reply = NULL;

                                if (values[k].type == options[i].type)
                                        continue;
                                reply = call(client, options[i].knows[j], TARGETS(T("group/9")),
                                             options[i].name, type, values[k].value);
                                expect_refusal(reply, "InvalidOptionValue", sentence);
                        }
        expect_nothing_done();
}
END_TEST

#define SIX_LABELS                                                                                 \
        "label", "s", "a", "label", "s", "b", "label", "s", "c", "label", "s", "d", "label", "s",  \
                "e", "label", "s", "f"

START_TEST(more_options_than_there_are_are_refused) {
        _cleanup_message_ Message *reply =
                manager(client_new(), "Acquire", "asa{sv}", 1, "group/4", 24, SIX_LABELS,
                        SIX_LABELS, SIX_LABELS, SIX_LABELS);

        expect_refusal(reply, "InvalidOption", "some are given several times");
}
END_TEST

/* Reading so many would take half a minute; under valgrind, writing them does not end in time. */
START_TEST(many_targets_are_refused_before_they_are_all_read) {
        const size_t n = getenv("VFIOD_TESTS_ON_VALGRIND") ? 40000 : 400000;
        _cleanup_message_ Message *m = NULL, *reply = NULL;
        Client *client = client_new();

        fixture_config()->limit_message_bytes = 4 << 20;
        check(sd_bus_message_new_method_call(client->bus, &m, NULL, VFIOD_PATH,
                                             VFIOD_INTERFACE_MANAGER, "CheckAuthorization"));
        check(sd_bus_message_open_container(m, 'a', "s"));
        for (size_t i = 0; i < n; i++)
                check(sd_bus_message_append(m, "s", ""));
        check(sd_bus_message_close_container(m));
        check(sd_bus_message_append(m, "a{sv}", 0));
        check(sd_bus_call_async(client->bus, NULL, m, on_reply, &reply, UINT64_MAX));
        wait_until(reply);
        expect_refusal(reply, "TooManyTargets", "limits.targets");
}
END_TEST

START_TEST(more_actions_than_anybody_can_ask_about_are_refused) {
        _cleanup_message_ Message *m = NULL;
        Client *client = client_new();
        Message *reply = NULL;

        check(sd_bus_message_new_method_call(client->bus, &m, NULL, VFIOD_PATH,
                                             VFIOD_INTERFACE_MANAGER, "CheckAuthorization"));
        check(sd_bus_message_append(m, "as", 1, "group/4"));
        check(sd_bus_message_open_container(m, 'a', "{sv}"));
        check(sd_bus_message_open_container(m, 'e', "sv"));
        check(sd_bus_message_append(m, "s", "actions"));
        check(sd_bus_message_open_container(m, 'v', "as"));
        check(sd_bus_message_open_container(m, 'a', "s"));
        for (size_t i = 0; i < 65; i++)
                check(sd_bus_message_append(m, "s", "org.vfiod1.list"));
        for (size_t i = 0; i < 4; i++)
                check(sd_bus_message_close_container(m));
        check(sd_bus_call_async(client->bus, NULL, m, on_reply, &reply, UINT64_MAX));
        wait_until(reply);
        expect_refusal(reply, "InvalidOptionValue", "option actions: more than 64");
        sd_bus_message_unref(reply);
}
END_TEST

START_TEST(an_option_of_another_method_is_refused) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);

        for (size_t i = 0; i < ELEMENTS(options); i++)
                for (Method method = 0; method < N_METHODS; method++) {
                        const char type[] = {options[i].type, '\0'};
                        const void *value = options[i].type == 'b'   ? values[2].value
                                            : options[i].type == 't' ? values[5].value
                                                                     : "/x";
                        _cleanup_message_ Message *reply = NULL;
                        bool known = !methods[method].options;

                        for (size_t j = 0; j < options[i].n; j++)
                                known = known || options[i].knows[j] == method;
                        if (known)
                                continue;
                        reply = call(client, method, TARGETS(T("group/9")), options[i].name, type,
                                     value);
                        expect_refusal(reply, "InvalidOption", options[i].name);
                }
        expect_nothing_done();
}
END_TEST

START_TEST(a_limit_of_locked_memory_of_nothing_is_refused) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);
        static const Method knows[] = {ACQUIRE, PLAN_ACQUIRE, ADD};

        for (size_t i = 0; i < ELEMENTS(knows); i++) {
                _cleanup_message_ Message *reply = call(client, knows[i], TARGETS(T("group/9")),
                                                        "memlock", "t", &(uint64_t){0});

                expect_refusal(reply, "InvalidOptionValue", "option memlock: at least 1 byte");
        }
        expect_nothing_done();
}
END_TEST

START_TEST(the_locked_memory_of_a_process_that_has_ended_is_not_raised) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client;
        static const Method knows[] = {ACQUIRE, PLAN_ACQUIRE, ADD};

        (void)begin_test(&grant);
        client = client_new_of_ended_process(0);
        for (size_t i = 0; i < ELEMENTS(knows); i++) {
                _cleanup_message_ Message *reply = call(client, knows[i], TARGETS(T("group/9")),
                                                        "memlock", "t", &(uint64_t){4096});

                expect_refusal(reply, "Unsupported", "from a process that is still there");
        }
        expect_nothing_done();
}
END_TEST

START_TEST(a_timeout_is_at_most_a_year_and_only_for_who_waits) {
        _cleanup_grant_ Grant grant = {.lease_fd = -1};
        Client *client = begin_test(&grant);
        _cleanup_message_ Message *far = call(client, UNBIND, TARGETS(T("group/9")), "timeout", "t",
                                              &(uint64_t){365 * 86400000ULL + 1});
        _cleanup_message_ Message *not_waiting =
                call(client, UNBIND, TARGETS(T("group/9")), "timeout", "t", &(uint64_t){0});

        expect_refusal(far, "InvalidOptionValue", "option timeout: at most 31536000000 ms");
        expect_refusal(not_waiting, "InvalidOptionValue", "only with policy 'wait' or 'revoke'");
        expect_nothing_done();
}
END_TEST

START_TEST(a_wrong_signature_is_refused) {
        Client *client = client_new();
        _cleanup_message_ Message *none = manager(client, "Bind", NULL);
        _cleanup_message_ Message *string = manager(client, "Bind", "s", "group/2");
        _cleanup_message_ Message *more = manager(client, "ListGroups", "s", "group/2");
        _cleanup_message_ Message *number = manager(client, "GetGroup", "s", "2");

        expect_error(none, SD_BUS_ERROR_INVALID_ARGS, "asa{sv}");
        expect_error(string, SD_BUS_ERROR_INVALID_ARGS, "asa{sv}");
        expect_error(more, SD_BUS_ERROR_INVALID_ARGS, "");
        expect_error(number, SD_BUS_ERROR_INVALID_ARGS, "");
}
END_TEST

START_TEST(an_unknown_method_is_refused) {
        _cleanup_message_ Message *reply = manager(client_new(), "Reset", "as", 1, "group/2");

        expect_error(reply, SD_BUS_ERROR_UNKNOWN_METHOD, "Reset");
}
END_TEST

int main(void) {
        TCase *tests = bus_tests_new("bus-arguments");

        tcase_add_test(tests, an_empty_list_of_targets_is_refused_everywhere);
        tcase_add_test(tests, ten_thousand_targets_are_refused_everywhere);
        tcase_add_test(tests, one_target_more_than_the_limit_is_refused_and_the_limit_is_not);
        tcase_add_test(tests, a_malformed_target_is_refused_everywhere);
        tcase_add_test(tests, malformed_targets_of_many_kinds_are_refused);
        tcase_add_test(tests, a_very_long_target_is_refused_and_quoted_in_part);
        tcase_add_test(tests, the_same_target_twice_is_refused_everywhere);
        tcase_add_test(tests, the_same_target_in_two_spellings_is_refused_everywhere);
        tcase_add_test(tests, a_device_and_its_own_group_are_refused_everywhere);
        tcase_add_test(tests, a_device_that_is_not_there_is_refused_everywhere);
        tcase_add_test(tests, a_group_that_is_not_there_is_refused_everywhere);
        tcase_add_test(tests, an_unknown_option_is_refused_everywhere);
        tcase_add_test(tests, an_option_of_a_wrong_type_is_refused_everywhere);
        tcase_add_test(tests, more_options_than_there_are_are_refused);
        tcase_add_test(tests, many_targets_are_refused_before_they_are_all_read);
        tcase_add_test(tests, more_actions_than_anybody_can_ask_about_are_refused);
        tcase_add_test(tests, an_option_of_another_method_is_refused);
        tcase_add_test(tests, a_limit_of_locked_memory_of_nothing_is_refused);
        tcase_add_test(tests, the_locked_memory_of_a_process_that_has_ended_is_not_raised);
        tcase_add_test(tests, a_timeout_is_at_most_a_year_and_only_for_who_waits);
        tcase_add_test(tests, a_wrong_signature_is_refused);
        tcase_add_test(tests, an_unknown_method_is_refused);
        return bus_tests_run(tests);
}
