/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a worker sends to the daemon when its plan is over: one message a file, hold or finding.
 * Text in, values out: reading them touches no socket. A worker is a child of ours, but one that
 * has gone wrong must not take the daemon with it, so nothing in a message is believed unseen.
 */

#include "daemon/broker/execute.h"
#include "daemon/core/address.h"

typedef enum WorkerMessageKind {
        WORKER_MESSAGE_FILE, /* the fd comes with it */
        WORKER_MESSAGE_HOLD,
        WORKER_MESSAGE_UNTOLD, /* of a group, what the holds do not tell of */
        WORKER_MESSAGE_FINDING,
} WorkerMessageKind;

typedef struct WorkerMessage {
        WorkerMessageKind kind;
        union {
                struct {
                        HandleKind kind;
                        uint32_t group;
                        char device[ADDRESS_MAX + 1]; /* "" for kinds that are not of a device */
                } file;
                Hold hold;
                struct {
                        HoldsUntold holds;
                        uint32_t n_more,
                                n_more_keepers; /* of all groups: in each message the same */
                } untold;
                Finding finding;
        };
} WorkerMessage;

/*
 * Takes a message of `size` bytes, and `fd` (-EBADF: none came with it), which is owned by the call
 * whatever happens. -EBADMSG: no worker of ours sends that, and nothing of it was taken; or
 * -ENOMEM.
 */
int worker_message_take(const WorkerMessage *message, size_t size, int fd, Handles *opened,
                        Results *results);
