/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/worker-message.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/fd.h"

/* The text ends within its field. */
#define ENDS(field) (memchr((field), '\0', sizeof(field)) != NULL)

static int take_file(const WorkerMessage *message, int *fd, Handles *opened) {
        const bool named = message->file.device[0] != '\0';

        if (*fd < 0 || !handle_kind_is_sent(message->file.kind) || !ENDS(message->file.device) ||
            named != handle_kind_is_device(message->file.kind))
                return -EBADMSG;
        return handles_add_consume(opened, message->file.kind, message->file.group,
                                   named ? message->file.device : NULL, TAKE_FD(*fd));
}

static int take_hold(const Hold *hold, Holds *holds) {
        if ((unsigned)hold->kind >= _HOLD_KIND_MAX || !ENDS(hold->device) || !ENDS(hold->command) ||
            !ENDS(hold->unit))
                return -EBADMSG;
        return holds_add(holds, hold);
}

static int take_untold(const WorkerMessage *message, Holds *holds) {
        if (message->untold.holds.kinds >> _HOLD_KIND_MAX)
                return -EBADMSG;
        holds->n_more = message->untold.n_more;
        holds->n_more_keepers = message->untold.n_more_keepers;
        return holds_add_untold(holds, &message->untold.holds);
}

static int take_finding(const Finding *finding, Findings *findings) {
        if ((unsigned)finding->kind >= _FINDING_KIND_MAX || !ENDS(finding->device) ||
            (finding->kind == FINDING_RESET && !ENDS(finding->bytes)) ||
            (finding->kind == FINDING_MDEV_TEXT && finding->values[1] > FINDING_BYTES) ||
            (finding->kind == FINDING_HW_DATA && finding->values[0] > FINDING_BYTES))
                return -EBADMSG;
        return findings_add(findings, finding);
}

int worker_message_take(const WorkerMessage *message, size_t size, int fd, Handles *opened,
                        Results *results) {
        _cleanup_close_ int owned = fd;

        if (size != sizeof(*message))
                return -EBADMSG;
        if (message->kind == WORKER_MESSAGE_FILE)
                return take_file(message, &owned, opened);
        if (owned >= 0)
                return -EBADMSG;
        if (message->kind == WORKER_MESSAGE_HOLD)
                return take_hold(&message->hold, &results->holds);
        if (message->kind == WORKER_MESSAGE_UNTOLD)
                return take_untold(message, &results->holds);
        if (message->kind == WORKER_MESSAGE_FINDING)
                return take_finding(&message->finding, &results->findings);
        return -EBADMSG;
}
