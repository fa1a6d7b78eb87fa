/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sd-bus does not tell the size of a message, so it is read, and what is read is counted as it lies
 * in the message (D-Bus specification, "Marshaling").
 */

#include "daemon/bus/reply-size.h"

#include <errno.h>
#include <string.h>

typedef struct Count {
        uint64_t size;
        uint64_t most;
} Count;

static int count_value(sd_bus_message *m, char type, const char *contents, Count *count);

static int add(Count *count, uint64_t alignment, uint64_t size) {
        count->size = (count->size + alignment - 1) / alignment * alignment + size;
        return count->size > count->most ? -EMSGSIZE : 0;
}

static uint64_t alignment_of(char type) {
        switch (type) {
        case SD_BUS_TYPE_BYTE:
        case SD_BUS_TYPE_SIGNATURE:
        case SD_BUS_TYPE_VARIANT:
                return 1;
        case SD_BUS_TYPE_INT16:
        case SD_BUS_TYPE_UINT16:
                return 2;
        case SD_BUS_TYPE_INT64:
        case SD_BUS_TYPE_UINT64:
        case SD_BUS_TYPE_DOUBLE:
        case SD_BUS_TYPE_STRUCT_BEGIN:
        case SD_BUS_TYPE_DICT_ENTRY_BEGIN:
                return 8;
        default:
                return 4;
        }
}

static int count_basic(sd_bus_message *m, char type, Count *count) {
        union {
                const char *text;
                uint64_t number;
        } value = {.number = 0};
        int r = sd_bus_message_read_basic(m, type, &value);

        if (r < 0)
                return r;
        switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
                return add(count, 4, 4 + strlen(value.text) + 1);
        case SD_BUS_TYPE_SIGNATURE:
                return add(count, 1, 1 + strlen(value.text) + 1);
        default:
                return add(count, alignment_of(type), alignment_of(type));
        }
}

/* Everything that is left in the container that was entered. NOLINTNEXTLINE(misc-no-recursion) */
static int count_all(sd_bus_message *m, Count *count) {
        const char *contents;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(m, &type, &contents)) > 0) {
                r = count_value(m, type, contents, count);
                if (r < 0)
                        return r;
        }
        return r;
}

/* What is before the first of its contents. */
static int count_begin(char type, const char *contents, Count *count) {
        int r;

        switch (type) {
        case SD_BUS_TYPE_ARRAY:
                r = add(count, 4, 4);
                return r < 0 ? r : add(count, alignment_of(contents[0]), 0);
        case SD_BUS_TYPE_VARIANT:
                return add(count, 1, 1 + strlen(contents) + 1);
        default:
                return add(count, 8, 0);
        }
}

/* As deep as the protocol's types are nested. NOLINTNEXTLINE(misc-no-recursion) */
static int count_value(sd_bus_message *m, char type, const char *contents, Count *count) {
        int r;

        if (!contents)
                return count_basic(m, type, count);
        r = count_begin(type, contents, count);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, type, contents);
        if (r >= 0)
                r = count_all(m, count);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Nobody answers a reply, so its serial number need not differ from others'. */
bool reply_fits(sd_bus_message *reply, uint64_t most) {
        Count count = {.most = most};

        return sd_bus_message_seal(reply, 1, 0) >= 0 && count_all(reply, &count) >= 0 &&
               sd_bus_message_rewind(reply, true) >= 0;
}
