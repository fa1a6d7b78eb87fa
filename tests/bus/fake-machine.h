/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine made of plain files below one directory, for tests of what stands on top of the kernel
 * layer: a sysfs tree that the real readers read, and what plain files cannot do (drivers, vfio
 * files, uevents) played by the fake-*.c twins of daemon/kernel. All state is in the files, so that
 * a worker process, a test and another program see the same machine. Whatever cannot happen ends
 * the program.
 *
 *   sys/, dev/       what the kernel would show there; a vfio file is open if it is locked (flock),
 *                    a cdev if its byte FAKE_CDEV_OPEN is (F_OFD_SETLK)
 *   natural/DEVICE   the host driver that matches the device
 *   no-iommu/DEVICE  the group it is in while it is on a vfio driver, in unsafe no-IOMMU mode
 *   faults/WHAT SUBJECT  see fake_machine_fault()
 *   calls            what was done to the kernel, a line each, in the words of Plan
 *   events           a FIFO: what udev would tell
 *
 * The directory is named by the environment variable FAKE_MACHINE.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_MACHINE_VARIABLE "FAKE_MACHINE"

typedef struct FakeDevice {
        const char *name;
        uint32_t group;
        const char *bus;    /* NULL: pci */
        const char *driver; /* bound now; NULL for none */
        uint16_t vendor;
        uint16_t device;
        uint32_t class_code;
        uint8_t header_type;
        const char *interface; /* of its network, NULL for none */
        const char *parent;    /* the bridge above it; NULL: it is on a root bus */
        const char *reset;     /* its reset methods; NULL: there is no such attribute */
        bool no_iommu;         /* in its group only while it is on a vfio driver */
        unsigned total_vfs;    /* SR-IOV; 0: it has not the attributes */
        const char *physical;  /* NULL: it is no virtual function */
} FakeDevice;

/*
 * Group 0: a host bridge. 1: the chipset. 2: two functions behind a bridge on pcieport, on e1000e
 * and snd_hda_intel. 3: a disk on nvme. 4 and 9: a device each, on vfio-pci. 5: a device on no
 * driver. 6: a card behind a bridge on shpchp. 7: a platform device. 8: a device on vfio-pci and
 * one on pci-stub. Those of 2 and 6 are below their bridge for the reset sets too, the others on
 * root buses. The device of group 4 tells reset methods; the disk can have 4 virtual functions, of
 * which its driver makes 3.
 */
void fake_machine_build(const char *directory);

/* A new, empty machine in /tmp, named in the environment; the path is the caller's. */
char *fake_machine_new(void);
void fake_machine_erase(const char *directory);
const char *fake_machine_directory(void);

void fake_machine_add(const FakeDevice *device);
void fake_machine_remove(const char *name);
/* Other ids at the same address, as when another card was plugged in. */
void fake_machine_replace(const char *name, uint16_t vendor, uint16_t device);

/*
 * A device without an IOMMU group, "mtty", that mediated devices can be made of: of type "mtty-1"
 * two, of type "mtty-2" one, each in a group of its own from 60 on.
 */
void fake_machine_add_mdev_parent(void);
/* -errno as the kernel. */
int fake_machine_create_mdev(const char *parent, const char *type, const char *uuid);
int fake_machine_remove_mdev(const char *uuid);

/* What udev would say: "add", "remove", "bind"; "lost": that events were lost;
 * "dropped": that there was no memory for one. */
void fake_machine_announce(const char *action, const char *name);

/* Once: the process that comes to it is killed. */
#define FAKE_MACHINE_KILL (-1)

/*
 * The next doings of this kind fail with the errno `error`, or wait for as long as the fault is
 * there (0). What: module, override, bind, unbind, probe, open-container, open-group, viable,
 * set-container, set-iommu, unset-container, get-device, open-iommufd, alloc-ioas, read-iovas,
 * open-cdev, bind-cdev, attach-cdev, detach-cdev, cdevs (the kernel has none), look, request,
 * quiesce, restore, reset, reset-method, vfs, autoprobe, create-mdev, remove-mdev, inspect, table
 * (what the host uses cannot be read), event (udev says nothing of it). Subject: a device, a group
 * number, a module, or "any".
 */
void fake_machine_fault(const char *what, const char *subject, int error);
void fake_machine_clear(const char *what, const char *subject);
/*
 * From now on what is done to the kernel is counted and listed, "WHAT SUBJECT" a line, from the
 * first; and the one of number `at`, from 1, fails with the errno, once. 0: none does.
 */
void fake_machine_count(size_t at, int error);
/* What was counted. Allocated. */
char *fake_machine_counted(void);

/* Whether the last who has ever waited for a fault did so for one of that; NULL: of anything. */
bool fake_machine_is_waiting_for(const char *what);
/* From now on so many processes have a device of the group that is looked at, beside the true ones;
 * nobody can signal them. */
void fake_machine_set_crowd(size_t n);
size_t fake_machine_crowd(void);

/* Seconds for which files wait for room on the bus; 0: nobody has said. The file `patience`, in
 * decimal digits. */
size_t fake_machine_patience(void);

/* For the twins: 0, or -errno. */
int fake_machine_obey(const char *what, const char *subject);

/* One line in `calls`. */
void fake_machine_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The whole of it; "" for nothing. Allocated. */
char *fake_machine_calls(void);
/* Without "request DEVICE": a worker of its own asks the holders, before or between the others. */
char *fake_machine_calls_but_requests(void);

/* Below the directory. Allocated. */
char *fake_machine_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Facts, as a test may want to see them: "" for none. Allocated. */
char *fake_machine_driver(const char *name);
char *fake_machine_override(const char *name);
void fake_machine_set_override(const char *name, const char *override);
uint32_t fake_machine_group(const char *name);
/* "" where it has none. Allocated. */
char *fake_machine_attribute(const char *name, const char *attribute);
void fake_machine_set_attribute(const char *name, const char *attribute, const char *text);

/* Moves the device to a driver, or away from it; -errno as the kernel. */
int fake_machine_bind(const char *name, const char *driver);
int fake_machine_unbind(const char *name, const char *driver);

/* Whether somebody has a file of the device open; and so that its group cannot be opened: got from
 * the group, or a cdev that is bound. */
bool fake_machine_device_is_open(const char *name);
bool fake_machine_device_is_in_use(const char *name);
bool fake_machine_group_is_open(uint32_t group);

/* /dev/iommu; a machine is made without it. */
void fake_machine_set_iommufd(bool there);

/* What a cdev is, each told by a lock on a byte of its node, which goes with the last copy of the
 * file that took it. */
typedef enum FakeCdevByte {
        FAKE_CDEV_OPEN,
        FAKE_CDEV_BOUND,
        FAKE_CDEV_ATTACHED,
} FakeCdevByte;

/* The node of a device, there or not. Allocated. */
char *fake_machine_cdev(const char *name);
/* Locks a byte for good, or for reading; false if another open file has it. */
bool fake_machine_lock(int fd, long byte, bool shared);
void fake_machine_unlock(int fd, long byte);
/* Whether another open file than `fd` has locked the byte. */
bool fake_machine_is_locked(int fd, long byte);
bool fake_machine_cdev_is(const char *name, FakeCdevByte byte);

/* The text of a file that says what it is of. Allocated. */
char *fake_machine_read(int fd);
