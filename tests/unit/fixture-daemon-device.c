/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The scripted daemon's devices: who is in which group, and what SCRIPT_DEVICE tells of itself. */

#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/unit/fixture-daemon-private.h"

static int append_member(sd_bus_message *m, const char *device, uint32_t group,
                         const char *verdict) {
        return sd_bus_message_append(m, "a{sv}", 4, "Device", "s", device, "Group", "u", group,
                                     "Verdict", "s", verdict, "AddedByALaterDaemon", "as", 1, "x");
}

static int append_members(const Daemon *d, sd_bus_message *m, bool in_3, bool in_4) {
        const char *verdict = d->script->verdict ? d->script->verdict : "vfio";
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "a{sv}");
        if (r >= 0 && in_3)
                r = append_member(m, SCRIPT_BRIDGE, 3, "bridge");
        if (r >= 0 && in_3)
                r = append_member(m, SCRIPT_DEVICE, 3, verdict);
        if (r >= 0 && in_3)
                r = append_member(m, SCRIPT_SIBLING, 3, verdict);
        if (r >= 0 && in_4)
                r = append_member(m, d->script->member ? d->script->member : SCRIPT_ADDED, 4,
                                  verdict);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static bool is_of_group_4(const char *target) {
        return string_equal(target, "group/4") || string_equal(target, SCRIPT_ADDED);
}

int on_explain(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        _cleanup_strv_ char **targets = NULL;
        sd_bus_message *reply = NULL;
        bool in_3 = false, in_4 = false;
        int r;

        r = hear_call(userdata, m);
        if (r != 0)
                return r;
        r = sd_bus_message_read_strv(m, &targets);
        for (char **target = targets; target && *target; target++) {
                in_3 = in_3 || !is_of_group_4(*target);
                in_4 = in_4 || is_of_group_4(*target);
        }
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_members(userdata, reply, in_3, in_4);
        return r < 0 ? r : send_as_vfiod(reply);
}

int on_get_device(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        _cleanup_free_ char *path = NULL;
        sd_bus_message *reply = NULL;
        const char *name, *full;
        int r;

        r = hear_call(userdata, m);
        if (r != 0)
                return r;
        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        full = string_equal(name, "01:00.0") ? SCRIPT_DEVICE : name;
        r = sd_bus_path_encode(VFIOD_PATH_DEVICE, full, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "oa{sv}", path, 1, "Name", "s", full);
        return r < 0 ? r : send_as_vfiod(reply);
}

/* BAR 0 may be mapped as a whole, BAR 2 around its MSI-X table; there is no ROM. */
static int append_regions(sd_bus_message *m) {
        return sd_bus_message_append(m, "{sv}", "Regions", "a(usuttba(tt))", 4, 0U, "bar0", 7U,
                                     UINT64_C(0x100000), UINT64_C(0), 0, 0, 2U, "bar2", 7U,
                                     UINT64_C(0x4000), UINT64_C(2) << 40, 1, 2, UINT64_C(0),
                                     UINT64_C(0x1000), UINT64_C(0x3000), UINT64_C(0x1000), 6U,
                                     "rom", 0U, UINT64_C(0), UINT64_C(6) << 40, 0, 0, 7U, "config",
                                     3U, UINT64_C(256), UINT64_C(7) << 40, 0, 0);
}

static int append_hardware(sd_bus_message *m) {
        static const uint8_t data[] = {1, 2, 3, 4};
        int r;

        r = sd_bus_message_append(m, "{sv}{sv}{sv}", "HwType", "s", "intel-vtd", "HwCapabilities",
                                  "as", 2, "dirty-tracking", "0x10", "HwPasidBits", "u", 20U);
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "HwData");
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_VARIANT, "ay");
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'y', data, sizeof(data));
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_info(const Daemon *d, sd_bus_message *m) {
        int r;

        if (d->script->strange)
                return sd_bus_message_append(m, "{sv}", "Regions", "a(us)", 1, 0U, "bar0");
        r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}", "Mode", "s",
                                  d->script->iommufd ? "iommufd" : "group", "Flags", "as", 2,
                                  "reset", "pci", "Irqs", "a(usuu)", 2, 0U, "intx", 7U, 1U, 1U,
                                  "msi", 9U, 4U, "AddedByALaterDaemon", "a{sv}", 0);
        if (r >= 0)
                r = append_regions(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Resets", "as", 2, "flr", "bus");
        return r >= 0 && d->script->iommufd ? append_hardware(m) : r;
}

static int on_inspect(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        sd_bus_message *reply = NULL;
        int r;

        r = hear_call(userdata, m);
        if (r != 0)
                return r;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = append_info(userdata, reply);
        if (r >= 0 && ((const Daemon *)userdata)->script->repeats)
                r = append_info(userdata, reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : send_as_vfiod(reply);
}

static int on_nothing(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r = hear_call(userdata, m);

        return r != 0 ? r : sd_bus_reply_method_return(m, NULL);
}

int on_create_mdev(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r = hear_call(userdata, m);

        return r != 0 ? r
                      : sd_bus_reply_method_return(m, "so", SCRIPT_UUID, VFIOD_PATH_DEVICE "/uuid");
}

int on_list_mdev_types(sd_bus_message *m, void *userdata, sd_bus_error *reterr _unused_) {
        int r = hear_call(userdata, m);

        if (r != 0)
                return r;
        if (((const Daemon *)userdata)->script->n_devices == 0)
                return sd_bus_reply_method_return(m, "aa{sv}", 0);
        return sd_bus_reply_method_return(m, "aa{sv}", 1, 6, "Parent", "s", "mtty", "Type", "s",
                                          "mtty-2", "Name", "s", "Dual port serial", "DeviceApi",
                                          "s", "vfio-pci", "Available", "u", 11U, "Devices", "as",
                                          1, SCRIPT_UUID);
}

const sd_bus_vtable scripted_device[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Inspect", "", "a{sv}", on_inspect, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Reset", "s", NULL, on_nothing, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RemoveMdev", "", NULL, on_nothing, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("SetVfs", "ua{sv}", NULL, on_nothing, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
