/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A whole /sys as the input describes it, read as vfiod does at its start, and judged. */

#include <errno.h>
#include <string.h>

#include "daemon/core/topology.h"
#include "daemon/kernel/driver.h"
#include "daemon/kernel/enumerate.h"
#include "daemon/kernel/inspect.h"
#include "daemon/kernel/module.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz-tree.h"
#include "tests/fuzz/fuzz.h"

static void read_beside(const Roots *roots, const DeviceFacts *facts) {
        _cleanup_findings_ Findings findings = FINDINGS_NULL;
        _cleanup_free_ char *driver = NULL, *syspath = NULL;
        uint32_t group;

        (void)inspect_read_resets(roots, facts->name, &findings);
        (void)driver_read(roots, facts->bus, facts->name, &driver);
        (void)driver_is_vfio(roots, facts->bus, facts->name);
        syspath = string_format("devices/%s", facts->path);
        MUST(syspath);
        (void)read_device_group(roots, syspath, &group);
}

static void read_member(const Roots *roots, uint32_t group, const char *name, Topology *topology) {
        _cleanup_device_facts_ DeviceFacts facts = DEVICE_FACTS_NULL, again = DEVICE_FACTS_NULL;
        int r;

        if (read_device_facts(roots, group, name, NULL, false, &facts) < 0)
                return;
        MUST(read_device_facts(roots, group, name, NULL, false, &again) >= 0);
        MUST(device_facts_equal(&facts, &again));
        MUST(facts.bus && facts.driver && facts.driver_module && facts.modalias && facts.cdev);
        read_beside(roots, &facts);
        r = topology_put_device(topology, &facts);
        MUST(r >= 0 || r == -EEXIST);
}

static void read_group(const Roots *roots, uint32_t group, Topology *topology) {
        _cleanup_group_facts_ GroupFacts facts = GROUP_FACTS_NULL;
        _cleanup_strv_ char **members = NULL;

        if (read_group_facts(roots, group, &facts) < 0)
                return;
        for (size_t i = 0; i < facts.n_regions; i++)
                MUST(memchr(facts.regions[i].kind, '\0', sizeof(facts.regions[i].kind)));
        MUST(topology_put_group(topology, &facts) >= 0);
        if (enumerate_members(roots, group, &members) < 0)
                return;
        for (char **member = members; member && *member; member++)
                read_member(roots, group, *member, topology);
}

static void judge(const Topology *topology) {
        for (size_t i = 0; i < topology->n_devices; i++) {
                const Device *device = topology->devices[i];
                Verdict verdict = device_verdict(topology, device);
                _cleanup_free_ char *reason = verdict_reason(verdict, &device->facts);
                _cleanup_free_ char *remedy = verdict_remedy(verdict, &device->facts);

                MUST(reason && remedy);
        }
        for (size_t i = 0; i < topology->n_groups; i++) {
                (void)group_is_viable(topology, topology->groups[i]);
                (void)group_is_bound(topology, topology->groups[i]);
        }
}

static int count_line(void *userdata, const char *line _unused_) {
        ++*(size_t *)userdata;
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        size_t fds = fuzz_count_fds(), n_groups = 0, n_lines = 0;
        uint32_t *groups = NULL;
        Topology topology;
        FuzzTree tree;

        fuzz_tree_init(&tree, text);
        topology_init(&topology, size % 2 ? VIABILITY_BY_OWNER : VIABILITY_BY_DRIVER);
        if (enumerate_groups(&tree.roots, &groups, &n_groups) >= 0)
                for (size_t i = 0; i < n_groups; i++)
                        read_group(&tree.roots, groups[i], &topology);
        judge(&topology);
        (void)module_read_aliases(&tree.roots, count_line, &n_lines);
        free(groups);
        topology_done(&topology);
        fuzz_tree_done(&tree);
        MUST(fuzz_count_fds() == fds);
        return 0;
}
