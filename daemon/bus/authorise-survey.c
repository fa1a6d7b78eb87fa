/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/authorise-survey.h"

#include <errno.h>

#include "daemon/bus/authorise-checks.h"
#include "daemon/bus/bus-path.h"
#include "daemon/bus/polkit.h"
#include "daemon/bus/session-kind.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* Each costs polkitd some tenths of a millisecond, and what others ask waits behind it. */
#define QUESTIONS_MAX 256

typedef enum Concern {
        CONCERN_NOTHING, /* once a call */
        CONCERN_DEVICE,
        CONCERN_OWN_DEVICE, /* not asked of who leases it */
        CONCERN_LEASE,      /* likewise; once a lease */
} Concern;

static const struct {
        const char *action;
        Concern concern;
} actions[] = {
        {VFIOD_ACTION_LIST, CONCERN_NOTHING},
        {VFIOD_ACTION_INSPECT, CONCERN_OWN_DEVICE},
        {VFIOD_ACTION_ACQUIRE, CONCERN_DEVICE},
        {VFIOD_ACTION_BIND, CONCERN_DEVICE},
        {VFIOD_ACTION_UNBIND, CONCERN_DEVICE},
        {VFIOD_ACTION_RELEASE_OTHER, CONCERN_LEASE},
        {VFIOD_ACTION_REVOKE, CONCERN_DEVICE},
        {VFIOD_ACTION_RESET, CONCERN_OWN_DEVICE},
        {VFIOD_ACTION_MANAGE, CONCERN_DEVICE},
        {VFIOD_ACTION_ASSIGN, CONCERN_DEVICE},
        {VFIOD_ACTION_OVERRIDE_SAFETY, CONCERN_DEVICE},
        {VFIOD_ACTION_RAISE_MEMLOCK, CONCERN_NOTHING},
        {VFIOD_ACTION_UNSAFE_NOIOMMU, CONCERN_DEVICE},
};

/* PolkitImplicitAuthorization, by its numbers. */
static const char *const fallbacks[] = {
        "no", "auth_self", "auth_admin", "auth_self_keep", "auth_admin_keep", "yes",
};

bool survey_knows_action(const char *action) {
        for (size_t i = 0; i < ELEMENTS(actions); i++)
                if (strcmp(actions[i].action, action) == 0)
                        return true;
        return false;
}

static bool is_wanted(const Call *call, size_t action) {
        return !call->request.actions ||
               strv_contains(call->request.actions, actions[action].action);
}

static void decide_alone(const Call *call, Check *check, bool owner) {
        if (call->request.caller.uid == 0)
                check->decider = DECIDER_ROOT;
        else if (owner)
                check->decider = DECIDER_OWNER;
        if (check->decider)
                check->result = RESULT_YES;
}

static int add_general(Call *call, size_t action) {
        Check *check = checks_add(call, actions[action].action);

        if (!check)
                return -1;
        decide_alone(call, check, false);
        if (strcmp(check->action, VFIOD_ACTION_RAISE_MEMLOCK) != 0)
                return 0;
        check->memlock = call->request.memlock;
        return check_describe_request(check, call);
}

static int add_device(Call *call, size_t action, const Device *device) {
        const Lease *lease = lease_table_find_group(&broker_world(call->bus->broker)->leases,
                                                    device->facts.group);
        bool owner = lease && lease_is_live(lease) && lease->owner == call->request.caller.uid;
        Check *check = checks_add_device(call, actions[action].action, &device->facts);

        if (!check)
                return -1;
        decide_alone(call, check, owner && actions[action].concern == CONCERN_OWN_DEVICE);
        return 0;
}

static int add_lease(Call *call, size_t action, const Group *group) {
        const Lease *lease = lease_table_find_group(&broker_world(call->bus->broker)->leases,
                                                    group->facts.number);
        Check *check;

        for (size_t i = 0; lease && i < call->n_checks; i++)
                if (!call->checks[i].device && call->checks[i].lease == lease->id)
                        return 0;
        if (!lease)
                return 0;
        check = checks_add(call, actions[action].action);
        if (!check)
                return -1;
        decide_alone(call, check, lease->owner == call->request.caller.uid);
        return check_describe_lease(check, lease);
}

static int add_member(Call *call, const Device *member) {
        for (size_t i = 0; i < ELEMENTS(actions); i++)
                if (is_wanted(call, i) && actions[i].concern != CONCERN_NOTHING &&
                    actions[i].concern != CONCERN_LEASE && add_device(call, i, member) < 0)
                        return -1;
        return 0;
}

static int add_group(Call *call, const Group *group) {
        for (size_t i = 0; i < group->n_members; i++)
                if (!device_is_bystander(&group->members[i]->facts) &&
                    add_member(call, group->members[i]) < 0)
                        return -1;
        for (size_t i = 0; i < ELEMENTS(actions); i++)
                if (is_wanted(call, i) && actions[i].concern == CONCERN_LEASE &&
                    add_lease(call, i, group) < 0)
                        return -1;
        return 0;
}

/* Without targets every action is asked about as such, as no operation would. */
static int add_all(Call *call, const Selection *selection) {
        for (size_t i = 0; i < ELEMENTS(actions); i++)
                if (is_wanted(call, i) &&
                    (actions[i].concern == CONCERN_NOTHING || call->request.n_targets == 0) &&
                    add_general(call, i) < 0)
                        return -1;
        for (size_t i = 0; i < selection->n_groups; i++)
                if (add_group(call, selection->groups[i]) < 0)
                        return -1;
        return 0;
}

RefusalKind survey_prepare(Call *call, Refusal *refusal) {
        const Topology *topology = &broker_world(call->bus->broker)->topology;
        _cleanup_selection_ Selection selection = SELECTION_NULL;

        if (call->request.n_targets > 0) {
                broker_refresh(call->bus->broker, &call->request);
                if (select_targets(topology, &call->request, &selection, refusal))
                        return refusal->kind;
                checks_settle_mode(call);
        }
        if (add_all(call, &selection) < 0)
                return refuse_memory(refusal);
        if (call->n_checks > QUESTIONS_MAX)
                return refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                              "that is %zu questions for polkit, the limit is %d; name fewer "
                              "targets or actions",
                              call->n_checks, QUESTIONS_MAX);
        return REFUSAL_NONE;
}

void survey_without_polkit(Call *call) {
        for (size_t i = 0; i < call->n_checks; i++)
                if (!call->checks[i].decider)
                        call->checks[i].decider = DECIDER_NO_POLKIT;
}

static void note_default(Call *call, const char *action, uint32_t number) {
        for (size_t i = 0; i < call->n_checks; i++)
                if (!call->checks[i].decider && strcmp(call->checks[i].action, action) == 0)
                        call->checks[i].fallback =
                                number < ELEMENTS(fallbacks) ? fallbacks[number] : NULL;
}

/* a(ssssssuuua{ss}): of all actions of the machine; id, texts, defaults, annotations. */
static int read_defaults(Call *call, sd_bus_message *reply) {
        SessionKind kind = session_kind(call->request.caller.pid);
        uint32_t numbers[3];
        const char *action;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "(ssssssuuua{ss})");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "ssssssuuua{ss}")) > 0) {
                r = sd_bus_message_read(reply, "s", &action);
                if (r >= 0)
                        r = sd_bus_message_skip(reply, "sssss");
                if (r >= 0)
                        r = sd_bus_message_read(reply, "uuu", &numbers[SESSION_ANY],
                                                &numbers[SESSION_INACTIVE],
                                                &numbers[SESSION_ACTIVE]);
                if (r >= 0)
                        r = sd_bus_message_skip(reply, "a{ss}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
                if (r >= 0)
                        note_default(call, action, numbers[kind]);
        }
        return r;
}

/* Whoever waited for the first answer is not to wait as long for the second. */
static void note_late(Call *call) {
        for (size_t i = 0; i < call->n_checks; i++) {
                Check *check = &call->checks[i];

                if (check->decider)
                        continue;
                check->decider = DECIDER_ERROR;
                check->error = strdup("it did not answer in time; try again");
        }
}

void survey_note_defaults(Call *call, sd_bus_message *reply) {
        if (!reply)
                note_late(call);
        else if (polkit_is_absent(reply))
                survey_without_polkit(call);
        /* Without defaults the answers are of use all the same. */
        else if (!sd_bus_message_is_method_error(reply, NULL))
                (void)read_defaults(call, reply);
}

int survey_new_defaults(const Call *call, sd_bus_message **ret) {
        int r;

        r = sd_bus_message_new_method_call(call->bus->authority, ret, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "EnumerateActions");
        return r < 0 ? r : sd_bus_message_append(*ret, "s", "");
}

/* In the details that come with a yes. */
static bool was_kept(sd_bus_message *reply) {
        const char *key, *value;
        bool kept = false;

        if (sd_bus_message_enter_container(reply, 'a', "{ss}") < 0)
                return false;
        while (sd_bus_message_read(reply, "{ss}", &key, &value) > 0)
                kept = kept || strcmp(key, "polkit.temporary_authorization_id") == 0;
        return kept;
}

/* What a default comes to when nobody is there to be asked. */
static CheckResult result_of_default(const char *fallback) {
        if (strcmp(fallback, "yes") == 0)
                return RESULT_YES;
        return strcmp(fallback, "no") == 0 ? RESULT_NO : RESULT_CHALLENGE;
}

static CheckDecider decider_of(const Check *check) {
        if (!check->fallback)
                return DECIDER_POLKIT;
        return result_of_default(check->fallback) == check->result ? DECIDER_DEFAULT : DECIDER_RULE;
}

void survey_note_answer(Call *call, sd_bus_message *reply) {
        const sd_bus_error *error = reply ? sd_bus_message_get_error(reply) : NULL;
        Check *check = &call->checks[call->next_check];
        int authorised, challenge;

        if (!reply) {
                note_late(call);
                return;
        }
        if (polkit_is_absent(reply)) {
                survey_without_polkit(call);
                return;
        }
        check->decider = DECIDER_ERROR;
        if (error) {
                check->error = strdup(string_or_empty(error->message));
                return;
        }
        if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
            sd_bus_message_read(reply, "bb", &authorised, &challenge) < 0) {
                check->error = strdup("its answer makes no sense");
                return;
        }
        check->result = authorised ? RESULT_YES : challenge ? RESULT_CHALLENGE : RESULT_NO;
        check->decider = authorised && was_kept(reply) ? DECIDER_KEPT : decider_of(check);
}

static const struct {
        const char *name;
        const char *reason; /* followed by `subject` */
        enum { SUBJECT_NONE, SUBJECT_DEFAULT, SUBJECT_ERROR } subject;
} deciders[_DECIDER_MAX] = {
        [DECIDER_NOBODY] = {"error", "nobody was asked", SUBJECT_NONE},
        [DECIDER_ROOT] = {"root", "root may do everything", SUBJECT_NONE},
        [DECIDER_OWNER] = {"owner", "it is in a lease of the caller's own", SUBJECT_NONE},
        [DECIDER_DEFAULT] = {"default", "the default of the action is ", SUBJECT_DEFAULT},
        [DECIDER_RULE] = {"rule", "a rule of polkit's says so; the default would be ",
                          SUBJECT_DEFAULT},
        [DECIDER_KEPT] = {"kept", "polkit keeps a password that was given for this action",
                          SUBJECT_NONE},
        [DECIDER_POLKIT] = {"polkit", "polkit says so, and does not tell the default",
                            SUBJECT_NONE},
        [DECIDER_NO_POLKIT] = {"no-polkit", "polkit is not there to ask, so only root may do this",
                               SUBJECT_NONE},
        [DECIDER_ERROR] = {"error", "polkit could not be asked: ", SUBJECT_ERROR},
};

static char *reason(const Check *check) {
        const char *subjects[] = {
                [SUBJECT_NONE] = "",
                [SUBJECT_DEFAULT] = check->fallback,
                [SUBJECT_ERROR] = check->error,
        };

        return string_format("%s%s", deciders[check->decider].reason,
                             string_or_empty(subjects[deciders[check->decider].subject]));
}

static int append_answer(sd_bus_message *m, const Check *check, SessionKind session) {
        static const char *const results[] = {
                [RESULT_NO] = "no",
                [RESULT_CHALLENGE] = "challenge",
                [RESULT_YES] = "yes",
        };
        _cleanup_free_ char *lease = check->lease ? path_of_lease(check->lease) : strdup("/");
        _cleanup_free_ char *sentence = reason(check);

        if (!lease || !sentence)
                return -ENOMEM;
        return sd_bus_message_append(m, "a{sv}", 8, "Action", "s", check->action, "Device", "s",
                                     string_or_empty(check->device), "Lease", "o", lease, "Result",
                                     "s", results[check->result], "Decider", "s",
                                     deciders[check->decider].name, "Default", "s",
                                     string_or_empty(check->fallback), "Session", "s",
                                     session_kind_name(session), "Reason", "s", sentence);
}

int survey_append(sd_bus_message *m, const Call *call) {
        SessionKind session = session_kind(call->request.caller.pid);
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < call->n_checks; i++)
                r = append_answer(m, &call->checks[i], session);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
