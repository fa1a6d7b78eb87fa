/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/authorise-details.h"

#include <errno.h>

#include "daemon/util/string.h"
#include "protocol/names.h"

/* NULL is left out. */
static int append_text(sd_bus_message *m, const char *key, const char *value) {
        return value ? sd_bus_message_append(m, "{ss}", key, value) : 0;
}

static int append_number(sd_bus_message *m, const char *key, uint64_t value) {
        _cleanup_free_ char *text = string_format("%llu", (unsigned long long)value);

        return text ? append_text(m, key, text) : -ENOMEM;
}

static int append_device(sd_bus_message *m, const Check *check) {
        int r;

        r = append_text(m, VFIOD_DETAIL_DEVICE, check->device);
        if (r >= 0)
                r = append_text(m, VFIOD_DETAIL_VENDOR, check->vendor);
        if (r >= 0)
                r = append_text(m, VFIOD_DETAIL_CLASS, check->class);
        if (r >= 0)
                r = append_text(m, VFIOD_DETAIL_DRIVER, check->driver);
        if (r >= 0 && check->has_group)
                r = append_number(m, VFIOD_DETAIL_GROUP, check->group);
        return r;
}

static int append_lease(sd_bus_message *m, const Check *check) {
        int r = 0;

        if (check->lease)
                r = append_number(m, VFIOD_DETAIL_OWNER, check->owner);
        if (r >= 0)
                r = append_text(m, VFIOD_DETAIL_LABEL, check->label);
        if (r >= 0)
                r = append_text(m, VFIOD_DETAIL_MODE, check->mode);
        return r;
}

int authorise_append_details(sd_bus_message *m, const Check *check) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        if (r >= 0)
                r = append_device(m, check);
        if (r >= 0)
                r = append_lease(m, check);
        if (r >= 0 && check->memlock)
                r = append_number(m, VFIOD_DETAIL_MEMLOCK, check->memlock);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
