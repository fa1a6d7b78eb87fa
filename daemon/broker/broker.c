/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The broker as a whole: what it is made of, and which job class a request is. */

#include "daemon/broker/broker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/closing.h"
#include "daemon/broker/errand-line.h"
#include "daemon/broker/keep.h"
#include "daemon/broker/kept-room.h"
#include "daemon/broker/rebound.h"
#include "daemon/broker/recover-plan.h"
#include "daemon/kernel/enumerate.h"
#include "daemon/kernel/iommufd.h"
#include "daemon/kernel/module.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

static const JobClass *const classes[_OPERATION_MAX] = {
        [OPERATION_BIND] = &job_class_bind,       [OPERATION_ACQUIRE] = &job_class_acquire,
        [OPERATION_ADD] = &job_class_add,         [OPERATION_REMOVE] = &job_class_remove,
        [OPERATION_INSPECT] = &job_class_inspect, [OPERATION_RESET] = &job_class_reset,
        [OPERATION_SET_VFS] = &job_class_set_vfs, [OPERATION_REMOVE_MDEV] = &job_class_remove_mdev,
        [OPERATION_ASSIGN] = &job_class_assign,   [OPERATION_UNASSIGN] = &job_class_unassign,
};

int broker_new(sd_event *event, const Config *config, Roots *roots, Broker **ret) {
        Broker *broker = calloc(1, sizeof(Broker));
        struct utsname name;

        if (!broker) {
                roots_done(roots);
                return -ENOMEM;
        }
        (void)uname(&name);
        broker->event = sd_event_ref(event);
        broker->roots = *roots;
        *roots = (Roots)ROOTS_NULL;
        broker->world.config = *config;
        topology_init(&broker->world.topology, viability_rule(name.release));
        lease_table_init(&broker->world.leases);
        activity_table_init(&broker->world.activities);
        wait_table_init(&broker->world.waits);
        list_init(&broker->holdings);
        list_init(&broker->jobs);
        list_init(&broker->waiters);
        list_init(&broker->delayed);
        list_init(&broker->errands.waiting);
        list_init(&broker->errands.running);
        list_init(&broker->begun);
        list_init(&broker->rebounds);
        broker->keep.directory = -EBADF;
        *ret = broker;
        return 0;
}

Broker *broker_free(Broker *broker) {
        if (!broker)
                return NULL;
        sd_event_source_disable_unref(broker->stop_grace);
        hotplug_stop(broker);
        rebound_say(broker);
        keep_stop(broker);
        closing_forget(broker);
        errand_line_forget(broker);
        list_for_each_safe(link, &broker->waiters)
                waiter_free(waiter_of(link));
        list_for_each_safe(link, &broker->jobs)
                job_free(container_of(link, Job, link));
        recover_plans_stop(broker);
        list_for_each_safe(link, &broker->holdings)
                holding_free(container_of(link, Holding, link));
        topology_done(&broker->world.topology);
        lease_table_done(&broker->world.leases);
        vfio_aliases_done(&broker->world.aliases);
        assignments_done(&broker->world.assignments);
        free(broker->world.assignments_problem);
        roots_done(&broker->roots);
        sd_event_unref(broker->event);
        free(broker);
        return NULL;
}

int broker_start(Broker *broker) {
        int r;

        iommufd_read_support(&broker->roots, &broker->world.iommufd);
        r = keep_start(broker);
        return r < 0 ? r : hotplug_start(broker);
}

void broker_set_config(Broker *broker, const Config *config) {
        broker->world.config = *config;
}

void broker_set_listener(Broker *broker, BrokerListener listener, void *userdata) {
        broker->listener = listener;
        broker->listener_userdata = userdata;
}

const World *broker_world(const Broker *broker) {
        return &broker->world;
}

void broker_emit(Broker *broker, ChangeKind kind, uint32_t number, const char *device) {
        const Change change = {.kind = kind, .number = number, .device = device};

        keep_soon(broker);
        if (broker->listener)
                broker->listener(broker->listener_userdata, &change);
}

void broker_emit_state(Broker *broker, int error) {
        const Change change = {.kind = CHANGE_STATE, .error = error};

        if (broker->listener)
                broker->listener(broker->listener_userdata, &change);
}

void broker_emit_orphans(Broker *broker, size_t n_files) {
        const Change change = {.kind = CHANGE_ORPHANS, .number = (uint32_t)n_files};

        if (broker->listener)
                broker->listener(broker->listener_userdata, &change);
}

void broker_emit_recovered(Broker *broker, const char *sentence, int error) {
        const Change change = {.kind = CHANGE_PLAN_RECOVERED, .reason = sentence, .error = error};

        if (broker->listener)
                broker->listener(broker->listener_userdata, &change);
}

void broker_emit_unreadable(Broker *broker, const char *reason, int error) {
        const Change change = {.kind = CHANGE_STATE_LOST, .reason = reason, .error = error};

        if (broker->listener)
                broker->listener(broker->listener_userdata, &change);
}

void broker_emit_rebound(Broker *broker, const Change *change) {
        keep_soon(broker);
        if (broker->listener)
                broker->listener(broker->listener_userdata, change);
}

void broker_emit_asked(Broker *broker, const Lease *lease, const char *reason) {
        const Change change = {.kind = CHANGE_LEASE_ASKED, .number = lease->id, .reason = reason};

        if (broker->listener)
                broker->listener(broker->listener_userdata, &change);
}

void broker_emit_group(Broker *broker, uint32_t number) {
        const Group *group = topology_find_group(&broker->world.topology, number);

        if (!group)
                return;
        broker_emit(broker, CHANGE_GROUP_CHANGED, number, NULL);
        for (size_t i = 0; i < group->n_members; i++)
                broker_emit(broker, CHANGE_DEVICE_CHANGED, 0, group->members[i]->facts.name);
}

void broker_emit_lease_groups(Broker *broker, const Lease *lease) {
        for (size_t i = 0; i < lease->n_groups; i++)
                broker_emit_group(broker, lease->groups[i]);
}

Holding *broker_find_holding(const Broker *broker, uint32_t lease) {
        list_for_each(link, &broker->holdings) {
                Holding *holding = container_of(link, Holding, link);

                if (holding->lease == lease)
                        return holding;
        }
        return NULL;
}

const Handles *broker_lease_files(const Broker *broker, uint32_t lease) {
        const Holding *holding = broker_find_holding(broker, lease);

        return holding ? &holding->files : NULL;
}

void broker_lease_used(Broker *broker, uint32_t id, const Caller *caller) {
        Lease *lease = lease_table_find(&broker->world.leases, id);

        if (lease && lease->owner == caller->uid)
                (void)lease_set_client(lease, caller->name);
}

static int add_alias(void *userdata, const char *line) {
        return vfio_aliases_add_line(userdata, line);
}

/* Modules may be installed while we run; depmod writes a new modules.alias then. */
static void refresh_aliases(Broker *broker) {
        VfioAliases fresh = VFIO_ALIASES_NULL;
        struct stat status;

        if (broker->roots.modules_fd < 0 ||
            fstatat(broker->roots.modules_fd, "modules.alias", &status, 0) < 0)
                return;
        if (status.st_mtim.tv_sec == broker->aliases_mtime.tv_sec &&
            status.st_mtim.tv_nsec == broker->aliases_mtime.tv_nsec)
                return;
        if (module_read_aliases(&broker->roots, add_alias, &fresh) < 0) {
                vfio_aliases_done(&fresh);
                return;
        }
        vfio_aliases_done(&broker->world.aliases);
        broker->world.aliases = fresh;
        broker->aliases_mtime = status.st_mtim;
}

/* sysfs shows a device before udev has told of it. */
static void refresh_new_device(Broker *broker, const char *name) {
        static const char *const buses[] = {"pci", "mdev", "platform"};
        bool ungrouped = false;
        uint32_t group;

        for (size_t i = 0; i < ELEMENTS(buses); i++) {
                _cleanup_free_ char *path = string_format("bus/%s/devices/%s", buses[i], name);

                if (path && read_device_group(&broker->roots, path, &group) >= 0)
                        broker_refresh_group(broker, group);
                else if (path && sysfs_exists(broker->roots.sys_fd, path))
                        ungrouped = true;
        }
        topology_set_ungrouped(&broker->world.topology, name, ungrouped);
}

void broker_refresh_device(Broker *broker, const char *name) {
        const Device *device = topology_find_device(&broker->world.topology, name);

        if (device)
                broker_refresh_group(broker, device->facts.group);
        /* One that was taken out may be there again, in another group. */
        if (!topology_find_device(&broker->world.topology, name))
                refresh_new_device(broker, name);
}

void broker_end_without_memory(BrokerDone done, void *userdata) {
        _cleanup_outcome_ Outcome outcome = OUTCOME_NULL;

        (void)refuse_memory(&outcome.refusal);
        if (done)
                done(userdata, &outcome);
}

static bool has_group(const Request *request, uint32_t group) {
        for (size_t i = 0; i < request->n_targets; i++)
                if (request->targets[i].kind == TARGET_GROUP && request->targets[i].group == group)
                        return true;
        return false;
}

int broker_add_group(Request *request, const Device *device, uint32_t group) {
        Target *grown;

        if (device->facts.group == group || has_group(request, group))
                return 0;
        grown = reallocarray(request->targets, request->n_targets + 1, sizeof(Target));
        if (!grown)
                return -ENOMEM;
        request->targets = grown;
        grown[request->n_targets++] = (Target){.kind = TARGET_GROUP, .group = group};
        return 0;
}

void broker_refresh(Broker *broker, const Request *request) {
        for (size_t i = 0; i < request->n_targets; i++) {
                const Target *target = &request->targets[i];

                if (target->kind == TARGET_GROUP)
                        broker_refresh_group(broker, target->group);
                else
                        broker_refresh_device(broker, target->device);
        }
        if (request->operation == OPERATION_ASSIGN || request->operation == OPERATION_UNASSIGN)
                (void)broker_read_assignments(broker);
        if (request->operation == OPERATION_BIND || request->operation == OPERATION_ASSIGN ||
            request->bind) {
                refresh_aliases(broker);
                broker_refresh_usage(broker, request);
        } else if (request->operation == OPERATION_ACQUIRE) {
                broker_refresh_usage_of_unbound(broker, request);
        }
        iommufd_read_support(&broker->roots, &broker->world.iommufd);
}

void broker_begin(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
                  void *userdata) {
        if (request->operation == OPERATION_UNBIND)
                wait_run(broker, request, confirm, done, userdata);
        else if (request->operation == OPERATION_RESET)
                reset_run(broker, request, done, userdata);
        else if (request->operation == OPERATION_SET_VFS)
                vfs_run(broker, request, done, userdata);
        else if (request->operation == OPERATION_CREATE_MDEV)
                mdev_create_run(broker, request, done, userdata);
        else
                job_run(broker, classes[request->operation], request, done, userdata);
}

void broker_run(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
                void *userdata) {
        if (!closing_delay(broker, request, confirm, done, userdata))
                broker_begin(broker, request, confirm, done, userdata);
}

void broker_cancel(Broker *broker, const void *userdata) {
        closing_cancel(broker, userdata);
        errand_line_cancel(broker, userdata);
        wait_cancel(broker, userdata);
}

RefusalKind broker_plan(Broker *broker, const Request *request, Plan *plan, Refusal *refusal) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        Request due = *request;

        broker_refresh(broker, request);
        if (select_targets(&broker->world.topology, request, &selection, refusal))
                return refusal->kind;
        if (decide(&broker->world, request, &selection, plan, refusal) == REFUSAL_NONE)
                return kept_room_check(broker, request, plan, refusal);
        if (refusal->kind != REFUSAL_LEASED || request->policy != POLICY_REVOKE)
                return refusal->kind;
        /* What would be done at the deadline. */
        due.due = true;
        plan_done(plan);
        refusal_done(refusal);
        return decide(&broker->world, &due, &selection, plan, refusal);
}

static int on_grace_over(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Broker *broker = userdata;

        list_for_each(link, &broker->jobs) {
                Job *job = container_of(link, Job, link);

                if (job->worker)
                        worker_cancel(job->worker);
        }
        return 0;
}

void broker_stop(Broker *broker, uint64_t grace_usec) {
        broker->stopping = true;
        rebound_say(broker);
        wait_stop(broker);
        errand_line_stop(broker);
        (void)sd_event_add_time_relative(broker->event, &broker->stop_grace, CLOCK_MONOTONIC,
                                         grace_usec, 0, on_grace_over, broker);
}

bool broker_is_stopping(const Broker *broker) {
        return broker->stopping;
}

/* A job that has been answered only waits for a kernel that may never come back. */
bool broker_is_idle(const Broker *broker) {
        list_for_each(link, &broker->jobs)
                if (!container_of(link, Job, link)->answered)
                        return false;
        return true;
}
