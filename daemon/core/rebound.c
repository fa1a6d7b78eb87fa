/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/rebound.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"

int placement_take(Placement *placement, const Device *device) {
        const DeviceFacts *facts = &device->facts;

        if (string_set(&placement->driver, string_or_empty(facts->driver)) < 0 ||
            string_set(&placement->override, string_or_empty(facts->driver_override)) < 0)
                return -ENOMEM;
        placement->vfio = facts->vfio;
        return 0;
}

void placement_done(Placement *placement) {
        free(placement->driver);
        free(placement->override);
        *placement = (Placement){0};
}

static const char *driver_of(const Device *device) {
        return string_or_empty(device->facts.driver);
}

static const char *override_of(const Device *device) {
        return string_or_empty(device->facts.driver_override);
}

static const char *or_none(const char *word) {
        return string_is_empty(word) ? "none" : word;
}

/* It was cleared while the device stayed: what there was before Bind is not wanted any more. */
static ReboundRecord settle_bound(Device *device) {
        Original *original = &device->original;
        const char *override = override_of(device);

        if (!original->bound || string_equal(override, original->bound))
                return REBOUND_RECORD_IN_FORCE;
        if (string_is_empty(override) && string_set(&original->override, "") >= 0)
                return REBOUND_RECORD_IN_FORCE;
        device_forget_original(device);
        return REBOUND_RECORD_FORGOTTEN;
}

ReboundRecord rebound_settle(Device *device) {
        if (!device->original.recorded)
                return REBOUND_RECORD_NONE;
        if (device->facts.vfio)
                return settle_bound(device);
        if (device_original_is_suspended(device))
                return REBOUND_RECORD_SUSPENDED;
        device_forget_original(device);
        return REBOUND_RECORD_FORGOTTEN;
}

static bool has_record(const Group *group) {
        for (size_t i = 0; i < group->n_members; i++)
                if (group->members[i]->original.recorded)
                        return true;
        return false;
}

bool rebound_is_claimed(const World *world, const Group *group) {
        return lease_table_find_group(&world->leases, group->facts.number) || has_record(group);
}

bool rebound_is_move(const World *world, const Device *device, const Placement *before) {
        /* Borrowed: only to be judged. */
        DeviceFacts was = device->facts;

        if (string_equal(driver_of(device), before->driver) && device->facts.vfio == before->vfio)
                return false;
        was.driver = before->driver;
        was.vfio = before->vfio;
        return was.vfio || device->facts.vfio ||
               !verdict_is_bound(verdict_of(world->topology.rule, &was)) ||
               !verdict_is_bound(device_verdict(&world->topology, device));
}

bool rebound_is_override(const Device *device, const Placement *before) {
        return device->facts.vfio && before->vfio &&
               string_equal(driver_of(device), before->driver) &&
               !string_equal(override_of(device), before->override);
}

#define BY_OTHERS "by somebody else than vfiod"

static char *what_happened(const Device *device, const Placement *before) {
        const char *name = device->facts.name, *driver = driver_of(device);

        if (rebound_is_override(device, before))
                return string_format("driver_override of %s was changed from %s to %s " BY_OTHERS,
                                     name, or_none(before->override), or_none(override_of(device)));
        if (string_is_empty(driver))
                return string_format("%s was taken from %s " BY_OTHERS " and has no driver now",
                                     name, or_none(before->driver));
        if (string_is_empty(before->driver))
                return string_format("%s, which had no driver, was bound to %s " BY_OTHERS, name,
                                     driver);
        return string_format("%s was moved from %s to %s " BY_OTHERS, name, before->driver, driver);
}

static int append_record(char **text, const Device *device, bool override, ReboundRecord record) {
        switch (record) {
        case REBOUND_RECORD_IN_FORCE:
                return string_append(text, "; Unbind gives it back to %s, driver_override to %s",
                                     or_none(device->original.driver),
                                     or_none(device->original.override));
        case REBOUND_RECORD_SUSPENDED:
                return string_append(text,
                                     "; it stays there, and Unbind only puts driver_override back "
                                     "to %s, which vfiod had set",
                                     or_none(device->original.override));
        case REBOUND_RECORD_FORGOTTEN:
                return string_append(
                        text, override ? "; it stays so, and Unbind leaves the driver to it"
                                       : "; it stays there: Unbind leaves it alone, and the next "
                                         "Bind takes that for its original driver");
        case REBOUND_RECORD_NONE:
                break;
        }
        return 0;
}

static int append_lease(char **text, const World *world, const Device *device,
                        const Placement *before) {
        const Lease *lease = lease_table_find_group(&world->leases, device->facts.group);
        int r;

        if (!lease)
                return 0;
        r = string_append(text, "; lease %u, which has group %u, goes on", lease->id,
                          device->facts.group);
        if (r >= 0 && before->vfio && !device->facts.vfio)
                r = string_append(text, " without it");
        if (r >= 0 && !group_is_viable(&world->topology, device->group))
                r = string_append(text, ", and the group is not viable");
        return r;
}

char *rebound_message(const World *world, const Device *device, const Placement *before,
                      ReboundRecord record) {
        _cleanup_free_ char *text = what_happened(device, before);

        if (!text ||
            append_record(&text, device, rebound_is_override(device, before), record) < 0 ||
            append_lease(&text, world, device, before) < 0)
                return NULL;
        return TAKE_PTR(text);
}

static char *describe_unbound(const World *world, const Device *device, Verdict verdict) {
        const Lease *lease = lease_table_find_group(&world->leases, device->facts.group);
        _cleanup_free_ char *reason = verdict_reason(verdict, &device->facts);

        if (!reason)
                return NULL;
        if (lease)
                return string_format("it %s, and its group is leased (lease %u)", reason,
                                     lease->id);
        return string_format("it %s, and others of its group were bound to vfio drivers", reason);
}

char *rebound_describe(const World *world, const Device *device) {
        const char *override = override_of(device);
        Verdict verdict = device_verdict(&world->topology, device);

        if (!rebound_is_claimed(world, device->group) ||
            activity_find_group(&world->activities, device->facts.group))
                return strdup("");
        if (device_original_is_suspended(device))
                return string_format("it is bound to no vfio driver, but its driver_override is "
                                     "still %s, which vfiod has set",
                                     override);
        if (!verdict_is_bound(verdict))
                return describe_unbound(world, device, verdict);
        if (device->facts.vfio && !string_is_empty(override) &&
            !string_equal(override, device->facts.driver))
                return string_format("it is bound to %s, but its driver_override is %s",
                                     device->facts.driver, override);
        return strdup("");
}
