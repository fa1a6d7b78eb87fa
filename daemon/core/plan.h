/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Everything vfiod ever does to the kernel, as values. A plan is an array of steps; a worker runs
 * them in order and, when one fails, undoes the ones before it in reverse. The same value is what
 * Plan shows, what the journal records and what the tests compare.
 *
 * The undo of each kind stands beside it. "-" means that there is nothing to undo, or no way to:
 *   - What was put into an iommufd that the plan opened goes with it.
 *   - A cdev that was bound stays so until its last copy is closed. So a cdev is sealed and closed
 *     only when its holders have let go of it, as far as looking can tell; the sealed one is then
 *     no use to whoever still has a copy that cannot be found.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/util/cleanup.h"

typedef enum StepKind {
        STEP_RAISE_MEMLOCK, /* RLIMIT_MEMLOCK of the caller's process         undo: the old limits
                             */
        STEP_LOAD_MODULE,   /* modprobe `module`                                undo: - */
        STEP_SET_OVERRIDE,  /* driver_override := override                      undo: the old one */
        STEP_UNBIND_HOST, /* take `device` from its host driver `driver`      undo: bind it again */
        STEP_BIND_VFIO,   /* bind to vfio `driver`, else to `fallback`        undo: unbind it */
        STEP_UNBIND_VFIO, /* take `device` from its vfio `driver`             undo: bind it again */
        STEP_BIND_HOST,   /* bind to `driver`, or let the kernel choose       undo: unbind it */
        STEP_CLAIM_GROUP, /* open the group so that nobody else can           undo: close */
        STEP_OPEN_CONTAINER, /* open /dev/vfio/vfio                              undo: close */
        STEP_OPEN_GROUP,     /* open the group, check that it is viable          undo: close */
        STEP_SET_CONTAINER,  /* group into container                             undo: out again */
        STEP_SET_IOMMU,      /* TYPE1v2 on the container, or NOIOMMU              undo: - */
        STEP_GET_DEVICE,     /* open the device through its group                undo: close */
        STEP_CLOSE_DEVICE,   /* close our file of the device                     undo: open again */
        STEP_UNSET_CONTAINER, /* group out of container                           undo: in again */
        STEP_OPEN_IOMMUFD,    /* open /dev/iommu, memory charged per process        undo: close */
        STEP_ALLOC_IOAS,      /* a fresh IOAS in the iommufd                       undo: - */
        STEP_OPEN_CDEV,       /* open the device by its node                       undo: close */
        STEP_BIND_CDEV,    /* give the cdev to the iommufd                      undo: - (closing) */
        STEP_ATTACH_CDEV,  /* attach the cdev to `ioas`, or the fresh one       undo: detach */
        STEP_READ_IOVAS,   /* see where that IOAS can be mapped                 undo: - */
        STEP_DETACH_CDEV,  /* end the device's DMA            undo: attach to `ioas`, if that is
                              known */
        STEP_SEAL_CDEV,    /* give an unbound cdev to an iommufd of nobody      undo: - */
        STEP_CLOSE_CDEV,   /* close our file of the cdev                        undo: - */
        STEP_CLOSE_FILES,  /* close all our files of a lease, or of the plan   undo: - */
        STEP_TEST_GROUP,   /* see that the group can be opened                 undo: - */
        STEP_FIND_HOLDERS, /* see who has a file of `groups`                   undo: - */
        STEP_EXPECT_NOBODY,  /* the same; fails if anybody has one               undo: - */
        STEP_REQUEST_DEVICE, /* fire the device's request interrupt              undo: - */
        STEP_QUIESCE, /* memory decode and bus mastering off              undo: as they were */
        STEP_EVICT,   /* send `signal` to the holders of `groups`         undo: - */
        STEP_SET_RESET_METHOD, /* reset_method := method                 undo: the old ones */
        STEP_RESET,            /* reset a device that nobody uses                     undo: - */
        STEP_RESET_FILE,       /* reset the device through our file of it       undo: - */
        STEP_HOT_RESET,        /* the same, with all that is reset with it      undo: - */
        STEP_SET_AUTOPROBE,    /* sriov_drivers_autoprobe := autoprobe     undo: the old one */
        STEP_SET_VFS, /* sriov_numvfs := n_vfs, 0 or from 0   undo: as many as before, made anew */
        STEP_CREATE_MDEV,     /* make a mediated device                    undo: remove it */
        STEP_REMOVE_MDEV,     /* remove the mediated device `device`    undo: - (another of its UUID
                                 would not be the same; so it is the last of its plan) */
        STEP_READ_MDEV_TYPES, /* see what types of mediated devices there are     undo: - */
        STEP_INSPECT,         /* read what its driver tells of the device          undo: - */
        STEP_READ_SERIAL,     /* see the device's serial number, for ASSIGN        undo: - */
        STEP_ASSIGN,          /* entries into the assignments          undo: those before it */
        STEP_UNASSIGN,        /* entries out of the assignments        undo: in again */
        _STEP_KIND_MAX,
} StepKind;

typedef struct Step {
        StepKind kind;
        uint32_t group;
        bool no_iommu;  /* CLAIM_GROUP, OPEN_GROUP, TEST_GROUP, SET_CONTAINER, UNSET_CONTAINER,
                           SET_IOMMU: the group has no IOMMU, and so another node, and its container
                           another type */
        char *device;   /* kernel name; NULL for steps about a group or a container */
        char *bus;      /* of the device */
        char *driver;   /* the driver bound or unbound; NULL with STEP_BIND_HOST: any */
        char *fallback; /* STEP_BIND_VFIO: taken when `driver` refuses the device; NULL for none */
        char *module;   /* STEP_LOAD_MODULE: a module's name, or a modalias */
        bool optional;  /* LOAD_MODULE, GET_DEVICE, EVICT, RESET, undo of CLOSE_DEVICE: go on if it
                           fails */
        char *override; /* the driver_override in force when the step is over; "" for none */
        char *override_old; /* the one before the plan began, in force when the step is undone */
        uint32_t device_id; /* INSPECT: its id in the lease's iommufd; 0: none, or the plan binds it
                             */
        uint32_t ioas; /* ATTACH_CDEV, READ_IOVAS, DETACH_CDEV; 0: the one the plan allocates */
        char *reset_method;     /* SET_RESET_METHOD: blanks between several */
        char *reset_method_old; /* SET_RESET_METHOD: before it, in force when the step is undone */
        char *mdev_parent;      /* CREATE_MDEV; READ_MDEV_TYPES: NULL for all */
        char *mdev_type, *mdev_uuid;   /* CREATE_MDEV */
        char *directory;               /* ASSIGN, UNASSIGN: where the assignments are */
        char *assignments;             /* ASSIGN: the entries, as in their file (assignment.h) */
        char *assignments_old;         /* ASSIGN, UNASSIGN: those before it, in force when undone */
        char *subjects;                /* ASSIGN, UNASSIGN: the devices' names, for people */
        uint32_t n_vfs, n_vfs_old;     /* SET_VFS */
        bool autoprobe, autoprobe_old; /* SET_AUTOPROBE */
        uint32_t *groups; /* FIND_HOLDERS, EXPECT_NOBODY, EVICT; HOT_RESET: those reset together */
        size_t n_groups;
        bool and_group_files; /* EVICT: a group's file counts like a device's */
        int signal;           /* EVICT */
        /* EVICT: how long they have to let go. CLAIM_GROUP, TEST_GROUP, UNSET_CONTAINER: for how
         * long it may be busy because a file is still being closed. SET_VFS: what drivers take to
         * probe so many. */
        uint64_t grace_ms;
        /* RAISE_MEMLOCK: to at least so many bytes, and of whom. */
        uint64_t bytes;
        pid_t pid;
        uint64_t start_time;
        uid_t uid;
} Step;

typedef struct Plan {
        Step *steps;
        size_t n_steps;
        char **overridden; /* what would have been refused but for override_safety, a sentence each;
                              NULL for nothing */
} Plan;

#define PLAN_NULL {.steps = NULL}

/* An empty step at the end of the plan, to be filled in. NULL when memory ran out. */
Step *plan_append(Plan *plan, StepKind kind, uint32_t group);

/* Copies the five strings that a step on a device has. Any may be NULL. */
int step_set_device(Step *step, const char *device, const char *bus, const char *driver);
int step_set_override(Step *step, const char *override, const char *override_old);

int step_add_group(Step *step, uint32_t group);

/* A step of it is on the device's driver, or removes the device. */
bool plan_moves_device(const Plan *plan, const char *device);

/* How much longer than one step usually takes the plan may last. */
uint64_t plan_grace_ms(const Plan *plan);

/* "bind-vfio": for what is written down. */
const char *step_kind_name(StepKind kind);

/* "bind 0000:03:01.0 to vfio-pci". Allocated. */
char *step_describe(const Step *step);

/* One step a string; an empty array for an empty plan. Allocated, NULL when memory ran out. */
char **plan_describe(const Plan *plan);

void plan_done(Plan *plan);

#define _cleanup_plan_ _cleanup_(plan_done)
