/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The serial number by way of udev (daemon/kernel/pci-serial.h; boot/60-vfiod.rules.in). */

#include <libudev.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-id128.h>

#include "daemon/kernel/pci-serial.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

/* Udev may have hundreds of events to handle first. */
#define ANSWER_MS 10000

#define PROPERTY "VFIOD_SERIAL"

typedef struct Question {
        struct udev *udev;
        struct udev_monitor *monitor;
        char id[SD_ID128_UUID_STRING_MAX];
} Question;

static void question_done(Question *question) {
        udev_monitor_unref(question->monitor);
        udev_unref(question->udev);
}

static inline void udev_device_unrefp(struct udev_device **device) {
        udev_device_unref(*device);
}

static int begin(Question *question) {
        sd_id128_t id;
        int r = sd_id128_randomize(&id);

        if (r < 0)
                return r;
        (void)sd_id128_to_uuid_string(id, question->id);
        question->udev = udev_new();
        if (question->udev)
                question->monitor = udev_monitor_new_from_netlink(question->udev, "udev");
        if (!question->monitor)
                return -ENOMEM;
        r = udev_monitor_filter_add_match_subsystem_devtype(question->monitor, "pci", NULL);
        return r < 0 ? r : udev_monitor_enable_receiving(question->monitor);
}

/* Documentation/ABI/testing/sysfs-uevent: ACTION, UUID, and variables that the event gets. */
static int ask(const Roots *roots, const char *device, const Question *question) {
        _cleanup_free_ char *path = string_format("bus/pci/devices/%s/uevent", device);
        _cleanup_free_ char *text = string_format("change %s VFIOD=serial", question->id);

        return path && text ? sysfs_write(roots->sys_fd, path, text) : -ENOMEM;
}

static int copy_property(struct udev_device *device, char **ret) {
        const char *value = udev_device_get_property_value(device, PROPERTY);

        if (!value)
                return -ENODATA;
        /* A property of udev's cannot be empty. */
        *ret = strdup(string_equal(value, "none") ? "" : value);
        return *ret ? 0 : -ENOMEM;
}

static uint64_t now_ms(void) {
        return clock_now(CLOCK_MONOTONIC) / 1000;
}

static int wait_for_answer(const Question *question, char **ret) {
        struct pollfd pollfd = {.fd = udev_monitor_get_fd(question->monitor), .events = POLLIN};
        uint64_t end = now_ms() + ANSWER_MS;

        for (uint64_t now = end - ANSWER_MS; now < end; now = now_ms()) {
                _cleanup_(udev_device_unrefp) struct udev_device *device = NULL;

                if (poll(&pollfd, 1, (int)(end - now)) < 0 && errno != EINTR)
                        return -errno;
                device = udev_monitor_receive_device(question->monitor);
                if (device && string_equal(udev_device_get_property_value(device, "SYNTH_UUID"),
                                           question->id))
                        return copy_property(device, ret);
        }
        return -ETIMEDOUT;
}

int pci_ask_serial(const Roots *roots, const char *device, char **ret) {
        _cleanup_(question_done) Question question = {.udev = NULL};
        int r = begin(&question);

        if (r >= 0)
                r = ask(roots, device, &question);
        return r < 0 ? r : wait_for_answer(&question, ret);
}

int pci_known_serial(const char *name, char **ret) {
        struct udev *udev = udev_new();
        _cleanup_(udev_device_unrefp) struct udev_device *device =
                udev ? udev_device_new_from_subsystem_sysname(udev, "pci", name) : NULL;
        int r = device ? copy_property(device, ret) : -ENODATA;

        udev_unref(udev);
        return r;
}
