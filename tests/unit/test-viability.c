/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/viability.h: the kernel's rule, member by member. */

#include "daemon/core/viability.h"

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OLD VIABILITY_BY_DRIVER
#define NEW VIABILITY_BY_OWNER

START_TEST(the_rule_follows_from_the_release) {
        static const struct {
                const char *release;
                ViabilityRule rule;
        } rows[] = {
                {"4.19.0-27-amd64", OLD},
                {"5.10.0-30-amd64", OLD},
                {"5.18", OLD},
                {"5.18.19", OLD},
                {"5.19", NEW},
                {"5.19.0-rc1", NEW},
                {"6.0", NEW},
                {"6.1.0-37-amd64", NEW},
                {"6.12.94-amd64", NEW},
                {"7.2-rc1", NEW},
                {"10.0", NEW},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                ck_assert_msg(viability_rule(rows[i].release) == rows[i].rule, "%s",
                              rows[i].release);
}
END_TEST

static const struct {
        const char *what;
        DeviceRow device;
        Verdict old;
        Verdict new;
} verdicts[] = {
        {"nic on its driver", {"a", 1, "e1000"}, VERDICT_HOST_DRIVER, VERDICT_HOST_DRIVER},
        {"nic on vfio-pci", {"a", 1, "vfio-pci"}, VERDICT_VFIO, VERDICT_VFIO},
        {"nic on a variant", {"a", 1, "mlx5_vfio_pci"}, VERDICT_VFIO, VERDICT_VFIO},
        {"nic without", {"a", 1}, VERDICT_NO_DRIVER, VERDICT_NO_DRIVER},
        {"nic on pci-stub", {"a", 1, "pci-stub"}, VERDICT_MANAGED, VERDICT_MANAGED},
        {"platform device",
         {"a", 1, "dwmac", .bus = "platform"},
         VERDICT_HOST_DRIVER,
         VERDICT_HOST_DRIVER},
        {"platform device of a class number like a bridge's",
         {"a", 1, .bus = "platform", .class_code = CLASS_ISA_BRIDGE},
         VERDICT_NO_DRIVER,
         VERDICT_NO_DRIVER},
        {"bridge without",
         {"a", 1, .class_code = CLASS_PCI_BRIDGE, .header_type = 1},
         VERDICT_BRIDGE,
         VERDICT_BRIDGE},
        {"root port on pcieport",
         {"a", 1, "pcieport", .class_code = CLASS_PCI_BRIDGE, .header_type = 1},
         VERDICT_BRIDGE,
         VERDICT_BRIDGE},
        {"bridge on shpchp",
         {"a", 1, "shpchp", .class_code = CLASS_PCI_BRIDGE, .header_type = 1},
         VERDICT_BRIDGE,
         VERDICT_BRIDGE_DRIVER},
        {"cardbus bridge on its driver",
         {"a", 1, "yenta_cardbus", .class_code = 0x060700, .header_type = 2},
         VERDICT_BRIDGE,
         VERDICT_BRIDGE_DRIVER},
        {"bridge on pci-stub",
         {"a", 1, "pci-stub", .class_code = CLASS_PCI_BRIDGE, .header_type = 1},
         VERDICT_BRIDGE,
         VERDICT_BRIDGE},
        {"host bridge without",
         {"a", 1, .class_code = CLASS_HOST_BRIDGE},
         VERDICT_BRIDGE,
         VERDICT_BRIDGE},
        {"host bridge on a driver",
         {"a", 1, "skl_uncore", .class_code = CLASS_HOST_BRIDGE},
         VERDICT_HOST_DRIVER,
         VERDICT_HOST_DRIVER},
        {"ISA bridge without",
         {"a", 1, .class_code = CLASS_ISA_BRIDGE},
         VERDICT_BRIDGE,
         VERDICT_BRIDGE},
        {"ISA bridge on a driver",
         {"a", 1, "lpc_ich", .class_code = CLASS_ISA_BRIDGE},
         VERDICT_HOST_DRIVER,
         VERDICT_HOST_DRIVER},
        {"NVSwitch without",
         {"a", 1, .class_code = CLASS_OTHER_BRIDGE},
         VERDICT_NO_DRIVER,
         VERDICT_NO_DRIVER},
        {"NVSwitch on its driver",
         {"a", 1, "nvidia-nvswitch", .class_code = CLASS_OTHER_BRIDGE},
         VERDICT_HOST_DRIVER,
         VERDICT_HOST_DRIVER},
        {"NVSwitch on vfio-pci",
         {"a", 1, "vfio-pci", .class_code = CLASS_OTHER_BRIDGE},
         VERDICT_VFIO,
         VERDICT_VFIO},
        /* pcieport also drives root complex event collectors, which have a normal header; the old
         * rule spares pci-stub by name, and nothing else. */
        {"event collector on pcieport",
         {"a", 1, "pcieport", .class_code = 0x080700},
         VERDICT_HOST_DRIVER,
         VERDICT_MANAGED},
};

START_TEST(each_member_counts_by_the_rule_of_its_kernel) {
        for (size_t i = 0; i < ELEMENTS(verdicts); i++) {
                _cleanup_device_facts_ DeviceFacts facts = facts_of_row(&verdicts[i].device);

                assert_row_str(verdicts[i].what, verdict_name(verdict_of(OLD, &facts)),
                               verdict_name(verdicts[i].old));
                assert_row_str(verdicts[i].what, verdict_name(verdict_of(NEW, &facts)),
                               verdict_name(verdicts[i].new));
        }
}
END_TEST

START_TEST(the_table_has_every_verdict) {
        bool seen[_VERDICT_MAX] = {false};

        for (size_t i = 0; i < ELEMENTS(verdicts); i++)
                seen[verdicts[i].old] = seen[verdicts[i].new] = true;
        for (Verdict i = 0; i < _VERDICT_MAX; i++)
                ck_assert_msg(seen[i], "%s", verdict_name(i));
}
END_TEST

START_TEST(verdicts_that_block_say_what_to_do) {
        static const struct {
                Verdict verdict;
                bool viable;
                bool bound;
                const char *reason;
                const char *remedy;
        } rows[] = {
                {VERDICT_VFIO, true, true, "is bound to the vfio driver drv", ""},
                {VERDICT_NO_DRIVER, true, false, "is bound to no driver",
                 "bind the whole group with 'vfioctl bind group/3'"},
                {VERDICT_BRIDGE, true, true, "is a bridge and needs no vfio driver", ""},
                {VERDICT_MANAGED, true, true, "is bound to drv, which does no DMA", ""},
                {VERDICT_HOST_DRIVER, false, false, "is bound to drv",
                 "bind the whole group with 'vfioctl bind group/3'"},
                {VERDICT_BRIDGE_DRIVER, false, false,
                 "is a bridge bound to drv, which claims the whole group",
                 "as root: echo a > /sys/bus/pci/drivers/drv/unbind"},
        };
        const DeviceRow device = {"a", 3, "drv"};
        _cleanup_device_facts_ DeviceFacts facts = facts_of_row(&device);

        ck_assert_uint_eq(ELEMENTS(rows), _VERDICT_MAX);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_free_ char *reason = verdict_reason(rows[i].verdict, &facts);
                _cleanup_free_ char *remedy = verdict_remedy(rows[i].verdict, &facts);

                ck_assert_str_eq(reason, rows[i].reason);
                ck_assert_str_eq(remedy, rows[i].remedy);
                ck_assert(verdict_is_viable(rows[i].verdict) == rows[i].viable);
                ck_assert(verdict_is_bound(rows[i].verdict) == rows[i].bound);
        }
}
END_TEST

START_TEST(the_chipset_is_not_to_be_bound) {
        const DeviceRow device = {"a", 9, "lpc_ich", .class_code = CLASS_ISA_BRIDGE};
        _cleanup_device_facts_ DeviceFacts facts = facts_of_row(&device);
        _cleanup_free_ char *remedy = verdict_remedy(VERDICT_HOST_DRIVER, &facts);

        ck_assert_str_eq(remedy, "take another device: this one is the host's chipset");
        ck_assert(device_is_chipset(&facts));
        facts.class_code = CLASS_ETHERNET;
        ck_assert(!device_is_chipset(&facts));
        facts.class_code = CLASS_ISA_BRIDGE;
        ck_assert_int_eq(string_set(&facts.bus, "platform"), 0);
        ck_assert(!device_is_chipset(&facts));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("viability");

        tcase_add_test(tests, the_rule_follows_from_the_release);
        tcase_add_test(tests, each_member_counts_by_the_rule_of_its_kernel);
        tcase_add_test(tests, the_table_has_every_verdict);
        tcase_add_test(tests, verdicts_that_block_say_what_to_do);
        tcase_add_test(tests, the_chipset_is_not_to_be_bound);
        return tests_run(tests);
}
