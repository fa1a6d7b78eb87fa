/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VFIOD_H
#define VFIOD_H

/*
 * libvfiod: asks vfiod(8) for VFIO devices, and keeps the files that it hands over. Link with
 * `pkg-config --cflags --libs libvfiod`; libvfiod(3) has an example.
 *
 * Return values: functions that return int return 0 (or what they say) or a negative errno, and
 * leave their ret_ arguments alone when they fail. What went wrong is told by vfiod_error_name()
 * and vfiod_error_message() until the next call on the same connection. The errno is the class of
 * it:
 *
 *      -EINVAL        targets or options make no sense: NoTargets, InvalidTarget, DuplicateTarget,
 *                     InvalidOption, InvalidOptionValue, TooManyFds, NotInLease
 *      -ENODEV        NotFound, DeviceGone
 *      -EACCES        polkit or the bus says no, or nobody may be asked (see interactive)
 *      -EPERM         the rules say no: HostDevice, NotViable, NotBound, NothingToBind, NotOwner,
 *                     ResetSetIncomplete
 *      -EBUSY         somebody has it: Leased, HeldOutside, InUse, StillHeld, Busy, Stuck
 *      -EBADMSG       BadAssignments
 *      -EEXIST        AlreadyExists
 *      -ENOSPC        Exhausted: the hardware has no more of them
 *      -EAGAIN        Changed, CalledOff: try again
 *      -EOPNOTSUPP    Unsupported, NoVfioDriver, NoReset, or a method that this vfiod does not have
 *      -EDQUOT        LimitExceeded, TooManyTargets
 *      -ESTALE        LeaseEnded, or a lease that is gone
 *      -EIO           Failed: the kernel refused, the sentence says which step; any other error
 *      -ETIMEDOUT     TimedOut: the kernel did not come back; or no answer in time
 *      -EHOSTUNREACH  there is no vfiod, and it cannot be started
 *      -ENOTCONN      the connection is not open; -ECONNRESET: it broke, open another one
 *      -EBADMSG       vfiod's answer is none that this library understands
 *      -ENOMEM
 *
 * A vfiod that is restarted is a pause: over the bus, a call that it leaves unanswered is made
 * again, within the time that the call may take. CreateMdev, RemoveMdev, SetVfs, Assign, Unassign,
 * Add and Remove are not, since they may have been done: -ETIMEDOUT, with the bus's error
 * org.freedesktop.DBus.Error.NoReply.
 *
 * Names like NotFound are D-Bus errors org.vfiod1.Error.NotFound; which method gives which is
 * written in the interface files, /usr/share/dbus-1/interfaces/org.vfiod1.*.xml. Later versions of
 * vfiod may add errors.
 *
 * Threads: there is no global state. A connection and its leases belong to one thread at a time.
 * Across fork(): the child may only free them.
 *
 * Targets: a NULL-terminated array of devices ("0000:01:00.0", "01:00.0", an mdev UUID, a platform
 * device) and groups ("group/42"). Strings passed in are borrowed for the call.
 *
 * Every file of this library is close-on-exec.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vfiod_connection vfiod_connection;
typedef struct vfiod_lease vfiod_lease;

/* --- The connection */

/* Makes a connection that is not open yet, so that also what opening says can be asked of it. */
int vfiod_connection_new(vfiod_connection **ret);

/*
 * Hangs up; NULL is fine. Returns NULL. Leases are not ended by it, and may be freed later: their
 * files stay, what would ask vfiod fails with -ENOTCONN.
 */
vfiod_connection *vfiod_connection_free(vfiod_connection *c);

/*
 * `address` is that of a bus ("unix:path=..."), NULL for the system bus or, where nothing listens
 * at the system bus's address (no such file, connection refused), vfiod's socket as of
 * vfiod_connection_open_socket(). vfiod itself is started by the first call that needs it. -EISCONN
 * when it is open already.
 */
int vfiod_connection_open(vfiod_connection *c, const char *address);

/*
 * Without a bus, through vfiod's socket: for root and members of the group vfio. `path` is that of
 * the socket; NULL: what the environment variable VFIOD_SOCKET says, or vfiod/socket in /run. Where
 * the socket's queue is full it is waited for as long as for an answer. -EACCES, -EHOSTUNREACH:
 * nobody listens there. Everything works as over the bus, and one reply carries more files.
 */
int vfiod_connection_open_socket(vfiod_connection *c, const char *path);

/* Whether polkit may ask the user for a password. Default: false. Any time. */
int vfiod_connection_set_interactive(vfiod_connection *c, bool interactive);

/*
 * How long an answer may take, in milliseconds (at least 1). Default: 360000, because somebody may
 * have to type a password and a driver may be slow. Any time.
 */
int vfiod_connection_set_timeout(vfiod_connection *c, uint64_t timeout_ms);

/*
 * The last failure on this connection, its leases' too: the name of the D-Bus error
 * ("org.vfiod1.Error.Leased"; "System.Error.ENOMEM" and the like for what happened on this side),
 * and a sentence for people that names the device and the remedy. NULL when the last call
 * succeeded. Valid until the next call.
 */
const char *vfiod_error_name(const vfiod_connection *c);
const char *vfiod_error_message(const vfiod_connection *c);

/* --- Moving groups between drivers. Groups move whole. */

/* `driver` is the vfio driver to use; NULL: the best match for each device. */
int vfiod_bind(vfiod_connection *c, const char *const *targets, const char *driver);

/* No time given: "wait" waits for ever, "revoke" as long as vfiod's configuration says. */
#define VFIOD_TIMEOUT_NONE UINT64_MAX

/*
 * Gives the groups back to the drivers they came from. `policy` is about groups that somebody
 * holds: "fail" (NULL means it), "wait" or "revoke". `timeout_ms` belongs to "wait" and "revoke",
 * with which the call lasts until the groups are unbound or the time is over, whatever
 * vfiod_connection_set_timeout() says; a process that ends calls it off.
 */
int vfiod_unbind(vfiod_connection *c, const char *const *targets, const char *policy,
                 uint64_t timeout_ms);

/* --- Devices from boot on */

/* Flags of vfiod_assign(). */
#define VFIOD_ASSIGN_BIND 1U            /* bind them now, too; needs the right to */
#define VFIOD_ASSIGN_OVERRIDE_SAFETY 2U /* also what the host is using; needs the right to */

/*
 * Makes the groups belong to vfiod from the next boot on: their devices are on a vfio driver before
 * their own driver can have them, whether or not vfiod runs. `driver` as of vfiod_bind(). -EINVAL
 * also for unknown flags; -EBADMSG: the file of assignments cannot be read.
 */
int vfiod_assign(vfiod_connection *c, const char *const *targets, const char *driver,
                 unsigned flags);

/* Leaves them to their own drivers from the next boot on; nothing moves now. Targets may also be
 * devices that are not there any more. */
int vfiod_unassign(vfiod_connection *c, const char *const *targets);

/* --- Making devices of a device */

/* Flags of vfiod_set_vfs(). */
#define VFIOD_VFS_RECREATE 1U      /* remove the functions that there are first, if that must be */
#define VFIOD_VFS_AUTOPROBE_ON 2U  /* host drivers take functions of the device, now and later */
#define VFIOD_VFS_AUTOPROBE_OFF 4U /* or they do not; without either it stays as it is */

/*
 * Makes so many virtual functions of the device (SR-IOV), or removes all with 0. -EEXIST: it has
 * another number of them, see VFIOD_VFS_RECREATE; -ENOSPC: so many there cannot be; -EBUSY, -EPERM:
 * functions that would be removed are in use. -EINVAL also for flags that make no sense.
 */
int vfiod_set_vfs(vfiod_connection *c, const char *device, uint32_t num_vfs, unsigned flags);

/*
 * Makes a mediated device of the parent, of a type that vfiod's ListMdevTypes tells. `uuid` may be
 * NULL, for one that is made. *ret_uuid is its name, to be freed with free(); NULL where it is not
 * wanted. -ENODEV: no such parent or type; -EEXIST: the UUID is taken; -ENOSPC: no more of them.
 */
int vfiod_create_mdev(vfiod_connection *c, const char *parent, const char *type, const char *uuid,
                      char **ret_uuid);

/* Removes a mediated device by its UUID. -EBUSY: somebody has it. */
int vfiod_remove_mdev(vfiod_connection *c, const char *uuid);

/* --- Leases */

/* Values of vfiod_acquire_options. */
#define VFIOD_MODE_AUTO "auto"
#define VFIOD_MODE_GROUP "group"
#define VFIOD_MODE_IOMMUFD "iommufd"
#define VFIOD_PREPARE_OPEN "open"
#define VFIOD_PREPARE_BIND "bind"
#define VFIOD_PREPARE_ATTACH "attach"

/* A number of the caller's own, kept with a device. */
typedef struct vfiod_cookie {
        const char *name; /* of the device */
        uint64_t cookie;
} vfiod_cookie;

/*
 * What is NULL, 0 or false is left to vfiod. Begin with VFIOD_ACQUIRE_OPTIONS_NULL: later versions
 * add members at the end, and tell by `size` which of them a program knows.
 */
typedef struct vfiod_acquire_options {
        size_t size;          /* sizeof(vfiod_acquire_options) */
        const char *mode;     /* VFIOD_MODE_*; default auto: iommufd where the kernel can */
        const char *prepare;  /* VFIOD_PREPARE_*; default attach: ready for use */
        const char *driver;   /* the vfio driver, with `bind` */
        const char *label;    /* what it is for, shown to everybody */
        bool bind;            /* bind the groups first; needs the right to */
        bool hot_reset;       /* refuse unless the lease has all that a hot reset would reset */
        bool override_safety; /* with `bind`: also what the host is using; needs the right to */
        uint64_t memlock;     /* bytes: raise this process's RLIMIT_MEMLOCK to at least that */
        const vfiod_cookie *cookies; /* of iommufd mode */
        size_t n_cookies;
} vfiod_acquire_options;

#define VFIOD_ACQUIRE_OPTIONS_NULL                                                                 \
        {sizeof(vfiod_acquire_options), NULL, NULL, NULL, NULL, false, false, false, 0, NULL, 0}

/*
 * Leases the groups of the targets: all or none. `options` may be NULL. The lease, and the files it
 * came with, are in *ret, which the caller frees.
 *
 * The lease lasts until vfiod_lease_release(), or until the last copy of its lease file is closed
 * (VFIOD_KIND_LEASE): with vfiod_lease_free(), unless that file was taken or inherited by a child.
 */
int vfiod_acquire(vfiod_connection *c, const char *const *targets,
                  const vfiod_acquire_options *options, vfiod_lease **ret);

/*
 * A lease by its path, such as that of another process of the same user, with the facts about it
 * and without files: neither the lease file, nor others before vfiod_lease_fetch_files().
 */
int vfiod_lease_open(vfiod_connection *c, const char *path, vfiod_lease **ret);

/* Closes the files that were not taken; NULL is fine. Returns NULL. Asks vfiod nothing. */
vfiod_lease *vfiod_lease_free(vfiod_lease *lease);

/* Ends a lease by its path; somebody else's with the right to. */
int vfiod_release(vfiod_connection *c, const char *path);

/*
 * Closes the files that were not taken, and ends the lease: afterwards the groups are free, unless
 * somebody has taken or inherited files of them. The lease is still to be freed.
 */
int vfiod_lease_release(vfiod_lease *lease);

/* Kinds of files. */
#define VFIOD_KIND_LEASE "lease" /* the end of a pipe, O_NONBLOCK; end-of-file: it is over */
#define VFIOD_KIND_CONTAINER "container" /* group mode */
#define VFIOD_KIND_GROUP "group"         /* name: the number of the group */
#define VFIOD_KIND_DEVICE "device"       /* name: the device */
#define VFIOD_KIND_IOMMUFD "iommufd"     /* iommufd mode */
#define VFIOD_KIND_CDEV "cdev"           /* name: the device */

/*
 * The file of that kind and name. `name` may be NULL where there is only one of the kind, and a PCI
 * device may be named without its domain 0000. vfiod_lease_get_fd() lends the file: do not close
 * it, duplicate it to keep it. vfiod_lease_take_fd() gives it away: it is the caller's to close,
 * and the lease has it no more. Return the fd; -ENOENT: there is none; -ENOTUNIQ: more than one.
 */
int vfiod_lease_get_fd(const vfiod_lease *lease, const char *kind, const char *name);
int vfiod_lease_take_fd(vfiod_lease *lease, const char *kind, const char *name);

typedef struct vfiod_file {
        const char *kind;
        const char *name; /* "" where there is none */
        int fd;           /* lent; negative once it was taken */
} vfiod_file;

/*
 * All files but the lease file, one after the other: NULL behind the last. Valid until files are
 * added, removed or fetched, or the lease ends.
 */
const vfiod_file *vfiod_lease_get_file(const vfiod_lease *lease, size_t i);

/*
 * Fetches the files of the lease once more (duplicates of the same open files) in place of those it
 * has; the lease file stays. For the user who owns the lease.
 */
int vfiod_lease_fetch_files(vfiod_lease *lease);

/*
 * Leases more groups under the same lease: their files come behind the others, and addresses that
 * could be mapped may get fewer. Of `options`, which may be NULL, there may be driver, bind,
 * override_safety, hot_reset, memlock and cookies.
 */
int vfiod_lease_add(vfiod_lease *lease, const char *const *targets,
                    const vfiod_acquire_options *options);

/*
 * Takes groups out of the lease; the last ones leave by vfiod_lease_release(). The lease closes its
 * files of these groups first, also when vfiod then refuses; files that were taken, duplicates and
 * mappings are the caller's to close before (-EBUSY, InUse).
 */
int vfiod_lease_remove(vfiod_lease *lease, const char *const *targets);

/* "/org/vfiod1/lease/7", and its number. */
const char *vfiod_lease_get_path(const vfiod_lease *lease);
uint32_t vfiod_lease_get_id(const vfiod_lease *lease);

/* "group" or "iommufd". */
const char *vfiod_lease_get_mode(const vfiod_lease *lease);

/* The IOAS in the iommufd, for IOMMU_IOAS_MAP; 0 but in iommufd mode with "attach". */
uint32_t vfiod_lease_get_ioas(const vfiod_lease *lease);

/* What addresses and lengths mapped there are multiples of, in bytes; 0 without an IOAS. */
uint64_t vfiod_lease_get_iova_alignment(const vfiod_lease *lease);

typedef struct vfiod_iova_range {
        uint64_t first;
        uint64_t last; /* the last address itself */
} vfiod_iova_range;

/* Where it can be mapped now, one range after the other: NULL behind the last. */
const vfiod_iova_range *vfiod_lease_get_iova_range(const vfiod_lease *lease, size_t i);

typedef struct vfiod_device_id {
        const char *name;
        uint32_t id; /* in the iommufd; 0 with "open" */
        uint64_t cookie;
} vfiod_device_id;

/*
 * In iommufd mode the ids of the devices, in order of names: NULL behind the last. As with ranges,
 * pointers are valid until groups are added or removed, or the lease is freed.
 */
const vfiod_device_id *vfiod_lease_get_device_id(const vfiod_lease *lease, size_t i);

/* --- Being asked back */

typedef enum vfiod_lease_event_type {
        VFIOD_LEASE_RELEASE_REQUESTED = 1, /* somebody asks for the lease */
        VFIOD_LEASE_ENDED = 2,             /* it is over, or vfiod is gone; the last event */
} vfiod_lease_event_type;

typedef struct vfiod_lease_event {
        vfiod_lease_event_type type; /* ignore those you do not know */
        uint64_t deadline;           /* microseconds since 1970-01-01 UTC; 0: none, or not known */
        const char *reason; /* one sentence, "" where it is not known; valid in the callback */
} vfiod_lease_event;

/* May call everything but vfiod_connection_process() and vfiod_connection_free(). */
typedef void (*vfiod_lease_callback)(vfiod_lease *lease, const vfiod_lease_event *event,
                                     void *userdata);

/*
 * Who is told; NULL for nobody. Requests are heard of through the connection by the one that
 * acquired the lease or was the last to fetch files or to add or remove groups, and through the
 * lease file by whoever has it; the end of the lease through the lease file alone.
 */
void vfiod_lease_set_callback(vfiod_lease *lease, vfiod_lease_callback callback, void *userdata);

/* To poll for POLLIN, and nothing else; lent. -ENOTCONN when the connection is not open. */
int vfiod_connection_get_fd(const vfiod_connection *c);

/* When the fd is readable: calls the callbacks. Never waits for long. -ECONNRESET: it broke. */
int vfiod_connection_process(vfiod_connection *c);

/* --- Looking */

/*
 * What an operation would do now, one sentence a step, NULL-terminated; the caller frees it with
 * vfiod_strv_free(). Refused as the operation itself would be.
 */
int vfiod_plan_bind(vfiod_connection *c, const char *const *targets, const char *driver,
                    char ***ret_steps);
int vfiod_plan_unbind(vfiod_connection *c, const char *const *targets, const char *policy,
                      uint64_t timeout_ms, char ***ret_steps);
int vfiod_plan_assign(vfiod_connection *c, const char *const *targets, const char *driver,
                      unsigned flags, char ***ret_steps);
int vfiod_plan_unassign(vfiod_connection *c, const char *const *targets, char ***ret_steps);
int vfiod_plan_acquire(vfiod_connection *c, const char *const *targets,
                       const vfiod_acquire_options *options, char ***ret_steps);

/* NULL is fine. Returns NULL. */
char **vfiod_strv_free(char **strv);

typedef struct vfiod_area {
        uint64_t offset; /* in the region */
        uint64_t size;
} vfiod_area;

typedef struct vfiod_region {
        uint32_t index;
        const char *name; /* "bar0" ... "bar5", "rom", "config", "vga", "" */
        uint32_t flags;   /* VFIO_REGION_INFO_FLAG_READ, _WRITE, _MMAP */
        uint64_t size;    /* bytes; 0: the device has no such region */
        uint64_t offset;  /* in the device's file */
        bool msix_mappable;
        const vfiod_area *areas; /* that may be mapped; none where it is the whole region */
        size_t n_areas;
} vfiod_region;

typedef struct vfiod_irq {
        uint32_t index;
        const char *name; /* "intx", "msi", "msix", "err", "req", "" */
        uint32_t flags;   /* VFIO_IRQ_INFO_* */
        uint32_t count;
} vfiod_irq;

/* Arrays of pointers end with NULL; everything belongs to the inspection. */
typedef struct vfiod_inspection {
        const char *name;                   /* of the device, in full */
        const char *mode;                   /* how it was read: "group" or "iommufd" */
        const char *const *flags;           /* "reset", "pci", ... */
        const vfiod_region *const *regions; /* by index */
        const vfiod_irq *const *irqs;       /* by index */
        const char *const *resets;          /* methods that the kernel would try, in order */
        const char *hw_type;                /* iommufd mode only: "intel-vtd", ...; else NULL */
        const char *const *hw_capabilities; /* "dirty-tracking", ... */
        uint32_t hw_pasid_bits;
        const void *hw_data; /* the kernel's structure of that type */
        size_t hw_data_size; /* bytes */
} vfiod_inspection;

/*
 * What a device tells of itself. One that is not leased is opened for it, which resets it. Later
 * versions add members at the end of the structures.
 */
int vfiod_inspect(vfiod_connection *c, const char *device, vfiod_inspection **ret);

/* NULL is fine. Returns NULL. */
vfiod_inspection *vfiod_inspection_free(vfiod_inspection *inspection);

#ifdef __cplusplus
}
#endif

#endif
