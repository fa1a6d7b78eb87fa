/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/monitor.c: events come as lines of a FIFO. */

#include "daemon/kernel/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

#define LINE_SIZE 256

struct Monitor {
        int fd;
        char line[LINE_SIZE];
        size_t n;
};

int monitor_new(Monitor **ret) {
        _cleanup_free_ char *path = fake_machine_path("events");
        Monitor *monitor = calloc(1, sizeof(Monitor));

        if (!monitor)
                return -ENOMEM;
        /* For writing too, or the FIFO would end with its first writer. */
        monitor->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (monitor->fd < 0) {
                free(monitor);
                return -errno;
        }
        *ret = monitor;
        return 0;
}

Monitor *monitor_free(Monitor *monitor) {
        if (monitor)
                monitor->fd = fd_close(monitor->fd);
        free(monitor);
        return NULL;
}

int monitor_fd(const Monitor *monitor) {
        return monitor->fd;
}

static int fill_event(const char *line, MonitorEvent *ret) {
        char action[16], name[128];

        if (sscanf(line, "%15s %127s", action, name) != 2)
                abort();
        if (strcmp(action, "lost") == 0)
                return -ENOBUFS;
        if (strcmp(action, "dropped") == 0)
                return -ENOMEM;
        *ret = (MonitorEvent){
                .name = strdup(name),
                .syspath = string_format("devices/%s", name),
                .removed = strcmp(action, "remove") == 0,
        };
        return 1;
}

int monitor_receive(Monitor *monitor, MonitorEvent *ret) {
        while (read(monitor->fd, monitor->line + monitor->n, 1) == 1) {
                if (monitor->line[monitor->n] == '\n') {
                        monitor->line[monitor->n] = '\0';
                        monitor->n = 0;
                        return fill_event(monitor->line, ret);
                }
                if (++monitor->n == LINE_SIZE)
                        abort();
        }
        return 0;
}

void monitor_event_done(MonitorEvent *event) {
        free(event->name);
        free(event->syspath);
        *event = (MonitorEvent){0};
}
