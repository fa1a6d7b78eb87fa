/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Link-time twins of daemon/kernel/{driver,iommufd,mdev,memlock,module,sriov,vfio}.h. They keep a
 * tiny machine (which driver and override each device has, which group is open in which container),
 * write down every call, and fail, hang or die when told to. Everything is in shared memory, so
 * that a test sees what a worker process did. An open file is a memfd; whether it is still open is
 * read from /proc/self/fd.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/util/cleanup.h"
#include "daemon/util/hold.h"

#define STUB_NAME 64
#define STUB_DEVICES 8
#define STUB_FILES 512
#define STUB_HOLDERS 1280
#define STUB_ALIGNMENT 4096                   /* of IOVAs */
#define STUB_SERIAL "52-54-00-ff-ff-12-34-56" /* of every device */
#define STUB_VFIOD 4711                       /* the pid that looking for holders leaves out */

typedef struct StubDevice {
        char name[STUB_NAME];
        uint32_t group;
        char driver[STUB_NAME];   /* "" for none */
        char override[STUB_NAME]; /* "" for none */
        char native[STUB_NAME];   /* the driver that the kernel finds by itself, "" for none */
        char refuses[STUB_NAME];  /* a driver whose probe says -EINVAL */
        bool quiet;               /* memory decode is off */
        char reset_method[STUB_NAME];
        uint32_t vfs;      /* virtual functions */
        uint32_t vfs_most; /* so many are made at most */
        bool autoprobe;
} StubDevice;

typedef struct StubFile {
        char what[STUB_NAME]; /* "container", "group 3", "device 0000:01:00.0", "iommufd", "cdev a"
                               */
        uint32_t group;
        ino_t inode;
        ino_t container;   /* of a group: the container it is in, 0 for none */
        bool iommu;        /* of a container: it is set */
        uint32_t objects;  /* of an iommufd: how many ids it has given */
        uint32_t ioas;     /* of an iommufd: its one IOAS, 0 for none */
        ino_t bound;       /* of a cdev: the iommufd, 0 for none */
        uint32_t attached; /* of a cdev: the IOAS, 0 for none */
} StubFile;

/* A process that has a file. It lets go when it is sent `yields_to`, or when something dies. */
typedef struct StubHolder {
        Hold hold;
        ino_t file;        /* HOLD_CDEV: the file of ours that it has a copy of, 0 for none */
        bool bound;        /* HOLD_CDEV: it has bound a file of its own */
        int yields_to;     /* a signal, then also to SIGKILL; 0: to none */
        unsigned received; /* signals */
        int last_signal;
        size_t looks_before; /* it comes after so many looks */
        size_t looks_left;   /* it is gone after so many looks; 0: it stays */
        bool hidden;         /* looking does not find it */
        bool gone;
} StubHolder;

typedef struct Stub {
        StubHolder holders[STUB_HOLDERS];
        size_t n_holders;
        size_t looks;      /* how often somebody looked for holders */
        bool look_is_long; /* a look ends only when it is called off */
        StubDevice devices[STUB_DEVICES];
        size_t n_devices;
        StubFile files[STUB_FILES];
        size_t n_files;
        char missing_driver[STUB_NAME]; /* a driver whose module is not loaded: -ENOENT */
        bool held_outside;              /* opening a group says -EBUSY */
        bool not_viable;
        char assignments[4096]; /* the text of the file; "" for none */
        bool hides_serials;     /* they are to be asked for */
        uint64_t memlock;       /* the limit of the only caller there is */

        char log[65536]; /* a line a call */
        size_t calls;
        size_t step; /* set by the test: what `failed_step` is taken from */

        size_t fail_call[2];       /* the calls that fail, from 1; 0 for none */
        int fail_error;            /* with this -errno */
        size_t failed_step;        /* the step of fail_call[0] */
        char failed[128];          /* its line in the log */
        volatile size_t hang_call; /* does not return until this is 0 */
        volatile bool hanging;
        size_t vanish_call; /* the call during which `vanishing` is unplugged */
        char vanishing[STUB_NAME];
        size_t die_call;     /* ends the process */
        pid_t pid;           /* of the last caller */
        const bool *undoing; /* set by the test: tells whether fail_call[1] came while undoing */
        bool failed_in_undo;
} Stub;

extern Stub *stub;

void stub_init(void);
void stub_done(void);

StubDevice *stub_add_device(const char *name, uint32_t group, const char *driver,
                            const char *override);

void stub_remove_device(StubDevice *device);

/* A process with one file; a cdev that we have open is the same file. */
StubHolder *stub_add_holder(pid_t pid, HoldKind kind, uint32_t group, const char *device);
/* Some process, found by looking or not, has a device of the group open, or also the group. */
bool stub_is_held(uint32_t group, bool (*counts)(HoldKind kind));

/* Drivers, overrides, and the files that are open in this process. Allocated. */
char *stub_state(void);

/* For the twins: writes the call down; 0, or the -errno that the test wants. */
int stub_call(const char *format, ...) _printf_(1, 2);
StubDevice *stub_find_device(const char *name);
/* A new file; its number, which the caller owns. */
int stub_open(const char *what, uint32_t group);
/* The record of an open file; NULL for none. */
StubFile *stub_file(int fd);
/* The open file of this name; NULL when there is none. */
StubFile *stub_find_open(const char *what);
bool stub_is_open(const StubFile *file);
/* A cdev of the group is bound, wherever it is open. */
bool stub_has_bound_cdev(uint32_t group);
