/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns how a table becomes a World. Everything goes in by the front door: topology_put_device(),
 * lease_enter(), request_set_targets(). */

#include "tests/unit/fixture-world.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* 2026-11-21T22:40:05Z */
#define WHEN_USEC 1795300805000000

static const DeviceRow lab[] = {
        {"0000:01:00.0", 1, "e1000e",
         .modalias = "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00"},
        {"0000:02:00.0", 2, "nvme", .class_code = CLASS_NVME},
        {"0000:00:03.0", 3, .class_code = CLASS_PCI_BRIDGE, .header_type = HEADER_BRIDGE},
        {"0000:03:01.0", 3, "e1000"},
        {"0000:03:02.0", 3, "e1000"},
        {"0000:00:10.0", 4, .class_code = 0x00ff00},
        {"0000:00:10.1", 4, .class_code = 0x00ff00},
        {"0000:00:01.0", 5, "pcieport", .module = "", .class_code = CLASS_PCI_BRIDGE,
         .header_type = HEADER_BRIDGE},
        {"0000:00:1f.0", 9, "lpc_ich", .class_code = CLASS_ISA_BRIDGE},
        {"0000:00:1f.2", 9, "ahci", .class_code = 0x010601},
};

static char *copy(const char *text) {
        char *s = strdup(text);

        ck_assert_ptr_nonnull(s);
        return s;
}

static char **split(const char *text) {
        char **words = calloc(1, sizeof(char *));

        while (*text) {
                size_t n = strcspn(text, " ");

                if (n > 0)
                        ck_assert_int_eq(
                                strv_push_consume(&words, string_format("%.*s", (int)n, text)), 0);
                text += n + (text[n] == ' ');
        }
        return words;
}

DeviceFacts facts_of_row(const DeviceRow *row) {
        const char *driver = string_or_empty(row->driver);

        return (DeviceFacts){
                .name = copy(row->name),
                .bus = copy(row->bus ?: "pci"),
                .group = row->group,
                .driver = copy(driver),
                .driver_module = copy(row->module ?: driver),
                .driver_override = row->no_override ? NULL : copy(string_or_empty(row->override)),
                .modalias = copy(string_or_empty(row->modalias)),
                .vfio = strstr(driver, "vfio"),
                .cdev = copy(string_or_empty(row->cdev)),
                .numa_node = -1,
                .class_code = row->class_code ?: CLASS_ETHERNET,
                .header_type = row->header_type,
                .path = copy(string_or_empty(row->path)),
                .reset_methods = row->reset ? split(row->reset) : NULL,
                .physfn = copy(string_or_empty(row->physfn)),
                .total_vfs = row->total_vfs,
                .vfs_autoprobe = row->total_vfs > 0,
        };
}

static void put_original(Device *device, const DeviceRow *row) {
        if (!row->original)
                return;
        device_forget_original(device);
        device->original.recorded = true;
        device->original.driver = copy(row->original);
        device->original.module = copy(row->original);
        device->original.override = copy(string_or_empty(row->original_override));
        ck_assert_int_eq(string_set(&device->original.bound, row->bound), 0);
}

void world_put(World *world, const DeviceRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                GroupFacts group = {.number = rows[i].group,
                                    .type = copy("DMA"),
                                    .name = copy(rows[i].noiommu ? "vfio-noiommu" : "")};
                DeviceFacts facts = facts_of_row(&rows[i]);
                Device *device;

                ck_assert_int_ge(topology_put_group(&world->topology, &group), 0);
                ck_assert_int_ge(topology_put_device(&world->topology, &facts), 0);
                device = topology_find_device(&world->topology, rows[i].name);
                ck_assert_ptr_nonnull(device);
                put_original(device, &rows[i]);
        }
}

void world_init(World *world, const DeviceRow *rows, size_t n) {
        *world = (World){.aliases = VFIO_ALIASES_NULL, .config_directory = WORLD_CONFIG_DIRECTORY};
        topology_init(&world->topology, VIABILITY_BY_OWNER);
        lease_table_init(&world->leases);
        activity_table_init(&world->activities);
        wait_table_init(&world->waits);
        config_init(&world->config);
        world_put(world, rows, n);
}

void world_init_lab(World *world) {
        world_init(world, lab, ELEMENTS(lab));
}

void world_done(World *world) {
        list_for_each_safe(link, &world->activities.activities) {
                Activity *activity = container_of(link, Activity, link);

                activity_end(activity);
                free(activity);
        }
        list_for_each_safe(link, &world->waits.waits) {
                Wait *wait = container_of(link, Wait, link);

                wait_end(wait);
                free(wait);
        }
        lease_table_done(&world->leases);
        vfio_aliases_done(&world->aliases);
        topology_done(&world->topology);
        assignments_done(&world->assignments);
        free(world->assignments_problem);
}

void world_set_driver(World *world, const char *name, const char *driver) {
        Device *device = topology_find_device(&world->topology, name);

        ck_assert_ptr_nonnull(device);
        ck_assert_int_eq(string_set(&device->facts.driver, string_or_empty(driver)), 0);
        ck_assert_int_eq(string_set(&device->facts.driver_module, string_or_empty(driver)), 0);
        device->facts.vfio = driver && strstr(driver, "vfio");
}

void world_add_use(World *world, const char *device, const char *use) {
        Device *found = topology_find_device(&world->topology, device);

        ck_assert_ptr_nonnull(found);
        ck_assert_int_eq(strv_push(&found->in_use, use), 0);
}

void world_set_cdev(World *world, const char *name, const char *cdev) {
        Device *device = topology_find_device(&world->topology, name);

        ck_assert_ptr_nonnull(device);
        ck_assert_int_eq(string_set(&device->facts.cdev, string_or_empty(cdev)), 0);
}

void world_set_iommufd(World *world) {
        world->iommufd = (IommufdSupport){.iommufd = true, .cdevs = true, .cdevs_known = true};
}

/* The events that lead to each state from LEASE_GRANTING. */
static const LeaseEvent way_to[_LEASE_STATE_MAX][2] = {
        [LEASE_HELD] = {LEASE_EVENT_GRANTED, _LEASE_EVENT_MAX},
        [LEASE_RELEASING] = {LEASE_EVENT_GRANTED, LEASE_EVENT_ASKED},
        [LEASE_DRAINING] = {LEASE_EVENT_GRANTED, LEASE_EVENT_GIVEN_BACK},
        [LEASE_LOST] = {LEASE_EVENT_GRANTED, LEASE_EVENT_UNPLUGGED},
        [LEASE_GONE] = {LEASE_EVENT_FAILED, _LEASE_EVENT_MAX},
};

Lease *world_add_lease(World *world, uid_t owner, LeaseState state, const uint32_t *groups) {
        Lease *lease;

        ck_assert_int_eq(lease_new(&world->leases, owner, NULL, &lease), 0);
        for (size_t i = 0; state != LEASE_GRANTING && i < 2; i++)
                if (way_to[state][i] != _LEASE_EVENT_MAX)
                        ck_assert_int_eq(lease_enter(lease, way_to[state][i]), 0);
        ck_assert_int_eq(lease->state, state);
        for (; *groups; groups++)
                ck_assert_int_eq(lease_add_group(lease, *groups), 0);
        return lease;
}

static size_t count_groups(const uint32_t *groups) {
        size_t n = 0;

        while (groups[n])
                n++;
        return n;
}

Activity *world_add_activity(World *world, uid_t uid, Operation operation, const uint32_t *groups) {
        Activity *activity = calloc(1, sizeof(Activity));

        ck_assert_ptr_nonnull(activity);
        ck_assert_int_eq(activity_begin(&world->activities, activity, operation, uid, groups,
                                        count_groups(groups)),
                         0);
        return activity;
}

void world_assign(World *world, const char *device, const char *driver, const char *serial) {
        const Device *found = topology_find_device(&world->topology, device);
        _cleanup_assignment_ Assignment entry = {0};

        ck_assert_ptr_nonnull(found);
        ck_assert_int_eq(assignment_of(&found->facts, driver, WHEN_USEC, &entry), 0);
        ck_assert_int_eq(string_set(&entry.serial, serial), 0);
        ck_assert_int_eq(assignments_put(&world->assignments, &entry), 0);
}

Wait *world_add_wait(World *world, uid_t uid, const uint32_t *groups) {
        Wait *wait = calloc(1, sizeof(Wait));

        ck_assert_ptr_nonnull(wait);
        ck_assert_int_eq(wait_begin(&world->waits, wait, uid, 0, groups, count_groups(groups)), 0);
        return wait;
}

void wait_vacate(Wait *wait, uint32_t group) {
        for (size_t i = 0; i < wait->n_groups; i++)
                if (wait->groups[i].number == group)
                        wait->groups[i].vacated = wait->groups[i].was_held = true;
}

static void set_cookies(Request *request, const char *text) {
        _cleanup_strv_ char **words = split(string_or_empty(text));

        request->cookies = calloc(strv_length(words) + 1, sizeof(Cookie));
        ck_assert_ptr_nonnull(request->cookies);
        for (char **word = words; word && *word; word++) {
                Cookie *cookie = &request->cookies[request->n_cookies++];

                ck_assert_int_eq(
                        sscanf(*word, "%127[^=]=%" SCNu64, cookie->device, &cookie->number), 2);
        }
}

void ask_world(const World *world, const Ask *ask, Answer *ret) {
        _cleanup_selection_ Selection selection = SELECTION_NULL;
        _cleanup_strv_ char **targets = split(string_or_empty(ask->targets));
        _cleanup_request_ Request request = {
                .operation = ask->operation,
                .caller = {.uid = ask->uid, .pid = ask->pid, .start_time = ask->pid ? 1 : 0},
                .bind = ask->bind,
                .override_safety = ask->override_safety,
                .mode = ask->mode,
                .prepare = ask->prepare,
                .lease = ask->lease,
                .policy = ask->policy,
                .due = ask->due,
                .n_vfs = ask->n_vfs,
                .when_usec = WHEN_USEC,
                .recreate = ask->recreate,
                .has_autoprobe = ask->autoprobe,
                .autoprobe = string_equal(ask->autoprobe, "yes"),
                .hot_reset = ask->hot_reset,
                .memlock = ask->memlock,
                .defer_fds = ask->defer_fds,
                .fds_max = ask->fds_max ?: 16,
        };

        *ret = (Answer){.refusal = REFUSAL_NULL};
        ck_assert_int_eq(string_set(&request.driver, ask->driver), 0);
        ck_assert_int_eq(string_set(&request.reset_method, ask->reset_method), 0);
        ck_assert_int_eq(string_set(&request.mdev_type, ask->mdev_type), 0);
        ck_assert_int_eq(string_set(&request.mdev_uuid, ask->mdev_uuid), 0);
        ck_assert_int_eq(string_set(&request.mdev_parent, ask->targets ?: "mtty"), 0);
        set_cookies(&request, ask->cookies);
        if ((ask->targets &&
             request_set_targets(&request, targets, world->config.limit_targets, &ret->refusal)) ||
            select_targets(&world->topology, &request, &selection, &ret->refusal))
                return;
        (void)decide(world, &request, &selection, &ret->plan, &ret->refusal);
}

void answer_done(Answer *answer) {
        refusal_done(&answer->refusal);
        plan_done(&answer->plan);
}

void assert_plan(const World *world, const Ask *ask, const char *lines) {
        _cleanup_(answer_done) Answer answer;
        _cleanup_strv_ char **steps = NULL;
        _cleanup_free_ char *text = NULL;

        ask_world(world, ask, &answer);
        ck_assert_msg(answer.refusal.kind == REFUSAL_NONE, "%s: refused: %s", ask->targets,
                      answer.refusal.sentence);
        steps = plan_describe(&answer.plan);
        text = strv_join(steps, "\n");
        ck_assert_str_eq(text, lines);
}

void assert_refused(const World *world, const Ask *ask, RefusalKind kind, const char *words) {
        _cleanup_(answer_done) Answer answer;

        ask_world(world, ask, &answer);
        ck_assert_msg(answer.refusal.kind == kind, "'%s': got %s (%s), expected %s", ask->targets,
                      refusal_name(answer.refusal.kind), string_or_empty(answer.refusal.sentence),
                      refusal_name(kind));
        ck_assert_msg(strstr(answer.refusal.sentence, words), "'%s': '%s' does not say '%s'",
                      ask->targets, answer.refusal.sentence, words);
}
