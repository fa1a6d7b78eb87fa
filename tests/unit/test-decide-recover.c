/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/core/decide-recover.c: what is left to do about a plan that was broken off. Each plan here
 * comes from its decider, is carried out on the facts up to each of its steps, and is recovered
 * from there; and so is each recovery that is broken off itself.
 */

#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/decide-recover.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define PAIR_1 "0000:03:01.0"
#define PAIR_2 "0000:03:02.0"
#define CARD "0000:06:00.0"

typedef void (*InitWorld)(World *world);

static void init_host_pair(World *world) {
        static const DeviceRow rows[] = {
                {PAIR_2, 3, "e1000", .override = "e1000"},
        };

        world_init_lab(world);
        world_put(world, rows, ELEMENTS(rows));
}

static void init_bound_pair(World *world) {
        static const DeviceRow bound[] = {
                {PAIR_1, 3, "vfio-pci", .override = "vfio-pci", .original = "e1000"},
                {PAIR_2, 3, "vfio-pci", .override = "vfio-pci", .original = ""},
        };

        world_init_lab(world);
        world_put(world, bound, ELEMENTS(bound));
}

static void init_pair_of_others(World *world) {
        static const DeviceRow bound[] = {
                {PAIR_1, 3, "vfio-pci", .override = "vfio-pci", .modalias = "pci:v8086"},
                {PAIR_2, 3, "vfio-pci", .override = "vfio-pci", .original = "e1000"},
        };

        world_init_lab(world);
        world_put(world, bound, ELEMENTS(bound));
}

/* One is assigned, and waits for its driver. */
static void init_waiting_pair(World *world) {
        static const DeviceRow rows[] = {{PAIR_1, 3, .override = "vfio-pci"}};

        world_init_lab(world);
        world_put(world, rows, ELEMENTS(rows));
        world_assign(world, PAIR_1, "vfio-pci", "");
}

/* What the file would be. */
static void apply_assignments(World *world, const char *from, const char *to) {
        _cleanup_assignments_ Assignments old = {0}, fresh = {0};
        _cleanup_free_ char *error = NULL;

        if (from)
                ck_assert_int_eq(assignments_read(from, &old, &error), 0);
        if (to)
                ck_assert_int_eq(assignments_read(to, &fresh, &error), 0);
        for (size_t i = 0; i < old.n; i++)
                assignments_remove(&world->assignments, old.items[i].device);
        for (size_t i = 0; i < fresh.n; i++)
                ck_assert_int_eq(assignments_put(&world->assignments, &fresh.items[i]), 0);
}

/* What the kernel would make of the step, as far as recovery looks at it. */
static void apply(World *world, const Step *step) {
        Device *device = step->device ? topology_find_device(&world->topology, step->device) : NULL;

        if (step->kind == STEP_SET_OVERRIDE)
                ck_assert_int_eq(string_set(&device->facts.driver_override, step->override), 0);
        else if (step->kind == STEP_UNBIND_HOST || step->kind == STEP_UNBIND_VFIO)
                world_set_driver(world, step->device, NULL);
        else if (step->kind == STEP_BIND_VFIO)
                world_set_driver(world, step->device, step->driver);
        else if (step->kind == STEP_BIND_HOST)
                world_set_driver(world, step->device, step->driver ?: "found");
        else if (step->kind == STEP_ASSIGN || step->kind == STEP_UNASSIGN)
                apply_assignments(world, step->assignments_old, step->assignments);
}

static void apply_all(World *world, const Plan *plan, size_t n) {
        for (size_t i = 0; i < n && i < plan->n_steps; i++)
                apply(world, &plan->steps[i]);
}

/* Every device that is somewhere else than on nothing. Allocated. */
static char *render(const World *world) {
        char *text = assignments_names(&world->assignments);

        for (size_t i = 0; i < world->topology.n_devices; i++) {
                const DeviceFacts *facts = &world->topology.devices[i]->facts;

                ck_assert_int_ge(string_append(&text, "%s %s '%s'\n", facts->name,
                                               string_or_empty(facts->driver),
                                               string_or_empty(facts->driver_override)),
                                 0);
        }
        return text;
}

/* The groups of the plan, each once, as a job has them. */
static StatePlan begun_of(Operation operation, const Plan *plan, uint32_t *groups, size_t n) {
        return (StatePlan){.operation = operation, .groups = groups, .n_groups = n, .plan = *plan};
}

/* Recovers, and is broken off after `steps`. Returns how many there were. */
static size_t recover(World *world, const StatePlan *begun, size_t steps) {
        _cleanup_plan_ Plan plan = PLAN_NULL;

        ck_assert_int_eq(decide_recover(world, begun, &plan), 0);
        apply_all(world, &plan, steps);
        return plan.n_steps;
}

typedef struct Cell {
        const char *name;
        InitWorld init;
        Ask ask;
        bool goes_on; /* asked for is the end as soon as the first step is done */
} Cell;

static const Cell cells[] = {
        {"bind", init_host_pair, {OPERATION_BIND, "group/3"}, false},
        {"bind of two groups", init_host_pair, {OPERATION_BIND, "group/1 group/3"}, false},
        {"acquire", init_host_pair, {OPERATION_ACQUIRE, "group/3", .bind = true}, false},
        {"unbind", init_bound_pair, {OPERATION_UNBIND, "group/3"}, true},
        {"unbind of what others bound", init_pair_of_others, {OPERATION_UNBIND, "group/3"}, true},
        {"revoke",
         init_bound_pair,
         {OPERATION_UNBIND, "group/3", .policy = POLICY_REVOKE, .due = true},
         true},
        {"assign and bind", init_host_pair, {OPERATION_ASSIGN, "group/3", .bind = true}, false},
        {"unassign", init_waiting_pair, {OPERATION_UNASSIGN, "group/3"}, false},
};

/* With its last step it is done, and told: that stays. */
static bool is_done_when_over(Operation operation) {
        return operation == OPERATION_BIND || operation == OPERATION_ASSIGN ||
               operation == OPERATION_UNASSIGN;
}

/* The plan is broken off before step `at`, its recovery before step `again`. */
static size_t check_cell(const Cell *cell, size_t at, size_t again) {
        _cleanup_(answer_done) Answer answer;
        _cleanup_free_ char *found = NULL, *asked = NULL, *now = NULL;
        uint32_t groups[] = {1, 3};
        bool both = strstr(cell->ask.targets, "group/1") != NULL;
        StatePlan begun;
        size_t n;
        World world;

        cell->init(&world);
        ask_world(&world, &cell->ask, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ck_assert(plan_outlives_worker(&answer.plan));
        begun = begun_of(cell->ask.operation, &answer.plan, groups + !both, both ? 2 : 1);
        found = render(&world);
        apply_all(&world, &answer.plan, answer.plan.n_steps);
        asked = render(&world);
        world_done(&world);

        cell->init(&world);
        apply_all(&world, &answer.plan, at);
        n = recover(&world, &begun, again);
        (void)recover(&world, &begun, SIZE_MAX);
        ck_assert_uint_eq(recover(&world, &begun, SIZE_MAX), 0);
        now = render(&world);
        ck_assert_msg(strcmp(now, cell->goes_on ? asked : found) == 0 ||
                              (is_done_when_over(cell->ask.operation) &&
                               at >= answer.plan.n_steps && strcmp(now, asked) == 0),
                      "%s, broken off before step %zu, recovery before step %zu of %zu:\n%s"
                      "found:\n%sasked:\n%s",
                      cell->name, at, again, n, now, found, asked);
        world_done(&world);
        return at < answer.plan.n_steps ? n : SIZE_MAX;
}

START_TEST(wherever_a_plan_and_its_recovery_are_broken_off_all_devices_end_where_they_belong) {
        size_t n = 0;

        for (size_t at = 0; n != SIZE_MAX; at++) {
                n = check_cell(&cells[_i], at, SIZE_MAX);
                for (size_t again = 0; n != SIZE_MAX && again < n; again++)
                        (void)check_cell(&cells[_i], at, again);
        }
}
END_TEST

/* The recovery of what this asks of group 3, once `steps` of it were done. */
static void recover_ask(World *world, const Ask *ask, size_t steps, void (*meanwhile)(World *world),
                        Plan *ret) {
        _cleanup_(answer_done) Answer answer;
        uint32_t group = 3;
        StatePlan begun;

        ask_world(world, ask, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        apply_all(world, &answer.plan, steps);
        if (meanwhile)
                meanwhile(world);
        begun = begun_of(ask->operation, &answer.plan, &group, 1);
        ck_assert_int_eq(decide_recover(world, &begun, ret), 0);
}

static void assert_text(const Plan *plan, const char *lines) {
        _cleanup_strv_ char **described = plan_describe(plan);
        _cleanup_free_ char *text = strv_join(described, "\n");

        ck_assert_str_eq(text, lines);
}

START_TEST(what_is_on_a_vfio_driver_is_claimed_before_it_is_unbound) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        init_host_pair(&world);
        /* The module, two overrides, two steps of the first device, one of the second. */
        recover_ask(&world, &(Ask){OPERATION_BIND, "group/3"}, 6, NULL, &plan);
        assert_text(&plan, "claim group 3\n"
                           "unbind " PAIR_1 " from vfio-pci\n"
                           "clear driver_override of " PAIR_1 "\n"
                           "bind " PAIR_1 " to e1000\n"
                           "set driver_override of " PAIR_2 " to e1000\n"
                           "bind " PAIR_2 " to e1000");
        world_done(&world);
}
END_TEST

START_TEST(what_was_being_taken_from_its_holders_is_taken_from_them_again) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        init_bound_pair(&world);
        recover_ask(&world, &cells[5].ask, 0, NULL, &plan);
        ck_assert_int_eq(plan.steps[0].kind, STEP_FIND_HOLDERS);
        ck_assert_int_eq(plan.steps[1].kind, STEP_EVICT);
        ck_assert(plan.steps[1].and_group_files);
        world_done(&world);
}
END_TEST

static void choose_uio(World *world) {
        Device *device = topology_find_device(&world->topology, PAIR_1);

        world_set_driver(world, PAIR_1, "uio_pci_generic");
        ck_assert_int_eq(string_set(&device->facts.driver_override, "uio_pci_generic"), 0);
}

START_TEST(what_somebody_else_has_done_meanwhile_stays) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        init_host_pair(&world);
        recover_ask(&world, &(Ask){OPERATION_BIND, "group/3"}, 4, choose_uio, &plan);
        assert_text(&plan, "set driver_override of " PAIR_2 " to e1000");
        world_done(&world);
}
END_TEST

static void unplug(World *world) {
        ck_assert_int_eq(topology_remove_device(&world->topology, PAIR_1), TOPOLOGY_REMOVED);
        ck_assert_int_eq(topology_remove_device(&world->topology, PAIR_2), TOPOLOGY_REMOVED);
}

START_TEST(a_device_that_was_unplugged_meanwhile_is_left_out) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        init_host_pair(&world);
        recover_ask(&world, &(Ask){OPERATION_BIND, "group/3"}, 4, unplug, &plan);
        assert_text(&plan, "");
        world_done(&world);
}
END_TEST

static void init_card(World *world, size_t n_functions, bool autoprobe) {
        static const DeviceRow rows[] = {
                {"0000:06:10.0", 3, .physfn = CARD},
                {"0000:06:10.2", 4, .physfn = CARD},
        };
        static const DeviceRow card = {CARD, 2, "igb", .total_vfs = 7};

        world_init(world, &card, 1);
        world_put(world, rows, n_functions);
        topology_find_device(&world->topology, CARD)->facts.vfs_autoprobe = autoprobe;
}

START_TEST(virtual_functions_are_as_many_as_before_unless_all_were_made) {
        static const struct {
                size_t present;
                bool autoprobe;
                const char *lines;
        } rows[] = {
                {2, true, ""},
                {0, true, "make 2 virtual functions of " CARD},
                {0, false,
                 "set sriov_drivers_autoprobe of " CARD " to 1\n"
                 "make 2 virtual functions of " CARD},
                {1, false, ""},
        };
        _cleanup_(answer_done) Answer answer;
        _cleanup_plan_ Plan plan = PLAN_NULL;
        uint32_t groups[] = {2, 3, 4};
        StatePlan begun;
        World world;

        init_card(&world, 2, true);
        ask_world(&world,
                  &(Ask){OPERATION_SET_VFS, CARD " group/3 group/4", .n_vfs = 1, .recreate = true,
                         .autoprobe = "no"},
                  &answer);
        ck_assert_uint_eq(answer.plan.n_steps, 3);
        world_done(&world);
        begun = begun_of(OPERATION_SET_VFS, &answer.plan, groups, 3);
        init_card(&world, rows[_i].present, rows[_i].autoprobe);
        ck_assert_int_eq(decide_recover(&world, &begun, &plan), 0);
        assert_text(&plan, rows[_i].lines);
        world_done(&world);
}
END_TEST

START_TEST(how_a_device_is_reset_is_put_back) {
        static const DeviceRow chosen = {CARD, 2, "vfio-pci", .reset = "pm"};
        static const DeviceRow before = {CARD, 2, "vfio-pci", .reset = "flr pm"};
        _cleanup_(answer_done) Answer answer;
        _cleanup_plan_ Plan plan = PLAN_NULL, nothing = PLAN_NULL;
        uint32_t group = 2;
        StatePlan begun;
        World world;

        world_init(&world, &before, 1);
        ask_world(&world, &(Ask){OPERATION_RESET, CARD, .reset_method = "pm"}, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        begun = begun_of(OPERATION_RESET, &answer.plan, &group, 1);
        ck_assert_int_eq(decide_recover(&world, &begun, &nothing), 0);
        ck_assert_uint_eq(nothing.n_steps, 0);
        world_put(&world, &chosen, 1);
        ck_assert_int_eq(decide_recover(&world, &begun, &plan), 0);
        ck_assert_uint_eq(plan.n_steps, 1);
        ck_assert_int_eq(plan.steps[0].kind, STEP_SET_RESET_METHOD);
        ck_assert_str_eq(plan.steps[0].reset_method, "flr pm");
        world_done(&world);
}
END_TEST

START_TEST(what_goes_with_its_worker_is_not_written_down) {
        static const Ask asks[] = {
                {OPERATION_ACQUIRE, "group/3"},
                {OPERATION_INSPECT, PAIR_1},
        };
        World world;

        init_bound_pair(&world);
        for (size_t i = 0; i < ELEMENTS(asks); i++) {
                _cleanup_(answer_done) Answer answer;

                ask_world(&world, &asks[i], &answer);
                ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
                ck_assert(!plan_outlives_worker(&answer.plan));
        }
        world_done(&world);
}
END_TEST

/* A lease of groups 1 and 3, while a plan of that operation on group 3 was under way. */
static void expect_groups(Operation operation, const char *groups) {
        _cleanup_state_ State state = {.plans = calloc(1, sizeof(StatePlan)), .n_plans = 1};
        Lease *lease;
        World world;
        Step *step;
        char text[32] = "";

        world_init_lab(&world);
        lease = world_add_lease(&world, 0, LEASE_HELD, (uint32_t[]){1, 3, 0});
        ck_assert_int_eq(lease_add_device(lease, PAIR_1), 0);
        ck_assert_ptr_nonnull(state.plans);
        state.plans[0] = (StatePlan){.operation = operation,
                                     .lease = operation == OPERATION_UNBIND ? 0 : lease->id,
                                     .groups = malloc(sizeof(uint32_t)),
                                     .n_groups = 1};
        state.plans[0].groups[0] = 3;
        step = plan_append(&state.plans[0].plan, STEP_CLOSE_DEVICE, 3);
        ck_assert_int_eq(step_set_device(step, PAIR_1, "pci", NULL), 0);
        state.leases = world.leases;
        list_init(&state.leases.leases);
        list_remove(&lease->link);
        list_insert(&state.leases.leases, &lease->link);
        state_settle_leases(&state);
        for (size_t i = 0; i < lease->n_groups; i++)
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u ",
                               lease->groups[i]);
        ck_assert_str_eq(text, groups);
        ck_assert_int_eq(lease_has_device(lease, PAIR_1), strcmp(groups, "1 3 ") == 0);
        world_done(&world);
}

START_TEST(groups_that_were_joining_or_leaving_a_lease_are_not_in_it) {
        expect_groups(OPERATION_ADD, "1 ");
        expect_groups(OPERATION_REMOVE, "1 ");
        expect_groups(OPERATION_UNBIND, "1 ");
        expect_groups(OPERATION_RESET, "1 3 ");
}
END_TEST

int main(void) {
        TCase *tests = tests_new("decide-recover");

        tcase_add_loop_test(
                tests,
                wherever_a_plan_and_its_recovery_are_broken_off_all_devices_end_where_they_belong,
                0, ELEMENTS(cells));
        tcase_add_test(tests, what_is_on_a_vfio_driver_is_claimed_before_it_is_unbound);
        tcase_add_test(tests, what_was_being_taken_from_its_holders_is_taken_from_them_again);
        tcase_add_test(tests, what_somebody_else_has_done_meanwhile_stays);
        tcase_add_test(tests, a_device_that_was_unplugged_meanwhile_is_left_out);
        tcase_add_loop_test(tests, virtual_functions_are_as_many_as_before_unless_all_were_made, 0,
                            4);
        tcase_add_test(tests, how_a_device_is_reset_is_put_back);
        tcase_add_test(tests, what_goes_with_its_worker_is_not_written_down);
        tcase_add_test(tests, groups_that_were_joining_or_leaving_a_lease_are_not_in_it);
        return tests_run(tests);
}
