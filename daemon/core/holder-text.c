/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/holder-text.h"

#include <stdlib.h>

#include "daemon/util/string.h"

/* A sentence with more processes than this is not read any more. */
#define PROCESSES_MAX 5

static bool is_meant(const Hold *hold, const uint32_t *group) {
        return (!group || hold->group == *group) && hold_keeps_group(hold->kind);
}

static int describe_file(char **text, const Hold *hold, bool first) {
        const char *comma = first ? "" : ", ";

        if (string_is_empty(hold->device) && hold->kind != HOLD_GROUP)
                return string_append(text, "%s%s of group %u", comma, hold_kind_name(hold->kind),
                                     hold->group);
        return hold->kind == HOLD_GROUP ? string_append(text, "%sgroup %u", comma, hold->group)
                                        : string_append(text, "%s%s %s", comma,
                                                        hold_kind_name(hold->kind), hold->device);
}

/* A process may have a device open or mapped many times: each is said once. */
static bool is_said(const Holds *holds, size_t begin, size_t index) {
        const Hold *hold = &holds->holds[index];

        for (size_t i = begin; i < index; i++)
                if (holds->holds[i].kind == hold->kind && holds->holds[i].group == hold->group &&
                    string_equal(holds->holds[i].device, hold->device))
                        return true;
        return false;
}

static int describe_process(char **text, const Holds *holds, size_t begin, size_t end,
                            const uint32_t *group) {
        const Hold *process = &holds->holds[begin];
        bool first = true;
        int r;

        r = string_append(text, "%spid %d (%s, uid %u%s%s): ", *text ? "; " : "", process->pid,
                          process->command, process->uid, process->unit[0] ? ", " : "",
                          process->unit);
        for (size_t i = begin; r >= 0 && i < end; i++) {
                if (!is_meant(&holds->holds[i], group) || is_said(holds, begin, i))
                        continue;
                r = describe_file(text, &holds->holds[i], first);
                first = false;
        }
        return r;
}

static bool process_is_meant(const Holds *holds, size_t begin, size_t end, const uint32_t *group) {
        for (size_t i = begin; i < end; i++)
                if (is_meant(&holds->holds[i], group))
                        return true;
        return false;
}

char *holders_describe(const Holds *holds, const uint32_t *group) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0, end;

        for (size_t i = 0; i < holds->n_holds; i = end) {
                end = holds_next_process(holds, i);
                if (!process_is_meant(holds, i, end, group) || n++ >= PROCESSES_MAX)
                        continue;
                if (describe_process(&text, holds, i, end, group) < 0)
                        return NULL;
        }
        n += group ? 0 : holds->n_more_keepers;
        if (!text && n > 0)
                return string_format("%zu processes", n);
        if (n > PROCESSES_MAX && string_append(&text, "; and %zu more", n - PROCESSES_MAX) < 0)
                return NULL;
        return text ? TAKE_PTR(text) : strdup("");
}
