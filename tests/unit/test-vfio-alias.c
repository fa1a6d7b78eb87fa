/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/vfio-alias.h: which vfio driver a device gets. */

#include "daemon/core/vfio-alias.h"

#include <errno.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define MLX "pci:v000015B3d0000101Esv000015B3sd00000021bc02sc00i00"
#define NIC "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00"

static const char *const lines[] = {
        "# Aliases extracted from modules themselves.\n",
        "alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e\n",
        "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n",
        "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n",
        "alias vfio_pci:v*d*sv*sd*bc02sc*i* zz_net_vfio_pci\n",
        "alias vfio_pci:v*d*sv*sd*bc*sc00i* net_vfio_pci\n",
        "alias vfio_pci: broken",
        "alias vfio_pci:v1 ",
        "aliases vfio_pci:v1 no",
        "alias vfio_pci:v00001234d*sv*sd*bc*sc*i* last_vfio_pci",
};

static void add_all(VfioAliases *aliases) {
        for (size_t i = 0; i < ELEMENTS(lines); i++)
                ck_assert_int_ge(vfio_aliases_add_line(aliases, lines[i]), 0);
}

START_TEST(only_lines_about_vfio_drivers_are_kept) {
        VfioAliases aliases = VFIO_ALIASES_NULL;

        ck_assert_int_eq(vfio_aliases_add_line(&aliases, lines[0]), 0);
        ck_assert_int_eq(vfio_aliases_add_line(&aliases, lines[1]), 0);
        ck_assert_int_eq(vfio_aliases_add_line(&aliases, ""), 0);
        ck_assert_int_eq(vfio_aliases_add_line(&aliases, "alias vfio_pci:v1"), 0);
        ck_assert_int_eq(vfio_aliases_add_line(&aliases, "alias vfio_pci:v1 "), 0);
        ck_assert_uint_eq(aliases.n_aliases, 0);
        ck_assert_int_eq(vfio_aliases_add_line(&aliases, lines[3]), 1);
        ck_assert_str_eq(aliases.aliases[0].pattern, "vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*");
        ck_assert_str_eq(aliases.aliases[0].module, "mlx5_vfio_pci");
        ck_assert_uint_eq(aliases.aliases[0].wildcards, 5);
        vfio_aliases_done(&aliases);
        ck_assert_uint_eq(aliases.n_aliases, 0);
}
END_TEST

START_TEST(an_alias_of_no_module_is_not_kept) {
        VfioAliases aliases = VFIO_ALIASES_NULL;

        ck_assert_int_eq(vfio_aliases_add_line(&aliases, "alias vfio_pci:v*  mlx5_vfio_pci\n"), 0);
        ck_assert_int_eq(vfio_aliases_add_line(&aliases, "alias vfio_pci:v* \n"), 0);
        ck_assert_uint_eq(aliases.n_aliases, 0);
        vfio_aliases_done(&aliases);
}
END_TEST

START_TEST(the_best_driver_is_the_one_with_the_fewest_wildcards) {
        static const struct {
                const char *what;
                DeviceRow device;
                const char *driver;
                const char *module;
        } rows[] = {
                {"its own variant", {"a", 1, .modalias = MLX}, "mlx5_vfio_pci", "mlx5_vfio_pci"},
                /* Two match with six wildcards each: the name decides, not the order. */
                {"tie", {"a", 1, .modalias = NIC}, "net_vfio_pci", "net_vfio_pci"},
                {"plain",
                 {"a", 1, .modalias = "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02"},
                 "vfio-pci",
                 "vfio_pci"},
                {"no modalias", {"a", 1}, "vfio-pci", "vfio_pci"},
                {"modalias of another bus", {"a", 1, .modalias = "of:N"}, "vfio-pci", "vfio_pci"},
                {"platform", {"a", 1, .bus = "platform"}, "vfio-platform", "vfio_platform"},
                {"amba", {"a", 1, .bus = "amba"}, "vfio-amba", "vfio_amba"},
                {"fsl-mc", {"a", 1, .bus = "fsl-mc"}, "vfio-fsl-mc", "vfio_fsl_mc"},
                {"cdx", {"a", 1, .bus = "cdx"}, "vfio-cdx", "vfio_cdx"},
        };
        VfioAliases aliases = VFIO_ALIASES_NULL;

        add_all(&aliases);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                _cleanup_device_facts_ DeviceFacts facts = facts_of_row(&rows[i].device);
                VfioDriver driver;

                ck_assert_int_eq(vfio_driver_best(&aliases, &facts, &driver), 0);
                assert_row_str(rows[i].what, driver.driver, rows[i].driver);
                assert_row_str(rows[i].what, driver.module, rows[i].module);
        }
        vfio_aliases_done(&aliases);
}
END_TEST

START_TEST(a_bus_without_a_vfio_driver_has_none) {
        const DeviceRow row = {"a", 1, .bus = "mdev"};
        _cleanup_device_facts_ DeviceFacts facts = facts_of_row(&row);
        const VfioAliases aliases = VFIO_ALIASES_NULL;
        VfioDriver driver;

        ck_assert_int_eq(vfio_driver_plain(&facts, &driver), -EOPNOTSUPP);
        ck_assert_int_eq(vfio_driver_best(&aliases, &facts, &driver), -EOPNOTSUPP);
        ck_assert_int_eq(vfio_driver_named(&aliases, &facts, "vfio-pci", &driver), -ENOENT);
}
END_TEST

START_TEST(only_a_vfio_driver_that_matches_can_be_named) {
        static const struct {
                const char *modalias;
                const char *name;
                const char *driver; /* NULL: -ENOENT */
                const char *module;
        } rows[] = {
                {MLX, "vfio-pci", "vfio-pci", "vfio_pci"},
                {MLX, "vfio_pci", "vfio-pci", "vfio_pci"},
                {MLX, "mlx5_vfio_pci", "mlx5_vfio_pci", "mlx5_vfio_pci"},
                {MLX, "mlx5-vfio-pci", "mlx5_vfio_pci", "mlx5_vfio_pci"},
                {"", "vfio-pci", "vfio-pci", "vfio_pci"},
                {NIC, "mlx5_vfio_pci", NULL, NULL},
                {"", "mlx5_vfio_pci", NULL, NULL},
                {NIC, "e1000e", NULL, NULL},
                {NIC, "vfio-pc", NULL, NULL},
                {NIC, "vfio-pcii", NULL, NULL},
                {NIC, "", NULL, NULL},
                {NIC, "vfio-platform", NULL, NULL},
        };
        VfioAliases aliases = VFIO_ALIASES_NULL;

        add_all(&aliases);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                const DeviceRow row = {"a", 1, .modalias = rows[i].modalias};
                _cleanup_device_facts_ DeviceFacts facts = facts_of_row(&row);
                VfioDriver driver = {NULL, NULL};
                int r = vfio_driver_named(&aliases, &facts, rows[i].name, &driver);

                ck_assert_msg(r == (rows[i].driver ? 0 : -ENOENT), "%s: %d", rows[i].name, r);
                assert_row_str(rows[i].name, driver.driver, rows[i].driver);
                assert_row_str(rows[i].name, driver.module, rows[i].module);
        }
        vfio_aliases_done(&aliases);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("vfio-alias");

        tcase_add_test(tests, only_lines_about_vfio_drivers_are_kept);
        tcase_add_test(tests, an_alias_of_no_module_is_not_kept);
        tcase_add_test(tests, the_best_driver_is_the_one_with_the_fewest_wildcards);
        tcase_add_test(tests, a_bus_without_a_vfio_driver_has_none);
        tcase_add_test(tests, only_a_vfio_driver_that_matches_can_be_named);
        return tests_run(tests);
}
