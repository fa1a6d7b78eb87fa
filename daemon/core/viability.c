/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/viability.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/util/string.h"

/* PCI class and subclass (linux/pci_ids.h). */
#define CLASS_BRIDGE_HOST 0x0600U
#define CLASS_BRIDGE_ISA 0x0601U

static const char *const names[_VERDICT_MAX] = {
        [VERDICT_VFIO] = "vfio",
        [VERDICT_NO_DRIVER] = "no-driver",
        [VERDICT_BRIDGE] = "bridge",
        [VERDICT_MANAGED] = "managed",
        [VERDICT_HOST_DRIVER] = "host-driver",
        [VERDICT_BRIDGE_DRIVER] = "bridge-driver",
};

ViabilityRule viability_rule(const char *kernel_release) {
        char *end;
        unsigned long major = strtoul(kernel_release, &end, 10);
        unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

        return major > 5 || (major == 5 && minor >= 19) ? VIABILITY_BY_OWNER : VIABILITY_BY_DRIVER;
}

/*
 * Not every device of class 06 is one: NVSwitch and other endpoints of subclass 80 are given to
 * virtual machines like any device.
 */
bool device_is_bridge(const DeviceFacts *facts) {
        uint32_t class = facts->class_code >> 8;

        if (!device_facts_is_pci(facts))
                return false;
        return facts->header_type != FACTS_HEADER_NORMAL || class == CLASS_BRIDGE_HOST ||
               class == CLASS_BRIDGE_ISA;
}

bool device_is_bystander(const DeviceFacts *facts) {
        return device_is_bridge(facts) && !facts->vfio;
}

bool group_is_unsafe(const GroupFacts *facts, const char *bus) {
        return string_equal(facts->name, "vfio-noiommu") && !string_equal(bus, "mdev");
}

bool device_is_chipset(const DeviceFacts *facts) {
        return device_facts_is_pci(facts) && facts->class_code >> 8 == CLASS_BRIDGE_ISA;
}

/*
 * Drivers that promise not to do DMA on their own (driver_managed_dma in struct pci_driver). Before
 * 5.19 pci-stub alone was known by name; pcieport also drives event collectors, which are no
 * bridges.
 */
static bool driver_manages_dma(ViabilityRule rule, const char *driver) {
        return string_equal(driver, "pci-stub") ||
               (rule == VIABILITY_BY_OWNER && string_equal(driver, "pcieport"));
}

Verdict verdict_of(ViabilityRule rule, const DeviceFacts *facts) {
        bool bridge = device_is_bridge(facts);

        if (facts->vfio)
                return VERDICT_VFIO;
        if (string_is_empty(facts->driver))
                return bridge ? VERDICT_BRIDGE : VERDICT_NO_DRIVER;
        if (driver_manages_dma(rule, facts->driver))
                return bridge ? VERDICT_BRIDGE : VERDICT_MANAGED;
        if (bridge && facts->header_type != FACTS_HEADER_NORMAL)
                return rule == VIABILITY_BY_DRIVER ? VERDICT_BRIDGE : VERDICT_BRIDGE_DRIVER;
        return VERDICT_HOST_DRIVER;
}

bool verdict_is_viable(Verdict verdict) {
        return verdict != VERDICT_HOST_DRIVER && verdict != VERDICT_BRIDGE_DRIVER;
}

bool verdict_is_bound(Verdict verdict) {
        return verdict_is_viable(verdict) && verdict != VERDICT_NO_DRIVER;
}

const char *verdict_name(Verdict verdict) {
        assert(verdict >= 0 && verdict < _VERDICT_MAX);
        return names[verdict];
}

char *verdict_reason(Verdict verdict, const DeviceFacts *facts) {
        switch (verdict) {
        case VERDICT_VFIO:
                return string_format("is bound to the vfio driver %s", facts->driver);
        case VERDICT_NO_DRIVER:
                return string_format("is bound to no driver");
        case VERDICT_BRIDGE:
                return string_format("is a bridge and needs no vfio driver");
        case VERDICT_MANAGED:
                return string_format("is bound to %s, which does no DMA", facts->driver);
        case VERDICT_HOST_DRIVER:
                return string_format("is bound to %s", facts->driver);
        case VERDICT_BRIDGE_DRIVER:
                return string_format("is a bridge bound to %s, which claims the whole group",
                                     facts->driver);
        case _VERDICT_MAX:
                break;
        }
        abort();
}

char *verdict_remedy(Verdict verdict, const DeviceFacts *facts) {
        switch (verdict) {
        case VERDICT_NO_DRIVER:
        case VERDICT_HOST_DRIVER:
                if (device_is_bridge(facts))
                        return string_format("take another device: this one is the host's chipset");
                return string_format("bind the whole group with 'vfioctl bind group/%u'",
                                     facts->group);
        case VERDICT_BRIDGE_DRIVER:
                return string_format("as root: echo %s > /sys/bus/%s/drivers/%s/unbind",
                                     facts->name, facts->bus, facts->driver);
        case VERDICT_VFIO:
        case VERDICT_BRIDGE:
        case VERDICT_MANAGED:
        case _VERDICT_MAX:
                break;
        }
        return string_format("%s", "");
}
