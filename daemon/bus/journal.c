/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/journal.h"

#include <inttypes.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "daemon/bus/bus-error.h"
#include "daemon/core/holder-text.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* A record that cannot be written must not fail the operation. */
#define SEND(...) ((void)sd_journal_send(__VA_ARGS__, NULL))

static const char *outcome_word(const Outcome *outcome) {
        if (outcome_is_success(outcome))
                return "done";
        return outcome->refusal.kind != REFUSAL_NONE ? "refused" : "failed";
}

/* One record each, before that of the operation: a search for warnings finds what was dared. */
static void journal_overridden(const Request *request, const Outcome *outcome,
                               const char *targets) {
        for (char **one = outcome->overridden; one && *one; one++)
                SEND("MESSAGE=%s %s for uid %u overrides safety: %s",
                     operation_name(request->operation), targets, request->caller.uid, *one,
                     "PRIORITY=%i", LOG_WARNING, VFIOD_JOURNAL_OPERATION "=override-safety",
                     VFIOD_JOURNAL_TARGETS "=%s", targets, VFIOD_JOURNAL_CALLER_UID "=%u",
                     request->caller.uid, VFIOD_JOURNAL_CALLER_PID "=%d", request->caller.pid,
                     VFIOD_JOURNAL_CALLER_NAME "=%s", request->caller.name);
}

/* Who has them now can read and write all of the host's memory. */
static bool has_given_memory(const Request *request, const Outcome *outcome) {
        return outcome->no_iommu && outcome_is_success(outcome) &&
               (request->operation == OPERATION_ACQUIRE || request->operation == OPERATION_ADD);
}

void journal_operation(const Request *request, const Outcome *outcome) {
        _cleanup_free_ char *targets = request_targets_text(request);
        _cleanup_free_ char *holders = holders_describe(&outcome->results.holds, NULL);
        const char *verb = operation_name(request->operation), *word = outcome_word(outcome);
        bool ok = outcome_is_success(outcome), memory = has_given_memory(request, outcome);

        journal_overridden(request, outcome, string_or_empty(targets));
        SEND("MESSAGE=%s %s%sfor uid %u: %s%s%s", verb, string_or_empty(targets),
             string_is_empty(targets) ? "" : " ", request->caller.uid, word, ok ? "" : ": ",
             memory ? ", without an IOMMU: the holder can read and write all of the host's memory"
                    : outcome_sentence(outcome),
             "PRIORITY=%i",
             memory                                  ? LOG_WARNING
             : ok                                    ? LOG_INFO
             : outcome->refusal.kind != REFUSAL_NONE ? LOG_NOTICE
                                                     : LOG_ERR,
             VFIOD_JOURNAL_OPERATION "=%s", verb, VFIOD_JOURNAL_TARGETS "=%s",
             string_or_empty(targets), VFIOD_JOURNAL_CALLER_UID "=%u", request->caller.uid,
             VFIOD_JOURNAL_CALLER_PID "=%d", request->caller.pid, VFIOD_JOURNAL_CALLER_NAME "=%s",
             request->caller.name, VFIOD_JOURNAL_OUTCOME "=%s", word, VFIOD_JOURNAL_ERROR "=%s",
             bus_error_name(outcome), VFIOD_JOURNAL_LEASE "=%u", outcome->lease,
             VFIOD_JOURNAL_FROM "=%s", string_or_empty(outcome->from), VFIOD_JOURNAL_TO "=%s",
             string_or_empty(outcome->to), VFIOD_JOURNAL_PLAN "=%s", string_or_empty(outcome->plan),
             VFIOD_JOURNAL_HOLDERS "=%s", string_or_empty(holders),
             VFIOD_JOURNAL_DURATION "=%" PRIu64, outcome->duration_usec);
}

void journal_unrecorded(uid_t uid, uint64_t n) {
        SEND("MESSAGE=%" PRIu64 " more calls of uid %u were refused in a few seconds", n, uid,
             "PRIORITY=%i", LOG_NOTICE, VFIOD_JOURNAL_OPERATION "=refusals",
             VFIOD_JOURNAL_CALLER_UID "=%u", uid);
}

void journal_lease_asked(const Lease *lease, const char *reason) {
        SEND("MESSAGE=lease %u of uid %u is asked back: %s", lease->id, lease->owner, reason,
             "PRIORITY=%i", LOG_INFO, VFIOD_JOURNAL_OPERATION "=lease-asked",
             VFIOD_JOURNAL_LEASE "=%u", lease->id, VFIOD_JOURNAL_CALLER_UID "=%u", lease->owner);
}

void journal_lease_stuck(const Lease *lease) {
        SEND("MESSAGE=lease %u of uid %u was given back, but a process that cannot be found still "
             "has its files; its devices are stuck until it lets go",
             lease->id, lease->owner, "PRIORITY=%i", LOG_WARNING,
             VFIOD_JOURNAL_OPERATION "=lease-stuck", VFIOD_JOURNAL_LEASE "=%u", lease->id,
             VFIOD_JOURNAL_CALLER_UID "=%u", lease->owner);
}

void journal_lease_left(const Lease *lease) {
        SEND("MESSAGE=lease %u of uid %u cannot go on: not all of its files outlived the vfiod "
             "before this one, as they do in the service manager's store; its devices are free "
             "when their holder lets go",
             lease->id, lease->owner, "PRIORITY=%i", LOG_WARNING,
             VFIOD_JOURNAL_OPERATION "=lease-left", VFIOD_JOURNAL_LEASE "=%u", lease->id,
             VFIOD_JOURNAL_CALLER_UID "=%u", lease->owner);
}

void journal_lease_over(const Lease *lease, uint64_t held_usec) {
        SEND("MESSAGE=lease %u of uid %u is over after %" PRIu64 ".%03" PRIu64 " s", lease->id,
             lease->owner, held_usec / 1000000, held_usec / 1000 % 1000, "PRIORITY=%i", LOG_INFO,
             VFIOD_JOURNAL_OPERATION "=lease-over", VFIOD_JOURNAL_LEASE "=%u", lease->id,
             VFIOD_JOURNAL_CALLER_UID "=%u", lease->owner, VFIOD_JOURNAL_OUTCOME "=done",
             VFIOD_JOURNAL_DURATION "=%" PRIu64, held_usec);
}

/* A warning where somebody relies on the device. */
void journal_rebound(const Change *change, bool override) {
        SEND("MESSAGE=%s", change->reason, "PRIORITY=%i", change->number ? LOG_WARNING : LOG_NOTICE,
             VFIOD_JOURNAL_OPERATION "=%s", override ? "override-changed" : "rebound",
             VFIOD_JOURNAL_TARGETS "=%s", change->device, VFIOD_JOURNAL_DEVICE "=%s",
             change->device, VFIOD_JOURNAL_FROM "=%s=%s", change->device, change->from,
             VFIOD_JOURNAL_TO "=%s=%s", change->device, change->to, VFIOD_JOURNAL_LEASE "=%u",
             change->number);
}

void journal_state(int error) {
        if (error < 0)
                SEND("MESSAGE=the state could not be written: %s; if vfiod ends now, it forgets "
                     "leases and original drivers",
                     strerror(-error), "PRIORITY=%i", LOG_ERR);
        else
                SEND("MESSAGE=the state can be written again", "PRIORITY=%i", LOG_NOTICE);
}

void journal_state_lost(const char *reason, int error) {
        SEND("MESSAGE=the state that was left for this start cannot be used: %s; it %s%s, and "
             "leases and original drivers are forgotten",
             reason, error ? "could not be put aside: " : "was put aside as state.json.bad",
             error ? strerror(-error) : "", "PRIORITY=%i", LOG_ERR);
}

void journal_orphans(uint32_t n_files) {
        SEND("MESSAGE=%u files of leases that nothing is known of were closed; whoever has copies "
             "of them keeps the devices, and nobody else is given those until he has let go",
             n_files, "PRIORITY=%i", LOG_WARNING);
}

void journal_plan_recovered(const char *sentence, int error) {
        SEND("MESSAGE=%s", sentence, "PRIORITY=%i", error < 0 ? LOG_ERR : LOG_NOTICE,
             VFIOD_JOURNAL_OPERATION "=recover", VFIOD_JOURNAL_OUTCOME "=%s",
             error < 0 ? "failed" : "done");
}

#define WITHOUT_BUS                                                                                \
        "; vfiod goes on at its socket, where without polkit only root, and owners of leases, "    \
        "may "                                                                                     \
        "do anything"

void journal_bus_absent(void) {
        SEND("MESSAGE=there is no system bus" WITHOUT_BUS, "PRIORITY=%i", LOG_WARNING);
}

void journal_bus_lost(void) {
        SEND("MESSAGE=the system bus has gone" WITHOUT_BUS "; restart vfiod when the bus is back",
             "PRIORITY=%i", LOG_WARNING);
}

void journal_signals_muted(uint32_t kept) {
        SEND("MESSAGE=a client of the system bus does not read: the bus keeps %u bytes of vfiod's, "
             "and no more signals are sent over it; find out which client has subscribed to "
             "vfiod's signals and does not read them, and end it",
             kept, "PRIORITY=%i", LOG_WARNING);
}

void journal_signals_sent(void) {
        SEND("MESSAGE=the system bus keeps less of vfiod's, and signals are sent over it again",
             "PRIORITY=%i", LOG_NOTICE);
}
