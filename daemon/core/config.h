/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The configuration: defaults, and what vfiod.json and its drop-ins say instead. Text in, values
 * out; finding and reading the files is daemon/persist/config-file.h. docs: man/vfiod.json.5, which
 * tests/unit/check-documents.py compares with the keys here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Config {
        uint64_t limit_targets;            /* limits.targets: of one request */
        uint64_t limit_leases;             /* limits.leases: in total */
        uint64_t limit_leases_per_uid;     /* limits.leases_per_uid; root has no such limit */
        uint64_t limit_groups;             /* limits.groups: in all leases */
        uint64_t limit_groups_per_lease;   /* limits.groups_per_lease */
        uint64_t limit_operations;         /* limits.operations: under way at once */
        uint64_t limit_operations_per_uid; /* limits.operations_per_uid */
        uint64_t limit_groups_per_uid;     /* limits.groups_per_uid: in all its leases */
        uint64_t limit_label_bytes;        /* limits.label_bytes: of a lease */
        uint64_t limit_waits;              /* limits.waits: unbinds that wait for holders */
        uint64_t limit_waits_per_uid;      /* limits.waits_per_uid */
        uint64_t limit_requests;           /* limits.requests: calls that are not answered yet */
        uint64_t limit_requests_per_uid;   /* limits.requests_per_uid */
        uint64_t limit_questions;          /* limits.questions: that polkit has not answered yet,
                                              or that wait to be asked */
        uint64_t limit_questions_per_uid;  /* limits.questions_per_uid */
        uint64_t limit_interactive_questions_per_uid; /* limits.interactive_questions_per_uid: that
                                                         a person may be asked at once */
        uint64_t limit_connections;                   /* limits.connections: at the socket */
        uint64_t limit_connections_per_uid;   /* limits.connections_per_uid: at the socket */
        uint64_t limit_authentication_ms;     /* limits.authentication_ms: for a connection there */
        uint64_t limit_message_bytes;         /* limits.message_bytes: at the socket */
        uint64_t limit_queued_messages;       /* limits.queued_messages: to a client that does not
                                                 read, at the socket */
        uint64_t limit_fds_in_flight;         /* limits.fds_in_flight: unread, at the socket */
        uint64_t limit_fds_in_flight_per_uid; /* limits.fds_in_flight_per_uid: the same */
        uint64_t limit_bus_fds_in_flight;     /* limits.bus_fds_in_flight: on the system bus */
        uint64_t limit_bus_fds_in_flight_per_uid; /* limits.bus_fds_in_flight_per_uid: the same */
        uint64_t step_deadline_ms;  /* step_deadline_ms: for one operation in the kernel */
        uint64_t revoke_timeout_ms; /* revoke.timeout_ms: to give back when asked */
        uint64_t sigbus_grace_ms;   /* revoke.sigbus_grace_ms: from SIGBUS to SIGKILL */
        uint64_t sigkill_grace_ms;  /* revoke.sigkill_grace_ms: from SIGKILL to giving up */
        bool sigkill;               /* revoke.sigkill: may be sent at all */
        uint64_t memlock_max_bytes; /* memlock.max_bytes: for the option memlock; 0: none */
        bool variant_drivers;       /* variant_drivers: prefer them to vfio-pci */
        bool unsafe_noiommu;        /* unsafe_noiommu: devices without an IOMMU may be acquired */
} Config;

typedef struct ConfigKey {
        const char *section; /* NULL: at the top */
        const char *name;
        enum { CONFIG_NUMBER, CONFIG_BOOLEAN } type;
        size_t offset; /* in Config, of a uint64_t or a bool */
        uint64_t least;
        uint64_t most;
} ConfigKey;

/* Every key that there is, in no order; static. */
const ConfigKey *config_keys(size_t *ret_n);

void config_init(Config *config);

/*
 * Applies one file's text on top of *config. On -EINVAL, *config is unchanged and *ret_error is a
 * sentence that begins with "FILE:LINE: " and names the key; allocated. Also -ENOMEM.
 */
int config_apply(Config *config, const char *file, const char *text, char **ret_error);
