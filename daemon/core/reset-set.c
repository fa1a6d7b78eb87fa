/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/reset-set.h"

#include <string.h>

#include "daemon/util/string.h"

/* "0000:00:01.0", or "10000:e0:06.0", and not "pci0000:00", which is a host bridge and no device.
 */
static bool is_pci_device(const char *name, size_t n) {
        return n >= strlen("0000:00:00.0") && name[n - 8] == ':' && name[n - 5] == ':' &&
               name[n - 2] == '.';
}

/* The length of the path's part for the bridge above the device; 0 on a root bus. */
static size_t bridge_length(const char *path) {
        const char *end = strrchr(path, '/'), *begin = end;

        while (begin && begin > path && begin[-1] != '/')
                begin--;
        return end && is_pci_device(begin, (size_t)(end - begin)) ? (size_t)(end - path) : 0;
}

bool reset_set_has(const DeviceFacts *device, const DeviceFacts *other) {
        size_t n;

        if (!device_facts_is_pci(device) || !device_facts_is_pci(other))
                return false;
        if (strcmp(device->name, other->name) == 0)
                return true;
        n = !string_is_empty(device->physfn) ? 0 : bridge_length(string_or_empty(device->path));
        return n > 0 && strncmp(device->path, string_or_empty(other->path), n + 1) == 0;
}

bool reset_methods_are_told(const Topology *topology) {
        for (size_t i = 0; i < topology->n_devices; i++)
                if (topology->devices[i]->facts.reset_methods)
                        return true;
        return false;
}

bool reset_method_is_bus(const char *method) {
        return strcmp(method, "bus") == 0 || strcmp(method, "cxl_bus") == 0;
}

bool reset_is_own(const Topology *topology, const DeviceFacts *device) {
        if (!device_facts_is_pci(device))
                return true;
        for (char **method = device->reset_methods; method && *method; method++)
                if (!reset_method_is_bus(*method))
                        return true;
        return !device->reset_methods && !reset_methods_are_told(topology);
}
