/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/polkit.h"

#include "daemon/util/string.h"

/* polkit passes on what the bus says of a caller who has left; of polkit the bus says it itself. */
static bool is_about_caller(sd_bus_message *reply) {
        return sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NAME_HAS_NO_OWNER) > 0 &&
               !string_equal(sd_bus_message_get_sender(reply), "org.freedesktop.DBus");
}

bool polkit_is_absent(sd_bus_message *reply) {
        return sd_bus_error_has_names(sd_bus_message_get_error(reply), SD_BUS_ERROR_SERVICE_UNKNOWN,
                                      SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_REPLY,
                                      "org.freedesktop.systemd1.NoSuchUnit",
                                      "org.freedesktop.systemd1.UnitMasked") > 0 &&
               !is_about_caller(reply);
}
