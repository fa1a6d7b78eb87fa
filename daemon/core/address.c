/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/address.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/util/string.h"

#define PCI_SLOT_MAX 0x1fU
#define PCI_FUNCTION_MAX 7U

/* Reads `least` to `most` hexadecimal digits and moves *s behind them. */
static bool read_hex(const char **s, size_t least, size_t most, uint32_t *ret) {
        uint32_t value = 0;
        size_t n = 0;

        for (; n < most && isxdigit((unsigned char)(*s)[n]); n++) {
                int c = tolower((unsigned char)(*s)[n]);

                value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        if (n < least)
                return false;
        *s += n;
        *ret = value;
        return true;
}

static bool read_char(const char **s, char c) {
        if (**s != c)
                return false;
        (*s)++;
        return true;
}

/* BUS:SLOT.FUNCTION with nothing behind it. */
static bool read_bus_slot_function(const char *s, uint32_t *bus, uint32_t *slot,
                                   uint32_t *function) {
        return read_hex(&s, 2, 2, bus) && read_char(&s, ':') && read_hex(&s, 2, 2, slot) &&
               read_char(&s, '.') && read_hex(&s, 1, 1, function) && *s == '\0';
}

/* 1: a PCI address, normalised into ret. 0: does not look like one. -EINVAL: looks like one, is
 * not. */
static int parse_pci(const char *text, Target *ret) {
        uint32_t domain = 0, bus, slot, function;
        const char *s = text;

        if (!read_bus_slot_function(s, &bus, &slot, &function)) {
                if (!read_hex(&s, 4, 8, &domain) || !read_char(&s, ':') ||
                    !read_bus_slot_function(s, &bus, &slot, &function))
                        return 0;
        }
        if (slot > PCI_SLOT_MAX || function > PCI_FUNCTION_MAX)
                return -EINVAL;
        (void)snprintf(ret->device, sizeof(ret->device), "%04x:%02x:%02x.%x", domain, bus, slot,
                       function);
        return 1;
}

bool address_is_name(const char *text) {
        size_t n = strlen(text);

        if (n == 0 || n > ADDRESS_MAX || text[0] == '.')
                return false;
        for (; *text; text++)
                if (!isalnum((unsigned char)*text) && !strchr("._:@+-", *text))
                        return false;
        return true;
}

int uuid_parse(const char *text, char ret[UUID_LENGTH + 1]) {
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

        static_assert(sizeof(form) == UUID_LENGTH + 1, "a UUID has this form");
        if (strlen(text) != UUID_LENGTH)
                return -EINVAL;
        for (size_t i = 0; i < UUID_LENGTH; i++) {
                if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
                        return -EINVAL;
                ret[i] = (char)tolower((unsigned char)text[i]);
        }
        ret[UUID_LENGTH] = '\0';
        return 0;
}

int target_parse(const char *text, Target *ret) {
        const char *number = string_after(text, "group/");
        Target target = {.kind = TARGET_DEVICE};
        int r;

        if (number) {
                uint64_t value;

                if (string_to_u64(number, UINT32_MAX, &value) < 0)
                        return -EINVAL;
                *ret = (Target){.kind = TARGET_GROUP, .group = (uint32_t)value};
                return 0;
        }

        r = parse_pci(text, &target);
        if (r < 0)
                return r;
        if (r == 0) {
                if (!address_is_name(text))
                        return -EINVAL;
                strcpy(target.device, text);
        }
        *ret = target;
        return 0;
}
