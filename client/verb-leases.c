/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* leases: who has what, oldest first; and until when, of one that is asked back. */

#include <inttypes.h>
#include <unistd.h>

#include "client/duration.h"
#include "client/manager.h"
#include "client/output.h"
#include "client/verb.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

/* "4, 7"; "40 (no IOMMU)". NULL: no memory. */
static char *groups_text(json_object *lease) {
        _cleanup_free_ char *groups = json_to_text(json_object_object_get(lease, "Groups"));

        if (!groups || !json_get_bool(lease, "NoIommu"))
                return TAKE_PTR(groups);
        return string_format("%s (no IOMMU)", groups);
}

static int print_text(json_object *leases) {
        static const char *const titles[] = {"LEASE", "OWNER", "STATE", "SINCE", "GROUPS", "LABEL"};
        _cleanup_table_ Table table = TABLE_INIT(titles);
        Style style = style_detect(STDOUT_FILENO);
        size_t n = json_object_array_length(leases);
        uint64_t now = clock_now(CLOCK_REALTIME);

        for (size_t i = 0; i < n; i++) {
                json_object *lease = json_object_array_get_idx(leases, i);
                _cleanup_free_ char *owner = user_name(json_get_u64(lease, "Owner"));
                _cleanup_free_ char *since = time_text(json_get_u64(lease, "Since"));
                _cleanup_free_ char *groups = groups_text(lease);
                _cleanup_free_ char *state = lease_state_text(json_get_string(lease, "State"),
                                                              json_get_u64(lease, "Deadline"), now);

                table_add_format(&table, "lease/%" PRIu64, json_get_u64(lease, "Id"));
                table_add(&table, owner);
                table_add(&table, state);
                table_add(&table, since);
                table_add(&table, groups);
                table_add(&table, json_get_string(lease, "Label"));
        }
        return table_print(stdout, &style, &table);
}

int verb_leases(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *leases = NULL;
        int r;

        r = verb_connect(a, &c);
        if (r >= 0)
                r = manager_list_leases(c, &reply);
        if (r >= 0)
                r = json_from_objects(reply, &leases);
        if (r >= 0 && a->json)
                json_write_document(stdout, leases);
        else if (r >= 0)
                r = print_text(leases);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
