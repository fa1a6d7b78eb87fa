/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* assign and unassign: whose whole groups are from the next boot on. What does not happen before
 * that is said on stderr. */

#include "client/listing.h"
#include "client/manager.h"
#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/string.h"

static unsigned flags_of(const Arguments *a) {
        return (a->now ? VFIOD_ASSIGN_BIND : 0) |
               (a->acquire.override_safety ? VFIOD_ASSIGN_OVERRIDE_SAFETY : 0);
}

static int plan_assign(const Arguments *a, vfiod_connection *c, char **targets) {
        char **steps;
        int r = vfiod_plan_assign(c, constant(targets), a->acquire.driver, flags_of(a), &steps);

        return r < 0 ? r : verb_print_steps(a, steps);
}

static int assign(const Arguments *a, vfiod_connection *c, char **targets) {
        int r = vfiod_assign(c, constant(targets), a->acquire.driver, flags_of(a));

        if (r >= 0 && !a->now)
                report_note("assigned from the next boot on; 'vfioctl bind' moves what is still on "
                            "a host driver now");
        return r;
}

int verb_assign(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r = verb_begin(a, &c, &targets);

        if (r >= 0)
                r = a->dry_run ? plan_assign(a, c, targets) : assign(a, c, targets);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}

static int plan_unassign(const Arguments *a, vfiod_connection *c, char **targets) {
        char **steps;
        int r = vfiod_plan_unassign(c, constant(targets), &steps);

        return r < 0 ? r : verb_print_steps(a, steps);
}

int verb_unassign(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r = verb_begin(a, &c, &targets);

        if (r >= 0)
                r = a->dry_run ? plan_unassign(a, c, targets)
                               : vfiod_unassign(c, constant(targets));
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}

static bool is_of(json_object *explained, const DeviceRow *device) {
        for (size_t i = 0; i < json_object_array_length(explained); i++)
                if (string_equal(json_get_string(json_object_array_get_idx(explained, i), "Device"),
                                 device->name))
                        return true;
        return false;
}

static void note_rows(const ListReplies *replies) {
        _cleanup_listing_ Listing listing = LISTING_NULL;
        _cleanup_json_ json_object *explained = NULL;

        if (listing_read(replies->groups, replies->leases, &listing) < 0 ||
            json_from_message(replies->explain, &explained) < 0)
                return;
        for (size_t i = 0; i < listing.n_devices; i++)
                if (string_after(listing.devices[i].assignment, "assigned") &&
                    is_of(explained, &listing.devices[i]))
                        report_note("%s stays assigned, and is on a vfio driver again from the "
                                    "next boot on unless 'vfioctl unassign %s'",
                                    listing.devices[i].name, listing.devices[i].name);
}

void verb_note_assigned(vfiod_connection *c, char **targets) {
        _cleanup_list_replies_ ListReplies replies = {0};

        if (manager_overview(c, targets, &replies) >= 0 && replies.explain)
                note_rows(&replies);
}
