/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/listing.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "daemon/util/string.h"

/* Room for one more row at the end of *rows, zeroed; NULL when memory ran out. */
static void *add_row(void **rows, size_t *n, size_t size) {
        /* Grows at each power of two. */
        if ((*n & (*n - 1)) == 0) {
                void *grown = reallocarray(*rows, *n ? *n * 2 : 1, size);

                if (!grown)
                        return NULL;
                *rows = grown;
        }
        memset((char *)*rows + *n * size, 0, size);
        return (char *)*rows + (*n)++ * size;
}

static int read_device(sd_bus_message *m, uint32_t group, DeviceRow *row) {
        int r;

        row->group = group;
        r = sd_bus_message_read(m, "sssssqqss", &row->name, &row->bus, &row->driver, &row->verdict,
                                &row->state, &row->vendor, &row->device, &row->vendor_name,
                                &row->device_name);
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &row->interfaces);
        if (r >= 0)
                r = sd_bus_message_read(m, "s", &row->assignment);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_devices(sd_bus_message *m, uint32_t group, Listing *l) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(sssssqqssass)");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "sssssqqssass")) > 0) {
                DeviceRow *row = add_row((void **)&l->devices, &l->n_devices, sizeof(DeviceRow));

                r = row ? read_device(m, group, row) : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_groups(sd_bus_message *m, Listing *l) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(usbboa(sssssqqssass))");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT,
                                                             "usbboa(sssssqqssass)")) > 0) {
                GroupRow *row = add_row((void **)&l->groups, &l->n_groups, sizeof(GroupRow));

                r = row ? sd_bus_message_read(m, "usbbo", &row->number, &row->type, &row->viable,
                                              &row->bound, &row->lease)
                        : -ENOMEM;
                if (r >= 0)
                        r = read_devices(m, row->number, l);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

/* Strings that the daemon leaves out are "". */
static int read_lease(sd_bus_message *m, LeaseRow *row) {
        const char *name;
        int r;

        row->label = "";
        row->state = "";
        r = sd_bus_message_read(m, "o", &row->path);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                if (string_equal(name, "Owner"))
                        r = sd_bus_message_read(m, "v", "u", &row->owner);
                else if (string_equal(name, "Label"))
                        r = sd_bus_message_read(m, "v", "s", &row->label);
                else if (string_equal(name, "State"))
                        r = sd_bus_message_read(m, "v", "s", &row->state);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_leases(sd_bus_message *m, Listing *l) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(oa{sv})");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "oa{sv}")) > 0) {
                LeaseRow *row = add_row((void **)&l->leases, &l->n_leases, sizeof(LeaseRow));

                r = row ? read_lease(m, row) : -ENOMEM;
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

void listing_done(Listing *listing) {
        for (size_t i = 0; i < listing->n_devices; i++) {
                strv_free(listing->devices[i].interfaces);
                free(listing->devices[i].trouble);
        }
        for (size_t i = 0; i < listing->n_leases; i++)
                free(listing->leases[i].user);
        free(listing->groups);
        free(listing->devices);
        free(listing->leases);
        for (size_t i = 0; i < ELEMENTS(listing->replies); i++)
                sd_bus_message_unref(listing->replies[i]);
        *listing = (Listing)LISTING_NULL;
}

int listing_read(sd_bus_message *overview, sd_bus_message *leases, Listing *ret) {
        _cleanup_listing_ Listing l = {
                .replies = {sd_bus_message_ref(overview), sd_bus_message_ref(leases)},
        };
        int r;

        r = read_groups(overview, &l);
        if (r >= 0)
                r = read_leases(leases, &l);
        if (r < 0)
                return r;
        *ret = l;
        l = (Listing)LISTING_NULL;
        return 0;
}

int listing_name_owners(Listing *listing) {
        for (size_t i = 0; i < listing->n_leases; i++) {
                LeaseRow *lease = &listing->leases[i];
                const struct passwd *user = getpwuid(lease->owner);
                int r;

                r = string_set(&lease->user, user ? user->pw_name : NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}
