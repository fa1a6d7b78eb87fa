/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-stats.h"

#include <errno.h>

#include "daemon/util/string.h"

/* The bus answers at once, or not at all. */
#define ANSWER_USEC (5 * 1000 * 1000ULL)

int bus_stats_ask(sd_bus *sd, const char *name, sd_bus_slot **slot,
                  sd_bus_message_handler_t callback, void *userdata) {
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(sd, &m, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus.Debug.Stats",
                                           "GetConnectionStats");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_call_async(sd, slot, m, callback, userdata, ANSWER_USEC);
        sd_bus_message_unref(m);
        return r;
}

/* Of an a{sv}. */
static int read_number(sd_bus_message *reply, const char *key, uint32_t *ret) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &name);
                if (r >= 0 && strcmp(name, key) == 0)
                        return sd_bus_message_read(reply, "v", "u", ret);
                if (r >= 0)
                        r = sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : -ENODATA;
}

static BusStats read_error(const sd_bus_error *error) {
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return BUS_STATS_OF_NOBODY;
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_UNKNOWN_METHOD,
                                   SD_BUS_ERROR_UNKNOWN_INTERFACE, SD_BUS_ERROR_UNKNOWN_OBJECT,
                                   SD_BUS_ERROR_ACCESS_DENIED, SD_BUS_ERROR_NOT_SUPPORTED))
                return BUS_STATS_NEVER_TOLD;
        return BUS_STATS_LATE;
}

BusStats bus_stats_read(sd_bus_message *reply, const char *key, uint32_t *ret) {
        *ret = 0;
        if (sd_bus_message_is_method_error(reply, NULL))
                return read_error(sd_bus_message_get_error(reply));
        return read_number(reply, key, ret) < 0 ? BUS_STATS_NEVER_TOLD : BUS_STATS_TOLD;
}
