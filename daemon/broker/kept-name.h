/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a lease's files are called in the service manager's store: "lease-7.group.3". Pure text. */

#include "daemon/broker/handles.h"
#include "daemon/core/address.h"

typedef struct KeptName {
        uint32_t lease;
        HandleKind kind;              /* HANDLE_LEASE: our end of its pipe */
        uint32_t group;               /* where the kind is of a group or a device */
        char device[ADDRESS_MAX + 1]; /* of a device or cdev, else "" */
} KeptName;

/* Allocated. */
char *kept_name_format(uint32_t lease, const Handle *handle);

/* False for a name that we never gave. */
bool kept_name_parse(const char *text, KeptName *ret);
