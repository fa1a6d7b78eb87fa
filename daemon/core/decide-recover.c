/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What becomes of each operation:
 *   - Bind that has bound every device is done, otherwise it is undone. Acquire and Add are undone:
 *     who asked was given nothing.
 *
 *   - Unbind is finished: a device that has lost its vfio driver is on its way to the host, and one
 *     that was taken from its holders is no more theirs. Remove is finished with the files, which
 *     the daemon had when it ended.
 *
 *   - How a device is reset, and its virtual functions, are put back as they were, unless all is as
 *     it was asked for.
 *
 *   - Assign that has written its entries is done, and so is Unassign; otherwise it is undone.
 *
 *   - A mediated device is there or not, and a raised limit stays.
 *
 * As ever, no device is unbound from a vfio driver before its group has been claimed.
 */

#include "daemon/core/decide-recover.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/decide-common.h"
#include "daemon/util/string.h"

static bool step_outlives_worker(StepKind kind) {
        switch (kind) {
        case STEP_SET_OVERRIDE:
        case STEP_UNBIND_HOST:
        case STEP_BIND_VFIO:
        case STEP_UNBIND_VFIO:
        case STEP_BIND_HOST:
        case STEP_CLOSE_DEVICE:
        case STEP_UNSET_CONTAINER:
        case STEP_CLOSE_CDEV:
        case STEP_QUIESCE:
        case STEP_DETACH_CDEV:
        case STEP_SET_RESET_METHOD:
        case STEP_SET_AUTOPROBE:
        case STEP_SET_VFS:
        case STEP_ASSIGN:
        case STEP_UNASSIGN:
                return true;
        default:
                return false;
        }
}

bool plan_outlives_worker(const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (step_outlives_worker(plan->steps[i].kind))
                        return true;
        return false;
}

/* The first step of that kind, on that device if one is named. */
static const Step *find_step(const Plan *plan, StepKind kind, const char *device) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].kind == kind &&
                    (!device || string_equal(plan->steps[i].device, device)))
                        return &plan->steps[i];
        return NULL;
}

/* What the step is about, if it is of that kind and the device is still there. */
static const Device *device_of(const World *world, const Step *step, StepKind kind) {
        return step->kind == kind ? topology_find_device(&world->topology, step->device) : NULL;
}

/* Where a device goes. */
typedef struct Goal {
        const char *driver;   /* "": none; NULL: whichever the kernel finds */
        const char *override; /* "": none */
        const char *ours[2];  /* overrides that the plan may have left; NULL: none */
} Goal;

static bool is_ours(const Goal *goal, const char *override) {
        return string_equal(override, goal->ours[0]) || string_equal(override, goal->ours[1]);
}

static bool has_arrived(const DeviceFacts *facts, const Goal *goal) {
        return !facts->vfio && (!string_is_empty(facts->driver) || string_equal(goal->driver, ""));
}

static int plan_settle(const Device *device, const Goal *goal, Plan *plan) {
        const DeviceFacts *facts = &device->facts;
        const char *override = string_or_empty(facts->driver_override);

        if (facts->vfio && !plan_move(plan, STEP_UNBIND_VFIO, facts, facts->driver, goal->override))
                return -1;
        if (!string_equal(override, goal->override) && is_ours(goal, override) &&
            !plan_move(plan, STEP_SET_OVERRIDE, facts, NULL, goal->override))
                return -1;
        if (has_arrived(facts, goal) || string_equal(goal->driver, ""))
                return 0;
        return plan_move(plan, STEP_BIND_HOST, facts, goal->driver, goal->override) ? 0 : -1;
}

/* As the plan found the device that this step of it is about. */
static Goal goal_before(const Plan *plan, const Step *override) {
        const Step *host = find_step(plan, STEP_UNBIND_HOST, override->device);
        const Step *vfio = find_step(plan, STEP_BIND_VFIO, override->device);

        return (Goal){
                .driver = host ? host->driver : "",
                .override = override->override_old,
                .ours = {override->override, vfio ? vfio->fallback : NULL},
        };
}

/* As it was to leave it. */
static Goal goal_after(const Plan *plan, const Step *override) {
        const Step *host = find_step(plan, STEP_BIND_HOST, override->device);

        return (Goal){
                .driver = host ? host->driver : "",
                .override = override->override,
                .ours = {override->override_old, NULL},
        };
}

/* The group is the plan's, and a device of it is on a vfio driver. */
static const Group *group_to_claim(const World *world, uint32_t number, const Plan *begun) {
        const Group *group = topology_find_group(&world->topology, number);

        for (size_t i = 0; group && i < group->n_members; i++)
                if (group->members[i]->facts.vfio &&
                    find_step(begun, STEP_SET_OVERRIDE, group->members[i]->facts.name))
                        return group;
        return NULL;
}

static int plan_claims(const World *world, const StatePlan *begun, Plan *plan) {
        const Request request = {.operation = begun->operation, .due = true};

        for (size_t i = 0; i < begun->n_groups; i++) {
                const Group *group = group_to_claim(world, begun->groups[i], &begun->plan);

                if (group && plan_prove_unleased(world, &request, group, plan) < 0)
                        return -1;
        }
        return 0;
}

static int plan_settle_all(const World *world, const StatePlan *begun,
                           Goal (*goal_of)(const Plan *plan, const Step *override), Plan *plan) {
        for (size_t i = 0; i < begun->plan.n_steps; i++) {
                const Step *step = &begun->plan.steps[i];
                const Device *device = device_of(world, step, STEP_SET_OVERRIDE);
                const Goal goal = device ? goal_of(&begun->plan, step) : (Goal){0};

                if (device && plan_settle(device, &goal, plan) < 0)
                        return -1;
        }
        return 0;
}

static bool is_bound(const World *world, const Plan *begun) {
        for (size_t i = 0; i < begun->n_steps; i++) {
                const Device *device = device_of(world, &begun->steps[i], STEP_BIND_VFIO);

                if (device && !device->facts.vfio)
                        return false;
        }
        return true;
}

static int plan_undo_bind(const World *world, const StatePlan *begun, Plan *plan) {
        if (begun->operation == OPERATION_BIND && is_bound(world, &begun->plan))
                return 0;
        if (plan_claims(world, begun, plan) < 0)
                return -1;
        return plan_settle_all(world, begun, goal_before, plan);
}

/* A host driver's module may have been about to be loaded. */
static int plan_modules(const Plan *begun, Plan *plan) {
        for (size_t i = 0; i < begun->n_steps; i++) {
                const Step *step = &begun->steps[i];
                Step *load = step->kind == STEP_LOAD_MODULE ? plan_append(plan, STEP_LOAD_MODULE, 0)
                                                            : NULL;

                if (step->kind != STEP_LOAD_MODULE)
                        continue;
                if (!load || string_set(&load->module, step->module) < 0)
                        return -1;
                load->optional = true;
        }
        return 0;
}

static bool is_settled(const Device *device, const Goal *goal) {
        return has_arrived(&device->facts, goal) &&
               !is_ours(goal, string_or_empty(device->facts.driver_override));
}

static bool has_work(const World *world, const StatePlan *begun) {
        for (size_t i = 0; i < begun->plan.n_steps; i++) {
                const Step *step = &begun->plan.steps[i];
                const Device *device = device_of(world, step, STEP_SET_OVERRIDE);
                const Goal goal = device ? goal_after(&begun->plan, step) : (Goal){0};

                if (device && !is_settled(device, &goal))
                        return true;
        }
        return false;
}

/* The groups that holders were being made to let go of. */
static int plan_evict_again(const World *world, const StatePlan *begun, Plan *plan) {
        Selection selection = {.groups = calloc(begun->n_groups + 1, sizeof(Group *))};
        int r = selection.groups ? 0 : -1;

        for (size_t i = 0; r >= 0 && i < begun->n_groups; i++) {
                Group *group = topology_find_group(&world->topology, begun->groups[i]);

                if (group && group_to_claim(world, begun->groups[i], &begun->plan))
                        selection.groups[selection.n_groups++] = group;
        }
        if (r >= 0 && selection.n_groups > 0)
                r = plan_evict(world, &selection, plan);
        free(selection.groups);
        return r;
}

static int plan_finish_unbind(const World *world, const StatePlan *begun, Plan *plan) {
        if (!has_work(world, begun))
                return 0;
        if (find_step(&begun->plan, STEP_EVICT, NULL) && plan_evict_again(world, begun, plan) < 0)
                return -1;
        if (plan_claims(world, begun, plan) < 0 || plan_modules(&begun->plan, plan) < 0)
                return -1;
        return plan_settle_all(world, begun, goal_after, plan);
}

/* Two of them on one device: the choice, and its end. */
static int plan_undo_reset_method(const World *world, const StatePlan *begun, Plan *plan) {
        const Step *step = find_step(&begun->plan, STEP_SET_RESET_METHOD, NULL);
        const Device *device = step ? topology_find_device(&world->topology, step->device) : NULL;
        _cleanup_free_ char *now = device ? strv_join(device->facts.reset_methods, " ") : NULL;

        if (!device)
                return 0;
        if (!now)
                return -1;
        return string_equal(now, step->reset_method_old)
                       ? 0
                       : plan_reset_method(device, step->reset_method_old, now, plan);
}

/* The first step on the number of functions is from what was found, the last one to what was asked
 * for. */
static int plan_undo_vfs(const World *world, const StatePlan *begun, Plan *plan) {
        const Step *first = find_step(&begun->plan, STEP_SET_VFS, NULL), *last = first;
        const Step *probe = find_step(&begun->plan, STEP_SET_AUTOPROBE, NULL);
        const char *name = first ? first->device : probe ? probe->device : NULL;
        const Device *device = name ? topology_find_device(&world->topology, name) : NULL;
        size_t present, found;

        if (!device)
                return 0;
        for (size_t i = 0; i < begun->plan.n_steps; i++)
                if (begun->plan.steps[i].kind == STEP_SET_VFS)
                        last = &begun->plan.steps[i];
        present = topology_count_vfs(&world->topology, device);
        found = first ? first->n_vfs_old : present;
        if ((!last || present == last->n_vfs) &&
            (!probe || device->facts.vfs_autoprobe == probe->autoprobe))
                return 0;
        if (present != found && present > 0 && plan_vfs(device, present, 0, plan) < 0)
                return -1;
        if (probe && plan_autoprobe(device, probe->autoprobe_old, plan) < 0)
                return -1;
        return present != found && found > 0 ? plan_vfs(device, 0, found, plan) : 0;
}

/* Those of the text; none if it cannot be read, which what we have written can. */
static void read_entries(const char *text, Assignments *ret) {
        _cleanup_free_ char *error = NULL;

        if (text)
                (void)assignments_read(text, ret, &error);
}

/* The file is written as a whole, and last: Assign and Unassign are done, or not begun. */
static bool is_written(const World *world, const Plan *begun) {
        const Step *assign = find_step(begun, STEP_ASSIGN, NULL);
        const Step *unassign = find_step(begun, STEP_UNASSIGN, NULL);
        _cleanup_assignments_ Assignments entries = ASSIGNMENTS_NULL;

        if (assign)
                read_entries(assign->assignments, &entries);
        else if (unassign)
                read_entries(unassign->assignments_old, &entries);
        for (size_t i = 0; i < entries.n; i++) {
                const Assignment *now =
                        assignments_find(&world->assignments, entries.items[i].device);

                if (assign ? !now || !string_equal(now->since, entries.items[i].since) : !!now)
                        return false;
        }
        return true;
}

int decide_recover(const World *world, const StatePlan *begun, Plan *plan) {
        int r = 0;

        switch (begun->operation) {
        case OPERATION_BIND:
        case OPERATION_ACQUIRE:
        case OPERATION_ADD:
                r = plan_undo_bind(world, begun, plan);
                break;
        case OPERATION_UNBIND:
                r = plan_finish_unbind(world, begun, plan);
                break;
        case OPERATION_RESET:
                r = plan_undo_reset_method(world, begun, plan);
                break;
        case OPERATION_SET_VFS:
                r = plan_undo_vfs(world, begun, plan);
                break;
        case OPERATION_ASSIGN:
                if (!is_written(world, &begun->plan))
                        r = plan_undo_bind(world, begun, plan);
                break;
        case OPERATION_UNASSIGN:
                if (!is_written(world, &begun->plan))
                        r = plan_settle_all(world, begun, goal_before, plan);
                break;
        default:
                break;
        }
        return r < 0 ? -ENOMEM : 0;
}

/* The devices of these steps, and the groups. */
static void lease_leave_out(Lease *lease, const StatePlan *begun) {
        for (size_t i = 0; i < begun->plan.n_steps; i++)
                if (begun->plan.steps[i].device)
                        lease_remove_device(lease, begun->plan.steps[i].device);
        for (size_t i = 0; i < begun->n_groups; i++)
                lease_remove_group(lease, begun->groups[i]);
}

/* An Unbind names the groups that it has proved free, or was to. */
static void settle_taken(LeaseTable *leases, const StatePlan *begun) {
        for (size_t i = 0; i < begun->n_groups; i++) {
                Lease *lease = lease_table_find_group(leases, begun->groups[i]);

                if (lease)
                        lease_leave_out(lease, begun);
        }
}

void state_settle_leases(State *state) {
        for (size_t i = 0; i < state->n_plans; i++) {
                const StatePlan *begun = &state->plans[i];
                Lease *lease = lease_table_find(&state->leases, begun->lease);

                if (begun->operation == OPERATION_UNBIND)
                        settle_taken(&state->leases, begun);
                else if (lease && (begun->operation == OPERATION_ADD ||
                                   begun->operation == OPERATION_REMOVE))
                        lease_leave_out(lease, begun);
        }
}
