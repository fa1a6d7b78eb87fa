/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* explain: what stands in the way, member by member. The exit status is the answer. */

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "client/manager.h"
#include "client/output.h"
#include "client/verb.h"
#include "daemon/util/string.h"

typedef struct Sum {
        bool bound;   /* nothing more has to be done to any member */
        bool vfio;    /* a member is there to be given */
        bool bridges; /* there are no others */
} Sum;

static Sum sum_up(json_object *members, uint64_t group) {
        size_t n = json_object_array_length(members);
        Sum sum = {.bound = true, .bridges = true};

        for (size_t i = 0; i < n; i++) {
                json_object *member = json_object_array_get_idx(members, i);
                const char *verdict = json_get_string(member, "Verdict");

                if (json_get_u64(member, "Group") != group)
                        continue;
                sum.bound = sum.bound && json_get_bool(member, "Bound");
                sum.vfio = sum.vfio || string_equal(verdict, "vfio");
                sum.bridges = sum.bridges && string_equal(verdict, "bridge");
        }
        return sum;
}

static bool can_be_acquired(Sum sum) {
        return sum.bound && sum.vfio;
}

static const char *answer(Sum sum) {
        return can_be_acquired(sum) ? "can be acquired"
               : sum.bridges        ? "has only bridges; there is nothing to acquire"
                                    : "cannot be acquired";
}

static bool all_can_be_acquired(json_object *members) {
        size_t n = json_object_array_length(members);

        for (size_t i = 0; i < n; i++) {
                json_object *member = json_object_array_get_idx(members, i);

                if (!can_be_acquired(sum_up(members, json_get_u64(member, "Group"))))
                        return false;
        }
        return true;
}

static void print_member(const Style *style, json_object *member) {
        const char *driver = json_get_string(member, "Driver");
        const char *remedy = json_get_string(member, "Remedy");
        bool bound = json_get_bool(member, "Bound");

        printf("  %s  ", json_get_string(member, "Device"));
        output_text(stdout, style, bound ? COLOUR_GREEN : COLOUR_RED,
                    json_get_string(member, "Verdict"));
        printf("  %s\n", driver[0] ? driver : "-");
        output_wrapped(stdout, style, 4, json_get_string(member, "Reason"));
        if (remedy[0])
                output_wrapped(stdout, style, 4, remedy);
}

/* The members come ordered by group, each group in one piece. */
static void print_text(json_object *members) {
        Style style = style_detect(STDOUT_FILENO);
        size_t n = json_object_array_length(members);

        for (size_t i = 0; i < n; i++) {
                json_object *member = json_object_array_get_idx(members, i);
                uint64_t group = json_get_u64(member, "Group");

                if (i == 0 ||
                    group != json_get_u64(json_object_array_get_idx(members, i - 1), "Group"))
                        printf("group/%" PRIu64 ": %s\n", group, answer(sum_up(members, group)));
                print_member(&style, member);
        }
}

int verb_explain(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *members = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_explain(c, targets, &reply);
        if (r >= 0)
                r = json_from_message(reply, &members);
        if (r < 0)
                return connection_report(c, r);

        if (a->json)
                json_write_document(stdout, members);
        else
                print_text(members);
        return all_can_be_acquired(members) ? STATUS_OK : STATUS_NO;
}
