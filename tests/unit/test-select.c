/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/select.h: which groups and devices a request means. */

#include "daemon/core/select.h"

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

/* "1 3 | 0000:01:00.0 0000:03:01.0", or the refusal's sentence. */
static char *select_text(const World *world, const char *const *targets) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_request_ Request request = {0};
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;
        char *text = strdup("");

        ck_assert_int_eq(request_set_targets(&request, (char *const *)targets, 64, &refusal), 0);
        if (select_targets(&world->topology, &request, &selection, &refusal)) {
                (void)string_append(&text, "%s: %s", refusal_name(refusal.kind), refusal.sentence);
                return text;
        }
        for (size_t i = 0; i < selection.n_groups; i++)
                (void)string_append(&text, "%u ", selection.groups[i]->facts.number);
        (void)string_append(&text, "|");
        for (size_t i = 0; i < selection.n_devices; i++)
                (void)string_append(&text, " %s", selection.devices[i]->facts.name);
        return text;
}

START_TEST(targets_mean_groups_once_and_devices_in_order) {
        static const struct {
                const char *targets[4];
                const char *text;
        } rows[] = {
                {{"0000:01:00.0"}, "1 | 0000:01:00.0"},
                {{"03:01.0"}, "3 | 0000:03:01.0"},
                {{"03:02.0", "03:01.0"}, "3 | 0000:03:01.0 0000:03:02.0"},
                {{"group/3"}, "3 | 0000:00:03.0 0000:03:01.0 0000:03:02.0"},
                {{"group/4", "02:00.0", "group/1"},
                 "1 2 4 | 0000:00:10.0 0000:00:10.1 0000:01:00.0 0000:02:00.0"},
                {{"group/7"}, "NotFound: there is no IOMMU group 7; see 'vfioctl list'"},
                {{"01:00.0", "05:00.0"},
                 "NotFound: there is no device 0000:05:00.0 with an IOMMU group; see 'vfioctl "
                 "list'"},
                {{"group/3", "03:02.0"},
                 "DuplicateTarget: 0000:03:02.0 is given twice: by name and by its group 3"},
                {{"03:02.0", "group/3"},
                 "DuplicateTarget: 0000:03:02.0 is given twice: by name and by its group 3"},
        };
        World world;

        world_init_lab(&world);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *text = select_text(&world, rows[i].targets);

                ck_assert_str_eq(text, rows[i].text);
        }
        world_done(&world);
}
END_TEST

START_TEST(the_numbers_of_the_groups_are_taken_out) {
        Group three = {.facts.number = 3}, five = {.facts.number = 5}, *groups[] = {&three, &five};
        Selection some = {.groups = groups, .n_groups = 2}, none = SELECTION_NULL;
        size_t n = 99;
        uint32_t *numbers = selection_groups(&some, &n);

        ck_assert_uint_eq(n, 2);
        ck_assert(numbers[0] == 3 && numbers[1] == 5);
        free(numbers);
        numbers = selection_groups(&none, &n);
        ck_assert_uint_eq(n, 0);
        ck_assert_ptr_nonnull(numbers);
        free(numbers);
}
END_TEST

/* Its last device went while facts were read: the kernel has the directory for a moment longer. */
START_TEST(a_group_without_members_is_not_found) {
        GroupFacts facts = {.number = 8};
        _cleanup_free_ char *text = NULL;
        World world;

        world_init_lab(&world);
        ck_assert_int_eq(topology_put_group(&world.topology, &facts), TOPOLOGY_ADDED);
        text = select_text(&world, (const char *[]){"group/8", NULL});
        ck_assert_str_eq(text, "NotFound: there is no IOMMU group 8; see 'vfioctl list'");
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("select");

        tcase_add_test(tests, targets_mean_groups_once_and_devices_in_order);
        tcase_add_test(tests, the_numbers_of_the_groups_are_taken_out);
        tcase_add_test(tests, a_group_without_members_is_not_found);
        return tests_run(tests);
}
