/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Open VFIO files, each with what it is a file of. A Handles owns its fds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/util/cleanup.h"

typedef enum HandleKind {
        HANDLE_CONTAINER,
        HANDLE_GROUP,
        HANDLE_DEVICE,
        HANDLE_IOMMUFD,
        HANDLE_CDEV,  /* a device opened by its node under /dev/vfio/devices */
        HANDLE_LEASE, /* our end of a lease's pipe, lent to a worker that looks for the other */
        HANDLE_CLAIM, /* a group opened only so that nobody else can; never leaves the worker */
} HandleKind;

/* Container and iommufd are the whole lease's, not one group's. */
bool handle_kind_is_shared(HandleKind kind);
/* Device and cdev. */
bool handle_kind_is_device(HandleKind kind);
/* What a worker may send to the daemon: not a lease's pipe, and no claim. */
bool handle_kind_is_sent(HandleKind kind);

typedef struct Handle {
        HandleKind kind;
        uint32_t group; /* but for container and iommufd */
        char *device;   /* HANDLE_DEVICE, HANDLE_CDEV: its name, else NULL */
        int fd;
        bool fresh; /* opened by the plan that is running, unlike those it was given */
        bool given; /* the worker's alone: it comes back when the plan fails */
} Handle;

typedef struct Handles {
        Handle *handles;
        size_t n_handles;
} Handles;

#define HANDLES_NULL {.handles = NULL}

/* A fresh handle. Owns `fd` from then on, also when it fails (-ENOMEM). */
int handles_add_consume(Handles *handles, HandleKind kind, uint32_t group, const char *device,
                        int fd);

/* The fd, still owned by `handles`; -EBADF where there is none. */
int handles_find(const Handles *handles, HandleKind kind, uint32_t group, const char *device);

/* Closes one file, if it is there. */
void handles_close(Handles *handles, HandleKind kind, uint32_t group, const char *device);

/* Closes all files of a kind. */
void handles_close_kind(Handles *handles, HandleKind kind);

/* Moves the files of one device, or of a group and all its devices, into `to`. -ENOMEM moves none.
 */
int handles_move_device(Handles *from, const char *device, Handles *to);
int handles_move_group(Handles *from, uint32_t group, Handles *to);

/* Moves everything to the end of `to`. -ENOMEM moves nothing. */
int handles_move_all(Handles *from, Handles *to);

/* "container", "group", "device", "iommufd", "cdev": the words of Manager.Acquire. */
const char *handle_kind_name(HandleKind kind);

/* Closes everything. The last close of a device resets it: not in the event loop. */
void handles_done(Handles *handles);

#define _cleanup_handles_ _cleanup_(handles_done)
