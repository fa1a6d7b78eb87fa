/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The start after a restart, an upgrade or a crash:
 *
 *   1. The state file is read. One that cannot be is put aside and said; there are no leases then.
 *
 *   2. Originals are taken over. What somebody else has moved meanwhile is noticed, like at any
 *      other time, when the leases are there (rebound.h).
 *
 *   3. Each file from the service manager's store goes to its lease, if it is what its name says.
 *      What no lease has is taken out of the store and closed.
 *
 *   4. Groups that were joining or leaving a lease are not in it (core/decide-recover.h).
 *
 *   5. A lease that has all its files goes on as it was; if its holder has closed lease_fd
 *      meanwhile, it ends by that, as ever. One that lacks a file is over: what is left of it is
 *      closed, and it drains until its holders have let go.
 *
 *   6. Plans that were under way are finished or undone, once no worker is left that may be at one
 *      (recover-plan.c). Nobody waits for that, but those who want the same groups.
 *
 * Who waited for a lease, or was being given one, has seen its call fail.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/broker/keep.h"
#include "daemon/broker/kept-name.h"
#include "daemon/broker/rebound.h"
#include "daemon/broker/recover-plan.h"
#include "daemon/core/decide-recover.h"
#include "daemon/kernel/vfio-file.h"
#include "daemon/kernel/vfio.h"
#include "daemon/persist/state-file.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define BAD_STATE_FILE KEEP_STATE_FILE ".bad"

/* In the way of the next one it must not be; a disk that cannot be written to leaves it there. */
static void set_aside(Broker *broker, const char *reason) {
        int r = renameat(broker->keep.directory, KEEP_STATE_FILE, broker->keep.directory,
                         BAD_STATE_FILE);

        broker_emit_unreadable(broker, reason, r < 0 ? -errno : 0);
}

/* What state_file_read() does not take. */
static const char *describe_unreadable(int error) {
        switch (error) {
        case -EPERM:
                return "it is no plain file of vfiod's own that nobody else may write to";
        case -EFBIG:
                return "it is too large to be one";
        case -EBADMSG:
                return "it has a NUL byte in it";
        default:
                return strerror(-error);
        }
}

/* Leaves `state` empty when there is none that can be used. -ENOMEM: there may be one. */
static int read_state(Broker *broker, State *state) {
        _cleanup_free_ char *text = NULL, *error = NULL;
        int r;

        lease_table_init(&state->leases);
        if (broker->keep.directory < 0)
                return 0;
        r = state_file_read(broker->keep.directory, KEEP_STATE_FILE, geteuid(), &text);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = state_read(text, state, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                set_aside(broker, error ?: describe_unreadable(r));
        return 0;
}

/* A device that Bind had not got to its vfio driver yet has its record for nothing. */
static void take_originals(Broker *broker, State *state) {
        for (size_t i = 0; i < state->n_originals; i++) {
                StateOriginal *kept = &state->originals[i];
                Device *device = topology_find_device(&broker->world.topology, kept->device);

                if (!device || (!device->facts.vfio && !kept->bound) || device->original.recorded)
                        continue;
                device->original = (Original){
                        .recorded = true,
                        .driver = TAKE_PTR(kept->driver),
                        .module = TAKE_PTR(kept->module),
                        .override = TAKE_PTR(kept->override),
                        .bound = TAKE_PTR(kept->bound),
                };
        }
}

static bool is_in_plan(const State *state, const char *device) {
        for (size_t i = 0; i < state->n_plans; i++)
                if (plan_moves_device(&state->plans[i].plan, device))
                        return true;
        return false;
}

/* What a plan of ours has moved that was cut short is nobody else's doing. */
static void notice_moves(Broker *broker, const State *state) {
        for (size_t i = 0; i < state->n_originals; i++) {
                const char *name = state->originals[i].device;
                Device *device = topology_find_device(&broker->world.topology, name);
                _cleanup_placement_ Placement before = {.vfio = true};

                if (!device)
                        continue;
                /* Its Bind came to its end, but not to writing that down. */
                if (!device->original.bound && device->facts.vfio &&
                    string_equal(device->facts.driver, device->facts.driver_override))
                        (void)device_set_bound(device);
                if (!device->original.bound)
                        continue;
                if (is_in_plan(state, name)) {
                        (void)rebound_settle(device);
                        continue;
                }
                if (string_set(&before.driver, device->original.bound) >= 0 &&
                    string_set(&before.override, device->original.bound) >= 0)
                        rebound_notice(broker, device, &before);
        }
}

static bool is_node(const Broker *broker, int fd, const char *format, const char *what) {
        _cleanup_free_ char *node = string_format(format, what);

        return node && vfio_file_is_node(&broker->roots, fd, node);
}

static bool is_what_it_says(const Broker *broker, const KeptName *name, int fd) {
        const Device *device = topology_find_device(&broker->world.topology, name->device);
        char group[16];

        (void)snprintf(group, sizeof(group), "%u", name->group);
        switch (name->kind) {
        case HANDLE_LEASE:
                return vfio_file_is_write_end(fd);
        case HANDLE_CONTAINER:
                return is_node(broker, fd, "vfio/%s", "vfio");
        case HANDLE_IOMMUFD:
                return is_node(broker, fd, "%s", "iommu");
        case HANDLE_GROUP:
                return is_node(broker, fd, "vfio/%s", group);
        case HANDLE_DEVICE:
                return vfio_is_device(fd);
        case HANDLE_CDEV:
                return device && is_node(broker, fd, "vfio/devices/%s", device->facts.cdev);
        case HANDLE_CLAIM:
                break;
        }
        return false;
}

typedef struct Found {
        KeptName name;
        char *text; /* borrowed */
        int fd;     /* owned */
} Found;

/* Shared files first, then group by group, each before its devices: the order of an Acquire. */
static int compare_found(const void *a, const void *b) {
        const KeptName *x = &((const Found *)a)->name, *y = &((const Found *)b)->name;
        bool x_shared = handle_kind_is_shared(x->kind), y_shared = handle_kind_is_shared(y->kind);

        if (x_shared != y_shared)
                return x_shared ? -1 : 1;
        if (x->group != y->group)
                return x->group < y->group ? -1 : 1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        return strcmp(x->device, y->device);
}

typedef struct FoundFiles {
        Found *files;
        size_t n_files;
} FoundFiles;

static int collect(const Broker *broker, char *const *names, int first, FoundFiles *ret) {
        ret->files = calloc(strv_length(names) + 1, sizeof(Found));
        if (!ret->files)
                return -ENOMEM;
        for (size_t i = 0; names && names[i]; i++) {
                Found found = {.text = names[i], .fd = first + (int)i};

                if (!kept_name_parse(names[i], &found.name))
                        continue;
                if (is_what_it_says(broker, &found.name, found.fd))
                        ret->files[ret->n_files++] = found;
                else {
                        (void)fd_store_remove(found.text);
                        fd_close(found.fd);
                }
        }
        qsort(ret->files, ret->n_files, sizeof(Found), compare_found);
        return 0;
}

static int take_pipe(FoundFiles *found, uint32_t lease) {
        for (size_t i = 0; i < found->n_files; i++)
                if (found->files[i].name.lease == lease &&
                    found->files[i].name.kind == HANDLE_LEASE)
                        return TAKE_FD(found->files[i].fd);
        return -EBADF;
}

/* A file of a group that has left the lease is nobody's. */
static int take_files(FoundFiles *found, const Lease *lease, Holding *holding) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < found->n_files; i++) {
                Found *file = &found->files[i];

                if (file->name.lease != holding->lease || file->name.kind > HANDLE_CDEV ||
                    !(handle_kind_is_shared(file->name.kind) ||
                      lease_has_group(lease, file->name.group)))
                        continue;
                r = strv_push(&holding->kept, file->text);
                if (r >= 0)
                        r = handles_add_consume(&holding->files, file->name.kind, file->name.group,
                                                file->name.device[0] ? file->name.device : NULL,
                                                TAKE_FD(file->fd));
        }
        return r;
}

/* The files that a lease in such a state has. */
static bool is_complete(const Broker *broker, const Lease *lease, const Holding *holding) {
        const Handles *files = &holding->files;
        bool iommufd = lease->mode == MODE_IOMMUFD;

        if (holding->pipe < 0 ||
            handles_find(files, iommufd ? HANDLE_IOMMUFD : HANDLE_CONTAINER, 0, NULL) < 0)
                return false;
        for (size_t i = 0; !iommufd && i < lease->n_groups; i++)
                if (handles_find(files, HANDLE_GROUP, lease->groups[i], NULL) < 0)
                        return false;
        for (char **name = lease->devices; name && *name; name++) {
                const Device *device = topology_find_device(&broker->world.topology, *name);

                if (!device || handles_find(files, iommufd ? HANDLE_CDEV : HANDLE_DEVICE,
                                            device->facts.group, *name) < 0)
                        return false;
        }
        return true;
}

/* Groups that were unplugged meanwhile. */
static void drop_missing_groups(const Broker *broker, Lease *lease) {
        for (size_t i = lease->n_groups; i > 0; i--)
                if (!topology_find_group(&broker->world.topology, lease->groups[i - 1]))
                        lease_remove_group(lease, lease->groups[i - 1]);
}

static int adopt(Broker *broker, Lease *lease, FoundFiles *found) {
        Holding *holding;
        int r, pipe = take_pipe(found, lease->id);

        list_remove(&lease->link);
        list_insert(&broker->world.leases.leases, &lease->link);
        r = holding_adopt(broker->event, lease->id, release_abandoned, broker, pipe, &holding);
        if (r < 0) {
                lease_free(lease);
                return r;
        }
        list_insert(&broker->holdings, &holding->link);
        if (pipe >= 0)
                r = strv_push_consume(&holding->kept,
                                      kept_name_format(lease->id, &(Handle){.kind = HANDLE_LEASE}));
        if (r >= 0)
                r = take_files(found, lease, holding);
        (void)lease_enter(lease, LEASE_EVENT_WITHDRAWN);
        drop_missing_groups(broker, lease);
        if (lease->n_groups == 0)
                release_begin(broker, lease, LEASE_EVENT_UNPLUGGED);
        else if (!lease_is_live(lease))
                release_resume(broker, lease);
        else if (r < 0 || !is_complete(broker, lease, holding)) {
                broker_emit(broker, CHANGE_LEASE_LEFT, lease->id, NULL);
                release_begin(broker, lease, LEASE_EVENT_GIVEN_BACK);
        }
        return 0;
}

/*
 * What is left belongs to no lease that we know of. Somebody may have copies all the same: the
 * groups show that to whoever wants them next.
 */
static void drop_orphans(Broker *broker, FoundFiles *found) {
        Handles orphans = HANDLES_NULL;

        for (size_t i = 0; i < found->n_files; i++) {
                Found *file = &found->files[i];

                if (file->fd < 0)
                        continue;
                (void)fd_store_remove(file->text);
                broker->keep.removed = true;
                (void)handles_add_consume(&orphans, file->name.kind, file->name.group,
                                          file->name.device[0] ? file->name.device : NULL,
                                          TAKE_FD(file->fd));
        }
        if (orphans.n_handles > 0)
                broker_emit_orphans(broker, orphans.n_handles);
        release_orphans(broker, &orphans);
        free(found->files);
}

/* A peer's name is of a connection that is no more. */
static void forget_peer(Lease *lease) {
        if (lease->client && lease->client[0] != ':')
                (void)lease_set_client(lease, "");
}

int broker_recover(Broker *broker, int directory, char *const *names, int first_fd) {
        _cleanup_state_ State state = {0};
        FoundFiles found = {0};
        int r;

        broker->keep.directory = directory;
        r = read_state(broker, &state);
        if (r >= 0)
                r = collect(broker, names, first_fd, &found);
        if (r < 0)
                return r;
        take_originals(broker, &state);
        state_settle_leases(&state);
        broker->world.leases.last_id = state.leases.last_id;
        list_for_each_safe(link, &state.leases.leases) {
                Lease *lease = container_of(link, Lease, link);

                forget_peer(lease);
                if (lease->state == LEASE_GRANTING)
                        lease_free(lease);
                else
                        (void)adopt(broker, lease, &found);
        }
        drop_orphans(broker, &found);
        notice_moves(broker, &state);
        r = recover_plans_take(broker, &state);
        keep_now(broker);
        recover_plans_start(broker);
        return r;
}
