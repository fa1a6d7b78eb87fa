/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/gate.h"

#include "daemon/bus/bus-request.h"
#include "daemon/bus/readers.h"
#include "daemon/util/string.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

/* sd-bus takes it for one also if it names no interface. */
static bool is_of_properties(sd_bus_message *m) {
        const char *interface = sd_bus_message_get_interface(m);

        return !interface || strcmp(interface, PROPERTIES) == 0;
}

/*
 * An interface or a property that there is not, sd-bus names in its answer, however long the name
 * is. dbus-daemon disconnects who sends a larger message than its max_message_size, and the answer
 * is larger than the call.
 */
static int check_names(sd_bus_message *m, sd_bus_error *error) {
        const char *name;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(m, &type, NULL)) > 0 && type == SD_BUS_TYPE_STRING) {
                r = sd_bus_message_read_basic(m, type, &name);
                if (r >= 0)
                        r = bus_check_text(name, error);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_rewind(m, true);
}

int gate_pass(Connection *connection, sd_bus_message *m, sd_bus_error *error) {
        int r;

        if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
                return 0;
        r = is_of_properties(m) ? check_names(m, error) : 0;
        if (r < 0)
                return r;
        return connection->is_peer ? 0 : readers_note_call(connection, m, error);
}
