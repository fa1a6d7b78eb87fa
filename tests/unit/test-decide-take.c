/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/decide-take.c: groups taken back from those who hold them, and asked back; and that
 * nobody new is given a group that somebody waits for. */

#include <signal.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000
#define ASKER 1001

#define BUS "0000:01:00.0"
#define PAIR_1 "0000:03:01.0"
#define PAIR_2 "0000:03:02.0"

/* The way back of a device that had no driver. */
#define RETURN(device) "unbind " device " from vfio-pci\nclear driver_override of " device "\n"

static const Ask revoke_pair = {OPERATION_UNBIND, "group/3", .policy = POLICY_REVOKE, .due = true};
static const Ask revoke_both = {OPERATION_UNBIND, "group/1 group/3", .policy = POLICY_REVOKE,
                                .due = true};
/* What a group may still be busy for after its holders have ended. */
#define CLOSING_MS 5000

static const Ask wait_pair = {OPERATION_UNBIND, "group/3", .policy = POLICY_WAIT};

/* Group 1 has one device, group 3 two beside a bridge. */
static void init_world(World *world) {
        static const DeviceRow bound[] = {
                {BUS, 1, "vfio-pci", .override = "vfio-pci", .original = ""},
                {PAIR_1, 3, "vfio-pci", .override = "vfio-pci", .original = ""},
                {PAIR_2, 3, "vfio-pci", .override = "vfio-pci", .original = ""},
        };

        world_init_lab(world);
        world_put(world, bound, ELEMENTS(bound));
}

/* With its devices open. */
static Lease *add_lease(World *world, const uint32_t *groups) {
        Lease *lease = world_add_lease(world, OWNER, LEASE_HELD, groups);

        lease->prepare = PREPARE_ATTACH;
        for (size_t i = 0; i < lease->n_groups; i++) {
                const Group *group = topology_find_group(&world->topology, lease->groups[i]);

                for (size_t j = 0; j < group->n_members; j++)
                        if (group->members[j]->facts.vfio)
                                ck_assert_int_eq(
                                        lease_add_device(lease, group->members[j]->facts.name), 0);
        }
        return lease;
}

static void init_leased(World *world) {
        init_world(world);
        (void)add_lease(world, (uint32_t[]){3, 0});
}

/* Each row: what Unbind may not do to a group that is leased. */
START_TEST(a_leased_group_is_taken_only_when_it_is_due) {
        static const struct {
                UnbindPolicy policy;
                bool due;
        } rows[] = {
                {POLICY_FAIL, false},
                {POLICY_WAIT, false},
                {POLICY_REVOKE, false},
                /* Nobody sets these; they would be wrong all the same. */
                {POLICY_FAIL, true},
                {POLICY_WAIT, true},
        };
        World world;

        init_leased(&world);
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                assert_refused(&world,
                               &(Ask){OPERATION_UNBIND, "group/3", .policy = rows[i].policy,
                                      .due = rows[i].due},
                               REFUSAL_LEASED, "group 3 is leased to uid 1000");
        world_done(&world);
}
END_TEST

START_TEST(a_revocation_that_is_due_quiets_evicts_proves_and_resets_before_it_unbinds) {
        World world;

        init_leased(&world);
        assert_plan(&world, &revoke_pair,
                    "look who holds group 3\n"
                    "turn memory decode and bus mastering of " PAIR_1 " off\n"
                    "turn memory decode and bus mastering of " PAIR_2 " off\n"
                    "send SIGBUS to the holders of group 3 and give them 2000 ms\n"
                    "send SIGKILL to the holders of group 3 and give them 5000 ms\n"
                    "close device " PAIR_1 "\n"
                    "close device " PAIR_2 "\n"
                    "take group 3 out of the container\n"
                    "reset " PAIR_1 "\n"
                    "reset " PAIR_2 "\n"
                    "unbind " PAIR_1 " from vfio-pci\n"
                    "clear driver_override of " PAIR_1 "\n"
                    "unbind " PAIR_2 " from vfio-pci\n"
                    "clear driver_override of " PAIR_2);
        world_done(&world);
}
END_TEST

static const Step *find_step(const Plan *plan, StepKind kind, size_t nth) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].kind == kind && nth-- == 0)
                        return &plan->steps[i];
        return NULL;
}

/* A lease's group file is ours too and ends with it; of a group that nobody leased it is what keeps
 * us from the claim. */
START_TEST(only_the_last_signal_must_succeed_and_group_files_count_without_a_lease) {
        _cleanup_(answer_done) Answer answer;
        World world;

        init_leased(&world);
        ask_world(&world, &revoke_both, &answer);
        for (size_t i = 0; i < 4; i++) {
                const Step *step = find_step(&answer.plan, STEP_EVICT, i);

                ck_assert_ptr_nonnull(step);
                ck_assert_int_eq(step->signal, i % 2 == 0 ? SIGBUS : SIGKILL);
                ck_assert(step->optional == (i % 2 == 0));
                ck_assert_uint_eq(step->grace_ms, i % 2 == 0 ? 2000 : 5000);
                ck_assert(step->and_group_files == (i >= 2));
                ck_assert_uint_eq(step->n_groups, 1);
                ck_assert_uint_eq(step->groups[0], i < 2 ? 3 : 1);
        }
        ck_assert_ptr_null(find_step(&answer.plan, STEP_EVICT, 4));
        ck_assert_uint_eq(plan_grace_ms(&answer.plan), 2 * 7000 + 2 * CLOSING_MS);
        world_done(&world);
}
END_TEST

START_TEST(without_sigkill_sigbus_is_the_last_word) {
        _cleanup_(answer_done) Answer answer;
        World world;

        init_leased(&world);
        world.config.sigkill = false;
        world.config.sigbus_grace_ms = 300;
        ask_world(&world, &revoke_pair, &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ck_assert_int_eq(find_step(&answer.plan, STEP_EVICT, 0)->signal, SIGBUS);
        ck_assert(!find_step(&answer.plan, STEP_EVICT, 0)->optional);
        ck_assert_ptr_null(find_step(&answer.plan, STEP_EVICT, 1));
        ck_assert_uint_eq(plan_grace_ms(&answer.plan), 300 + CLOSING_MS);
        world_done(&world);
}
END_TEST

START_TEST(a_device_that_the_holder_opened_itself_is_opened_to_be_quieted_if_it_can_be) {
        _cleanup_(answer_done) Answer answer;
        Lease *lease;
        World world;

        init_world(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){1, 0});
        lease->prepare = PREPARE_OPEN;
        assert_plan(&world, &(Ask){OPERATION_UNBIND, BUS, .policy = POLICY_REVOKE, .due = true},
                    "look who holds group 1\n"
                    "open device " BUS " of group 1\n"
                    "turn memory decode and bus mastering of " BUS " off\n"
                    "send SIGBUS to the holders of group 1 and give them 2000 ms\n"
                    "send SIGKILL to the holders of group 1 and give them 5000 ms\n"
                    "close device " BUS "\n"
                    "take group 1 out of the container\n"
                    "reset " BUS "\n"
                    "unbind " BUS " from vfio-pci\n"
                    "clear driver_override of " BUS);
        ask_world(&world, &(Ask){OPERATION_UNBIND, BUS, .policy = POLICY_REVOKE, .due = true},
                  &answer);
        ck_assert(find_step(&answer.plan, STEP_GET_DEVICE, 0)->optional);
        ck_assert(find_step(&answer.plan, STEP_CLOSE_DEVICE, 0)->optional);
        world_done(&world);
}
END_TEST

START_TEST(a_device_of_ours_must_come_back_when_its_close_is_undone) {
        _cleanup_(answer_done) Answer answer;
        World world;

        init_leased(&world);
        ask_world(&world, &revoke_pair, &answer);
        ck_assert(!find_step(&answer.plan, STEP_CLOSE_DEVICE, 0)->optional);
        ck_assert(!find_step(&answer.plan, STEP_CLOSE_DEVICE, 1)->optional);
        world_done(&world);
}
END_TEST

START_TEST(a_group_that_nobody_leased_is_claimed_when_its_holders_are_gone) {
        World world;

        init_world(&world);
        assert_plan(&world, &(Ask){OPERATION_UNBIND, BUS, .policy = POLICY_REVOKE, .due = true},
                    "look who holds group 1\n"
                    "send SIGBUS to the holders of group 1 and give them 2000 ms\n"
                    "send SIGKILL to the holders of group 1 and give them 5000 ms\n"
                    "claim group 1\n"
                    "unbind " BUS " from vfio-pci\n"
                    "clear driver_override of " BUS);
        world_done(&world);
}
END_TEST

START_TEST(of_a_mixed_selection_each_group_is_taken_in_its_own_way) {
        World world;

        init_leased(&world);
        assert_plan(&world, &revoke_both,
                    "look who holds groups 1, 3\n"
                    "turn memory decode and bus mastering of " PAIR_1 " off\n"
                    "turn memory decode and bus mastering of " PAIR_2 " off\n"
                    "send SIGBUS to the holders of group 3 and give them 2000 ms\n"
                    "send SIGKILL to the holders of group 3 and give them 5000 ms\n"
                    "send SIGBUS to the holders of group 1 and give them 2000 ms\n"
                    "send SIGKILL to the holders of group 1 and give them 5000 ms\n"
                    "claim group 1\n"
                    "close device " PAIR_1 "\n"
                    "close device " PAIR_2 "\n"
                    "take group 3 out of the container\n"
                    "reset " PAIR_1 "\n"
                    "reset " PAIR_2 "\n" RETURN(BUS)
                            RETURN(PAIR_1) "unbind " PAIR_2 " from vfio-pci\n"
                                           "clear driver_override of " PAIR_2);
        world_done(&world);
}
END_TEST

START_TEST(groups_of_one_lease_are_evicted_together_and_all_taken_before_the_first_is_unbound) {
        World world;

        init_world(&world);
        (void)add_lease(&world, (uint32_t[]){1, 3, 0});
        world_set_driver(&world, PAIR_2, NULL);
        assert_plan(&world, &revoke_both,
                    "look who holds groups 1, 3\n"
                    "turn memory decode and bus mastering of " BUS " off\n"
                    "turn memory decode and bus mastering of " PAIR_1 " off\n"
                    "send SIGBUS to the holders of groups 1, 3 and give them 2000 ms\n"
                    "send SIGKILL to the holders of groups 1, 3 and give them 5000 ms\n"
                    "close device " BUS "\n"
                    "take group 1 out of the container\n"
                    "reset " BUS "\n"
                    "close device " PAIR_1 "\n"
                    "take group 3 out of the container\n"
                    "reset " PAIR_1 "\n" RETURN(BUS) "unbind " PAIR_1 " from vfio-pci\n"
                                                     "clear driver_override of " PAIR_1);
        world_done(&world);
}
END_TEST

/* Nobody is signalled: it was given back. */
START_TEST(what_was_let_go_of_is_taken_without_force) {
        static const char plan[] =
                "close device " PAIR_1 "\n"
                "close device " PAIR_2 "\n"
                "take group 3 out of the container\n"
                "reset " PAIR_1 "\n"
                "reset " PAIR_2 "\n" RETURN(PAIR_1) "unbind " PAIR_2 " from vfio-pci\n"
                                                    "clear driver_override of " PAIR_2;
        World world;
        Wait *wait;

        init_leased(&world);
        wait = world_add_wait(&world, ASKER, (uint32_t[]){3, 0});
        assert_refused(&world, &wait_pair, REFUSAL_LEASED, "leased to uid 1000");
        wait_vacate(wait, 3);
        assert_plan(&world, &wait_pair, plan);
        assert_plan(&world, &(Ask){OPERATION_UNBIND, "group/3", .policy = POLICY_REVOKE}, plan);
        assert_refused(&world, &(Ask){OPERATION_UNBIND, "group/3"}, REFUSAL_LEASED, "group 3");
        world_done(&world);
}
END_TEST

START_TEST(a_group_that_was_let_go_of_does_not_take_another_along) {
        World world;

        init_world(&world);
        (void)add_lease(&world, (uint32_t[]){1, 3, 0});
        wait_vacate(world_add_wait(&world, ASKER, (uint32_t[]){1, 3, 0}), 3);
        assert_refused(&world, &(Ask){OPERATION_UNBIND, "group/1 group/3", .policy = POLICY_WAIT},
                       REFUSAL_LEASED, "group 1");
        world_done(&world);
}
END_TEST

/* It drains: what somebody still has of it keeps us from the claim, as without a lease. */
START_TEST(a_lease_whose_files_are_closed_is_as_good_as_none) {
        World world;
        Lease *lease;

        init_world(&world);
        lease = add_lease(&world, (uint32_t[]){1, 0});
        ck_assert_int_eq(lease_enter(lease, LEASE_EVENT_GIVEN_BACK), 0);
        lease->closed = true;
        assert_refused(&world, &(Ask){OPERATION_UNBIND, BUS, .policy = POLICY_REVOKE},
                       REFUSAL_LEASED, "was given back by uid 1000");
        assert_plan(&world, &(Ask){OPERATION_UNBIND, BUS, .policy = POLICY_REVOKE, .due = true},
                    "look who holds group 1\n"
                    "send SIGBUS to the holders of group 1 and give them 2000 ms\n"
                    "send SIGKILL to the holders of group 1 and give them 5000 ms\n"
                    "claim group 1\n"
                    "unbind " BUS " from vfio-pci\n"
                    "clear driver_override of " BUS);
        world_done(&world);
}
END_TEST

START_TEST(a_draining_lease_that_has_its_files_is_taken_through_them) {
        _cleanup_(answer_done) Answer answer;
        World world;
        Lease *lease;

        init_world(&world);
        lease = add_lease(&world, (uint32_t[]){1, 0});
        ck_assert_int_eq(lease_enter(lease, LEASE_EVENT_GIVEN_BACK), 0);
        ask_world(&world, &(Ask){OPERATION_UNBIND, BUS, .policy = POLICY_REVOKE, .due = true},
                  &answer);
        ck_assert_int_eq(answer.refusal.kind, REFUSAL_NONE);
        ck_assert_ptr_nonnull(find_step(&answer.plan, STEP_UNSET_CONTAINER, 0));
        ck_assert_ptr_null(find_step(&answer.plan, STEP_CLAIM_GROUP, 0));
        ck_assert(!find_step(&answer.plan, STEP_EVICT, 0)->and_group_files);
        world_done(&world);
}
END_TEST

START_TEST(a_revocation_of_what_is_on_no_vfio_driver_has_nothing_to_do) {
        World world;

        init_world(&world);
        assert_plan(&world,
                    &(Ask){OPERATION_UNBIND, "group/9", .policy = POLICY_REVOKE, .due = true}, "");
        world_done(&world);
}
END_TEST

START_TEST(a_lease_that_is_granted_or_worked_on_is_busy_even_when_it_is_due) {
        World world;
        Lease *lease;

        init_world(&world);
        lease = world_add_lease(&world, OWNER, LEASE_GRANTING, (uint32_t[]){3, 0});
        (void)world_add_activity(&world, OWNER, OPERATION_ACQUIRE, (uint32_t[]){3, 0});
        assert_refused(&world, &revoke_pair, REFUSAL_BUSY, "acquire for uid 1000 is under way");
        ck_assert_int_eq(lease_enter(lease, LEASE_EVENT_GRANTED), 0);
        assert_refused(&world, &revoke_pair, REFUSAL_BUSY, "acquire for uid 1000 is under way");
        world_done(&world);
}
END_TEST

/* Each row: who is kept from a group that somebody waits for, and who is not. */
START_TEST(nobody_new_is_given_a_group_that_somebody_waits_for) {
        const struct {
                Ask ask;
                bool busy;
        } rows[] = {
                {{OPERATION_ACQUIRE, "group/3", OWNER}, true},
                {{OPERATION_ACQUIRE, "group/3 group/4", ASKER}, true},
                {{OPERATION_ADD, "group/3", OWNER, .lease = 1}, true},
                {{OPERATION_BIND, "group/3"}, true},
                {{OPERATION_ACQUIRE, "group/4", OWNER, .bind = true}, false},
                {{OPERATION_BIND, "group/2"}, false},
                {{OPERATION_UNBIND, "group/3"}, false},
                {wait_pair, false},
                {revoke_pair, false},
        };
        World world;

        init_world(&world);
        (void)add_lease(&world, (uint32_t[]){1, 0});
        (void)world_add_wait(&world, ASKER, (uint32_t[]){3, 0});
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_(answer_done) Answer answer;

                if (rows[i].busy)
                        assert_refused(&world, &rows[i].ask, REFUSAL_BUSY,
                                       "group 3 is about to be unbound: uid 1001 waits for its "
                                       "holders to let go");
                ask_world(&world, &rows[i].ask, &answer);
                ck_assert_msg((answer.refusal.kind == REFUSAL_NONE) == !rows[i].busy, "row %zu: %s",
                              i, string_or_empty(answer.refusal.sentence));
        }
        world_done(&world);
}
END_TEST

START_TEST(the_holder_may_remove_from_its_lease_what_somebody_waits_for) {
        World world;

        init_world(&world);
        (void)add_lease(&world, (uint32_t[]){1, 3, 0});
        (void)world_add_wait(&world, ASKER, (uint32_t[]){1, 0});
        assert_plan(&world, &(Ask){OPERATION_REMOVE, "group/1", OWNER, .lease = 1},
                    "close device " BUS "\n"
                    "take group 1 out of the container");
        world_done(&world);
}
END_TEST

static void assert_asks(const World *world, const uint32_t *groups, size_t n, const char *lines) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        _cleanup_strv_ char **steps = NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(plan_ask(world, groups, n, &plan), 0);
        for (size_t i = 0; i < plan.n_steps; i++)
                ck_assert(plan.steps[i].optional == (plan.steps[i].kind == STEP_GET_DEVICE));
        steps = plan_describe(&plan);
        text = strv_join(steps, "\n");
        ck_assert_str_eq(text, lines);
}

START_TEST(holders_of_leased_devices_are_asked_by_interrupt) {
        static const uint32_t groups[] = {1, 3, 4, 77};
        World world;

        init_world(&world);
        assert_asks(&world, groups, ELEMENTS(groups), "");
        (void)add_lease(&world, (uint32_t[]){3, 0});
        assert_asks(&world, groups, ELEMENTS(groups),
                    "ask the holder of " PAIR_1 " for it by interrupt\n"
                    "ask the holder of " PAIR_2 " for it by interrupt");
        assert_asks(&world, groups, 1, "");
        world_done(&world);
}
END_TEST

/* The job that runs the plan is lent the files of the groups that its steps name. */
START_TEST(an_interrupt_names_the_group_whose_files_it_needs) {
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        init_leased(&world);
        ck_assert_int_eq(plan_ask(&world, (uint32_t[]){3}, 1, &plan), 0);
        ck_assert_uint_eq(plan.n_steps, 2);
        ck_assert_uint_eq(plan.steps[1].n_groups, 1);
        ck_assert_uint_eq(plan.steps[1].groups[0], 3);
        world_done(&world);
}
END_TEST

START_TEST(a_device_that_the_holder_opened_itself_is_opened_to_ask_for_it) {
        World world;
        Lease *lease;

        init_world(&world);
        lease = world_add_lease(&world, OWNER, LEASE_HELD, (uint32_t[]){1, 0});
        assert_asks(&world, (uint32_t[]){1}, 1,
                    "open device " BUS " of group 1\n"
                    "ask the holder of " BUS " for it by interrupt\n"
                    "close device " BUS);
        ck_assert_int_eq(lease_enter(lease, LEASE_EVENT_GIVEN_BACK), 0);
        lease->closed = true;
        assert_asks(&world, (uint32_t[]){1}, 1, "");
        world_done(&world);
}
END_TEST

static void set_iommufd(Lease *lease, Prepare prepare) {
        lease->mode = MODE_IOMMUFD;
        lease->prepare = prepare;
        lease->iommufd.ioas = prepare == PREPARE_ATTACH ? 5 : 0;
}

/* Of group 3 one cdev was given away. */
static void init_half_leased(World *world) {
        Lease *lease;

        init_world(world);
        lease = world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){3, 0});
        ck_assert_int_eq(lease_add_device(lease, PAIR_2), 0);
        set_iommufd(lease, PREPARE_OPEN);
}

#define SIGNALS_3                                                                                  \
        "send SIGBUS to the holders of group 3 and give them 2000 ms\n"                            \
        "send SIGKILL to the holders of group 3 and give them 5000 ms\n"
#define QUIESCE_3                                                                                  \
        "look who holds group 3\n"                                                                 \
        "turn memory decode and bus mastering of " PAIR_1 " off\n"                                 \
        "turn memory decode and bus mastering of " PAIR_2 " off\n"
#define DETACH_3                                                                                   \
        "detach " PAIR_1 " from its IOAS\n"                                                        \
        "detach " PAIR_2 " from its IOAS\n"
#define SEAL_3                                                                                     \
        "make cdev " PAIR_1 " useless to others\n"                                                 \
        "make cdev " PAIR_2 " useless to others\n"
#define CLOSE_3                                                                                    \
        "close cdev " PAIR_1 "\n"                                                                  \
        "close cdev " PAIR_2 "\n"                                                                  \
        "claim group 3\n"                                                                          \
        "reset " PAIR_1 "\n"                                                                       \
        "reset " PAIR_2 "\n" RETURN(PAIR_1) "unbind " PAIR_2 " from vfio-pci\n"                    \
                                            "clear driver_override of " PAIR_2
#define NOBODY_3 "see that nobody holds group 3\n"
#define SIGBUS_3 "send SIGBUS to the holders of group 3 and give them 2000 ms\n"

/* Each row: cdevs are detached where that can be taken back, or else where there is a SIGKILL to
 * follow; and sealed where their receiver may have left them unbound. */
START_TEST(cdevs_are_quieted_detached_proved_to_be_free_and_closed) {
        static const struct {
                Prepare prepare;
                bool sigkill;
                const char *plan;
        } rows[] = {
                {PREPARE_ATTACH, true, QUIESCE_3 DETACH_3 SIGNALS_3 NOBODY_3 CLOSE_3},
                {PREPARE_ATTACH, false, QUIESCE_3 DETACH_3 SIGBUS_3 NOBODY_3 CLOSE_3},
                {PREPARE_BIND, true, QUIESCE_3 DETACH_3 SIGNALS_3 NOBODY_3 CLOSE_3},
                {PREPARE_BIND, false, QUIESCE_3 SIGBUS_3 NOBODY_3 CLOSE_3},
                {PREPARE_OPEN, true, QUIESCE_3 DETACH_3 SIGNALS_3 NOBODY_3 SEAL_3 CLOSE_3},
                {PREPARE_OPEN, false, QUIESCE_3 SIGBUS_3 NOBODY_3 SEAL_3 CLOSE_3},
        };
        World world;
        Lease *lease;

        init_world(&world);
        lease = add_lease(&world, (uint32_t[]){3, 0});
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_(answer_done) Answer answer;
                const Step *detach;

                set_iommufd(lease, rows[i].prepare);
                world.config.sigkill = rows[i].sigkill;
                assert_plan(&world, &revoke_pair, rows[i].plan);
                ask_world(&world, &revoke_pair, &answer);
                detach = find_step(&answer.plan, STEP_DETACH_CDEV, 1);
                ck_assert(!detach || detach->ioas == lease->iommufd.ioas);
                ck_assert_uint_eq(find_step(&answer.plan, STEP_CLAIM_GROUP, 0)->grace_ms,
                                  CLOSING_MS);
        }
        world_done(&world);
}
END_TEST

START_TEST(cdevs_that_were_let_go_of_are_taken_without_force) {
        World world;
        Lease *lease;
        Wait *wait;

        init_world(&world);
        lease = add_lease(&world, (uint32_t[]){3, 0});
        set_iommufd(lease, PREPARE_ATTACH);
        wait = world_add_wait(&world, ASKER, (uint32_t[]){3, 0});
        assert_refused(&world, &wait_pair, REFUSAL_LEASED, "leased to uid 1000");
        wait_vacate(wait, 3);
        assert_plan(&world, &wait_pair, NOBODY_3 CLOSE_3);
        set_iommufd(lease, PREPARE_OPEN);
        assert_plan(&world, &wait_pair, NOBODY_3 SEAL_3 CLOSE_3);
        world_done(&world);
}
END_TEST

/* Who has the other device of the group is told by looking, and by the claim. */
START_TEST(of_a_pair_only_the_cdev_that_we_gave_away_is_quieted_and_closed) {
        World world;

        init_half_leased(&world);
        assert_plan(&world, &revoke_pair,
                    "look who holds group 3\n"
                    "turn memory decode and bus mastering of " PAIR_2 " off\n"
                    "detach " PAIR_2 " from its IOAS\n" SIGNALS_3 NOBODY_3 "make cdev " PAIR_2
                    " useless to others\n"
                    "close cdev " PAIR_2 "\n"
                    "claim group 3\n"
                    "reset " PAIR_1 "\n"
                    "reset " PAIR_2 "\n" RETURN(PAIR_1) "unbind " PAIR_2 " from vfio-pci\n"
                                                        "clear driver_override of " PAIR_2);
        world_done(&world);
}
END_TEST

START_TEST(an_iommufd_lease_whose_files_are_closed_is_claimed_when_nobody_is_seen) {
        World world;
        Lease *lease;

        init_world(&world);
        world_set_cdev(&world, PAIR_1, "vfio1");
        lease = add_lease(&world, (uint32_t[]){3, 0});
        set_iommufd(lease, PREPARE_ATTACH);
        ck_assert_int_eq(lease_enter(lease, LEASE_EVENT_GIVEN_BACK), 0);
        lease->closed = true;
        assert_plan(&world, &revoke_pair,
                    "look who holds group 3\n" SIGNALS_3 NOBODY_3
                    "claim group 3\n" RETURN(PAIR_1) "unbind " PAIR_2 " from vfio-pci\n"
                                                     "clear driver_override of " PAIR_2);
        world_done(&world);
}
END_TEST

START_TEST(a_group_and_an_iommufd_lease_are_taken_each_in_its_own_way) {
        World world;

        init_world(&world);
        world_set_driver(&world, PAIR_2, NULL);
        (void)add_lease(&world, (uint32_t[]){1, 0});
        set_iommufd(add_lease(&world, (uint32_t[]){3, 0}), PREPARE_ATTACH);
        assert_plan(&world, &revoke_both,
                    "look who holds groups 1, 3\n"
                    "turn memory decode and bus mastering of " BUS " off\n"
                    "turn memory decode and bus mastering of " PAIR_1 " off\n"
                    "detach " PAIR_1 " from its IOAS\n"
                    "send SIGBUS to the holders of groups 1, 3 and give them 2000 ms\n"
                    "send SIGKILL to the holders of groups 1, 3 and give them 5000 ms\n"
                    "close device " BUS "\n"
                    "take group 1 out of the container\n"
                    "reset " BUS "\n" NOBODY_3 "close cdev " PAIR_1 "\n"
                    "claim group 3\n"
                    "reset " PAIR_1 "\n" RETURN(BUS) "unbind " PAIR_1 " from vfio-pci\n"
                                                     "clear driver_override of " PAIR_1);
        world_done(&world);
}
END_TEST

START_TEST(holders_of_cdevs_are_asked_by_interrupt_through_ours_alone) {
        World world;

        init_half_leased(&world);
        assert_asks(&world, (uint32_t[]){3}, 1, "ask the holder of " PAIR_2 " for it by interrupt");
        world_done(&world);
}
END_TEST

/* What our files of a lease that ends are sealed with, before they are closed. */
START_TEST(only_cdevs_that_we_did_not_bind_are_sealed) {
        static const struct {
                Mode mode;
                Prepare prepare;
                size_t steps;
        } rows[] = {{MODE_IOMMUFD, PREPARE_OPEN, 2},
                    {MODE_IOMMUFD, PREPARE_BIND, 0},
                    {MODE_IOMMUFD, PREPARE_ATTACH, 0},
                    {MODE_GROUP, PREPARE_OPEN, 0}};
        World world;
        Lease *lease;

        init_world(&world);
        lease = add_lease(&world, (uint32_t[]){3, 0});
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_plan_ Plan plan = PLAN_NULL;

                lease->mode = rows[i].mode;
                lease->prepare = rows[i].prepare;
                ck_assert_int_eq(
                        plan_seal_cdevs(lease, topology_find_group(&world.topology, 3), &plan), 0);
                ck_assert_uint_eq(plan.n_steps, rows[i].steps);
        }
        world_done(&world);
}
END_TEST

static void add_cdev_tests(TCase *tests) {
        tcase_add_test(tests, cdevs_are_quieted_detached_proved_to_be_free_and_closed);
        tcase_add_test(tests, cdevs_that_were_let_go_of_are_taken_without_force);
        tcase_add_test(tests, of_a_pair_only_the_cdev_that_we_gave_away_is_quieted_and_closed);
        tcase_add_test(tests,
                       an_iommufd_lease_whose_files_are_closed_is_claimed_when_nobody_is_seen);
        tcase_add_test(tests, a_group_and_an_iommufd_lease_are_taken_each_in_its_own_way);
        tcase_add_test(tests, holders_of_cdevs_are_asked_by_interrupt_through_ours_alone);
        tcase_add_test(tests, only_cdevs_that_we_did_not_bind_are_sealed);
}

static void add_take_tests(TCase *tests) {
        tcase_add_test(tests, a_leased_group_is_taken_only_when_it_is_due);
        tcase_add_test(tests,
                       a_revocation_that_is_due_quiets_evicts_proves_and_resets_before_it_unbinds);
        tcase_add_test(tests,
                       only_the_last_signal_must_succeed_and_group_files_count_without_a_lease);
        tcase_add_test(tests, without_sigkill_sigbus_is_the_last_word);
        tcase_add_test(tests,
                       a_device_that_the_holder_opened_itself_is_opened_to_be_quieted_if_it_can_be);
        tcase_add_test(tests, a_device_of_ours_must_come_back_when_its_close_is_undone);
        tcase_add_test(tests, a_group_that_nobody_leased_is_claimed_when_its_holders_are_gone);
        tcase_add_test(tests, of_a_mixed_selection_each_group_is_taken_in_its_own_way);
        tcase_add_test(
                tests,
                groups_of_one_lease_are_evicted_together_and_all_taken_before_the_first_is_unbound);
        tcase_add_test(tests, what_was_let_go_of_is_taken_without_force);
        tcase_add_test(tests, a_group_that_was_let_go_of_does_not_take_another_along);
        tcase_add_test(tests, a_lease_whose_files_are_closed_is_as_good_as_none);
        tcase_add_test(tests, a_draining_lease_that_has_its_files_is_taken_through_them);
        tcase_add_test(tests, a_revocation_of_what_is_on_no_vfio_driver_has_nothing_to_do);
        tcase_add_test(tests, a_lease_that_is_granted_or_worked_on_is_busy_even_when_it_is_due);
}

int main(void) {
        TCase *tests = tests_new("decide-take");

        add_take_tests(tests);
        add_cdev_tests(tests);
        tcase_add_test(tests, nobody_new_is_given_a_group_that_somebody_waits_for);
        tcase_add_test(tests, the_holder_may_remove_from_its_lease_what_somebody_waits_for);
        tcase_add_test(tests, holders_of_leased_devices_are_asked_by_interrupt);
        tcase_add_test(tests, an_interrupt_names_the_group_whose_files_it_needs);
        tcase_add_test(tests, a_device_that_the_holder_opened_itself_is_opened_to_ask_for_it);
        return tests_run(tests);
}
