/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machines as tables, and questions put to the deciders about them. */

#include "daemon/core/decide.h"
#include "daemon/util/string.h"

/* One device. What is left out: PCI, an Ethernet controller, no driver, override unset. */
typedef struct DeviceRow {
        const char *name;
        uint32_t group;
        const char *driver;   /* one with "vfio" in its name is a vfio driver */
        const char *module;   /* of the driver; NULL: named after it */
        const char *override; /* NULL: unset */
        const char *bus;      /* NULL: "pci" */
        const char *modalias;
        uint32_t class_code; /* 0: Ethernet controller */
        uint8_t header_type;
        bool no_override;     /* its bus has no driver_override */
        const char *original; /* the driver recorded, "" for none; NULL: no record */
        const char *original_override;
        const char *bound;  /* where Bind has put it; NULL: nowhere yet */
        const char *path;   /* below /sys/devices; NULL: "" */
        const char *reset;  /* its methods, blanks between them; NULL: the kernel does not tell */
        const char *physfn; /* NULL: it is no virtual function */
        uint16_t total_vfs; /* its drivers take them */
        const char *cdev;   /* NULL: none */
        bool noiommu;       /* its group is of unsafe no-IOMMU mode, or of a mediated device */
} DeviceRow;

#define CLASS_ETHERNET 0x020000U
#define CLASS_NVME 0x010802U
#define CLASS_HOST_BRIDGE 0x060000U
#define CLASS_ISA_BRIDGE 0x060100U
#define CLASS_PCI_BRIDGE 0x060400U
#define CLASS_OTHER_BRIDGE 0x068000U
#define HEADER_BRIDGE 1

/*
 * The lab's machine (tests/lab/host/machines.py), on a kernel that judges by owner:
 *   group 1  01:00.0 e1000e
 *   group 2  02:00.0 nvme
 *   group 3  00:03.0 bridge, 03:01.0 and 03:02.0 e1000
 *   group 4  00:10.0 and 00:10.1, no driver
 *   group 5  00:01.0 root port on pcieport
 *   group 9  00:1f.0 ISA bridge on lpc_ich, 00:1f.2 ahci
 */
void world_init_lab(World *world);

void world_init(World *world, const DeviceRow *rows, size_t n);
void world_done(World *world);

/* Adds devices, or replaces the ones of the same name. */
void world_put(World *world, const DeviceRow *rows, size_t n);
/* Puts the device on a driver; NULL for none. */
void world_set_driver(World *world, const char *device, const char *driver);
/* What the host uses of it, after what was said before. */
void world_add_use(World *world, const char *device, const char *use);
/* Its node under /dev/vfio/devices; NULL for none. */
void world_set_cdev(World *world, const char *device, const char *cdev);
/* The kernel has iommufd, and cdevs. */
void world_set_iommufd(World *world);

DeviceFacts facts_of_row(const DeviceRow *row);

/* Notes an assignment of the device as it is, with this serial number. */
#define WORLD_CONFIG_DIRECTORY "/etc/vfiod"
void world_assign(World *world, const char *device, const char *driver, const char *serial);

/* A lease in `state` with these groups, 0-terminated. */
Lease *world_add_lease(World *world, uid_t owner, LeaseState state, const uint32_t *groups);

/* An operation under way on these groups, 0-terminated; ended by world_done(). */
Activity *world_add_activity(World *world, uid_t uid, Operation operation, const uint32_t *groups);

/* An unbind that waits for these groups, 0-terminated; ended by world_done(). */
Wait *world_add_wait(World *world, uid_t uid, const uint32_t *groups);
/* The devices of the group were let go of since the wait began. */
void wait_vacate(Wait *wait, uint32_t group);

/* A request in few words. */
typedef struct Ask {
        Operation operation;
        const char *targets; /* blanks between them; NULL: none are needed */
        uid_t uid;
        const char *driver;
        bool bind;
        Prepare prepare;
        uint32_t lease;
        bool hot_reset;
        uint64_t memlock;
        pid_t pid; /* of the caller, which was started at 1; 0: unknown */
        Mode mode;
        const char *cookies; /* "DEVICE=7 DEVICE=8" */
        bool defer_fds;
        size_t fds_max; /* 0: 16, as on the system bus */
        UnbindPolicy policy;
        bool due;
        const char *reset_method;
        uint32_t n_vfs;
        bool recreate;
        const char *mdev_type, *mdev_uuid; /* of the first target, or of "mtty" */
        const char *autoprobe;             /* "yes" or "no"; NULL: not given */
        bool override_safety;
} Ask;

typedef struct Answer {
        Refusal refusal;
        Plan plan;
} Answer;

/* From the texts to the decision, as the bus does it. */
void ask_world(const World *world, const Ask *ask, Answer *ret);
void answer_done(Answer *answer);

/* That the answer is this plan, the lines of plan_describe() with newlines between them. */
void assert_plan(const World *world, const Ask *ask, const char *lines);
/* That it is this refusal, with this text in its sentence. */
void assert_refused(const World *world, const Ask *ask, RefusalKind kind, const char *words);
