/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-property.h"

#include <errno.h>

#include "daemon/util/string.h"

static int append_entry(sd_bus_message *m, const BusProperty *property, const World *world,
                        const void *object) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", property->name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', property->signature);
        if (r >= 0)
                r = property->append(world, object, m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_append_some_properties(sd_bus_message *m, const BusProperty *properties, char *const *names,
                               const World *world, const void *object) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (; r >= 0 && properties->name; properties++)
                if (!names || strv_contains(names, properties->name))
                        r = append_entry(m, properties, world, object);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_append_properties(sd_bus_message *m, const BusProperty *properties, const World *world,
                          const void *object) {
        return bus_append_some_properties(m, properties, NULL, world, object);
}

int bus_append_property(sd_bus_message *m, const BusProperty *properties, const char *name,
                        const World *world, const void *object) {
        for (; properties->name; properties++)
                if (strcmp(properties->name, name) == 0)
                        return properties->append(world, object, m);
        return -ENOENT;
}

int bus_append_strv(sd_bus_message *m, char *const *strv) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (; r >= 0 && strv && *strv; strv++)
                r = sd_bus_message_append(m, "s", *strv);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
