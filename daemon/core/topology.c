/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"

void topology_init(Topology *topology, ViabilityRule rule) {
        *topology = (Topology){.rule = rule};
}

static void original_done(Original *original) {
        free(original->driver);
        free(original->module);
        free(original->override);
        free(original->bound);
        *original = (Original){0};
}

static void device_free(Device *device) {
        device_facts_done(&device->facts);
        original_done(&device->original);
        strv_free(device->in_use);
        free(device->serial);
        free(device);
}

static void group_free(Group *group) {
        group_facts_done(&group->facts);
        free(group->members);
        free(group);
}

void topology_done(Topology *topology) {
        for (size_t i = 0; i < topology->n_devices; i++)
                device_free(topology->devices[i]);
        for (size_t i = 0; i < topology->n_groups; i++)
                group_free(topology->groups[i]);
        free(topology->devices);
        free(topology->groups);
        strv_free(topology->ungrouped);
        topology_init(topology, topology->rule);
}

/* Ordered arrays of pointers: where `key` is, or where it would have to be put. */
typedef int (*CompareKey)(const void *key, const void *element);

static bool array_find(void *const *array, size_t n, const void *key, CompareKey compare,
                       size_t *ret_index) {
        size_t low = 0, high = n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = compare(key, array[middle]);

                if (c == 0) {
                        *ret_index = middle;
                        return true;
                }
                if (c < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        *ret_index = low;
        return false;
}

static int array_insert(void ***array, size_t *n, size_t index, void *element) {
        void **grown = reallocarray(*array, *n + 1, sizeof(void *));

        if (!grown)
                return -ENOMEM;
        memmove(grown + index + 1, grown + index, (*n - index) * sizeof(void *));
        grown[index] = element;
        *array = grown;
        (*n)++;
        return 0;
}

static void array_remove(void **array, size_t *n, size_t index) {
        (*n)--;
        memmove(array + index, array + index + 1, (*n - index) * sizeof(void *));
}

static int compare_number(const void *key, const void *element) {
        uint32_t a = *(const uint32_t *)key, b = ((const Group *)element)->facts.number;

        return a < b ? -1 : a > b;
}

static int compare_name(const void *key, const void *element) {
        return strcmp(key, ((const Device *)element)->facts.name);
}

Group *topology_find_group(const Topology *topology, uint32_t number) {
        size_t i;

        return array_find((void *const *)topology->groups, topology->n_groups, &number,
                          compare_number, &i)
                       ? topology->groups[i]
                       : NULL;
}

Device *topology_find_device(const Topology *topology, const char *name) {
        size_t i;

        return array_find((void *const *)topology->devices, topology->n_devices, name, compare_name,
                          &i)
                       ? topology->devices[i]
                       : NULL;
}

static int group_add_member(Group *group, Device *device) {
        size_t i;

        if (array_find((void *const *)group->members, group->n_members, device->facts.name,
                       compare_name, &i))
                return 0;
        return array_insert((void ***)&group->members, &group->n_members, i, device);
}

static void group_remove_member(Topology *topology, Group *group, const Device *device) {
        size_t i;

        if (array_find((void *const *)group->members, group->n_members, device->facts.name,
                       compare_name, &i))
                array_remove((void **)group->members, &group->n_members, i);
        if (group->n_members > 0)
                return;
        if (array_find((void *const *)topology->groups, topology->n_groups, &group->facts.number,
                       compare_number, &i))
                array_remove((void **)topology->groups, &topology->n_groups, i);
        group_free(group);
}

int topology_put_group(Topology *topology, GroupFacts *facts) {
        _cleanup_group_facts_ GroupFacts taken = *facts;
        Group *group;
        size_t i;

        *facts = (GroupFacts)GROUP_FACTS_NULL;
        if (array_find((void *const *)topology->groups, topology->n_groups, &taken.number,
                       compare_number, &i)) {
                GroupFacts old = topology->groups[i]->facts;

                if (group_facts_equal(&old, &taken))
                        return TOPOLOGY_UNCHANGED;
                topology->groups[i]->facts = taken;
                taken = old;
                return TOPOLOGY_CHANGED;
        }

        group = calloc(1, sizeof(Group));
        if (!group)
                return -ENOMEM;
        if (array_insert((void ***)&topology->groups, &topology->n_groups, i, group) < 0) {
                free(group);
                return -ENOMEM;
        }
        group->facts = taken;
        taken = (GroupFacts)GROUP_FACTS_NULL;
        return TOPOLOGY_ADDED;
}

static int add_device(Topology *topology, DeviceFacts *facts, size_t index, Group *group) {
        Device *device = calloc(1, sizeof(Device));

        if (!device)
                return -ENOMEM;
        device->facts = *facts;
        device->group = group;
        if (group_add_member(group, device) < 0) {
                free(device);
                return -ENOMEM;
        }
        if (array_insert((void ***)&topology->devices, &topology->n_devices, index, device) < 0) {
                group_remove_member(topology, group, device);
                free(device);
                return -ENOMEM;
        }
        *facts = (DeviceFacts)DEVICE_FACTS_NULL;
        return TOPOLOGY_ADDED;
}

int topology_put_device(Topology *topology, DeviceFacts *facts) {
        _cleanup_device_facts_ DeviceFacts taken = *facts;
        Group *group = topology_find_group(topology, taken.group);
        Device *device;
        DeviceFacts old;
        size_t i;

        *facts = (DeviceFacts)DEVICE_FACTS_NULL;
        if (!group)
                return -ENOENT;
        if (!array_find((void *const *)topology->devices, topology->n_devices, taken.name,
                        compare_name, &i))
                return add_device(topology, &taken, i, group);

        device = topology->devices[i];
        if (device_facts_equal(&device->facts, &taken))
                return TOPOLOGY_UNCHANGED;
        if (device->group != group)
                return -EEXIST;
        old = device->facts;
        device->facts = taken;
        taken = old;
        return TOPOLOGY_CHANGED;
}

TopologyChange topology_remove_device(Topology *topology, const char *name) {
        Device *device;
        size_t i;

        if (!array_find((void *const *)topology->devices, topology->n_devices, name, compare_name,
                        &i))
                return TOPOLOGY_UNCHANGED;
        device = topology->devices[i];
        array_remove((void **)topology->devices, &topology->n_devices, i);
        group_remove_member(topology, device->group, device);
        device_free(device);
        return TOPOLOGY_REMOVED;
}

bool device_is_vf_of(const Device *device, const Device *other) {
        return string_equal(device->facts.physfn, other->facts.name);
}

/* ".../PARENT/UUID" */
char *device_mdev_parent(const Device *device) {
        const char *path = string_or_empty(device->facts.path), *end = strrchr(path, '/');
        const char *begin = end;

        if (!string_equal(device->facts.bus, "mdev") || !end)
                return strdup("");
        while (begin > path && begin[-1] != '/')
                begin--;
        return strndup(begin, (size_t)(end - begin));
}

bool device_is_mdev_of(const Device *device, const char *parent, const char *type) {
        _cleanup_free_ char *own = device_mdev_parent(device);

        return !string_is_empty(own) && string_equal(own, parent) &&
               string_equal(device->facts.mdev_type, type);
}

const Device *topology_find_mdev(const Topology *topology, const Device *parent) {
        for (size_t i = 0; i < topology->n_devices; i++) {
                const Device *device = topology->devices[i];
                _cleanup_free_ char *own = NULL;

                if (!string_equal(device->facts.bus, "mdev"))
                        continue;
                own = device_mdev_parent(device);
                if (string_equal(own, parent->facts.name))
                        return device;
        }
        return NULL;
}

size_t topology_count_vfs(const Topology *topology, const Device *device) {
        size_t n = 0;

        for (size_t i = 0; i < topology->n_devices; i++)
                n += device_is_vf_of(topology->devices[i], device);
        return n;
}

Verdict device_verdict(const Topology *topology, const Device *device) {
        return verdict_of(topology->rule, &device->facts);
}

bool group_is_viable(const Topology *topology, const Group *group) {
        for (size_t i = 0; i < group->n_members; i++)
                if (!verdict_is_viable(device_verdict(topology, group->members[i])))
                        return false;
        return true;
}

/* A group of nothing but bridges has no file to hand out, so at least one member must be on vfio.
 */
bool group_is_bound(const Topology *topology, const Group *group) {
        bool any = false;

        for (size_t i = 0; i < group->n_members; i++) {
                Verdict verdict = device_verdict(topology, group->members[i]);

                if (!verdict_is_bound(verdict))
                        return false;
                any = any || verdict == VERDICT_VFIO;
        }
        return any;
}

bool group_has_no_iommu(const Group *group) {
        return group->n_members > 0 && group_is_unsafe(&group->facts, group->members[0]->facts.bus);
}

/* Groups that vfio has made up have a name that says so; mediated devices have such ones too. */
bool topology_has_iommu(const Topology *topology) {
        for (size_t i = 0; i < topology->n_groups; i++)
                if (!string_equal(topology->groups[i]->facts.name, "vfio-noiommu"))
                        return true;
        return false;
}

bool topology_is_ungrouped(const Topology *topology, const char *name) {
        return strv_contains(topology->ungrouped, name);
}

void topology_set_ungrouped(Topology *topology, const char *name, bool ungrouped) {
        if (ungrouped && !topology_is_ungrouped(topology, name))
                (void)strv_push(&topology->ungrouped, name);
        if (!ungrouped)
                strv_remove(topology->ungrouped, name);
}

int device_record_original(Device *device) {
        Original original = {.recorded = true};
        bool suspended = device_original_is_suspended(device);
        const char *override =
                suspended ? device->original.override : device->facts.driver_override;

        if (device->original.recorded && !suspended)
                return 0;
        if (string_set(&original.driver, string_or_empty(device->facts.driver)) < 0 ||
            string_set(&original.module, string_or_empty(device->facts.driver_module)) < 0 ||
            string_set(&original.override, string_or_empty(override)) < 0 ||
            string_set(&original.bound, device->original.bound) < 0) {
                original_done(&original);
                return -ENOMEM;
        }
        original_done(&device->original);
        device->original = original;
        return 0;
}

int device_set_bound(Device *device) {
        return string_set(&device->original.bound, device->facts.driver);
}

bool device_original_is_suspended(const Device *device) {
        const Original *original = &device->original;

        return original->recorded && original->bound && !device->facts.vfio &&
               string_equal(original->bound, device->facts.driver_override);
}

void device_forget_original(Device *device) {
        original_done(&device->original);
}
