/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Getting groups back for an Unbind: tried, asked for, waited for, and at the deadline given up or
 * taken, as the request's policy says. Each try is a job (job_class_unbind); nothing is touched in
 * between. See wait.c for the way of it.
 */

#include "daemon/broker/broker.h"

typedef struct Waiter Waiter;

/* `done` is called once, from the event loop or from within. The request is copied. */
void wait_run(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
              void *userdata);

/* Ends the wait of whoever gave this `userdata`, unless a try is under way that may succeed. */
void wait_cancel(Broker *broker, const void *userdata);

/* A group may have come free: those who wait for it try again, from the event loop. */
void wait_poke(Broker *broker);

/*
 * Groups are not busy any more, and else as they were: those who were refused for that alone try
 * again. Everybody's tries would be the cause of each other's, and of their own, for ever.
 */
void wait_poke_busy(Broker *broker);

/* Ends all waits. */
void wait_stop(Broker *broker);

/* Forgets a waiter, told or not; for the end of the daemon. `link` is its place in Broker.waiters.
 */
Waiter *waiter_of(List *link);
void waiter_free(Waiter *waiter);
