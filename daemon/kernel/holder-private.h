/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of the search for holders share:
 *   holder-target.c   what is looked for: nodes, members, files to compare with
 *   holder-lines.c    the lines of a text in /proc that have a word in them
 *   holder-maps.c     what a process has mapped
 *   holder-mapping.c  which device a mapping is of
 *   holder-device.c   which other devices it could be of
 *   holder-process.c  one process: its tables of files
 *   holder-other.c    the device files of vfiod's that are not searched for
 *   holder-who.c      who it is
 *   holder-signal.c   looks again, and signals
 *   holder-crowd.c    many processes
 *   holders.c         owns the search, and goes through /proc
 */

#include "daemon/kernel/holders.h"

#define HOLDER_BARS 6

/* What the link of a device's file that was got from a group says. */
#define HOLDER_DEVICE_LINK "anon_inode:[vfio-device]"

/* Never a device number of VFIO: major 0 is for what has none. */
#define HOLDER_NO_NODE ((dev_t)0)

typedef struct HolderGroup {
        uint32_t number;
        dev_t rdev;   /* of its node */
        bool is_open; /* in the process that is looked at */
} HolderGroup;

typedef struct HolderMember {
        uint32_t group;
        char *name;
        char *syspath;    /* below /sys, as fdinfo has it behind "/sys/" */
        dev_t rdev;       /* of its node under /dev/vfio/devices */
        dev_t node_dev;   /* that node as a file: what /proc/PID/maps shows */
        ino_t node_inode; /* 0 for none */
} HolderMember;

/* A HolderReference of our own. */
typedef struct HolderFile {
        HoldKind kind;
        uint32_t group;
        char *device;
        int fd;
        ino_t inode; /* of the pipe */
} HolderFile;

/* A device of which something could be mapped. */
typedef struct HolderDevice {
        uint32_t group;
        char *name;
        bool known;    /* has BARs to compare with; else it could be any mapping */
        bool searched; /* of a group that is searched for */
        bool asked;    /* whether it is open, for the process that is looked at */
        bool open;
        struct {
                uint64_t first; /* physical address */
                uint64_t size;  /* 0 for none */
        } bars[HOLDER_BARS];
} HolderDevice;

/* A line of /proc/PID/maps that has "vfio" in it. */
typedef struct HolderRange {
        uint64_t first;
        uint64_t end;
        uint64_t offset;
        dev_t dev;
        ino_t inode;
        bool anonymous; /* of a device file that was got from a group */
} HolderRange;

/* A mapping that has been told to be of a device. */
typedef struct HolderMapping {
        pid_t pid;
        uint64_t start_time;
        HolderRange range;
        uint32_t group;
        char device[HOLD_DEVICE_MAX + 1];
        bool there; /* in the look that is under way */
} HolderMapping;

typedef struct Numbers {
        uint32_t *numbers;
        size_t n, size;
} Numbers;

/* An open file of a thread. */
typedef struct HolderFd {
        pid_t tid;
        int fd;
} HolderFd;

typedef struct HolderFds {
        HolderFd *fds;
        size_t n, size;
} HolderFds;

struct HolderSearch {
        const Roots *roots;
        pid_t vfiod;
        bool (*cancelled)(void *userdata); /* NULL: never */
        void *userdata;
        HolderGroup *groups;
        size_t n_groups;
        HolderMember *members;
        size_t n_members;
        HolderFile *files;
        size_t n_files;

        HolderMapping *mappings;
        size_t n_mappings;
        HolderDevice *devices;
        size_t n_devices;
        bool devices_read; /* in the look that is under way */

        HolderFds others; /* device files of vfiod and its workers */
        bool others_read; /* in the look that is under way */
        bool others_known;
        unsigned n_others_reads; /* since all processes were looked at */
        uint64_t others_usec;    /* when they were read last (CLOCK_MONOTONIC) */

        /* Of the process that is looked at; the memory is kept for the next. */
        HolderRange *ranges;
        size_t n_ranges;
        Numbers fds, tids;
        HolderFds untold; /* its device files that cannot be told */
};

/* The process that is looked at. */
typedef struct HolderProcess {
        HolderSearch *search;
        int dir; /* /proc/PID, which stays this process's whatever becomes of the number */
        HolderSink sink;
        void *userdata;
        Hold who; /* the fields that all its holds have in common */
        bool known;
        bool over; /* `result` ends the look: it is passed over, or the sink wants no more */
        int result;
        Hold only;  /* the device that all its device files are of; group and device only */
        bool mixed; /* they are of several, or of some that are not searched for */
} HolderProcess;

/*
 * Whether an error is of what is looked at, a process or a file of it, and passed over with that:
 * nothing that a process does to its files may end the search for everybody. What we lack
 * ourselves, and being called off, ends it.
 */
static inline bool holder_passes(int r) {
        return r < 0 && r != -ENOMEM && r != -EMFILE && r != -ENFILE && r != -ECANCELED;
}

bool holder_search_is_cancelled(const HolderSearch *search);

/* Both only add to the search; holder_targets_free() takes it all back. */
int holder_targets_read(HolderSearch *search, const uint32_t *groups, size_t n_groups);
int holder_targets_copy_files(HolderSearch *search, const HolderReference *references, size_t n);
void holder_targets_free(HolderSearch *search);

/* Each says whether that is searched for, and fills in kind, group and device if so. */
bool holder_target_by_rdev(const HolderSearch *search, dev_t rdev, Hold *hold);
bool holder_target_by_syspath(const HolderSearch *search, const char *syspath, Hold *hold);
bool holder_target_by_pipe(const HolderSearch *search, ino_t inode, Hold *hold);
bool holder_target_by_file(const HolderSearch *search, HoldKind kind, pid_t tid, int fd,
                           Hold *hold);
bool holder_target_by_node(const HolderSearch *search, dev_t dev, ino_t inode, Hold *hold);

/* Every device of which something could be mapped; read once a look. */
int holder_devices_read(HolderSearch *search);
void holder_devices_free(HolderSearch *search);
bool holder_device_fits(const HolderDevice *device, const HolderRange *range);
bool holder_device_may_be_open(const HolderSearch *search, const HolderDevice *device);
bool holder_group_may_be_open(const HolderSearch *search, uint32_t group);

int holder_fds_add(HolderFds *fds, pid_t tid, int fd);

/* Whether it is a child of vfiod's. */
bool holder_is_worker(const HolderSearch *search, pid_t pid);

/* The device files of vfiod and its workers that can be of groups that are not searched for; read
 * once a look. */
int holder_others_read(HolderSearch *search);
/* Whether a file that is none of the references is one of those. Where vfiod cannot be looked at,
 * any file may be. */
bool holder_is_other(HolderSearch *search, const HolderFd *file);

/* Looks at one process; 0 also when it ends meanwhile. */
int holder_process_look(HolderSearch *search, pid_t pid, HolderSink sink, void *userdata);

/* Takes processes that have nothing out of the list, if they are many. */
void holder_crowd_sift(HolderSearch *search, Numbers *pids);

/* Reads who the process is, once. -ESRCH when it has ended or is not to be reported. */
int holder_process_know(HolderProcess *process);

/* Calls the sink with the hold and who the process is. Errors as above, and the sink's. */
int holder_process_report(HolderProcess *process, const Hold *hold);

/* As holder_devices_read(). An error is of sysfs, and not passed over with the process. */
int holder_process_read_devices(HolderProcess *process);

/* Gets a line up to its end, or its first few thousand characters. -errno ends the reading. */
typedef int (*HolderLineSink)(void *userdata, const char *line);

/* Calls the sink for each line of the text that has the word in it, wherever in the line. 1; 0: the
 * text is empty; -ECANCELED: the search was called off. Or -errno, when the lines before were told.
 */
int holder_lines_read(const HolderSearch *search, int fd, const char *word, HolderLineSink sink,
                      void *userdata);

/*
 * The two halves of looking at maps: what is mapped is read before the process's files are looked
 * at, so that the file of a device that is mapped in between is not missed. -ESRCH: no memory.
 */
int holder_maps_read(HolderProcess *process, const char *path);
int holder_maps_report(HolderProcess *process);

/* All there are. */
int holder_pids_read(const HolderSearch *search, Numbers *pids);

/* The numbers that are names in a directory; what was there is forgotten. */
int numbers_read(Numbers *numbers, int dir);
int numbers_add(Numbers *numbers, uint32_t number);
void numbers_done(Numbers *numbers);
