/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The broker's inside, for the operations: one file each in daemon/broker. Not for bus/. */

#include "daemon/broker/broker.h"
#include "daemon/broker/holding.h"
#include "daemon/broker/job.h"
#include "daemon/broker/wait.h"
#include "daemon/core/state.h"
#include "daemon/kernel/monitor.h"
#include "daemon/persist/fd-store.h"

struct Broker {
        sd_event *event;
        Roots roots;
        World world;
        Monitor *monitor;
        sd_event_source *monitor_source;
        List holdings; /* Holding.link */
        List jobs;     /* Job.link */
        List waiters;  /* Waiter.link */
        List delayed;  /* Delayed.link */
        struct {
                List waiting, running; /* Errand.link */
                bool advancing;
        } errands;     /* errand-line.c */
        List begun;    /* Begun.link: plans of the vfiod before this one (recover-plan.c) */
        List rebounds; /* rebound.c: what is not said yet */
        sd_event_source *rebound_timer;
        BrokerListener listener;
        void *listener_userdata;
        struct timespec aliases_mtime; /* of modules.alias when it was last read */
        bool stopping;
        sd_event_source *stop_grace; /* what is under way then is called off */
        struct {
                int directory; /* of the state file; -EBADF: nothing is written */
                char *written; /* what is in it; NULL: not known */
                int error;     /* of the last attempt to write it; 0: none */
                bool removed;  /* files were taken out of the store since the last barrier */
                bool due;
                sd_event_source *turn;
                sd_event_source *alone; /* until the last worker of the vfiod before has ended */
                uint64_t alone_usec;
                sd_event_source *retry; /* after an error */
                uint64_t retry_usec;
        } keep; /* keep.c, recover-plan.c */
};

/* The operations: what a job does when its plan is decided, and when it has run. */
extern const JobClass job_class_acquire;
extern const JobClass job_class_add;
extern const JobClass job_class_assign;
extern const JobClass job_class_bind;
extern const JobClass job_class_inspect;
extern const JobClass job_class_remove;
extern const JobClass job_class_reset;
extern const JobClass job_class_create_mdev;
extern const JobClass job_class_remove_mdev;
extern const JobClass job_class_set_vfs;
extern const JobClass job_class_unassign;
extern const JobClass job_class_unbind;

/* bind.c: what acquiring with `bind` shares with Bind: recording originals, forgetting them. */
int bind_prepare(Job *job);
void bind_finish(Job *job, bool ran, Handles *opened);
/* bind.c: the devices that the plan has given back have no original any more. */
void bind_forget(const Broker *broker, const Plan *plan);
/* bind.c: nothing is left to do of the plan; the recovery may have found part of it done. */
void bind_recovered(const Broker *broker, const StatePlan *begun);

/* reset.c: a reset occupies the groups of all that is reset. */
void reset_run(Broker *broker, const Request *request, BrokerDone done, void *userdata);

/* assign.c: what udev knows of a device matters only if it is assigned. */
void assign_note_serial(const Broker *broker, const char *name);

/* vfs.c: SetVfs occupies the groups of the functions that there are. */
void vfs_run(Broker *broker, const Request *request, BrokerDone done, void *userdata);

/* mdev.c: a parent without an IOMMU group is no target. */
void mdev_create_run(Broker *broker, const Request *request, BrokerDone done, void *userdata);

/* Decides the request on fresh facts and does it, whatever else is closing. */
void broker_begin(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
                  void *userdata);

/* The end of what could not begin for want of memory. `done` may be NULL. */
void broker_end_without_memory(BrokerDone done, void *userdata);

/* Adds a group to a request about `device`, unless it is that device's or there already. */
int broker_add_group(Request *request, const Device *device, uint32_t group);

/* Reads the group of the device again, also if udev has not told of the device yet. */
void broker_refresh_device(Broker *broker, const char *name);

/* acquire.c: what the kernel has said of the lease's iommufd, and the caller's own numbers. */
int record_iommufd(const Job *job, Lease *lease);

void broker_emit(Broker *broker, ChangeKind kind, uint32_t number, const char *device);
/* The group and its devices look different because a lease or an operation came or went. */
void broker_emit_group(Broker *broker, uint32_t group);
void broker_emit_lease_groups(Broker *broker, const Lease *lease);

/* The properties that follow from it are told of by the other changes. */
void broker_emit_rebound(Broker *broker, const Change *change);

/* The owner of the lease is told that it is wanted back. */
void broker_emit_asked(Broker *broker, const Lease *lease, const char *reason);

/* The state could not be written (-errno), or can be again (0). */
void broker_emit_state(Broker *broker, int error);
/* The state of the vfiod before this one cannot be used. */
void broker_emit_unreadable(Broker *broker, const char *reason, int error);
/* So many files of leases that nothing is known of were handed to us. */
void broker_emit_orphans(Broker *broker, size_t n_files);

/* A plan of the vfiod before this one is over now (0), or could not be recovered (-errno). */
void broker_emit_recovered(Broker *broker, const char *sentence, int error);

/* keep.c: the files of a lease that is over leave the store. */
void keep_forget(Broker *broker, Holding *holding);

Holding *broker_find_holding(const Broker *broker, uint32_t lease);

/* hotplug.c */
int hotplug_start(Broker *broker);
void hotplug_stop(Broker *broker);

/*
 * release.c: the lease is over, whoever says so: our files are closed at once, and it leaves its
 * table when the kernel lets its groups be opened again. Harmless on a lease that is over already.
 */
void release_begin(Broker *broker, Lease *lease, LeaseEvent event);

/* release.c: goes on where the vfiod before this one was, with a lease that is over. */
void release_resume(Broker *broker, Lease *lease);

/* release.c: the last copy of lease_fd was closed. `userdata` is the broker. */
void release_abandoned(void *userdata, uint32_t lease);

/* release.c: the group is not the lease's any more; a lease without groups is over. */
void release_taken_group(Broker *broker, Lease *lease, uint32_t group);

/* release.c: the lease drains, and a process that cannot be found has it: its devices are stuck
 * until it is over. */
void release_set_stuck(Broker *broker, Lease *lease);

/* release.c: closes files in a worker, because the last close of a device resets it. */
void release_files(Broker *broker, Handles *files);

/* release.c: the same with files of leases that nothing is known of: cdevs are sealed first, so
 * that the kernel tells if somebody has a copy of one that was not bound. */
void release_orphans(Broker *broker, Handles *files);
