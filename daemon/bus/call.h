/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One method call on its way: read, sender identified, authorised, run, answered. A call ends with
 * one reply, or with its sender's leaving.
 */

#include "daemon/bus/bus-private.h"

typedef struct Call Call;

/* Authorised: do it, and answer with one of call_reply*(). */
typedef void (*CallRun)(Call *call);

/* Its sender has left. */
typedef void (*CallGone)(Call *call);

/* What polkit is asked before the call runs. */
typedef enum CallPermission {
        PERMISSION_LIST,    /* to look */
        PERMISSION_BIND,    /* for every member of the request's groups that is not a bridge */
        PERMISSION_UNBIND,  /* the same */
        PERMISSION_REVOKE,  /* to unbind, and to take them from their holders */
        PERMISSION_ACQUIRE, /* the same, and to bind those that "bind" would move; and "memlock" */
        PERMISSION_INSPECT, /* for the device that is the target, unless its lease is the caller's
                             */
        PERMISSION_RESET,   /* the same */
        PERMISSION_MANAGE,  /* for the device that is the target, whoever has it */
        PERMISSION_ASSIGN,  /* for every member of the groups that is not a bridge, and for devices
                               that are not there any more; and to bind those that "bind" would move
                             */
        PERMISSION_OWNER,   /* for the owner of the lease alone, whom polkit need not be asked about
                             */
        PERMISSION_RELEASE, /* for the owner, or whoever may release others' leases */
        PERMISSION_SURVEY,  /* for whatever the caller wants to know the answer of */
} CallPermission;

typedef enum CheckResult {
        RESULT_NO,
        RESULT_CHALLENGE, /* after a password */
        RESULT_YES,
} CheckResult;

/* Who has answered a question. */
typedef enum CheckDecider {
        DECIDER_NOBODY, /* not yet */
        DECIDER_ROOT,   /* nobody had to be asked */
        DECIDER_OWNER,  /* the same: it is about the caller's own lease */
        DECIDER_DEFAULT,
        DECIDER_RULE,
        DECIDER_KEPT,   /* a password that polkit was given before */
        DECIDER_POLKIT, /* which of these, it does not tell */
        DECIDER_NO_POLKIT,
        DECIDER_ERROR,
        _DECIDER_MAX,
} CheckDecider;

/* One question to polkit, with all that it tells. The strings are owned. */
typedef struct Check {
        const char *action; /* static */
        char *device;       /* NULL: it is about no device; then so are the next three */
        char *vendor;
        char *class;
        char *driver;
        uint32_t group;
        bool has_group;
        uint32_t lease;   /* the one concerned; 0 for none */
        uid_t owner;      /* of that lease */
        char *label;      /* of that lease, or of the one to be */
        const char *mode; /* same; static, NULL for none */
        uint64_t memlock; /* for raise-memlock; 0 else */
        /* For PERMISSION_SURVEY, which goes on after a no: */
        CheckDecider decider;
        CheckResult result;
        const char *fallback; /* the action's default for the caller's session; static, NULL where
                                 polkit does not tell */
        char *error;          /* of polkit, NULL for none */
} Check;

struct Call {
        Bus *bus;
        Connection *connection;
        sd_bus_message *message; /* to be answered, without its arguments; NULL once its sender's
                                    connection has gone */
        sd_bus_message *reply;   /* with files, while it waits until there is room for them */
        size_t n_files;          /* in the reply */
        uint32_t files_of;       /* the lease */
        uint64_t deliver_until;  /* of the reply: then it is refused (CLOCK_MONOTONIC, usec) */
        CallPermission permission;
        CallRun run;
        Request request; /* its caller is known once the call runs */
        bool dry_run;    /* Plan: nothing is done, and nothing is journaled */
        Check *checks;   /* what polkit is asked, one after the other */
        size_t n_checks;
        size_t next_check;
        PolkitQuestion *asking;       /* in line, or with polkit; NULL for none */
        bool interactive;             /* a person is to be asked now */
        sd_bus_slot *question;        /* to the bus, while one is pending */
        CallGone sender_gone;         /* while its leaving is waited for; NULL: it is not */
        bool sender_unsure;           /* it may have left before the bus began to tell */
        sd_bus_slot *sender_question; /* whether it is there still */
        bool running;  /* the broker has it; it must not be freed before it is done */
        List delivery; /* Delivery.waiting */
        List link;     /* Bus.calls */
};

/*
 * Takes over a call whose request is read: `request` is emptied. Returns what the method handler
 * returns to sd-bus: 1, the answer comes later (or has been sent).
 */
int call_begin(Bus *bus, sd_bus_message *m, CallPermission permission, CallRun run,
               Request *request, bool dry_run);

/* Each answers and frees the call. */
void call_reply(Call *call, sd_bus_message *reply);
void call_reply_error(Call *call, const sd_bus_error *error);
void call_reply_refusal(Call *call, const Refusal *refusal);
void call_reply_errno(Call *call, int error);

/* Answers with what `append` puts into the reply. */
typedef int (*CallAnswer)(sd_bus_message *reply, const Call *call);
void call_reply_with(Call *call, CallAnswer append);

/* Journals the outcome and answers with it: with its error, or with an empty reply. */
void call_reply_outcome(Call *call, Outcome *outcome);

/* The same, with what `append` puts into the reply of a success. Where that cannot be done, it is
 * what has failed: "`what`: Cannot allocate memory". */
typedef int (*CallAppend)(sd_bus_message *m, const Call *call, const Outcome *outcome);
void call_reply_result(Call *call, Outcome *outcome, CallAppend append, const char *what);

/* Of what only looks: nothing is journaled. */
void call_reply_found(Call *call, const Outcome *outcome, CallAppend append);

/* The same for a refusal before the broker saw the call; `refusal` is emptied. */
void call_refuse(Call *call, Refusal *refusal);

/* Calls `gone` when the sender leaves the bus; once, and instead of what was to be called before.
 */
int call_watch_sender(Call *call, CallGone gone);
/* The same, also for a sender that has left before the bus began to tell: takes a question more. */
int call_watch_sender_surely(Call *call, CallGone gone);
void call_unwatch_sender(Call *call);
/* What only waits in the broker is called off when the sender leaves. */
void call_off_without_sender(Call *call);

/* Calls whose sender is a connection that has gone. */
void call_drop_connection(Bus *bus, const Connection *connection);
void call_free(Call *call);

/* For authorise.c: the checks are over. */
void call_authorised(Call *call);

/* For a CallRun: has the broker do the request. What the broker begins later than now has its
 * authorisation looked at once more. */
void call_run(Call *call, BrokerDone done);
