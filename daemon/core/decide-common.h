/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What several deciders ask. Not for use outside core/decide*.c. */

#include "daemon/core/decide.h"

/*
 * A process that has ended is out of /proc before its files are closed, and closing a device resets
 * it (vfio_pci_core_disable()), by a reset of its bus perhaps.
 */
#define DECIDE_CLOSING_MS 5000

/*
 * That nothing of ours has the groups: no operation, no stuck device, no lease but `own` (NULL for
 * none); and that there is room for one more operation.
 */
RefusalKind check_groups_free(const World *world, const Request *request,
                              const Selection *selection, const Lease *own, Refusal *refusal);

/* That no operation of ours is under way on the groups, whoever has them, and that there is room
 * for one more. */
RefusalKind check_groups_quiet(const World *world, const Request *request,
                               const Selection *selection, Refusal *refusal);

/* That there is an IOMMU between the group and the host's memory, or that the configuration allows
 * that there is none. */
RefusalKind check_group_is_safe(const World *world, const Group *group, Refusal *refusal);

/* The same, and that every member of the group is on a vfio driver, or needs none. */
RefusalKind check_group_is_bound(const World *world, const Group *group, Refusal *refusal);

/*
 * That Unbind may take the group from its lease: its devices were let go of when it was asked for,
 * or the deadline of a revocation has passed.
 */
bool decide_may_take(const World *world, const Request *request, uint32_t group);

/* The mode of the files wanted; for a lease that is joined (NULL for none), that one's. */
RefusalKind decide_mode(const World *world, const Request *request, const Selection *selection,
                        const Lease *lease, Mode *ret, Refusal *refusal);

/* Devices whose fd will be handed over: on a vfio driver now, or once the plan has bound them. */
bool decide_gives_device(const World *world, const Device *device);

/*
 * That a file of the device is to be had from its lease, for a step through it; `verb` is for
 * the refusal: "inspect".
 */
RefusalKind check_lease_reaches(const Lease *lease, const Device *device, const char *verb,
                                Refusal *refusal);

/* Appends the step through the lease's file of the device, or one that its group gives for it. */
int plan_through_lease(const Lease *lease, const Device *device, StepKind kind, Plan *plan);

/* Appends what proves that nobody has a device of a group open that is not leased, and keeps it so
 * until the plan is over. */
int plan_prove_unleased(const World *world, const Request *request, const Group *group, Plan *plan);

/* Whether the kernel gives a cdev of the device. */
static inline bool decide_has_cdev(const World *world, const Device *device) {
        return world->iommufd.iommufd && device->facts.cdev && device->facts.cdev[0];
}

/* Appends a step on a group; on a container, that the group is put into. NULL: no memory. */
Step *plan_group(Plan *plan, StepKind kind, const Group *group);

/* Appends a step on a device that moves it to no other driver. NULL: no memory. */
Step *plan_device(Plan *plan, StepKind kind, const Device *device);

/* The same with the driver, and the override that the whole plan moves it to from the one in force.
 */
Step *plan_move(Plan *plan, StepKind kind, const DeviceFacts *facts, const char *driver,
                const char *override);

/* Appends the making of so many virtual functions from none, or the removal of all. */
int plan_vfs(const Device *device, size_t from, size_t to, Plan *plan);

/* Appends the switch that lets host drivers take virtual functions that are made. */
int plan_autoprobe(const Device *device, bool autoprobe, Plan *plan);

/* Appends the choice of how the device is reset: blanks between several methods. */
int plan_reset_method(const Device *device, const char *method, const char *old, Plan *plan);

/* Appends what makes the holders of the groups let go, and fails when they do not. */
int plan_evict(const World *world, const Selection *selection, Plan *plan);

/* Appends the claim of a group that is not leased, or whose files we have no more. */
int plan_claim_group(const Request *request, const Group *group, Plan *plan);

/* Appends what proves that no device of a leased group is open any more, and ends its use. */
int plan_take_group(const World *world, const Lease *lease, const Group *group, Plan *plan);

/* Appends what binds every member of the group that is not on a vfio driver, or refuses. */
RefusalKind plan_bind_group(const World *world, const Request *request, const Group *group,
                            Plan *plan, Refusal *refusal);

/*
 * That devices which are reset together are leased together, as far as it matters: all of them with
 * the option hot_reset, else those of devices that cannot be reset by themselves. `lease`: what the
 * groups join; NULL for none.
 */
RefusalKind check_reset_sets(const World *world, const Request *request, const Selection *selection,
                             const Lease *lease, Refusal *refusal);

/* The same for what stays in the lease when these groups leave it. */
RefusalKind check_reset_sets_without(const World *world, const Lease *lease,
                                     const Selection *leaving, Refusal *refusal);

/* Appends what raises the caller's limit of locked memory, or refuses. */
RefusalKind plan_memlock(const World *world, const Request *request, Plan *plan, Refusal *refusal);

/* "0000:03:01.0 is bound to e1000; 0000:03:02.0 is bound to e1000": all members that block.
 * Allocated. */
char *describe_blockers(const Topology *topology, const Group *group);
