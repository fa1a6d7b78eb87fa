/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/util/facts.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"

void device_facts_done(DeviceFacts *facts) {
        free(facts->name);
        free(facts->bus);
        free(facts->driver);
        free(facts->driver_module);
        free(facts->driver_override);
        free(facts->modalias);
        free(facts->cdev);
        strv_free(facts->interfaces);
        free(facts->path);
        strv_free(facts->reset_methods);
        free(facts->physfn);
        free(facts->mdev_type);
        free(facts->vendor_name);
        free(facts->device_name);
        free(facts->class_name);
        *facts = (DeviceFacts)DEVICE_FACTS_NULL;
}

static bool words_equal(char *const *a, char *const *b) {
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;
        for (size_t i = 0; i < n; i++)
                /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): strv_length(NULL) is 0 */
                if (strcmp(a[i], b[i]) != 0)
                        return false;
        return true;
}

/* The three names follow from the ids and are not compared. */
bool device_facts_equal(const DeviceFacts *a, const DeviceFacts *b) {
        return string_equal(a->name, b->name) && string_equal(a->bus, b->bus) &&
               a->group == b->group && string_equal(a->driver, b->driver) &&
               string_equal(a->driver_module, b->driver_module) &&
               string_equal(a->driver_override, b->driver_override) &&
               string_equal(a->modalias, b->modalias) && a->vfio == b->vfio &&
               string_equal(a->cdev, b->cdev) && words_equal(a->interfaces, b->interfaces) &&
               a->numa_node == b->numa_node && a->vendor == b->vendor && a->device == b->device &&
               a->subsystem_vendor == b->subsystem_vendor &&
               a->subsystem_device == b->subsystem_device && a->class_code == b->class_code &&
               a->header_type == b->header_type && string_equal(a->path, b->path) &&
               !a->reset_methods == !b->reset_methods &&
               words_equal(a->reset_methods, b->reset_methods) &&
               string_equal(a->physfn, b->physfn) && a->total_vfs == b->total_vfs &&
               a->vfs_autoprobe == b->vfs_autoprobe && string_equal(a->mdev_type, b->mdev_type);
}

bool device_facts_is_pci(const DeviceFacts *facts) {
        return string_equal(facts->bus, "pci");
}

void group_facts_done(GroupFacts *facts) {
        free(facts->type);
        free(facts->name);
        free(facts->regions);
        *facts = (GroupFacts)GROUP_FACTS_NULL;
}

bool group_facts_equal(const GroupFacts *a, const GroupFacts *b) {
        if (a->number != b->number || !string_equal(a->type, b->type) ||
            !string_equal(a->name, b->name) || a->n_regions != b->n_regions)
                return false;
        for (size_t i = 0; i < a->n_regions; i++)
                if (a->regions[i].first != b->regions[i].first ||
                    a->regions[i].last != b->regions[i].last ||
                    strcmp(a->regions[i].kind, b->regions[i].kind) != 0)
                        return false;
        return true;
}
