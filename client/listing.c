/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/listing.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "daemon/util/string.h"

typedef struct Field {
        const char *property;
        const char *type;
        size_t offset;
} Field;

static const Field group_fields[] = {
        {"Number", "u", offsetof(GroupRow, number)}, {"Type", "s", offsetof(GroupRow, type)},
        {"Viable", "b", offsetof(GroupRow, viable)}, {"Bound", "b", offsetof(GroupRow, bound)},
        {"Lease", "o", offsetof(GroupRow, lease)},
};

static const Field device_fields[] = {
        {"Name", "s", offsetof(DeviceRow, name)},
        {"Bus", "s", offsetof(DeviceRow, bus)},
        {"Group", "u", offsetof(DeviceRow, group)},
        {"Driver", "s", offsetof(DeviceRow, driver)},
        {"Verdict", "s", offsetof(DeviceRow, verdict)},
        {"State", "s", offsetof(DeviceRow, state)},
        {"VendorId", "q", offsetof(DeviceRow, vendor)},
        {"DeviceId", "q", offsetof(DeviceRow, device)},
        {"VendorName", "s", offsetof(DeviceRow, vendor_name)},
        {"DeviceName", "s", offsetof(DeviceRow, device_name)},
        {"Interfaces", "as", offsetof(DeviceRow, interfaces)},
};

static const Field lease_fields[] = {
        {"Owner", "u", offsetof(LeaseRow, owner)},
        {"Label", "s", offsetof(LeaseRow, label)},
        {"State", "s", offsetof(LeaseRow, state)},
};

/* The path is the first member of each row; strings that the daemon leaves out are "". */
static void row_clear(char *row, const Field *fields, size_t n_fields, const char *path) {
        *(const char **)row = path;
        for (size_t i = 0; i < n_fields; i++)
                if (string_equal(fields[i].type, "s") || string_equal(fields[i].type, "o"))
                        *(const char **)(row + fields[i].offset) = "";
}

static int read_property(sd_bus_message *m, const Field *field, char *row) {
        int r;

        if (!field)
                return sd_bus_message_skip(m, "v");
        if (string_equal(field->type, "as")) {
                char ***strv = (char ***)(row + field->offset);

                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "as");
                if (r < 0)
                        return r;
                *strv = strv_free(*strv);
                r = sd_bus_message_read_strv(m, strv);
                if (r < 0)
                        return r;
                return sd_bus_message_exit_container(m);
        }
        return sd_bus_message_read(m, "v", field->type, row + field->offset);
}

static int read_row(sd_bus_message *m, const Field *fields, size_t n_fields, char *row) {
        const char *path, *name;
        int r;

        r = sd_bus_message_read_basic(m, SD_BUS_TYPE_OBJECT_PATH, &path);
        if (r < 0)
                return r;
        row_clear(row, fields, n_fields, path);

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                const Field *found = NULL;

                r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &name);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < n_fields && !found; i++)
                        if (string_equal(fields[i].property, name))
                                found = &fields[i];
                r = read_property(m, found, row);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* *rows and *n are valid at any moment, so that listing_done() frees what a failure left. */
static int read_rows(sd_bus_message *m, const Field *fields, size_t n_fields, size_t size,
                     void **rows, size_t *n) {
        size_t room = 0;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(oa{sv})");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "oa{sv}")) > 0) {
                char *row;

                if (*n == room) {
                        void *grown = reallocarray(*rows, room ? room * 2 : 32, size);

                        if (!grown)
                                return -ENOMEM;
                        room = room ? room * 2 : 32;
                        *rows = grown;
                }
                row = (char *)*rows + *n * size;
                memset(row, 0, size);
                (*n)++;
                r = read_row(m, fields, n_fields, row);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r;
}

void listing_done(Listing *listing) {
        for (size_t i = 0; i < listing->n_devices; i++)
                strv_free(listing->devices[i].interfaces);
        for (size_t i = 0; i < listing->n_leases; i++)
                free(listing->leases[i].user);
        free(listing->groups);
        free(listing->devices);
        free(listing->leases);
        for (size_t i = 0; i < ELEMENTS(listing->replies); i++)
                sd_bus_message_unref(listing->replies[i]);
        *listing = (Listing)LISTING_NULL;
}

int listing_read(sd_bus_message *groups, sd_bus_message *devices, sd_bus_message *leases,
                 Listing *ret) {
        _cleanup_listing_ Listing l = {
                .replies = {sd_bus_message_ref(groups), sd_bus_message_ref(devices),
                            sd_bus_message_ref(leases)},
        };
        void *rows = NULL;
        int r;

        r = read_rows(groups, group_fields, ELEMENTS(group_fields), sizeof(GroupRow), &rows,
                      &l.n_groups);
        l.groups = rows;
        rows = NULL;
        if (r < 0)
                return r;
        r = read_rows(devices, device_fields, ELEMENTS(device_fields), sizeof(DeviceRow), &rows,
                      &l.n_devices);
        l.devices = rows;
        rows = NULL;
        if (r < 0)
                return r;
        r = read_rows(leases, lease_fields, ELEMENTS(lease_fields), sizeof(LeaseRow), &rows,
                      &l.n_leases);
        l.leases = rows;
        rows = NULL;
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
