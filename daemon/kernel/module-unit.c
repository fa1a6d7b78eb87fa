/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modprobe@.service(8), started as systemctl does it: subscribe, StartUnit, wait for JobRemoved of
 * its job (org.freedesktop.systemd1(5)). The connection is of this call alone: those of the daemon
 * are not a worker's.
 */

#include "daemon/kernel/module-unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "daemon/util/string.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"

/* Others have a meaning in the names of units, and would have to be escaped: the unit hands its
 * instance to modprobe as it is. */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-."

typedef struct Start {
        const char *job;     /* its path; borrowed */
        const char *manager; /* who answered; borrowed. NULL where no bus is in between */
        bool ended;
} Start;

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        const char *job, *unit, *result;
        Start *start = userdata;
        uint32_t id;
        int r;

        r = sd_bus_message_read(message, "uoss", &id, &job, &unit, &result);
        if (r < 0)
                return r;
        /* Anybody may send us a signal, at whose sender a match does not look. */
        if (string_equal(job, start->job) &&
            string_equal(sd_bus_message_get_sender(message), start->manager))
                start->ended = true;
        return 0;
}

/* Where no bus runs, root's own way to the manager, which systemctl uses. */
static int open_private(const Roots *roots, sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *address =
                string_format("unix:path=/proc/self/fd/%d/systemd/private", roots->run_fd);
        int r = address ? sd_bus_new(&bus) : -ENOMEM;

        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r >= 0)
                *ret = TAKE_PTR(bus);
        return r;
}

static int open_manager(const Roots *roots, sd_bus **ret) {
        int r = sd_bus_open_system(ret);

        return r == -ENOENT || r == -ECONNREFUSED ? open_private(roots, ret) : r;
}

static int subscribe(sd_bus *bus, Start *start) {
        int r;

        r = sd_bus_match_signal(bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved",
                                on_job_removed, start);
        if (r < 0)
                return r;
        return sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", NULL,
                                  NULL, NULL);
}

/* Signals that come before the reply are kept for sd_bus_process(): none is missed. */
static int wait_for_end(sd_bus *bus, const Start *start) {
        while (!start->ended) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

int module_start_unit(const Roots *roots, const char *name) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *unit = NULL;
        Start start = {0};
        int r;

        if (name[0] == '\0' || name[strspn(name, NAME_CHARACTERS)] != '\0')
                return -EINVAL;
        unit = string_format("modprobe@%s.service", name);
        if (!unit)
                return -ENOMEM;
        r = open_manager(roots, &bus);
        if (r >= 0)
                r = subscribe(bus, &start);
        if (r >= 0)
                r = sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "StartUnit",
                                       NULL, &reply, "ss", unit, "fail");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &start.job);
        if (r >= 0)
                start.manager = sd_bus_message_get_sender(reply);
        return r < 0 ? r : wait_for_end(bus, &start);
}
