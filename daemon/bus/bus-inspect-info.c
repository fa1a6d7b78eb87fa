/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From findings, which are the kernel's numbers, to the words of the protocol. */

#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>

#include "daemon/bus/bus-inspect.h"
#include "daemon/util/string.h"

/* By the number of their bit. */
static const char *const device_flags[] = {
        "reset", "pci", "platform", "amba", "ccw", "ap", "fsl-mc", NULL, "cdx",
};
static const char *const hw_capabilities[] = {"dirty-tracking", "pci-pasid-exec", "pci-pasid-priv"};

/* By index; only vfio-pci gives its indexes a meaning that does not hang on the device. */
static const char *const pci_regions[] = {
        [VFIO_PCI_BAR0_REGION_INDEX] = "bar0",     [VFIO_PCI_BAR1_REGION_INDEX] = "bar1",
        [VFIO_PCI_BAR2_REGION_INDEX] = "bar2",     [VFIO_PCI_BAR3_REGION_INDEX] = "bar3",
        [VFIO_PCI_BAR4_REGION_INDEX] = "bar4",     [VFIO_PCI_BAR5_REGION_INDEX] = "bar5",
        [VFIO_PCI_ROM_REGION_INDEX] = "rom",       [VFIO_PCI_VGA_REGION_INDEX] = "vga",
        [VFIO_PCI_CONFIG_REGION_INDEX] = "config",
};
static const char *const pci_irqs[] = {
        [VFIO_PCI_INTX_IRQ_INDEX] = "intx", [VFIO_PCI_MSI_IRQ_INDEX] = "msi",
        [VFIO_PCI_MSIX_IRQ_INDEX] = "msix", [VFIO_PCI_ERR_IRQ_INDEX] = "err",
        [VFIO_PCI_REQ_IRQ_INDEX] = "req",
};

/* Of iommufd_hw_info_v1.out_data_type; the one without a name is only given to who asks for it. */
static const char *const hw_types[] = {"none", "intel-vtd", "arm-smmuv3", NULL, "amd"};

static const Finding *find(const Findings *findings, FindingKind kind) {
        for (size_t i = 0; i < findings->n_findings; i++)
                if (findings->findings[i].kind == kind)
                        return &findings->findings[i];
        return NULL;
}

static uint64_t value_of(const Findings *findings, FindingKind kind, unsigned value) {
        const Finding *finding = find(findings, kind);

        return finding ? finding->values[value] : 0;
}

static const char *pci_name(const Findings *findings, const char *const *names, size_t n,
                            uint64_t index) {
        if (!(value_of(findings, FINDING_DEVICE_FLAGS, 0) & VFIO_DEVICE_FLAGS_PCI))
                return "";
        return index < n ? string_or_empty(names[index]) : "";
}

/* "as": each bit that is set by its name, or as "0x10". */
static int append_bits(sd_bus_message *m, const char *const *names, size_t n, uint64_t bits) {
        int r = sd_bus_message_open_container(m, 'a', "s");

        for (unsigned i = 0; r >= 0 && i < 64; i++) {
                char number[24];

                if (!(bits >> i & 1))
                        continue;
                (void)snprintf(number, sizeof(number), "0x%" PRIx64, UINT64_C(1) << i);
                r = sd_bus_message_append(m, "s", i < n && names[i] ? names[i] : number);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_mode(sd_bus_message *m, const Findings *findings) {
        return sd_bus_message_append(m, "s", find(findings, FINDING_CDEV) ? "iommufd" : "group");
}

static int append_flags(sd_bus_message *m, const Findings *findings) {
        return append_bits(m, device_flags, ELEMENTS(device_flags),
                           value_of(findings, FINDING_DEVICE_FLAGS, 0));
}

/* Those that follow the region. */
static int append_areas(sd_bus_message *m, const Findings *findings, size_t region) {
        int r = sd_bus_message_open_container(m, 'a', "(tt)");

        for (size_t i = region + 1; r >= 0 && i < findings->n_findings; i++) {
                const Finding *finding = &findings->findings[i];

                if (finding->kind != FINDING_AREA)
                        break;
                r = sd_bus_message_append(m, "(tt)", finding->values[0], finding->values[1]);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_region(sd_bus_message *m, const Findings *findings, size_t region) {
        const uint64_t *values = findings->findings[region].values;
        int r = sd_bus_message_open_container(m, 'r', "usuttba(tt)");

        if (r >= 0)
                r = sd_bus_message_append(
                        m, "usuttb", (uint32_t)values[0],
                        pci_name(findings, pci_regions, ELEMENTS(pci_regions), values[0]),
                        (uint32_t)values[1], values[2], values[3], values[4] != 0);
        if (r >= 0)
                r = append_areas(m, findings, region);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_regions(sd_bus_message *m, const Findings *findings) {
        int r = sd_bus_message_open_container(m, 'a', "(usuttba(tt))");

        for (size_t i = 0; r >= 0 && i < findings->n_findings; i++)
                if (findings->findings[i].kind == FINDING_REGION)
                        r = append_region(m, findings, i);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_irqs(sd_bus_message *m, const Findings *findings) {
        int r = sd_bus_message_open_container(m, 'a', "(usuu)");

        for (size_t i = 0; r >= 0 && i < findings->n_findings; i++) {
                const uint64_t *values = findings->findings[i].values;

                if (findings->findings[i].kind == FINDING_IRQ)
                        r = sd_bus_message_append(
                                m, "(usuu)", (uint32_t)values[0],
                                pci_name(findings, pci_irqs, ELEMENTS(pci_irqs), values[0]),
                                (uint32_t)values[1], (uint32_t)values[2]);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_resets(sd_bus_message *m, const Findings *findings) {
        int r = sd_bus_message_open_container(m, 'a', "s");

        for (size_t i = 0; r >= 0 && i < findings->n_findings; i++)
                if (findings->findings[i].kind == FINDING_RESET)
                        r = sd_bus_message_append(m, "s",
                                                  (const char *)findings->findings[i].bytes);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_hw_type(sd_bus_message *m, const Findings *findings) {
        uint64_t type = value_of(findings, FINDING_HW_INFO, 0);
        char number[24];

        (void)snprintf(number, sizeof(number), "%" PRIu64, type);
        return sd_bus_message_append(
                m, "s", type < ELEMENTS(hw_types) && hw_types[type] ? hw_types[type] : number);
}

static int append_hw_capabilities(sd_bus_message *m, const Findings *findings) {
        return append_bits(m, hw_capabilities, ELEMENTS(hw_capabilities),
                           value_of(findings, FINDING_HW_INFO, 1));
}

static int append_hw_pasid_bits(sd_bus_message *m, const Findings *findings) {
        return sd_bus_message_append(m, "u", (uint32_t)value_of(findings, FINDING_HW_INFO, 2));
}

static int append_hw_data(sd_bus_message *m, const Findings *findings) {
        int r = sd_bus_message_open_container(m, 'a', "y");

        for (size_t i = 0; r >= 0 && i < findings->n_findings; i++) {
                const Finding *finding = &findings->findings[i];

                if (finding->kind != FINDING_HW_DATA)
                        continue;
                for (size_t j = 0; r >= 0 && j < finding->values[0] && j < FINDING_BYTES; j++)
                        r = sd_bus_message_append_basic(m, 'y', &finding->bytes[j]);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

typedef struct InfoKey {
        const char *name;
        const char *signature;
        int (*append)(sd_bus_message *m, const Findings *findings);
        bool of_iommu; /* there only where the kernel tells of it */
} InfoKey;

static const InfoKey keys[] = {
        {"Mode", "s", append_mode, false},
        {"Flags", "as", append_flags, false},
        {"Regions", "a(usuttba(tt))", append_regions, false},
        {"Irqs", "a(usuu)", append_irqs, false},
        {"Resets", "as", append_resets, false},
        {"HwType", "s", append_hw_type, true},
        {"HwCapabilities", "as", append_hw_capabilities, true},
        {"HwPasidBits", "u", append_hw_pasid_bits, true},
        {"HwData", "ay", append_hw_data, true},
};

static int append_key(sd_bus_message *m, const InfoKey *key, const Findings *findings) {
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", key->name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', key->signature);
        if (r >= 0)
                r = key->append(m, findings);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int inspect_append_info(sd_bus_message *m, const Findings *findings) {
        bool has_iommu = find(findings, FINDING_HW_INFO);
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        for (size_t i = 0; r >= 0 && i < ELEMENTS(keys); i++)
                if (!keys[i].of_iommu || has_iommu)
                        r = append_key(m, &keys[i], findings);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
