/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/monitor.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"

/* Hundreds of virtual functions can appear at once. */
#define RECEIVE_BUFFER (16 * 1024 * 1024)

/*
 * The buses whose devices the kernel puts into IOMMU groups (drivers/iommu/iommu.c, iommu_buses;
 * and vfio_register_emulated_iommu_dev for mdev, ap and ccw), so that the daemon sleeps through all
 * else.
 */
static const char *const buses[] = {"pci", "platform", "amba", "fsl-mc",
                                    "cdx", "mdev",     "ap",   "css"};

/* Their devices are children that change what we know of the parent: names of interfaces, cdevs. */
static const char *const child_subsystems[] = {"net", "vfio-dev"};

struct Monitor {
        struct udev *udev;
        struct udev_monitor *monitor;
};

static inline void udev_device_unrefp(struct udev_device **device) {
        udev_device_unref(*device);
}

static int add_filters(struct udev_monitor *monitor) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS(buses); i++)
                r = udev_monitor_filter_add_match_subsystem_devtype(monitor, buses[i], NULL);
        for (size_t i = 0; r >= 0 && i < ELEMENTS(child_subsystems); i++)
                r = udev_monitor_filter_add_match_subsystem_devtype(monitor, child_subsystems[i],
                                                                    NULL);
        return r;
}

int monitor_new(Monitor **ret) {
        _cleanup_(monitor_freep) Monitor *monitor = calloc(1, sizeof(Monitor));
        int r;

        if (!monitor)
                return -ENOMEM;
        monitor->udev = udev_new();
        if (!monitor->udev)
                return -ENOMEM;
        monitor->monitor = udev_monitor_new_from_netlink(monitor->udev, "udev");
        if (!monitor->monitor)
                return -errno;
        r = add_filters(monitor->monitor);
        if (r < 0)
                return r;
        /* Needs CAP_NET_ADMIN; with the default size, losing events is noticed all the same. */
        (void)udev_monitor_set_receive_buffer_size(monitor->monitor, RECEIVE_BUFFER);
        r = udev_monitor_enable_receiving(monitor->monitor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(monitor);
        return 0;
}

Monitor *monitor_free(Monitor *monitor) {
        if (monitor) {
                udev_monitor_unref(monitor->monitor);
                udev_unref(monitor->udev);
        }
        free(monitor);
        return NULL;
}

int monitor_fd(const Monitor *monitor) {
        return udev_monitor_get_fd(monitor->monitor);
}

static bool is_child(const char *subsystem) {
        for (size_t i = 0; i < ELEMENTS(child_subsystems); i++)
                if (string_equal(subsystem, child_subsystems[i]))
                        return true;
        return false;
}

/* The device that the event is about; borrowed from `device`. NULL: an interface without a device.
 */
static struct udev_device *subject_of(struct udev_device *device) {
        return is_child(udev_device_get_subsystem(device)) ? udev_device_get_parent(device)
                                                           : device;
}

static int fill_event(struct udev_device *device, MonitorEvent *ret) {
        struct udev_device *subject = subject_of(device);
        const char *syspath =
                subject ? string_after(udev_device_get_syspath(subject), "/sys/") : NULL;
        MonitorEvent event = {0};

        if (!syspath)
                return 0;
        event.name = strdup(udev_device_get_sysname(subject));
        event.syspath = strdup(syspath);
        event.removed = subject == device && string_equal(udev_device_get_action(device), "remove");
        if (!event.name || !event.syspath) {
                monitor_event_done(&event);
                return -ENOMEM;
        }
        *ret = event;
        return 1;
}

int monitor_receive(Monitor *monitor, MonitorEvent *ret) {
        for (;;) {
                _cleanup_(udev_device_unrefp) struct udev_device *device = NULL;
                int r;

                errno = 0;
                device = udev_monitor_receive_device(monitor->monitor);
                if (!device)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                r = fill_event(device, ret);
                if (r != 0)
                        return r;
        }
}

void monitor_event_done(MonitorEvent *event) {
        free(event->name);
        free(event->syspath);
        *event = (MonitorEvent){0};
}
