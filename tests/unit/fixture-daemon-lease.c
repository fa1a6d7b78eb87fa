/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scripted daemon's lease: Acquire, org.vfiod1.Lease, and the files of both. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/json.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-daemon-private.h"

static size_t n_devices(const Daemon *d) {
        return d->script->n_devices + d->added;
}

/* Group mode: a container and a group. Iommufd mode: an iommufd. Then the devices. */
static size_t n_files(const Daemon *d) {
        if (d->script->n_devices == 0)
                return d->added;
        return (d->script->iommufd ? 1 : 2) + n_devices(d);
}

/* What one message carries: the kernel's SCM_MAX_FD, or what dbus-daemon allows. */
static size_t page_size(const Daemon *d) {
        return d->script->peer ? 253 : VFIOD_BUS_FDS_MAX;
}

/* SCRIPT_DEVICE, SCRIPT_SIBLING and so on: 32 functions and more, as with ARI. */
static void device_name(const Daemon *d, size_t i, char name[32]) {
        if (i >= d->script->n_devices)
                snprintf(name, 32, "%s", SCRIPT_ADDED);
        else
                snprintf(name, 32, "0000:01:00.%zu", i);
}

static int append_file(const Daemon *d, sd_bus_message *m, size_t i) {
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        size_t others = n_files(d) - n_devices(d);
        char name[32];

        if (i >= others) {
                device_name(d, i - others, name);
                return sd_bus_message_append(m, "(ssh)", d->script->iommufd ? "cdev" : "device",
                                             name, fd);
        }
        if (d->script->iommufd)
                return sd_bus_message_append(m, "(ssh)", "iommufd", "", fd);
        return sd_bus_message_append(m, "(ssh)", i == 0 ? "container" : "group", i == 0 ? "" : "3",
                                     fd);
}

static int append_files(const Daemon *d, sd_bus_message *m, size_t first, size_t count) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(ssh)");
        for (size_t i = first; i < n_files(d) && i < first + count && r >= 0; i++)
                r = append_file(d, m, i);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Hears the call as hear_call(), and reads "defer_fds" of its second argument. */
static int hear_deferrable(Daemon *d, sd_bus_message *m, bool *ret) {
        _cleanup_json_ json_object *options = NULL;
        int r;

        r = hear_call(d, m);
        if (r != 0)
                return r;
        r = sd_bus_message_skip(m, "as");
        if (r >= 0)
                r = json_from_message(m, &options);
        if (r >= 0)
                *ret = json_get_bool(options, "defer_fds");
        return r < 0 ? r : 0;
}

int on_acquire(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        sd_bus_message *reply = NULL;
        Daemon *d = userdata;
        bool deferred;
        int r;

        r = hear_deferrable(d, m, &deferred);
        if (r != 0)
                return r;
        if (n_files(d) >= page_size(d) && !deferred)
                return answer(m, VFIOD_ERROR_PREFIX "TooManyFds");
        r = begin_script(d);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "oh",
                                          d->script->strange ? "/elsewhere" : SCRIPT_LEASE,
                                          d->lease_pipe[0]);
        if (r >= 0)
                r = append_files(d, reply, 0, deferred ? 0 : n_files(d));
        return r < 0 ? r : send_as_vfiod(reply);
}

static int on_get_fds(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        sd_bus_message *reply = NULL;
        Daemon *d = userdata;
        uint32_t first, count;
        int r;

        r = hear_call(d, m);
        if (r != 0)
                return r;
        r = sd_bus_message_read(m, "uu", &first, &count);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_files(d, reply, first,
                                 d->script->short_pages ? 0
                                 : count == 0           ? page_size(d)
                                                        : count);
        if (r >= 0)
                r = sd_bus_message_append(reply, "u", (uint32_t)n_files(d));
        return r < 0 ? r : send_as_vfiod(reply);
}

/* Where the lease has many files, the new one is said to be too many as well. */
static int on_add(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        sd_bus_message *reply = NULL;
        Daemon *d = userdata;
        bool deferred;
        int r;

        r = hear_deferrable(d, m, &deferred);
        if (r != 0)
                return r;
        if (d->script->n_devices >= page_size(d) && !deferred)
                return answer(m, VFIOD_ERROR_PREFIX "TooManyFds");
        d->added = true;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_files(d, reply, n_files(d) - 1, deferred ? 0 : 1);
        return r < 0 ? r : send_as_vfiod(reply);
}

static int on_remove(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        Daemon *d = userdata;
        int r;

        r = hear_call(d, m);
        if (r != 0)
                return r;
        d->added = false;
        return answer(m, NULL);
}

static int on_release(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r;

        r = hear_call(userdata, m);
        return r != 0 ? r : answer(m, NULL);
}

/* --- properties */

static int append_ids(const Daemon *d, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(sut)");
        for (size_t i = 0; i < n_devices(d) && r >= 0; i++) {
                char name[32];

                device_name(d, i, name);
                r = sd_bus_message_append(m, "(sut)", name, (uint32_t)(100 + i),
                                          i == 0 ? UINT64_MAX : 0);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Once a call, and only where a user may be asked for a password. */
static void hear_interactive(const Daemon *d) {
        if (sd_bus_message_get_allow_interactive_authorization(sd_bus_get_current_message(d->bus)) >
            0)
                hear(d, "properties interactive");
}

static int get_property(sd_bus *bus _unused_, const char *path _unused_,
                        const char *interface _unused_, const char *name, sd_bus_message *m,
                        void *userdata, sd_bus_error *reterr _unused_) {
        const Daemon *d = userdata;

        if (string_equal(name, "Mode"))
                hear_interactive(d);
        if (string_equal(name, "Deadline"))
                return sd_bus_message_append(m, "t", script_deadline(d));
        if (string_equal(name, "Mode"))
                return sd_bus_message_append(m, "s", d->script->iommufd ? "iommufd" : "group");
        if (string_equal(name, "Ioas"))
                return sd_bus_message_append(m, "u", d->script->iommufd ? SCRIPT_IOAS : 0);
        if (string_equal(name, "IovaAlignment"))
                return sd_bus_message_append(m, "t", d->script->iommufd ? UINT64_C(4096) : 0);
        if (string_equal(name, "DeviceIds"))
                return append_ids(d, m);
        /* A device that is added narrows them. */
        return sd_bus_message_append(m, "a(tt)", 2, UINT64_C(0), UINT64_C(0xfedfffff),
                                     UINT64_C(0xfef00000),
                                     d->added ? UINT64_C(0xffffffff) : UINT64_MAX);
}

const sd_bus_vtable scripted_lease[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Add", "asa{sv}", "a(ssh)", on_add, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetFds", "uu", "a(ssh)u", on_get_fds, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Release", "", "", on_release, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Remove", "as", "", on_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Deadline", "t", get_property, 0, 0),
        SD_BUS_PROPERTY("DeviceIds", "a(sut)", get_property, 0, 0),
        SD_BUS_PROPERTY("Ioas", "u", get_property, 0, 0),
        SD_BUS_PROPERTY("IovaAlignment", "t", get_property, 0, 0),
        SD_BUS_PROPERTY("IovaRanges", "a(tt)", get_property, 0, 0),
        SD_BUS_PROPERTY("Mode", "s", get_property, 0, 0),
        SD_BUS_VTABLE_END,
};
