/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a worker sends, and what the daemon then does with it. The input is one message after the
 * other, as they are in memory, each behind a byte that says whether a file comes with it; the last
 * one may be cut off.
 */

#include <fcntl.h>
#include <string.h>

#include "daemon/broker/worker-message.h"
#include "daemon/bus/bus-inspect.h"
#include "daemon/core/holder-text.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz-bus.h"
#include "tests/fuzz/fuzz.h"

#define MESSAGES_MAX 64

/* A file comes with the message. */
#define WITH_FILE 1U

static size_t take_one(const uint8_t *data, size_t size, Handles *opened, Results *results) {
        size_t n = size - 1 < sizeof(WorkerMessage) ? size - 1 : sizeof(WorkerMessage);
        WorkerMessage message;
        int fd = data[0] & WITH_FILE ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -EBADF;

        memset(&message, 0, sizeof(message));
        memcpy(&message, data + 1, n);
        (void)worker_message_take(&message, n, fd, opened, results);
        return n + 1;
}

static void use(const Handles *opened, const Results *results) {
        _cleanup_free_ char *text = holders_describe(&results->holds, NULL);

        MUST(text);
        for (size_t i = 0; i < opened->n_handles; i++) {
                const Handle *handle = &opened->handles[i];

                MUST(handle->fd >= 0 && handle_kind_name(handle->kind));
                MUST(!handle->device || strlen(handle->device) <= ADDRESS_MAX);
                (void)handles_find(opened, handle->kind, handle->group, handle->device);
        }
}

/* What cannot be appended is refused there. */
static void tell(const Findings *findings) {
        sd_bus_message *m = NULL;

        MUST(sd_bus_message_new_signal(fuzz_bus(), &m, "/a", "a.a", "A") >= 0);
        (void)inspect_append_info(m, findings);
        sd_bus_message_unref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t fds = (fuzz_bus(), fuzz_count_fds());
        Results results = RESULTS_NULL;
        Handles opened = HANDLES_NULL;

        for (size_t i = 0; i < MESSAGES_MAX && size > 1; i++) {
                size_t n = take_one(data, size, &opened, &results);

                data += n;
                size -= n;
        }
        use(&opened, &results);
        if (results.findings.n_findings > 0)
                tell(&results.findings);
        handles_done(&opened);
        results_done(&results);
        MUST(fuzz_count_fds() == fds);
        return 0;
}
