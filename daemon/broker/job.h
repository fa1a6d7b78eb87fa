/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One operation under way: the request, its plan, the worker that runs it, and whom to tell. What
 * is particular to an operation is in its JobClass; what they have in common is here.
 */

#include "daemon/broker/broker.h"
#include "daemon/broker/worker.h"
#include "daemon/persist/fd-store.h"

typedef struct Job Job;

typedef struct JobClass {
        /*
         * The plan is decided and not empty; record what must be recorded before it runs, fill in
         * the files it needs. NULL: nothing. Negative: -errno, and finish() is not called.
         */
        int (*prepare)(Job *job);

        /*
         * The plan is over; `ran`: all of it, else nothing (it was undone). `opened`: what it
         * opened, or what undo had to open again. The caller has its answer already if
         * job->answered. NULL: nothing.
         */
        void (*finish)(Job *job, bool ran, Handles *opened);

        /* It is gone, and with it its worker. NULL: nobody wants to know. */
        void (*freed)(Broker *broker);

        /* It is no operation: it occupies nothing and does not count as one. */
        bool is_errand;

        /* Its worker lets everybody else go first (WorkerClient.yields). */
        bool yields;

        /* Its plans end plans of the vfiod before this one, which stay written down until then. */
        bool recovers;
} JobClass;

struct Job {
        Broker *broker;
        const JobClass *class;
        Request request;
        Activity activity;
        Plan plan;
        Outcome outcome;
        FdStoreBarrier *barrier; /* until what it closes is out of the store; then: */
        Worker *worker;
        Handles lent;  /* borrowed fds: never handles_done() */
        Handles given; /* files that go to the worker */
        BrokerDone done;
        void *userdata;
        uint64_t started_usec; /* CLOCK_MONOTONIC */
        bool answered;         /* `done` was called: the job only waits for the kernel */
        bool begun; /* its plan is to be known to the next vfiod, if there is one before it is over
                     */
        List link;  /* Broker.jobs */
};

/* Copies the request; the job frees itself when it is over. */
void job_run(Broker *broker, const JobClass *class, const Request *request, BrokerDone done,
             void *userdata);

/*
 * A job whose plan is not a decision on a request: closing files, draining a lease. Owns request,
 * plan and files; occupies the groups, which are copied.
 */
void job_run_plan(Broker *broker, const JobClass *class, const Request *request, Plan *plan,
                  Handles *given, const uint32_t *groups, size_t n_groups, BrokerDone done,
                  void *userdata);

/* Forgets a job, told or not; for the end of the daemon. */
void job_free(Job *job);
