/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns a grammar of D-Bus types, to go through one that the input has chosen. */

#include "tests/fuzz/fuzz-bus.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

#define ELEMENTS_MAX 64U
#define VALUES_MAX 2000
#define DEPTH_MAX 8
#define TYPES_MAX 64

sd_bus *fuzz_bus(void) {
        static sd_bus *bus;
        int ends[2];

        if (bus)
                return bus;
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        MUST(sd_bus_new(&bus) >= 0);
        MUST(sd_bus_set_fd(bus, ends[0], ends[0]) >= 0);
        MUST(sd_bus_negotiate_fds(bus, true) >= 0);
        MUST(sd_bus_start(bus) >= 0);
        return bus;
}

/* Behind the closing bracket of the opening one at types[0]. */
static size_t bracket_length(const char *types) {
        size_t depth = 0, n = 0;

        for (; types[n]; n++) {
                depth += types[n] == '(' || types[n] == '{';
                if ((types[n] == ')' || types[n] == '}') && --depth == 0)
                        return n + 1;
        }
        return 0;
}

size_t fuzz_type_length(const char *types) {
        size_t n = strspn(types, "a");

        if (n >= DEPTH_MAX || types[n] == '\0')
                return 0;
        if (types[n] == '(' || types[n] == '{') {
                size_t length = bracket_length(types + n);

                return length > 2 ? n + length : 0;
        }
        return strchr("ybnqiuxtdsoghv", types[n]) ? n + 1 : 0;
}

static bool append_number(sd_bus_message *m, char type, const char *word) {
        uint64_t number = strtoull(word, NULL, 0);
        union {
                uint8_t y;
                int b;
                uint16_t q;
                uint32_t u;
                uint64_t t;
                double d;
        } value = {.t = 0};

        switch (type) {
        case 'y':
                value.y = (uint8_t)number;
                break;
        case 'b':
                value.b = number & 1;
                break;
        case 'n':
        case 'q':
                value.q = (uint16_t)number;
                break;
        case 'i':
        case 'u':
                value.u = (uint32_t)number;
                break;
        case 'd':
                value.d = (double)number;
                break;
        default:
                value.t = number;
        }
        return sd_bus_message_append_basic(m, type, &value) >= 0;
}

static bool append_fd(sd_bus_message *m) {
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        return sd_bus_message_append_basic(m, 'h', &fd) >= 0;
}

static bool append_one(sd_bus_message *m, const char *type, FuzzValues *values, size_t depth);

static bool append_all(sd_bus_message *m, const char *types, FuzzValues *values, size_t depth) {
        for (size_t n; *types; types += n) {
                char type[TYPES_MAX];

                n = fuzz_type_length(types);
                if (n == 0 || n >= sizeof(type) || depth > DEPTH_MAX || values->n > VALUES_MAX)
                        return false;
                memcpy(type, types, n);
                type[n] = '\0';
                if (!append_one(m, type, values, depth))
                        return false;
        }
        return true;
}

static bool append_container(sd_bus_message *m, char kind, const char *contents, FuzzValues *values,
                             size_t depth, unsigned times) {
        if (sd_bus_message_open_container(m, kind, contents) < 0)
                return false;
        for (unsigned i = 0; i < times; i++)
                if (!append_all(m, contents, values, depth + 1))
                        return false;
        return sd_bus_message_close_container(m) >= 0;
}

static const char *next(FuzzValues *values) {
        values->n++;
        return values->next(values);
}

/* `type` is one complete type. */
static bool append_one(sd_bus_message *m, const char *type, FuzzValues *values, size_t depth) {
        char contents[TYPES_MAX];

        switch (type[0]) {
        case 'a':
                return append_container(m, 'a', type + 1, values, depth,
                                        (unsigned)strtoul(next(values), NULL, 10) % ELEMENTS_MAX);
        case '(':
        case '{':
                (void)snprintf(contents, sizeof(contents), "%.*s", (int)strlen(type) - 2, type + 1);
                return append_container(m, type[0] == '(' ? 'r' : 'e', contents, values, depth, 1);
        case 'v':
                (void)snprintf(contents, sizeof(contents), "%s", next(values));
                if (contents[0] == '\0' || fuzz_type_length(contents) != strlen(contents))
                        return false;
                return append_container(m, 'v', contents, values, depth, 1);
        case 's':
        case 'o':
        case 'g':
                return sd_bus_message_append_basic(m, type[0], next(values)) >= 0;
        case 'h':
                return append_fd(m);
        default:
                return append_number(m, type[0], next(values));
        }
}

bool fuzz_append(sd_bus_message *m, const char *types, FuzzValues *values) {
        return append_all(m, types, values, 0);
}
