/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The broker: what is asked for, done in order. It knows nothing of D-Bus; whoever asks has been
 * authorised already (daemon/bus/authorise.h). Everything happens in one thread, on one event loop,
 * and nothing in it waits for the kernel: plans run in workers, and their end comes by callback.
 */

#include <systemd/sd-event.h>

#include "daemon/broker/handles.h"
#include "daemon/broker/outcome.h"
#include "daemon/core/decide.h"
#include "daemon/kernel/roots.h"

typedef struct Broker Broker;

typedef enum ChangeKind {
        CHANGE_GROUP_ADDED,
        CHANGE_GROUP_CHANGED,
        CHANGE_GROUP_REMOVED,
        CHANGE_DEVICE_ADDED,
        CHANGE_DEVICE_CHANGED,
        CHANGE_DEVICE_REMOVED,
        CHANGE_DEVICE_REBOUND,    /* somebody else has moved it from driver to driver */
        CHANGE_DEVICE_OVERRIDDEN, /* somebody else has changed its driver_override */
        CHANGE_LEASE_ADDED,
        CHANGE_LEASE_CHANGED,
        CHANGE_LEASE_ASKED,    /* somebody wants it back; for the owner alone */
        CHANGE_LEASE_STUCK,    /* given back, but held by a process that cannot be found */
        CHANGE_LEASE_LEFT,     /* over, because the one before us has not left us its files */
        CHANGE_STATE,          /* what must survive us can or cannot be written down */
        CHANGE_STATE_LOST,     /* what the one before us has written down cannot be used */
        CHANGE_ORPHANS,        /* files of leases were left to us that nothing is known of */
        CHANGE_PLAN_RECOVERED, /* what the one before us had begun is finished or undone, or cannot
                                  be */
        CHANGE_LEASE_REMOVED,  /* the lease is still in its table while the listener runs */
} ChangeKind;

typedef struct Change {
        ChangeKind kind;
        uint32_t number;    /* of the group or lease; 0 for none; CHANGE_ORPHANS: of files */
        const char *device; /* borrowed for the call */
        /* CHANGE_LEASE_ASKED, CHANGE_STATE_LOST, CHANGE_PLAN_RECOVERED, CHANGE_DEVICE_REBOUND,
         * CHANGE_DEVICE_OVERRIDDEN: one sentence; borrowed */
        const char *reason;
        const char *from, *to; /* the last two: drivers, overrides; borrowed */
        /* CHANGE_STATE, CHANGE_PLAN_RECOVERED: -errno, or 0. CHANGE_STATE_LOST: of putting it
         * aside. */
        int error;
} Change;

typedef void (*BrokerListener)(void *userdata, const Change *change);

/*
 * The operation is over. The callback may take what it likes from the outcome; the rest is freed.
 * Called from the event loop, or from within broker_run() when there was nothing to wait for.
 */
typedef void (*BrokerDone)(void *userdata, Outcome *outcome);

/* `roots` is the broker's from then on, also when it fails; the event loop is borrowed. */
int broker_new(sd_event *event, const Config *config, Roots *roots, Broker **ret);
Broker *broker_free(Broker *broker);

/* Reads the machine and begins to watch it. */
int broker_start(Broker *broker);

/* For what begins from now on; copied. */
void broker_set_config(Broker *broker, const Config *config);

/* Where assignments are kept; borrowed for as long as the broker lives. */
void broker_set_config_directory(Broker *broker, const char *directory);
/* Reads them again, once the machine has been read. What is wrong with them, a sentence that the
 * broker owns; NULL for nothing. */
const char *broker_read_assignments(Broker *broker);
/* The same when they may have been changed by hand: devices that look different then are told of.
 */
const char *broker_reload_assignments(Broker *broker);

/*
 * Takes over what the vfiod before this one has left: the state file in `directory`, which is owned
 * from then on and may be -EBADF for none, and those files from `first_fd` on, one a name, that are
 * a lease's by their names; the others stay the caller's. To be called once, when the broker is
 * started and listened to, and before anybody can ask for anything.
 */
int broker_recover(Broker *broker, int directory, char *const *names, int first_fd);

void broker_set_listener(Broker *broker, BrokerListener listener, void *userdata);

const World *broker_world(const Broker *broker);

/* Reads the facts of the groups that the request is about again. */
void broker_refresh(Broker *broker, const Request *request);
/* Reads what the host uses of the devices of those groups, too: part of the former for what binds.
 */
void broker_refresh_usage(Broker *broker, const Request *request);

/* The same where a group would have to be bound first: it is told then what Bind would say. */
void broker_refresh_usage_of_unbound(Broker *broker, const Request *request);
/* vfiod must not wait for the kernel, nor for a worker that does: while one is at the group, or
 * somebody else waits for its lease to end, what cannot be read without waiting stays as it is
 * known. */
void broker_refresh_group(Broker *broker, uint32_t group);
/* All of a group whose worker has just ended. */
void broker_refresh_worked_on(Broker *broker, uint32_t group);

/*
 * Whether what was allowed when the request was made covers what it means now: asked before each
 * decision that is later than broker_run() itself. Nothing is decided after a refusal.
 */
typedef RefusalKind (*BrokerConfirm)(void *userdata, Refusal *refusal);

/*
 * Decides the request on fresh facts and does it, when leases of its groups that are just ending
 * are over (daemon/broker/closing.h). The request is copied.
 */
void broker_run(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
                void *userdata);

/*
 * Calls off what was run with this `userdata` if it only waits, for holders, the end of a lease or
 * its turn to look: its `done` is called.
 * Otherwise it goes on to its end.
 */
void broker_cancel(Broker *broker, const void *userdata);

/*
 * outcome->holds is who has a file of the targets; a target that is a device leaves out files of
 * other devices. May wait for its turn (daemon/broker/errand-line.h).
 */
void broker_find_holders(Broker *broker, const Request *request, BrokerDone done, void *userdata);

/*
 * Ends a lease, whoever it belongs to. `done` comes when our files of it are closed; a lease that
 * somebody still has a file of goes on draining after that.
 */
void broker_release(Broker *broker, uint32_t lease, const Caller *caller, BrokerDone done,
                    void *userdata);

/* That the device has types of mediated devices; it need not have an IOMMU group. */
RefusalKind broker_check_mdev_parent(const Broker *broker, const char *name, Refusal *refusal);

/*
 * outcome->results has the types of the parent, NULL for all: daemon/kernel/mdev-types.h. The
 * request says who asks.
 */
void broker_read_mdev_types(Broker *broker, const Request *request, const char *parent,
                            BrokerDone done, void *userdata);

/* What broker_run() would do, or why not. */
RefusalKind broker_plan(Broker *broker, const Request *request, Plan *plan, Refusal *refusal);

/* The files of a lease, in the order in which GetFds pages; NULL for no such lease. */
const Handles *broker_lease_files(const Broker *broker, uint32_t lease);

/* Notes when the caller's process was started; to be done as soon as its number is known. */
void broker_identify(const Broker *broker, Caller *caller);

/* The lease's owner uses it from this connection now: that is where it will be asked for it. */
void broker_lease_used(Broker *broker, uint32_t lease, const Caller *caller);

/*
 * Begins nothing more, ends what waits for holders, and calls off what is still under way after the
 * grace; `broker_is_idle` tells when all is done.
 */
void broker_stop(Broker *broker, uint64_t grace_usec);
bool broker_is_stopping(const Broker *broker);
bool broker_is_idle(const Broker *broker);

DEFINE_TRIVIAL_CLEANUP(Broker *, broker_free, NULL);
