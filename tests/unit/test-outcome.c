/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/outcome.h: what an errno of a step means to the caller. */

#include "daemon/broker/outcome.h"

#include <errno.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define NIC "0000:03:01.0"

#define UNSEEN                                                                                     \
        "group 3 is held by a process that cannot be found: a file of it may be on its way "       \
        "through a socket, or registered with io_uring; it will be usable when that is closed"

#define WITHOUT_RAWIO                                                                              \
        "group 3 has no IOMMU, and the kernel opens it only with CAP_SYS_RAWIO, which "            \
        "vfiod.service does not have; an administrator gives it that by the drop-in "              \
        "vfiod-noiommu.conf (see vfiod(8)) and 'systemctl restart vfiod'"

static const struct {
        StepKind kind;
        uint32_t group;
        const char *device;
        int error;
        RefusalKind refusal;
        const char *sentence;
        bool due;
        bool remove; /* not Unbind */
        bool leased;
        bool group_file; /* and no device, is what the holder has */
        bool no_iommu;
} rows[] = {
        {STEP_OPEN_GROUP, 3, NULL, -EBUSY, REFUSAL_HELD_OUTSIDE,
         "group 3 is open in a process that has no lease of it; find it with 'vfioctl holders "
         "group/3' "
         "and stop it"},
        {STEP_CLAIM_GROUP, 3, NULL, -EBUSY, REFUSAL_HELD_OUTSIDE,
         "group 3 is open in a process that has no lease of it; find it with 'vfioctl holders "
         "group/3' "
         "and stop it"},
        {STEP_OPEN_GROUP, 3, NULL, -EPERM, REFUSAL_NOT_VIABLE,
         "the kernel says that group 3 is not viable; see 'vfioctl explain group/3'"},
        {STEP_SET_CONTAINER, 3, NULL, -EPERM, REFUSAL_NOT_VIABLE,
         "the kernel says that group 3 is not viable; see 'vfioctl explain group/3'"},
        {STEP_OPEN_GROUP, 3, NULL, -ENOENT, REFUSAL_NONE,
         "open group 3: No such file or directory"},
        {STEP_SET_CONTAINER, 3, NULL, -EBUSY, REFUSAL_NONE,
         "put group 3 into the container: Device or resource busy"},
        {STEP_UNSET_CONTAINER, 3, NULL, -EBUSY, REFUSAL_IN_USE,
         "a device of group 3 is still open in its holder; close it first"},
        {STEP_UNSET_CONTAINER, 3, NULL, -EINVAL, REFUSAL_NONE,
         "take group 3 out of the container: Invalid argument"},
        {STEP_UNSET_CONTAINER, 3, NULL, -EBUSY, REFUSAL_STUCK, UNSEEN, .due = true},
        {STEP_UNSET_CONTAINER, 3, NULL, -EINVAL, REFUSAL_NONE,
         "take group 3 out of the container: Invalid argument", .due = true},
        {STEP_CLAIM_GROUP, 3, NULL, -EBUSY, REFUSAL_STUCK, UNSEEN, .due = true},
        {STEP_CLAIM_GROUP, 3, NULL, -EPERM, REFUSAL_NOT_VIABLE,
         "the kernel says that group 3 is not viable; see 'vfioctl explain group/3'", .due = true},
        {STEP_CLAIM_GROUP, 77, NULL, -EBUSY, REFUSAL_DEVICE_GONE,
         "group 77 was unplugged meanwhile", .due = true},
        {STEP_EVICT, 0, NULL, -EBUSY, REFUSAL_STILL_HELD,
         "the holders have not let go, whatever they were sent: held by pid 812 (qemu, uid 1001): "
         "device 0000:03:01.0",
         .due = true},
        {STEP_EVICT, 0, NULL, -EACCES, REFUSAL_NONE,
         "send SIGBUS to the holders of groups and give them 0 ms: Permission denied", .due = true},
        {STEP_EVICT, 0, NULL, -ECANCELED, REFUSAL_NONE,
         "send SIGBUS to the holders of groups and give them 0 ms: called off", .due = true},
        {STEP_FIND_HOLDERS, 0, NULL, -EACCES, REFUSAL_NONE,
         "look who holds groups: Permission denied", .due = true},
        {STEP_EXPECT_NOBODY, 3, NULL, -EBUSY, REFUSAL_HELD_OUTSIDE,
         "a device of group 3 is open in a process that has no lease of it"},
        {STEP_EXPECT_NOBODY, 3, NULL, -EBUSY, REFUSAL_HELD_OUTSIDE,
         "group 3 is open in a process that has no lease of it", .group_file = true},
        {STEP_EXPECT_NOBODY, 3, NULL, -EBUSY, REFUSAL_IN_USE, "a device of group 3 is still open",
         .leased = true},
        {STEP_EXPECT_NOBODY, 3, NULL, -EBUSY, REFUSAL_IN_USE,
         "a device of group 3 is still open: held by pid 812 (qemu, uid 1001): device "
         "0000:03:01.0",
         .remove = true, .leased = true},
        {STEP_EXPECT_NOBODY, 3, NULL, -EACCES, REFUSAL_NONE,
         "see that nobody holds groups: Permission denied"},
        {STEP_TEST_GROUP, 3, NULL, -EBUSY, REFUSAL_HELD_OUTSIDE,
         "group 3 is open in a process that has no lease of it; find it with 'vfioctl holders "
         "group/3' and stop it"},
        {STEP_TEST_GROUP, 3, NULL, -EBUSY, REFUSAL_IN_USE,
         "a device of group 3 is still open in its holder; close it first", .remove = true,
         .leased = true},
        {STEP_OPEN_GROUP, 3, NULL, -EPERM, REFUSAL_UNSUPPORTED, WITHOUT_RAWIO, .no_iommu = true},
        {STEP_CLAIM_GROUP, 3, NULL, -EPERM, REFUSAL_UNSUPPORTED, WITHOUT_RAWIO, .no_iommu = true},
        {STEP_TEST_GROUP, 3, NULL, -EPERM, REFUSAL_UNSUPPORTED, WITHOUT_RAWIO, .no_iommu = true},
        {STEP_SET_IOMMU, 3, NULL, -EPERM, REFUSAL_NONE,
         "set the container's IOMMU to NOIOMMU: Operation not permitted", .no_iommu = true},
        {STEP_OPEN_GROUP, 3, NULL, -EBUSY, REFUSAL_HELD_OUTSIDE,
         "group 3 is open in a process that has no lease of it; find it with 'vfioctl holders "
         "group/3' and stop it",
         .no_iommu = true},
        {STEP_BIND_CDEV, 3, NIC, -EBUSY, REFUSAL_HELD_OUTSIDE,
         "0000:03:01.0 is open in a process that has no lease of it; find it with 'vfioctl holders "
         "0000:03:01.0' and stop it"},
        {STEP_BIND_CDEV, 3, NIC, -EINVAL, REFUSAL_HELD_OUTSIDE,
         "0000:03:01.0 is open in a process that has no lease of it; find it with 'vfioctl holders "
         "0000:03:01.0' and stop it"},
        {STEP_BIND_CDEV, 3, NIC, -EPERM, REFUSAL_NOT_VIABLE,
         "the kernel does not let 0000:03:01.0 be bound to an iommufd: group 3 is another's, a "
         "member of it has another driver, or its interrupts are not isolated "
         "(allow_unsafe_interrupts of module iommufd)"},
        {STEP_BIND_CDEV, 3, NIC, -EAGAIN, REFUSAL_NONE,
         "bind cdev 0000:03:01.0 to the iommufd: Resource temporarily unavailable"},
        {STEP_OPEN_IOMMUFD, 0, NULL, -ENOENT, REFUSAL_NONE,
         "open an iommufd: No such file or directory"},
        {STEP_OPEN_CDEV, 3, NIC, -EBUSY, REFUSAL_NONE,
         "open cdev 0000:03:01.0: Device or resource busy"},
        {STEP_OPEN_CDEV, 3, "0000:77:00.0", -ENOENT, REFUSAL_DEVICE_GONE,
         "0000:77:00.0 was unplugged meanwhile"},
        {STEP_ATTACH_CDEV, 3, NIC, -EINVAL, REFUSAL_NONE,
         "attach 0000:03:01.0 to the IOAS: Invalid argument"},
        {STEP_READ_IOVAS, 0, NULL, -ENOENT, REFUSAL_NONE,
         "read the IOVA ranges of the IOAS: No such file or directory"},
        {STEP_SET_IOMMU, 0, NULL, -EPERM, REFUSAL_NONE,
         "set the container's IOMMU to TYPE1v2: Operation not permitted"},
        {STEP_UNBIND_HOST, 3, NIC, -EBUSY, REFUSAL_NONE,
         "unbind 0000:03:01.0 from drv: Device or resource busy"},
        {STEP_BIND_VFIO, 3, NIC, -EINVAL, REFUSAL_NONE,
         "bind 0000:03:01.0 to drv: Invalid argument"},
        {STEP_GET_DEVICE, 3, NIC, -EAGAIN, REFUSAL_NONE,
         "open device 0000:03:01.0 of group 3: Resource temporarily unavailable"},
        {STEP_LOAD_MODULE, 0, NULL, -ENOENT, REFUSAL_NONE,
         "load module mod: No such file or directory"},
        {STEP_SET_RESET_METHOD, 3, NIC, -EINVAL, REFUSAL_NO_RESET,
         "0000:03:01.0 cannot be reset: the method is not offered any more"},
        {STEP_SET_RESET_METHOD, 3, NIC, -EACCES, REFUSAL_NONE,
         "set reset_method of 0000:03:01.0 to flr: Permission denied"},
        {STEP_RESET, 3, NIC, -ENOTTY, REFUSAL_NO_RESET,
         "0000:03:01.0 cannot be reset: none of its reset methods has worked"},
        {STEP_RESET_FILE, 3, NIC, -EINVAL, REFUSAL_NO_RESET,
         "0000:03:01.0 cannot be reset: it is not set up, or could not be when it was opened"},
        {STEP_RESET_FILE, 3, NIC, -EAGAIN, REFUSAL_BUSY,
         "the kernel is working on 0000:03:01.0; try again"},
        {STEP_RESET, 3, NIC, -EIO, REFUSAL_NONE, "reset 0000:03:01.0: Input/output error"},
        {STEP_HOT_RESET, 3, NIC, -ENODEV, REFUSAL_NO_RESET,
         "0000:03:01.0 cannot be reset: neither its slot nor its bus can be"},
        {STEP_HOT_RESET, 3, NIC, -EINVAL, REFUSAL_RESET_SET_INCOMPLETE,
         "the kernel resets more with 0000:03:01.0 than is at hand; lease it with all that "
         "'vfioctl show 0000:03:01.0' tells of its reset set"},
        {STEP_HOT_RESET, 3, NIC, -EBUSY, REFUSAL_BUSY,
         "something that is reset with 0000:03:01.0 is in use at this moment; try again"},
        {STEP_HOT_RESET, 3, NIC, -EAGAIN, REFUSAL_BUSY,
         "something that is reset with 0000:03:01.0 is in use at this moment; try again"},
        {STEP_SET_VFS, 3, NIC, -ENOENT, REFUSAL_UNSUPPORTED,
         "the driver of 0000:03:01.0 (e1000) does not make or remove virtual functions"},
        {STEP_SET_VFS, 3, NIC, -EBUSY, REFUSAL_BUSY,
         "virtual functions of 0000:03:01.0 were made or are used by somebody else at this moment; "
         "try again"},
        {STEP_SET_VFS, 3, NIC, -ERANGE, REFUSAL_EXHAUSTED,
         "the driver of 0000:03:01.0 does not make 7 virtual functions, but fewer; none were made"},
        {STEP_SET_VFS, 3, NIC, -ENOSPC, REFUSAL_EXHAUSTED,
         "the driver of 0000:03:01.0 does not make 7 virtual functions, but fewer; none were made"},
        {STEP_SET_VFS, 3, NIC, -EIO, REFUSAL_NONE,
         "make 7 virtual functions of 0000:03:01.0: Input/output error"},
        {STEP_CREATE_MDEV, 0, NULL, -ENOENT, REFUSAL_NOT_FOUND,
         "PARENT has no type 'TYPE' of mediated devices; see 'vfioctl mdev types'"},
        {STEP_CREATE_MDEV, 0, NULL, -ENODEV, REFUSAL_DEVICE_GONE,
         "PARENT is being removed, or its driver is"},
        {STEP_CREATE_MDEV, 0, NULL, -EEXIST, REFUSAL_ALREADY_EXISTS,
         "there is a device UUID already; take another UUID"},
        {STEP_CREATE_MDEV, 0, NULL, -EUSERS, REFUSAL_EXHAUSTED,
         "PARENT can have no more mediated devices of type 'TYPE'; remove one, or take another "
         "type"},
        {STEP_CREATE_MDEV, 0, NULL, -ENOSPC, REFUSAL_EXHAUSTED,
         "PARENT can have no more mediated devices of type 'TYPE'; remove one, or take another "
         "type"},
        {STEP_CREATE_MDEV, 0, NULL, -EIO, REFUSAL_NONE,
         "make mediated device UUID of type TYPE on PARENT: Input/output error"},
        {STEP_REMOVE_MDEV, 3, NIC, -EAGAIN, REFUSAL_BUSY,
         "0000:03:01.0 is being made or removed by somebody else; try again"},
        {STEP_REMOVE_MDEV, 3, NIC, -ENODEV, REFUSAL_BUSY,
         "0000:03:01.0 is being made or removed by somebody else; try again"},
        {STEP_REMOVE_MDEV, 3, NIC, -EIO, REFUSAL_NONE,
         "remove mediated device 0000:03:01.0: Input/output error"},
        {STEP_HOT_RESET, 3, NIC, -EIO, REFUSAL_NONE,
         "hot reset 0000:03:01.0 and what is reset with it: Input/output error"},
        /* Gone from the topology, whatever the errno was. */
        {STEP_BIND_VFIO, 3, "0000:77:00.0", -ENODEV, REFUSAL_DEVICE_GONE,
         "0000:77:00.0 was unplugged meanwhile"},
        {STEP_OPEN_GROUP, 77, NULL, -ENOENT, REFUSAL_DEVICE_GONE,
         "group 77 was unplugged meanwhile"},
        {STEP_OPEN_GROUP, 77, NULL, -EBUSY, REFUSAL_DEVICE_GONE,
         "group 77 was unplugged meanwhile"},
        /* Not the kernel's words. */
        {STEP_OPEN_GROUP, 3, NULL, -EPIPE, REFUSAL_NONE, "open group 3: the worker process died"},
        {STEP_OPEN_GROUP, 77, NULL, -EPIPE, REFUSAL_NONE, "open group 77: the worker process died"},
        {STEP_BIND_VFIO, 3, NIC, -ECANCELED, REFUSAL_NONE, "bind 0000:03:01.0 to drv: called off"},
};

static const Request request = {.operation = OPERATION_UNBIND};

static void add_step(Plan *plan, StepKind kind, uint32_t group, const char *device) {
        Step *step = plan_append(plan, kind, group);

        ck_assert_ptr_nonnull(step);
        ck_assert_int_eq(step_set_device(step, device, "pci", "drv"), 0);
        ck_assert_int_eq(string_set(&step->module, "mod"), 0);
        ck_assert_int_eq(string_set(&step->reset_method, "flr"), 0);
        step->n_vfs = 7;
        ck_assert_int_eq(string_set(&step->mdev_parent, "PARENT"), 0);
        ck_assert_int_eq(string_set(&step->mdev_type, "TYPE"), 0);
        ck_assert_int_eq(string_set(&step->mdev_uuid, "UUID"), 0);
}

/* Who was found, among those that do not count. */
static void add_holder(Outcome *outcome, HoldKind kind) {
        const Hold holds[] = {
                {.kind = kind,
                 .pid = 812,
                 .uid = 1001,
                 .group = 3,
                 .device = NIC,
                 .command = "qemu"},
                {.kind = HOLD_LEASE, .pid = 813, .group = 3},
        };

        for (size_t i = 0; i < ELEMENTS(holds); i++)
                ck_assert_int_eq(holds_add(&outcome->results.holds, &holds[i]), 0);
}

START_TEST(an_errno_becomes_the_refusal_it_stands_for_or_a_failure_with_its_step) {
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
                _cleanup_plan_ Plan plan = PLAN_NULL;
                const Progress progress = {.step = 1, .finished = true, .error = rows[i].error};
                const Request asked = {.operation =
                                               rows[i].remove ? OPERATION_REMOVE : OPERATION_UNBIND,
                                       .due = rows[i].due};
                World world;

                world_init_lab(&world);
                if (rows[i].leased)
                        (void)world_add_lease(&world, 1001, LEASE_HELD, (uint32_t[]){3, 0});
                add_holder(&outcome, rows[i].group_file ? HOLD_GROUP : HOLD_DEVICE);
                add_step(&plan, STEP_OPEN_CONTAINER, 0, NULL);
                add_step(&plan, rows[i].kind, rows[i].group, rows[i].device);
                plan.steps[1].no_iommu = rows[i].no_iommu;
                outcome_judge(&outcome, &world, &asked, &plan, &progress);
                assert_row_str(rows[i].sentence, outcome_sentence(&outcome), rows[i].sentence);
                ck_assert_int_eq(outcome.refusal.kind, rows[i].refusal);
                ck_assert_int_eq(outcome.error, rows[i].refusal ? 0 : rows[i].error);
                ck_assert(!outcome_is_success(&outcome));
                world_done(&world);
        }
}
END_TEST

static void judge_leased(Operation operation, StepKind kind, int error, bool leased,
                         Outcome *outcome) {
        const Progress progress = {.finished = true, .error = error};
        const Request asked = {.operation = operation};
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        world_init_lab(&world);
        if (leased)
                (void)world_add_lease(&world, 1000, LEASE_HELD, (uint32_t[]){3, 0});
        add_step(&plan, kind, 3, NIC);
        outcome_judge(outcome, &world, &asked, &plan, &progress);
        world_done(&world);
}

START_TEST(a_leased_device_that_is_not_set_up_yet_is_in_use_for_who_resets_it) {
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;

        judge_leased(OPERATION_RESET, STEP_GET_DEVICE, -EINVAL, true, &outcome);
        ck_assert_int_eq(outcome.refusal.kind, REFUSAL_IN_USE);
        ck_assert_ptr_nonnull(strstr(outcome_sentence(&outcome), "reset it when that is done"));
}
END_TEST

START_TEST(a_leased_device_that_is_not_set_up_yet_is_in_use_for_who_inspects_it) {
        static const StepKind kinds[] = {STEP_GET_DEVICE, STEP_INSPECT};

        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                _cleanup_outcome_ Outcome outcome = OUTCOME_NULL, unleased = OUTCOME_NULL;
                _cleanup_outcome_ Outcome other = OUTCOME_NULL, elsewhere = OUTCOME_NULL;

                judge_leased(OPERATION_INSPECT, kinds[i], -EINVAL, true, &outcome);
                ck_assert_int_eq(outcome.refusal.kind, REFUSAL_IN_USE);
                ck_assert_str_eq(outcome_sentence(&outcome),
                                 NIC " is leased to uid 1000 (lease 1), who has not set it up yet; "
                                     "inspect it when that is done, or when the lease is over");
                judge_leased(OPERATION_INSPECT, kinds[i], -EINVAL, false, &unleased);
                ck_assert_int_eq(unleased.error, -EINVAL);
                judge_leased(OPERATION_INSPECT, kinds[i], -EIO, true, &other);
                ck_assert_int_eq(other.error, -EIO);
                judge_leased(OPERATION_ADD, kinds[i], -EINVAL, true, &elsewhere);
                ck_assert_int_eq(elsewhere.error, -EINVAL);
        }
}
END_TEST

/* A refusal would say that nothing was changed. */
START_TEST(what_could_not_be_undone_is_a_failure_that_says_so) {
        const Progress progress = {.step = 1,
                                   .finished = true,
                                   .error = -EBUSY,
                                   .undoing = true,
                                   .undo_error = -ENODEV,
                                   .undo_step = 0};
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        world_init_lab(&world);
        add_step(&plan, STEP_UNBIND_HOST, 3, NIC);
        add_step(&plan, STEP_OPEN_GROUP, 3, NULL);
        outcome_judge(&outcome, &world, &request, &plan, &progress);
        ck_assert_int_eq(outcome.refusal.kind, REFUSAL_NONE);
        ck_assert_int_eq(outcome.error, -EBUSY);
        ck_assert_str_eq(outcome_sentence(&outcome),
                         "open group 3: Device or resource busy; and undoing 'unbind 0000:03:01.0 "
                         "from drv' failed: No such device");
        world_done(&world);
}
END_TEST

START_TEST(a_worker_that_died_while_undoing_is_said_to_have_died) {
        const Progress progress = {
                .step = 1, .error = -EBUSY, .undoing = true, .undo_error = -EPIPE};
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        world_init_lab(&world);
        add_step(&plan, STEP_OPEN_CONTAINER, 0, NULL);
        add_step(&plan, STEP_OPEN_GROUP, 3, NULL);
        outcome_judge(&outcome, &world, &request, &plan, &progress);
        ck_assert_str_eq(outcome_sentence(&outcome),
                         "open group 3: Device or resource busy; and undoing 'open a container' "
                         "failed: the worker process died");
        world_done(&world);
}
END_TEST

START_TEST(success_and_timeout_keep_their_own_words) {
        _cleanup_outcome_ Outcome success = OUTCOME_NULL, late = OUTCOME_NULL;
        const Progress done = {.finished = true}, failed = {.finished = true, .error = -ECANCELED};
        _cleanup_plan_ Plan plan = PLAN_NULL;
        World world;

        world_init_lab(&world);
        add_step(&plan, STEP_OPEN_GROUP, 3, NULL);
        outcome_judge(&success, &world, &request, &plan, &done);
        ck_assert(outcome_is_success(&success));
        ck_assert_str_eq(outcome_sentence(&success), "");
        late.timed_out = true;
        ck_assert_int_eq(string_set(&late.failure, "has not returned"), 0);
        outcome_judge(&late, &world, &request, &plan, &failed);
        ck_assert_int_eq(late.error, 0);
        ck_assert(!outcome_is_success(&late));
        ck_assert_str_eq(outcome_sentence(&late), "has not returned");
        world_done(&world);
}
END_TEST

START_TEST(memory_that_ran_out_still_has_a_sentence) {
        const Outcome refused = {.refusal = {.kind = REFUSAL_BUSY}}, failed = {.error = -EIO};

        ck_assert_str_eq(outcome_sentence(&refused), "vfiod is out of memory");
        ck_assert_str_eq(outcome_sentence(&failed), "vfiod is out of memory");
}
END_TEST

START_TEST(the_record_says_what_moved_from_where_to_where) {
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;
        _cleanup_(answer_done) Answer answer;
        World world;

        world_init_lab(&world);
        ask_world(&world, &(Ask){OPERATION_BIND, "group/3"}, &answer);
        ck_assert_int_eq(outcome_describe(&outcome, &answer.plan), 0);
        ck_assert_str_eq(outcome.from, "0000:03:01.0=e1000 0000:03:02.0=e1000");
        ck_assert_str_eq(outcome.to, "0000:03:01.0=vfio-pci 0000:03:02.0=vfio-pci");
        ck_assert_ptr_nonnull(strstr(outcome.plan, "load module vfio_pci; set driver_override"));
        world_done(&world);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("outcome");

        tcase_add_test(tests,
                       an_errno_becomes_the_refusal_it_stands_for_or_a_failure_with_its_step);
        tcase_add_test(tests, a_leased_device_that_is_not_set_up_yet_is_in_use_for_who_inspects_it);
        tcase_add_test(tests, a_leased_device_that_is_not_set_up_yet_is_in_use_for_who_resets_it);
        tcase_add_test(tests, what_could_not_be_undone_is_a_failure_that_says_so);
        tcase_add_test(tests, a_worker_that_died_while_undoing_is_said_to_have_died);
        tcase_add_test(tests, success_and_timeout_keep_their_own_words);
        tcase_add_test(tests, memory_that_ran_out_still_has_a_sentence);
        tcase_add_test(tests, the_record_says_what_moved_from_where_to_where);
        return tests_run(tests);
}
