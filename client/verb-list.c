/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * list: the groups and their members. One round trip: the calls go out together, and with targets
 * Explain beside them, which says what groups they are in. Text is written straight from
 * the replies, without json objects in between: this is the verb that has to be fast. Only the
 * reasons of stuck devices cost another round trip.
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/manager.h"
#include "client/report.h"
#include "client/tree.h"
#include "client/verb.h"
#include "daemon/util/string.h"

static void group_set_done(GroupSet *set) {
        free(set->numbers);
}

static int read_wanted(sd_bus_message *explain, GroupSet *ret) {
        _cleanup_json_ json_object *members = NULL;
        uint32_t *numbers;
        size_t n;
        int r;

        if (!explain)
                return 0;
        r = json_from_message(explain, &members);
        if (r < 0)
                return r;
        n = json_object_array_length(members);
        numbers = calloc(n + 1, sizeof(uint32_t));
        if (!numbers)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                numbers[i] = (uint32_t)json_get_u64(json_object_array_get_idx(members, i), "Group");
        *ret = (GroupSet){.numbers = numbers, .n = n};
        return 0;
}

/* The property that says what is the matter with a device in such a state; NULL for nothing. */
static const char *trouble_property(const DeviceRow *device) {
        return string_equal(device->state, "stuck")     ? "StuckReason"
               : string_equal(device->state, "rebound") ? "Rebound"
                                                        : NULL;
}

static int set_trouble(DeviceRow *device, json_object *devices) {
        for (size_t i = 0; i < json_object_array_length(devices); i++) {
                json_object *found = json_object_array_get_idx(devices, i);

                if (string_equal(json_get_string(found, "Name"), device->name))
                        return string_set(&device->trouble,
                                          json_get_string(found, trouble_property(device)));
        }
        return 0;
}

/* Overview has none: it is asked for in a second round trip, in the rare case that it is needed. */
static int add_troubles(vfiod_connection *c, Listing *listing, const GroupSet *wanted) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *devices = NULL;
        int r = 0;

        for (size_t i = 0; i < listing->n_devices && r >= 0; i++) {
                if (!trouble_property(&listing->devices[i]) ||
                    !group_set_has(wanted, listing->devices[i].group))
                        continue;
                if (!devices) {
                        r = manager_list_devices(c, &reply);
                        if (r >= 0)
                                r = json_from_objects(reply, &devices);
                }
                if (r >= 0)
                        r = set_trouble(&listing->devices[i], devices);
        }
        return r;
}

static int print_text(vfiod_connection *c, const ListReplies *replies, const GroupSet *wanted) {
        _cleanup_listing_ Listing listing = LISTING_NULL;
        Style style = style_detect(STDOUT_FILENO);
        int r;

        r = listing_read(replies->groups, replies->leases, &listing);
        if (r < 0)
                return r;
        r = listing_name_owners(&listing);
        if (r >= 0)
                r = add_troubles(c, &listing, wanted);
        if (r < 0)
                return r;
        if (listing.n_groups == 0)
                report_note("this machine has no IOMMU groups; is its IOMMU switched on?");
        return tree_print(stdout, &style, &listing, wanted);
}

/* Keeps of the objects those whose `key` is a wanted group number. */
static int keep_groups(json_object *objects, const char *key, const GroupSet *wanted,
                       json_object **ret) {
        _cleanup_json_ json_object *kept = json_object_new_array();

        for (size_t i = 0; kept && i < json_object_array_length(objects); i++) {
                json_object *object = json_object_array_get_idx(objects, i);

                if (!group_set_has(wanted, (uint32_t)json_get_u64(object, key)))
                        continue;
                if (json_append(kept, json_object_get(object)) < 0)
                        return -ENOMEM;
        }
        if (!kept)
                return -ENOMEM;
        *ret = TAKE_PTR(kept);
        return 0;
}

/* Keeps of the leases those that have a wanted group. */
static int keep_leases(json_object *leases, const GroupSet *wanted, json_object **ret) {
        _cleanup_json_ json_object *kept = json_object_new_array();

        for (size_t i = 0; kept && i < json_object_array_length(leases); i++) {
                json_object *lease = json_object_array_get_idx(leases, i);
                json_object *groups = json_object_object_get(lease, "Groups");
                bool keep = !wanted->numbers;

                for (size_t g = 0; groups && g < json_object_array_length(groups) && !keep; g++)
                        keep = group_set_has(wanted, (uint32_t)json_object_get_uint64(
                                                             json_object_array_get_idx(groups, g)));
                if (keep && json_append(kept, json_object_get(lease)) < 0)
                        return -ENOMEM;
        }
        if (!kept)
                return -ENOMEM;
        *ret = TAKE_PTR(kept);
        return 0;
}

static int print_json(const ListReplies *replies, const GroupSet *wanted) {
        _cleanup_json_ json_object *document = json_object_new_object();
        _cleanup_json_ json_object *groups = NULL, *devices = NULL, *leases = NULL;
        json_object *kept;
        int r;

        if (!document)
                return -ENOMEM;
        r = json_from_objects(replies->groups, &groups);
        if (r >= 0)
                r = json_from_objects(replies->devices, &devices);
        if (r >= 0)
                r = json_from_objects(replies->leases, &leases);
        if (r < 0)
                return r;

        r = keep_groups(groups, "Number", wanted, &kept);
        if (r >= 0)
                r = json_add(document, "Groups", kept);
        if (r >= 0)
                r = keep_groups(devices, "Group", wanted, &kept);
        if (r >= 0)
                r = json_add(document, "Devices", kept);
        if (r >= 0)
                r = keep_leases(leases, wanted, &kept);
        if (r >= 0)
                r = json_add(document, "Leases", kept);
        if (r < 0)
                return r;
        json_write_document(stdout, document);
        return 0;
}

int verb_list(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_list_replies_ ListReplies replies = {0};
        _cleanup_(group_set_done) GroupSet wanted = {0};
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = a->json ? manager_list(c, targets, &replies)
                            : manager_overview(c, targets, &replies);
        if (r >= 0)
                r = read_wanted(replies.explain, &wanted);
        if (r >= 0)
                r = a->json ? print_json(&replies, &wanted) : print_text(c, &replies, &wanted);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
