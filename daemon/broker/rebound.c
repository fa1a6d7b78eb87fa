/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/rebound.h"

#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/broker/recover-plan.h"
#include "daemon/util/string.h"

#define KEEP_BACK_USEC (1000 * 1000ULL)

/* A move that is not said yet. */
typedef struct Rebound {
        char *device;
        Placement before; /* the first move */
        ReboundRecord record;
        List link; /* Broker.rebounds */
} Rebound;

static void rebound_free(Rebound *rebound) {
        list_remove(&rebound->link);
        placement_done(&rebound->before);
        free(rebound->device);
        free(rebound);
}

static Rebound *find_rebound(const Broker *broker, const char *device) {
        list_for_each(link, &broker->rebounds) {
                Rebound *rebound = container_of(link, Rebound, link);

                if (string_equal(rebound->device, device))
                        return rebound;
        }
        return NULL;
}

/* Also when its worker is late, or of the vfiod before this one: what happens then is still of its
 * plan. */
static bool is_moved_by_us(const Broker *broker, const char *device) {
        list_for_each(link, &broker->jobs)
                if (plan_moves_device(&container_of(link, Job, link)->plan, device))
                        return true;
        list_for_each(link, &broker->begun)
                if (plan_moves_device(&container_of(link, Begun, link)->plan.plan, device))
                        return true;
        return false;
}

static void say(Broker *broker, const Device *device, const Placement *before,
                ReboundRecord record) {
        _cleanup_free_ char *message = rebound_message(&broker->world, device, before, record);
        const Lease *lease = lease_table_find_group(&broker->world.leases, device->facts.group);
        bool override = rebound_is_override(device, before);

        broker_emit_rebound(
                broker,
                &(Change){.kind = override ? CHANGE_DEVICE_OVERRIDDEN : CHANGE_DEVICE_REBOUND,
                          .number = lease ? lease->id : 0,
                          .device = device->facts.name,
                          .reason = string_or_empty(message),
                          .from = override ? before->override : before->driver,
                          .to = string_or_empty(override ? device->facts.driver_override
                                                         : device->facts.driver)});
}

/* Nothing of a device that is back where it was, or unplugged by now. */
static void say_kept_back(Broker *broker, Rebound *rebound) {
        const Device *device = topology_find_device(&broker->world.topology, rebound->device);

        if (device && !string_equal(device->facts.driver, rebound->before.driver))
                say(broker, device, &rebound->before, rebound->record);
        rebound_free(rebound);
}

void rebound_say(Broker *broker) {
        broker->rebound_timer = sd_event_source_disable_unref(broker->rebound_timer);
        list_for_each_safe(link, &broker->rebounds)
                say_kept_back(broker, container_of(link, Rebound, link));
}

/* Nobody has told of an override that was written since. Reading may find what is to be said. */
static void look_again(Broker *broker) {
        _cleanup_strv_ char **names = NULL;

        list_for_each(link, &broker->rebounds)
                (void)strv_push(&names, container_of(link, Rebound, link)->device);
        for (char **name = names; name && *name; name++)
                broker_refresh_device(broker, *name);
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        look_again(userdata);
        rebound_say(userdata);
        return 0;
}

/* What is kept back longer because of others is said with them. */
static void keep_back(Broker *broker, const Device *device, const Placement *before,
                      ReboundRecord record) {
        Rebound *rebound = calloc(1, sizeof(Rebound));

        if (!rebound)
                return;
        list_insert(&broker->rebounds, &rebound->link);
        rebound->record = record;
        rebound->before.vfio = before->vfio;
        if (string_set(&rebound->device, device->facts.name) < 0 ||
            string_set(&rebound->before.driver, before->driver) < 0 ||
            string_set(&rebound->before.override, before->override) < 0) {
                rebound_free(rebound);
                return;
        }
        if (!broker->rebound_timer)
                (void)sd_event_add_time_relative(broker->event, &broker->rebound_timer,
                                                 CLOCK_MONOTONIC, KEEP_BACK_USEC, 0, on_timer,
                                                 broker);
}

/* A record that was forgotten with the first move is news also with the last one. */
static void go_on(Broker *broker, Rebound *rebound, const Device *device, ReboundRecord record) {
        if (record != REBOUND_RECORD_NONE)
                rebound->record = record;
        if (!string_is_empty(device->facts.driver))
                say_kept_back(broker, rebound);
}

static bool is_loss(const Broker *broker, const Device *device, const Placement *before) {
        return string_is_empty(device->facts.driver) && !string_is_empty(before->driver) &&
               rebound_is_move(&broker->world, device, before);
}

void rebound_notice(Broker *broker, Device *device, const Placement *before) {
        Rebound *kept_back = find_rebound(broker, device->facts.name);
        bool claimed = rebound_is_claimed(&broker->world, device->group);
        ReboundRecord record;

        if (is_moved_by_us(broker, device->facts.name) || (!claimed && !kept_back))
                return;
        record = rebound_settle(device);
        if (kept_back)
                go_on(broker, kept_back, device, record);
        else if (is_loss(broker, device, before))
                keep_back(broker, device, before, record);
        else if (rebound_is_move(&broker->world, device, before) ||
                 rebound_is_override(device, before))
                say(broker, device, before, record);
        broker_emit_group(broker, device->facts.group);
}
