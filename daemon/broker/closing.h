/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Requests for groups whose lease has only just ended. Its last holder may be gone for whoever asks
 * now, while the kernel still closes, and resets, what he had open: for so long such a request
 * waits, and is then decided like any other; unless a step is stuck there, or an Unbind waits
 * already, which comes first. Unbind with a policy that waits does it by itself
 * (daemon/broker/wait.h).
 */

#include "daemon/broker/broker.h"

/* How long after its end a lease is taken to be closing though somebody is seen to hold its groups.
 */
#define CLOSING_MS 500

/* Whether the request waits now; `done` is called by what it becomes then. It is copied. */
bool closing_delay(Broker *broker, const Request *request, BrokerConfirm confirm, BrokerDone done,
                   void *userdata);

/* A lease is over: what waited for it goes on, from the event loop. */
void closing_poke(Broker *broker);

/* Ends the wait of whoever gave this `userdata`. */
void closing_cancel(Broker *broker, const void *userdata);

/* Forgets what waits, telling nobody; for the end of the daemon. */
void closing_forget(Broker *broker);
