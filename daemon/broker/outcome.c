/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/outcome.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/holder-text.h"
#include "daemon/util/string.h"

void outcome_done(Outcome *outcome) {
        refusal_done(&outcome->refusal);
        free(outcome->failure);
        fd_close(outcome->lease_fd);
        strv_free(outcome->devices);
        free(outcome->groups);
        results_done(&outcome->results);
        free(outcome->from);
        free(outcome->to);
        free(outcome->plan);
        strv_free(outcome->overridden);
        *outcome = (Outcome)OUTCOME_NULL;
}

bool outcome_is_success(const Outcome *outcome) {
        return outcome->refusal.kind == REFUSAL_NONE && outcome->error == 0 && !outcome->timed_out;
}

const char *outcome_sentence(const Outcome *outcome) {
        if (outcome->refusal.kind != REFUSAL_NONE)
                return outcome->refusal.sentence ?: REFUSAL_NO_MEMORY;
        if (outcome->error != 0 || outcome->timed_out)
                return outcome->failure ?: REFUSAL_NO_MEMORY;
        return "";
}

static int describe_move(Outcome *outcome, const Step *step) {
        const char *driver = string_or_empty(step->driver);

        switch (step->kind) {
        case STEP_UNBIND_HOST:
        case STEP_UNBIND_VFIO:
                return string_append(&outcome->from, "%s%s=%s", outcome->from ? " " : "",
                                     step->device, driver);
        case STEP_BIND_VFIO:
        case STEP_BIND_HOST:
                return string_append(&outcome->to, "%s%s=%s", outcome->to ? " " : "", step->device,
                                     driver);
        default:
                return 0;
        }
}

int outcome_describe(Outcome *outcome, const Plan *plan) {
        _cleanup_strv_ char **lines = plan_describe(plan);

        if (!lines)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_steps; i++)
                if (describe_move(outcome, &plan->steps[i]) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].kind == STEP_OPEN_GROUP && plan->steps[i].no_iommu)
                        outcome->no_iommu = true;
        outcome->plan = strv_join(lines, "; ");
        for (char **one = plan->overridden; one && *one; one++)
                if (strv_push(&outcome->overridden, *one) < 0)
                        return -ENOMEM;
        return outcome->plan ? 0 : -ENOMEM;
}

/* Nobody could be seen any more, and yet the kernel says that somebody has it. */
static RefusalKind refuse_unseen(Outcome *outcome, uint32_t group) {
        return refuse(&outcome->refusal, REFUSAL_STUCK,
                      "group %u is held by a process that cannot be found: a file of it may be on "
                      "its way through a socket, or registered with io_uring; it will be usable "
                      "when that is closed",
                      group);
}

static RefusalKind refuse_in_use(Outcome *outcome, uint32_t group) {
        return refuse(&outcome->refusal, REFUSAL_IN_USE,
                      "a device of group %u is still open in its holder; close it first", group);
}

/* The kernel's own rule for groups of unsafe no-IOMMU mode (drivers/vfio/group.c). */
static RefusalKind refuse_without_rawio(Outcome *outcome, uint32_t group) {
        return refuse(&outcome->refusal, REFUSAL_UNSUPPORTED,
                      "group %u has no IOMMU, and the kernel opens it only with CAP_SYS_RAWIO, "
                      "which vfiod.service does not have; an administrator gives it that by the "
                      "drop-in vfiod-noiommu.conf (see vfiod(8)) and 'systemctl restart vfiod'",
                      group);
}

static RefusalKind judge_open(Outcome *outcome, const Request *request, const Step *step,
                              int error) {
        if (error == -EPERM && step->no_iommu)
                return refuse_without_rawio(outcome, step->group);
        if (error == -EBUSY && request->due)
                return refuse_unseen(outcome, step->group);
        if (error == -EBUSY && request->operation == OPERATION_REMOVE)
                return refuse_in_use(outcome, step->group);
        if (error == -EBUSY)
                return refuse(&outcome->refusal, REFUSAL_HELD_OUTSIDE,
                              "group %u is open in a process that has no lease of it; find it with "
                              "'vfioctl holders group/%u' and stop it",
                              step->group, step->group);
        if (error == -EPERM)
                return refuse(&outcome->refusal, REFUSAL_NOT_VIABLE,
                              "the kernel says that group %u is not viable; see 'vfioctl explain "
                              "group/%u'",
                              step->group, step->group);
        return REFUSAL_NONE;
}

static RefusalKind judge_unset(Outcome *outcome, const Request *request, const Step *step,
                               int error) {
        if (error != -EBUSY)
                return REFUSAL_NONE;
        if (request->due)
                return refuse_unseen(outcome, step->group);
        return refuse_in_use(outcome, step->group);
}

/* After its group was seen to be free: somebody was quicker, or a member left its vfio driver. */
static RefusalKind judge_bind_cdev(Outcome *outcome, const Step *step, int error) {
        if (error == -EBUSY || error == -EINVAL)
                return refuse(&outcome->refusal, REFUSAL_HELD_OUTSIDE,
                              "%s is open in a process that has no lease of it; find it with "
                              "'vfioctl holders %s' and stop it",
                              step->device, step->device);
        if (error == -EPERM)
                return refuse(&outcome->refusal, REFUSAL_NOT_VIABLE,
                              "the kernel does not let %s be bound to an iommufd: group %u is "
                              "another's, a member of it has another driver, or its interrupts are "
                              "not isolated (allow_unsafe_interrupts of module iommufd)",
                              step->device, step->group);
        return REFUSAL_NONE;
}

/* Of those found; a group's own file keeps no device open. */
static bool only_group_is_open(const Holds *holds, uint32_t group) {
        return holds_any(holds, group, hold_keeps_group) &&
               !holds_any(holds, group, hold_keeps_device);
}

/* Unbind says itself who they are (daemon/broker/wait-look.c). */
static RefusalKind judge_expect_nobody(Outcome *outcome, const World *world, const Request *request,
                                       const Step *step, int error) {
        _cleanup_free_ char *holders = holders_describe(&outcome->results.holds, NULL);
        bool leased = lease_table_find_group(&world->leases, step->group);
        bool named = request->operation != OPERATION_UNBIND;

        if (error != -EBUSY)
                return REFUSAL_NONE;
        return refuse(
                &outcome->refusal, leased ? REFUSAL_IN_USE : REFUSAL_HELD_OUTSIDE,
                "%sgroup %u is %s%s%s",
                only_group_is_open(&outcome->results.holds, step->group) ? "" : "a device of ",
                step->group, leased ? "still open" : "open in a process that has no lease of it",
                named ? ": held by " : "", named ? string_or_empty(holders) : "");
}

static RefusalKind judge_evict(Outcome *outcome, int error) {
        _cleanup_free_ char *holders = holders_describe(&outcome->results.holds, NULL);

        if (error != -EBUSY)
                return REFUSAL_NONE;
        return refuse(&outcome->refusal, REFUSAL_STILL_HELD,
                      "the holders have not let go, whatever they were sent: held by %s",
                      string_or_empty(holders));
}

/* Its receiver does with the group what is left to be done, and not necessarily now. */
static RefusalKind judge_leased(Outcome *outcome, const World *world, const Request *request,
                                const Step *step, int error) {
        const Lease *lease = lease_table_find_group(&world->leases, step->group);
        Operation operation = request->operation;

        if ((operation != OPERATION_INSPECT && operation != OPERATION_RESET) || error != -EINVAL ||
            !lease)
                return REFUSAL_NONE;
        return refuse(&outcome->refusal, REFUSAL_IN_USE,
                      "%s is leased to uid %u (lease %u), who has not set it up yet; %s it when "
                      "that is done, or when the lease is over",
                      step->device, lease->owner, lease->id, operation_name(operation));
}

static RefusalKind refuse_no_reset(Outcome *outcome, const Step *step, const char *why) {
        return refuse(&outcome->refusal, REFUSAL_NO_RESET, "%s cannot be reset: %s", step->device,
                      why);
}

static RefusalKind judge_reset(Outcome *outcome, const Step *step, int error) {
        switch (error) {
        case -ENOTTY:
                return refuse_no_reset(outcome, step, "none of its reset methods has worked");
        case -EINVAL:
                return refuse_no_reset(outcome, step,
                                       "it is not set up, or could not be when it was opened");
        case -EAGAIN:
                return refuse(&outcome->refusal, REFUSAL_BUSY,
                              "the kernel is working on %s; try again", step->device);
        default:
                return REFUSAL_NONE;
        }
}

/* After what sysfs tells was right. */
static RefusalKind judge_hot_reset(Outcome *outcome, const Step *step, int error) {
        switch (error) {
        case -ENODEV:
                return refuse_no_reset(outcome, step, "neither its slot nor its bus can be");
        case -EINVAL:
                return refuse(&outcome->refusal, REFUSAL_RESET_SET_INCOMPLETE,
                              "the kernel resets more with %s than is at hand; lease it with all "
                              "that 'vfioctl show %s' tells of its reset set",
                              step->device, step->device);
        case -EAGAIN:
        case -EBUSY:
                return refuse(&outcome->refusal, REFUSAL_BUSY,
                              "something that is reset with %s is in use at this moment; try again",
                              step->device);
        default:
                return REFUSAL_NONE;
        }
}

/* After what sysfs tells was right; -ENOENT also where a driver has been unbound meanwhile. */
static RefusalKind judge_set_vfs(Outcome *outcome, const World *world, const Step *step,
                                 int error) {
        const Device *device = topology_find_device(&world->topology, step->device);

        switch (error) {
        case -ENOENT:
                return refuse(&outcome->refusal, REFUSAL_UNSUPPORTED,
                              "the driver of %s (%s) does not make or remove virtual functions",
                              step->device,
                              device && !string_is_empty(device->facts.driver)
                                      ? device->facts.driver
                                      : "none");
        case -EBUSY:
                return refuse(&outcome->refusal, REFUSAL_BUSY,
                              "virtual functions of %s were made or are used by somebody else at "
                              "this moment; try again",
                              step->device);
        case -ERANGE:
        case -ENOSPC:
                return refuse(&outcome->refusal, REFUSAL_EXHAUSTED,
                              "the driver of %s does not make %u virtual functions, but fewer; "
                              "none were made",
                              step->device, step->n_vfs);
        default:
                return REFUSAL_NONE;
        }
}

static RefusalKind judge_create_mdev(Outcome *outcome, const Step *step, int error) {
        switch (error) {
        case -ENOENT:
                return refuse(&outcome->refusal, REFUSAL_NOT_FOUND,
                              "%s has no type '%s' of mediated devices; see 'vfioctl mdev types'",
                              step->mdev_parent, step->mdev_type);
        case -ENODEV:
                return refuse(&outcome->refusal, REFUSAL_DEVICE_GONE,
                              "%s is being removed, or its driver is", step->mdev_parent);
        case -EEXIST:
                return refuse(&outcome->refusal, REFUSAL_ALREADY_EXISTS,
                              "there is a device %s already; take another UUID", step->mdev_uuid);
        case -EUSERS:
        case -ENOSPC:
                return refuse(&outcome->refusal, REFUSAL_EXHAUSTED,
                              "%s can have no more mediated devices of type '%s'; remove one, or "
                              "take another type",
                              step->mdev_parent, step->mdev_type);
        default:
                return REFUSAL_NONE;
        }
}

static RefusalKind judge_remove_mdev(Outcome *outcome, const Step *step, int error) {
        if (error == -EAGAIN || error == -ENODEV)
                return refuse(&outcome->refusal, REFUSAL_BUSY,
                              "%s is being made or removed by somebody else; try again",
                              step->device);
        return REFUSAL_NONE;
}

/* Every member of a step's plan is gone from the topology as soon as sysfs has lost it. */
static bool device_is_gone(const World *world, const Step *step) {
        return step->device ? !topology_find_device(&world->topology, step->device)
                            : step->group && !topology_find_group(&world->topology, step->group);
}

static RefusalKind judge_step(Outcome *outcome, const World *world, const Request *request,
                              const Step *step, int error) {
        if (error == -EPIPE || error == -ECANCELED)
                return REFUSAL_NONE;
        if (device_is_gone(world, step)) {
                if (step->device)
                        return refuse(&outcome->refusal, REFUSAL_DEVICE_GONE,
                                      "%s was unplugged meanwhile", step->device);
                return refuse(&outcome->refusal, REFUSAL_DEVICE_GONE,
                              "group %u was unplugged meanwhile", step->group);
        }
        switch (step->kind) {
        case STEP_CLAIM_GROUP:
        case STEP_OPEN_GROUP:
        case STEP_TEST_GROUP:
                return judge_open(outcome, request, step, error);
        case STEP_SET_CONTAINER:
                return error == -EPERM ? judge_open(outcome, request, step, error) : REFUSAL_NONE;
        case STEP_UNSET_CONTAINER:
                return judge_unset(outcome, request, step, error);
        case STEP_BIND_CDEV:
                return judge_bind_cdev(outcome, step, error);
        case STEP_EXPECT_NOBODY:
                return judge_expect_nobody(outcome, world, request, step, error);
        case STEP_EVICT:
                return judge_evict(outcome, error);
        case STEP_GET_DEVICE:
        case STEP_INSPECT:
                return judge_leased(outcome, world, request, step, error);
        case STEP_SET_RESET_METHOD:
                return error == -EINVAL ? refuse_no_reset(outcome, step,
                                                          "the method is not offered any more")
                                        : REFUSAL_NONE;
        case STEP_RESET:
        case STEP_RESET_FILE:
                return judge_reset(outcome, step, error);
        case STEP_HOT_RESET:
                return judge_hot_reset(outcome, step, error);
        case STEP_CREATE_MDEV:
                return judge_create_mdev(outcome, step, error);
        case STEP_REMOVE_MDEV:
                return judge_remove_mdev(outcome, step, error);
        case STEP_SET_VFS:
                return judge_set_vfs(outcome, world, step, error);
        default:
                return REFUSAL_NONE;
        }
}

static const char *error_text(int error) {
        return error == -EPIPE       ? "the worker process died"
               : error == -ECANCELED ? "called off"
                                     : strerror(-error);
}

static int fail(Outcome *outcome, const Step *step, const Plan *plan, const Progress *progress) {
        _cleanup_free_ char *what = step_describe(step), *undo = NULL;

        if (!what)
                return -ENOMEM;
        outcome->failure = string_format("%s: %s", what, error_text(progress->error));
        if (!outcome->failure)
                return -ENOMEM;
        if (progress->undo_error == 0)
                return 0;
        undo = step_describe(&plan->steps[progress->undo_step]);
        return string_append(&outcome->failure, "; and undoing '%s' failed: %s",
                             string_or_empty(undo), error_text(progress->undo_error));
}

void outcome_judge(Outcome *outcome, const World *world, const Request *request, const Plan *plan,
                   const Progress *progress) {
        const Step *step = &plan->steps[progress->step];

        /* Past its deadline the operation has failed already, in words of its own. */
        if (progress->error == 0 || outcome->timed_out)
                return;
        if (progress->undo_error == 0 && judge_step(outcome, world, request, step, progress->error))
                return;
        outcome->error = progress->error;
        (void)fail(outcome, step, plan, progress);
}
