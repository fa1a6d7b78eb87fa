/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/config.h: every key, and every way to get one wrong. */

#include "daemon/core/config.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

static const struct {
        const char *section;
        const char *name;
        size_t offset;
        uint64_t standard;
        uint64_t least;
        uint64_t most;
} numbers[] = {
        {"limits", "targets", offsetof(Config, limit_targets), 64, 1, 4096},
        {"limits", "leases", offsetof(Config, limit_leases), 256, 1, 4096},
        {"limits", "leases_per_uid", offsetof(Config, limit_leases_per_uid), 32, 0, 4096},
        {"limits", "groups", offsetof(Config, limit_groups), 1024, 1, 65536},
        {"limits", "groups_per_lease", offsetof(Config, limit_groups_per_lease), 64, 1, 4096},
        {"limits", "operations", offsetof(Config, limit_operations), 64, 1, 1024},
        {"limits", "operations_per_uid", offsetof(Config, limit_operations_per_uid), 16, 1, 1024},
        {"limits", "groups_per_uid", offsetof(Config, limit_groups_per_uid), 128, 0, 65536},
        {"limits", "label_bytes", offsetof(Config, limit_label_bytes), 64, 0, 255},
        {"limits", "waits", offsetof(Config, limit_waits), 64, 1, 1024},
        {"limits", "waits_per_uid", offsetof(Config, limit_waits_per_uid), 8, 0, 1024},
        {"limits", "requests", offsetof(Config, limit_requests), 1024, 1, 65536},
        {"limits", "requests_per_uid", offsetof(Config, limit_requests_per_uid), 128, 1, 65536},
        {"limits", "questions", offsetof(Config, limit_questions), 512, 1, 1024},
        {"limits", "questions_per_uid", offsetof(Config, limit_questions_per_uid), 128, 1, 1024},
        {"limits", "interactive_questions_per_uid",
         offsetof(Config, limit_interactive_questions_per_uid), 2, 1, 64},
        {"limits", "connections", offsetof(Config, limit_connections), 256, 1, 4096},
        {"limits", "connections_per_uid", offsetof(Config, limit_connections_per_uid), 32, 1, 4096},
        {"limits", "authentication_ms", offsetof(Config, limit_authentication_ms), 30000, 10,
         90000},
        {"limits", "message_bytes", offsetof(Config, limit_message_bytes), 1048576, 4096,
         134217728},
        {"limits", "queued_messages", offsetof(Config, limit_queued_messages), 1024, 16, 65536},
        {"limits", "fds_in_flight", offsetof(Config, limit_fds_in_flight), 4096, 1, 65536},
        {"limits", "fds_in_flight_per_uid", offsetof(Config, limit_fds_in_flight_per_uid), 1024, 1,
         65536},
        {"limits", "bus_fds_in_flight", offsetof(Config, limit_bus_fds_in_flight), 48, 16, 65536},
        {"limits", "bus_fds_in_flight_per_uid", offsetof(Config, limit_bus_fds_in_flight_per_uid),
         16, 16, 65536},
        {"revoke", "timeout_ms", offsetof(Config, revoke_timeout_ms), 10000, 0, 86400000},
        {"revoke", "sigbus_grace_ms", offsetof(Config, sigbus_grace_ms), 2000, 0, 600000},
        {"revoke", "sigkill_grace_ms", offsetof(Config, sigkill_grace_ms), 5000, 0, 600000},
        {"memlock", "max_bytes", offsetof(Config, memlock_max_bytes), 64UL << 30, 0, 1UL << 50},
        {NULL, "step_deadline_ms", offsetof(Config, step_deadline_ms), 30000, 100, 3600000},
};

static int apply(Config *config, const char *text, char **ret_error) {
        return config_apply(config, "vfiod.json", text, ret_error);
}

/* A file that sets one number. */
static char *file_of(size_t i, uint64_t value) {
        if (!numbers[i].section)
                return string_format("{\"%s\": %lu}", numbers[i].name, (unsigned long)value);
        return string_format("{\"%s\":\n{\"%s\": %lu}}", numbers[i].section, numbers[i].name,
                             (unsigned long)value);
}

static uint64_t value_of(const Config *config, size_t i) {
        return *(const uint64_t *)((const char *)config + numbers[i].offset);
}

/* Member by member: what is between them is nobody's. */
static void assert_same(const Config *config, const Config *before) {
        for (size_t i = 0; i < ELEMENTS(numbers); i++)
                ck_assert_uint_eq(value_of(config, i), value_of(before, i));
        ck_assert_int_eq(config->sigkill, before->sigkill);
        ck_assert_int_eq(config->variant_drivers, before->variant_drivers);
}

START_TEST(every_number_has_a_default_and_takes_its_whole_range) {
        for (size_t i = 0; i < ELEMENTS(numbers); i++) {
                const uint64_t good[] = {numbers[i].least, numbers[i].most};
                Config config;

                config_init(&config);
                ck_assert_uint_eq(value_of(&config, i), numbers[i].standard);
                for (size_t j = 0; j < ELEMENTS(good); j++) {
                        _cleanup_free_ char *text = file_of(i, good[j]), *error = NULL;

                        ck_assert_int_eq(apply(&config, text, &error), 0);
                        ck_assert_uint_eq(value_of(&config, i), good[j]);
                }
        }
}
END_TEST

START_TEST(a_number_out_of_range_names_line_key_and_range) {
        for (size_t i = 0; i < ELEMENTS(numbers); i++) {
                const uint64_t bad[] = {numbers[i].least - 1, numbers[i].most + 1};

                for (size_t j = numbers[i].least == 0; j < ELEMENTS(bad); j++) {
                        _cleanup_free_ char *text = file_of(i, bad[j]), *error = NULL;
                        _cleanup_free_ char *expected = string_format(
                                "vfiod.json:%d: %s%s%s: must be from %lu to %lu",
                                numbers[i].section ? 2 : 1, string_or_empty(numbers[i].section),
                                numbers[i].section ? "." : "", numbers[i].name,
                                (unsigned long)numbers[i].least, (unsigned long)numbers[i].most);
                        Config config;

                        config_init(&config);
                        ck_assert_int_eq(apply(&config, text, &error), -EINVAL);
                        ck_assert_str_eq(error, expected);
                        ck_assert_uint_eq(value_of(&config, i), numbers[i].standard);
                }
        }
}
END_TEST

START_TEST(variant_drivers_is_true_or_false) {
        _cleanup_free_ char *error = NULL;
        Config config;

        config_init(&config);
        ck_assert(config.variant_drivers);
        ck_assert_int_eq(apply(&config, "{\"variant_drivers\": false}", &error), 0);
        ck_assert(!config.variant_drivers);
        ck_assert_int_eq(apply(&config, "{\"variant_drivers\": true}", &error), 0);
        ck_assert(config.variant_drivers);
}
END_TEST

START_TEST(sigkill_may_be_forbidden) {
        _cleanup_free_ char *error = NULL;
        Config config;

        config_init(&config);
        ck_assert(config.sigkill);
        ck_assert_int_eq(apply(&config, "{\"revoke\": {\"sigkill\": false}}", &error), 0);
        ck_assert(!config.sigkill);
        ck_assert(config.variant_drivers);
        ck_assert_int_eq(apply(&config, "{\"revoke\": {\"sigkill\": true}}", &error), 0);
        ck_assert(config.sigkill);
}
END_TEST

START_TEST(a_later_file_changes_only_what_it_names) {
        _cleanup_free_ char *error = NULL;
        Config config;

        config_init(&config);
        ck_assert_int_eq(apply(&config, "{\"limits\": {\"targets\": 5, \"leases\": 6}}", &error),
                         0);
        ck_assert_int_eq(apply(&config, "{\"limits\": {\"leases\": 7}}", &error), 0);
        ck_assert_int_eq(apply(&config, "{}", &error), 0);
        ck_assert_int_eq(apply(&config, " {\"limits\": {}} \n", &error), 0);
        ck_assert_uint_eq(config.limit_targets, 5);
        ck_assert_uint_eq(config.limit_leases, 7);
        ck_assert_ptr_null(error);
}
END_TEST

/* Every text begins with a good key that must not come through. */
static const struct {
        const char *text;
        const char *error;
} mistakes[] = {
        {"\n\"unknown\": 1}", "vfiod.json:2: unknown: unknown key"},
        {"\n\n\"limits\": {\n\"tragets\": 1}}", "vfiod.json:4: limits.tragets: unknown key"},
        {"\"targets\": 1}", "vfiod.json:1: targets: unknown key"},
        {"\"limits\": {\"step_deadline_ms\": 1}}",
         "vfiod.json:1: limits.step_deadline_ms: unknown key"},
        {"\n\"limits\": 1}", "vfiod.json:2: limits: must be an object"},
        {"\n\"limits\": [{\"targets\": 1}]}", "vfiod.json:2: limits: must be an object"},
        {"\n\"limits\": null}", "vfiod.json:2: limits: must be an object"},
        {"\n\"limits\": {\"targets\":\n\"64\"}}",
         "vfiod.json:2: limits.targets: must be a whole number"},
        {"\"limits\": {\"targets\": 1.5}}", "vfiod.json:1: limits.targets: must be a whole number"},
        {"\"limits\": {\"targets\": 1e2}}", "vfiod.json:1: limits.targets: must be a whole number"},
        {"\"limits\": {\"targets\": true}}",
         "vfiod.json:1: limits.targets: must be a whole number"},
        {"\"limits\": {\"targets\": null}}",
         "vfiod.json:1: limits.targets: must be a whole number"},
        {"\"limits\": {\"targets\": {}}}", "vfiod.json:1: limits.targets: must be a whole number"},
        {"\"limits\": {\"targets\": -1}}", "vfiod.json:1: limits.targets: must be from 1 to 4096"},
        {"\"waits\": 1}", "vfiod.json:1: waits: unknown key"},
        {"\"revoke\": true}", "vfiod.json:1: revoke: must be an object"},
        {"\"revoke\": {\"timeout\": 1}}", "vfiod.json:1: revoke.timeout: unknown key"},
        {"\"revoke\": {\"timeout_ms\": \"10s\"}}",
         "vfiod.json:1: revoke.timeout_ms: must be a whole number"},
        {"\"revoke\": {\"sigbus_grace_ms\": false}}",
         "vfiod.json:1: revoke.sigbus_grace_ms: must be a whole number"},
        {"\"revoke\": {\n\"sigkill\": 1}}", "vfiod.json:2: revoke.sigkill: must be true or false"},
        {"\"sigkill\": true}", "vfiod.json:1: sigkill: unknown key"},
        {"\n\n\n\"variant_drivers\": 1}", "vfiod.json:4: variant_drivers: must be true or false"},
        {"\"variant_drivers\": \"yes\"}", "vfiod.json:1: variant_drivers: must be true or false"},
        /* Keys of the same name in other places do not lead astray. */
        {"\n\"variant_drivers\": true,\n\"limits\": {\"variant_drivers\": 1}}",
         "vfiod.json:3: limits.variant_drivers: unknown key"},
        /* Of a key given twice the last counts, for json-c as for the line. */
        {"\n\"limits\": {\"targets\": 0,\n\"targets\": 5,\n\"targets\": 0}}",
         "vfiod.json:4: limits.targets: must be from 1 to 4096"},
        {"\n\"limits\": {\"targets\": 0},\n\"limits\": {\n\"targets\": 0}}",
         "vfiod.json:4: limits.targets: must be from 1 to 4096"},
};

START_TEST(a_mistake_names_file_line_and_key_and_changes_nothing) {
        for (size_t i = 0; i < ELEMENTS(mistakes); i++) {
                _cleanup_free_ char *error = NULL;
                _cleanup_free_ char *text =
                        string_format("{\"step_deadline_ms\": 200, %s", mistakes[i].text);
                Config config, before;

                config_init(&config);
                before = config;
                ck_assert_msg(apply(&config, text, &error) == -EINVAL, "row %zu", i);
                ck_assert_str_eq(error, mistakes[i].error);
                assert_same(&config, &before);
        }
}
END_TEST

/* json-c takes them for the largest that there are, and from 0.18 on for none. */
START_TEST(a_number_that_no_integer_holds_is_complained_of_with_its_line) {
        static const char *const texts[] = {
                "{\n\"limits\": {\"targets\": 99999999999999999999999}}",
                "{\n\"limits\": {\"targets\": -99999999999999999999999}}"};

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                _cleanup_free_ char *error = NULL;
                Config config, before;

                config_init(&config);
                before = config;
                ck_assert_int_eq(apply(&config, texts[i], &error), -EINVAL);
                ck_assert_msg(string_equal(error, "vfiod.json:2: limits.targets: must be from 1 to "
                                                  "4096") ||
                                      string_equal(error, "vfiod.json:2: number expected"),
                              "%s", error);
                assert_same(&config, &before);
        }
}
END_TEST

START_TEST(a_key_that_is_written_with_escapes_is_complained_of_with_a_line_too) {
        static const struct {
                const char *text;
                const char *error;
        } rows[] = {
                {"{\n\"limits\": {\n\"\\u006ceases\": 0}}",
                 "vfiod.json:2: limits.leases: must be from 1 to 4096"},
                {"{\n\"a\\\"b\": 1}", "vfiod.json:1: a\"b: unknown key"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *error = NULL;
                Config config;

                config_init(&config);
                ck_assert_int_eq(apply(&config, rows[i].text, &error), -EINVAL);
                ck_assert_str_eq(error, rows[i].error);
        }
}
END_TEST

START_TEST(what_is_no_json_object_names_its_line) {
        static const struct {
                const char *text;
                const char *begin;
        } rows[] = {
                {"", "vfiod.json:1: "},
                {"\n\n", "vfiod.json:3: "},
                {"{\n\"limits\": {\n\"targets\" 1\n}}", "vfiod.json:3: "},
                {"{\n\"variant_drivers\": true\n", "vfiod.json:3: "},
                {"{\"variant_drivers\": true,}", "vfiod.json:1: "},
                {"{}\n{}", "vfiod.json:2: "},
                {"{}\nx", "vfiod.json:2: "},
                {"{} /* comment */", "vfiod.json:1: "},
                {"[]", "vfiod.json:1: must be one JSON object"},
                {"null", "vfiod.json:1: must be one JSON object"},
                {"1", "vfiod.json:1: must be one JSON object"},
                {"\"limits\"", "vfiod.json:1: must be one JSON object"},
                {"{\"variant_drivers\": TRUE}", "vfiod.json:1: "},
                {"{\"limits\": {\"targets\": NaN}}", "vfiod.json:1: "},
                {"{\"limits\": {\"targets\": 010}}", "vfiod.json:1: "},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *error = NULL;
                Config config, before;

                config_init(&config);
                before = config;
                ck_assert_msg(apply(&config, rows[i].text, &error) == -EINVAL, "row %zu", i);
                ck_assert_msg(string_after(error, rows[i].begin), "row %zu: '%s'", i, error);
                assert_same(&config, &before);
        }
}
END_TEST

START_TEST(deep_nesting_is_refused_not_followed) {
        const size_t depth = 100000;
        _cleanup_free_ char *text = malloc(depth + 1), *error = NULL;
        Config config;

        ck_assert_ptr_nonnull(text);
        memset(text, '[', depth);
        text[depth] = '\0';
        config_init(&config);
        ck_assert_int_eq(apply(&config, text, &error), -EINVAL);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("config");

        tcase_add_test(tests, every_number_has_a_default_and_takes_its_whole_range);
        tcase_add_test(tests, a_number_out_of_range_names_line_key_and_range);
        tcase_add_test(tests, variant_drivers_is_true_or_false);
        tcase_add_test(tests, sigkill_may_be_forbidden);
        tcase_add_test(tests, a_later_file_changes_only_what_it_names);
        tcase_add_test(tests, a_mistake_names_file_line_and_key_and_changes_nothing);
        tcase_add_test(tests, a_number_that_no_integer_holds_is_complained_of_with_its_line);
        tcase_add_test(tests, a_key_that_is_written_with_escapes_is_complained_of_with_a_line_too);
        tcase_add_test(tests, what_is_no_json_object_names_its_line);
        tcase_add_test(tests, deep_nesting_is_refused_not_followed);
        return tests_run(tests);
}
