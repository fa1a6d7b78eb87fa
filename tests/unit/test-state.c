/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/state.h: what is written down is read back as it was, or refused whole. */

#include "daemon/core/state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define UUID "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"

/* A machine with everything in it that is written down. */
static void init_full(World *world) {
        static const DeviceRow rows[] = {
                {"0000:01:00.0", 1, "vfio-pci", .original = "e1000e", .bound = "vfio-pci"},
                {"0000:02:00.0", 2, "vfio-pci", .original = "", .original_override = "nvme"},
                {"0000:03:00.0", 3, "e1000e"},
        };
        Lease *lease;

        world_init(world, rows, ELEMENTS(rows));
        lease = world_add_lease(world, 1001, LEASE_HELD, (uint32_t[]){1, 2, 0});
        lease->mode = MODE_IOMMUFD;
        lease->prepare = PREPARE_ATTACH;
        lease->since = UINT64_MAX;
        lease->iommufd.ioas = 3;
        lease->iommufd.alignment = 4096;
        ck_assert_int_eq(string_set(&lease->label, "Müller's \"machine\""), 0);
        ck_assert_int_eq(lease_set_client(lease, ":1.42"), 0);
        ck_assert_int_eq(lease_add_device(lease, "0000:01:00.0"), 0);
        ck_assert_int_eq(lease_add_device(lease, UUID), 0);
        ck_assert_int_eq(lease_iommufd_set_id(&lease->iommufd, "0000:01:00.0", 2), 0);
        ck_assert_int_eq(lease_iommufd_set_cookie(&lease->iommufd, UUID, UINT64_MAX), 0);
        lease_iommufd_set_iovas(
                &lease->iommufd,
                memcpy(malloc(sizeof(IovaRange)), &(IovaRange){0, UINT64_MAX}, sizeof(IovaRange)),
                1, 4096);
        lease = world_add_lease(world, 0, LEASE_DRAINING, (uint32_t[]){3, 0});
        lease->stuck = true;
        lease->closed = true;
        world->leases.last_id = 7;
}

static void add_plan(StatePlan *plan) {
        Step *step;

        *plan = (StatePlan){.operation = OPERATION_BIND, .uid = 1001, .lease = 2};
        plan->groups = calloc(2, sizeof(uint32_t));
        ck_assert_ptr_nonnull(plan->groups);
        plan->groups[0] = 4;
        plan->groups[1] = 5;
        plan->n_groups = 2;
        step = plan_append(&plan->plan, STEP_BIND_VFIO, 4);
        ck_assert_ptr_nonnull(step);
        ck_assert_int_eq(step_set_device(step, "0000:04:00.0", "pci", "mlx5_vfio_pci"), 0);
        ck_assert_int_eq(step_set_override(step, "vfio-pci", ""), 0);
        ck_assert_int_eq(string_set(&step->fallback, "vfio-pci"), 0);
        step->optional = true;
        step = plan_append(&plan->plan, STEP_SET_RESET_METHOD, 4);
        ck_assert_ptr_nonnull(step);
        ck_assert_int_eq(string_set(&step->reset_method, "flr"), 0);
        ck_assert_int_eq(string_set(&step->reset_method_old, "pm bus"), 0);
        step = plan_append(&plan->plan, STEP_EVICT, 5);
        ck_assert_ptr_nonnull(step);
        ck_assert_int_eq(step_add_group(step, 5), 0);
        step->signal = SIGBUS;
        step->grace_ms = 2000;
}

static void plans_done(StatePlan *plan) {
        free(plan->groups);
        plan_done(&plan->plan);
}

static char *write_full(void) {
        World world;
        StatePlan plan;
        char *text;

        init_full(&world);
        add_plan(&plan);
        text = state_write(&world, &plan, 1);
        ck_assert_ptr_nonnull(text);
        plans_done(&plan);
        world_done(&world);
        return text;
}

static void read_back(const char *text, State *ret) {
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(state_read(text, ret, &error) == 0, "%s", string_or_empty(error));
        ck_assert_ptr_null(error);
}

START_TEST(a_lease_comes_back_with_everything_that_was_known_of_it) {
        _cleanup_free_ char *text = write_full();
        _cleanup_state_ State state = {0};
        const LeaseDeviceId *id;
        const Lease *lease;

        read_back(text, &state);
        ck_assert_uint_eq(lease_table_count(&state.leases), 2);
        ck_assert_uint_eq(state.leases.last_id, 7);
        lease = lease_table_find_group(&state.leases, 2);
        ck_assert_ptr_nonnull(lease);
        ck_assert_uint_eq(lease->owner, 1001);
        ck_assert_str_eq(lease->label, "Müller's \"machine\"");
        ck_assert_str_eq(lease->client, ":1.42");
        ck_assert_int_eq(lease->state, LEASE_HELD);
        ck_assert_int_eq(lease->mode, MODE_IOMMUFD);
        ck_assert_int_eq(lease->prepare, PREPARE_ATTACH);
        ck_assert(lease->since == UINT64_MAX);
        ck_assert(lease_has_device(lease, UUID));
        ck_assert_uint_eq(lease->iommufd.ioas, 3);
        ck_assert_uint_eq(lease->iommufd.n_iovas, 1);
        ck_assert(lease->iommufd.iovas[0].last == UINT64_MAX);
        id = lease_iommufd_find(&lease->iommufd, UUID);
        ck_assert(id && id->cookie == UINT64_MAX && id->id == 0);
        lease = lease_table_find_group(&state.leases, 3);
        ck_assert(lease && lease->stuck && lease->closed && lease->state == LEASE_DRAINING);
}
END_TEST

START_TEST(only_devices_that_were_moved_have_an_original_and_none_differs_from_empty) {
        _cleanup_free_ char *text = write_full();
        _cleanup_state_ State state = {0};

        read_back(text, &state);
        ck_assert_uint_eq(state.n_originals, 2);
        ck_assert_str_eq(state.originals[0].device, "0000:01:00.0");
        ck_assert_str_eq(state.originals[0].driver, "e1000e");
        ck_assert_str_eq(state.originals[0].bound, "vfio-pci");
        ck_assert_ptr_null(state.originals[1].bound);
        ck_assert_str_eq(state.originals[1].driver, "");
        ck_assert_str_eq(state.originals[1].override, "nvme");
}
END_TEST

START_TEST(a_plan_comes_back_step_by_step) {
        _cleanup_free_ char *text = write_full();
        _cleanup_state_ State state = {0};
        const StatePlan *plan;
        StatePlan written;

        add_plan(&written);
        read_back(text, &state);
        ck_assert_uint_eq(state.n_plans, 1);
        plan = &state.plans[0];
        ck_assert_int_eq(plan->operation, OPERATION_BIND);
        ck_assert_uint_eq(plan->lease, 2);
        ck_assert_uint_eq(plan->n_groups, 2);
        ck_assert_uint_eq(plan->groups[1], 5);
        ck_assert_uint_eq(plan->plan.n_steps, written.plan.n_steps);
        for (size_t i = 0; i < plan->plan.n_steps; i++) {
                _cleanup_free_ char *is = step_describe(&plan->plan.steps[i]);
                _cleanup_free_ char *was = step_describe(&written.plan.steps[i]);

                ck_assert_str_eq(is, was);
        }
        ck_assert(plan->plan.steps[0].optional);
        ck_assert_str_eq(plan->plan.steps[0].override_old, "");
        ck_assert_ptr_null(plan->plan.steps[0].module);
        ck_assert_str_eq(plan->plan.steps[1].reset_method_old, "pm bus");
        plans_done(&written);
}
END_TEST

START_TEST(what_is_read_and_written_again_is_the_same_text) {
        _cleanup_free_ char *text = write_full(), *again = NULL;
        _cleanup_state_ State state = {0};
        World world;

        read_back(text, &state);
        init_full(&world);
        lease_table_done(&world.leases);
        world.leases.last_id = state.leases.last_id;
        list_for_each_safe(link, &state.leases.leases) {
                list_remove(link);
                list_insert(&world.leases.leases, link);
        }
        again = state_write(&world, state.plans, state.n_plans);
        ck_assert_str_eq(again, text);
        world_done(&world);
}
END_TEST

START_TEST(an_empty_machine_is_a_state_too) {
        _cleanup_free_ char *text = NULL;
        _cleanup_state_ State state = {0};
        World world;

        world_init(&world, NULL, 0);
        text = state_write(&world, NULL, 0);
        ck_assert_str_eq(
                text,
                "{\"version\":1,\"last_lease\":0,\"leases\":[],\"originals\":[],\"plans\":[]}\n");
        read_back(text, &state);
        ck_assert_uint_eq(lease_table_count(&state.leases), 0);
        world_done(&world);
}
END_TEST

/* The first `from` in the text becomes `to`. */
static char *replaced(const char *text, const char *from, const char *to) {
        const char *at = strstr(text, from);
        char *changed;

        ck_assert_msg(at, "%s is not in %s", from, text);
        changed = string_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
        ck_assert_ptr_nonnull(changed);
        return changed;
}

static void assert_refused_as(const char *text, int errnum, const char *words) {
        _cleanup_free_ char *error = NULL;
        State state = {0};
        int r = state_read(text, &state, &error);

        ck_assert_msg(r == errnum, "%s: %d (%s)", words, r, string_or_empty(error));
        ck_assert_msg(error && strstr(error, words), "got '%s', expected '%s'",
                      string_or_empty(error), words);
        ck_assert_ptr_null(state.originals);
}

static const struct {
        const char *from;
        const char *to;
        const char *words;
} malformed[] = {
        {"{\"version\":1,", "{", "version: must be a whole number above 0"},
        {"\"version\":1", "\"version\":\"1\"", "version: must be a whole number above 0"},
        {"\"version\":1", "\"version\":0", "version: must be a whole number above 0"},
        {"\"last_lease\":7", "\"last\":7", "last: is unknown"},
        {"\"last_lease\":7,", "", "last_lease: is missing"},
        {"\"last_lease\":7", "\"last_lease\":1", "leases[1]: has an id that is out of order"},
        {"\"plans\":[", "\"plan\":[", "plan: is unknown"},
        {"\"leases\":[", "\"leases\":[[],", "leases[0]: must be an object"},
        {"\"leases\":[", "\"leases\":[null,", "leases[0]: must be an object"},
        {"\"id\":1,", "", "leases[0].id: is missing"},
        {"\"id\":1,", "\"id\":0,", "leases[0]: has an id that is out of order"},
        {"\"id\":1,", "\"id\":2,", "leases[1]: has an id that is out of order"},
        {"\"owner\":1001", "\"owner\":-1", "leases[0].owner: must be a whole number below 2^32"},
        {"\"owner\":1001", "\"owner\":4294967296", "leases[0].owner: must be a whole number"},
        {"\"owner\":1001", "\"owner\":1001.5", "leases[0].owner: must be a whole number"},
        {"\"label\":\"", "\"label\":\"\\u0000", "leases[0].label: must be text or null"},
        {"\"label\":\"", "\"label\":\"\\n", "leases[0]: has a label or client that cannot be one"},
        {"\"client\":\":1.42\"", "\"client\":[]", "leases[0].client: must be text or null"},
        {"\"held\"", "\"gone\"", "leases[0].state: is none of the words that can stand here"},
        {"\"held\"", "1", "leases[0].state: is none of the words that can stand here"},
        {"\"mode\":\"iommufd\"", "\"mode\":\"auto\"", "leases[0]: has mode 'auto'"},
        {"\"closed\":false", "\"closed\":0", "leases[0].closed: must be true or false"},
        {"\"groups\":[1,2]", "\"groups\":[2,1]", "leases[0]: has groups that are out of order"},
        {"\"groups\":[1,2]", "\"groups\":[]", "leases[0]: has groups that are out of order, or"},
        {"\"groups\":[1,2]", "\"groups\":[1,\"2\"]", "leases[0].groups: must be an array of whole"},
        {"\"groups\":[1,2]", "\"groups\":[1,3]", "leases[1]: has a group that another lease has"},
        {"\"devices\":[\"0000:01:00.0\"", "\"devices\":[\"../0000:01:00.0\"",
         "leases[0]: has a device that cannot be one"},
        {"\"devices\":[\"0000:01:00.0\"", "\"devices\":[\"01:00.0\"",
         "leases[0]: has a device that cannot be one"},
        {"\"devices\":[\"0000:01:00.0\"", "\"devices\":[null",
         "leases[0].devices: must be an array"},
        {"\"ids\":[{", "\"ids\":[{\"x\":1,", "leases[0].ids[0].x: is unknown"},
        {"\"iovas\":[{\"first\":0", "\"iovas\":[{\"first\":-1",
         "leases[0].iovas[0].first: must be a whole number below 2^64"},
        {"\"iovas\":[{", "\"iovas\":{", "byte "},
        {"\"driver\":\"e1000e\"", "\"driver\":null", "originals[0]: is incomplete"},
        {"\"device\":\"0000:02:00.0\"", "\"device\":\"0000:01:00.0\"",
         "originals[1]: is incomplete or out of order"},
        {"\"operation\":\"bind\"", "\"operation\":\"format\"",
         "plans[0].operation: is none of the"},
        {"\"groups\":[4,5]", "\"groups\":[5,4]", "plans[0]: has a device that cannot be one, or"},
        {"\"device\":\"0000:04:00.0\"", "\"device\":\"/etc\"",
         "plans[0]: has a device that cannot"},
        {"\"kind\":\"bind-vfio\"", "\"kind\":\"\"", "plans[0].steps[0].kind: is none of the"},
        {"\"signal\":7", "\"signal\":2147483648", "plans[0].steps[2].signal: must be a whole"},
        {"]}\n", "]}x", "byte "},
};

START_TEST(a_malformed_state_is_refused_whole_and_the_place_is_named) {
        _cleanup_free_ char *text = write_full();
        _cleanup_free_ char *changed = replaced(text, malformed[_i].from, malformed[_i].to);

        assert_refused_as(changed, -EBADMSG, malformed[_i].words);
}
END_TEST

START_TEST(what_a_newer_vfiod_has_written_is_told_from_what_is_broken) {
        assert_refused_as("{\"version\":2,\"whatever\":[]}", -EPROTONOSUPPORT,
                          "written by a newer vfiod than this one");
}
END_TEST

START_TEST(a_text_that_was_cut_off_anywhere_is_refused) {
        _cleanup_free_ char *text = write_full();

        /* Without the last newline it is whole. */
        for (size_t n = strlen(text) - 2; n > 0; n--) {
                text[n] = '\0';
                assert_refused_as(text, -EBADMSG, "byte ");
        }
        assert_refused_as("", -EBADMSG, "it is empty");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("state");

        tcase_add_test(tests, a_lease_comes_back_with_everything_that_was_known_of_it);
        tcase_add_test(tests,
                       only_devices_that_were_moved_have_an_original_and_none_differs_from_empty);
        tcase_add_test(tests, a_plan_comes_back_step_by_step);
        tcase_add_test(tests, what_is_read_and_written_again_is_the_same_text);
        tcase_add_test(tests, an_empty_machine_is_a_state_too);
        tcase_add_loop_test(tests, a_malformed_state_is_refused_whole_and_the_place_is_named, 0,
                            ELEMENTS(malformed));
        tcase_add_test(tests, what_a_newer_vfiod_has_written_is_told_from_what_is_broken);
        tcase_add_test(tests, a_text_that_was_cut_off_anywhere_is_refused);
        return tests_run(tests);
}
