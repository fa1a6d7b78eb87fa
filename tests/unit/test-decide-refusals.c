/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every way the deciders say no: a table, and a count that reads the deciders' own sources and
 * fails when they name a refusal that the table has no row for.
 *
 * Arguments: the source root.
 */

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-world.h"

#define OWNER 1000
#define OTHER 1001

static const char *source_root;

/* What is different from the lab's machine, with group 1 and 2 bound. */
typedef void (*Prepared)(World *world);

static void as_it_is(World *world) {
        (void)world;
}

static void leased(World *world) {
        Lease *lease = world_add_lease(world, OTHER, LEASE_HELD, (uint32_t[]){1, 0});

        ck_assert_int_eq(string_set(&lease->label, "my VM"), 0);
}

static void own_lease(World *world) {
        Lease *lease = world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){1, 2, 0});

        lease->prepare = PREPARE_ATTACH;
}

static void draining(World *world) {
        (void)world_add_lease(world, OWNER, LEASE_DRAINING, (uint32_t[]){1, 0});
}

static void lost(World *world) {
        (void)world_add_lease(world, OWNER, LEASE_LOST, (uint32_t[]){1, 0});
}

static void granting(World *world) {
        (void)world_add_lease(world, OTHER, LEASE_GRANTING, (uint32_t[]){1, 0});
        (void)world_add_activity(world, OTHER, OPERATION_ACQUIRE, (uint32_t[]){1, 0});
}

static void busy(World *world) {
        (void)world_add_activity(world, OTHER, OPERATION_BIND, (uint32_t[]){1, 0});
}

static void stuck(World *world) {
        Activity *late = world_add_activity(world, OTHER, OPERATION_UNBIND, (uint32_t[]){3, 0});

        late->late = strdup("'unbind 0000:03:02.0 from e1000' has not returned");
        ck_assert_ptr_nonnull(late->late);
}

static void shpchp(World *world) {
        world_put(world,
                  &(DeviceRow){"0000:00:03.0", 3, "shpchp", .class_code = CLASS_PCI_BRIDGE,
                               .header_type = HEADER_BRIDGE},
                  1);
}

static void shpchp_over_bound(World *world) {
        shpchp(world);
        world_set_driver(world, "0000:03:01.0", "vfio-pci");
        world_set_driver(world, "0000:03:02.0", "vfio-pci");
}

static void half_bound(World *world) {
        world_set_driver(world, "0000:03:01.0", "vfio-pci");
        world_set_driver(world, "0000:03:02.0", NULL);
}

static void other_buses(World *world) {
        static const DeviceRow rows[] = {
                {"a-mdev", 20, "mdev", .bus = "mdev", .no_override = true},
                {"an-mdev", 21, "vfio_mdev", .bus = "mdev", .no_override = true},
                {"a-vfio-less", 22, "driver", .bus = "spi"},
        };

        world_put(world, rows, ELEMENTS(rows));
}

static void host_bridge(World *world) {
        static const DeviceRow rows[] = {
                {"0000:00:00.0", 20, "skl_uncore", .class_code = CLASS_HOST_BRIDGE},
                {"0000:00:00.1", 20, "e1000"},
        };

        world_put(world, rows, ELEMENTS(rows));
}

static void driverless_isa_bridge(World *world) {
        world_set_driver(world, "0000:00:1f.0", NULL);
}

static void few_operations(World *world) {
        (void)world_add_activity(world, OTHER, OPERATION_BIND, (uint32_t[]){4, 0});
        world->config.limit_operations = 1;
}

static void few_own_operations(World *world) {
        (void)world_add_activity(world, OWNER, OPERATION_BIND, (uint32_t[]){4, 0});
        world->config.limit_operations_per_uid = 1;
}

static void few_leases(World *world) {
        (void)world_add_lease(world, OTHER, LEASE_HELD, (uint32_t[]){4, 0});
        world->config.limit_leases = 1;
}

static void few_own_leases(World *world) {
        (void)world_add_lease(world, OWNER, LEASE_DRAINING, (uint32_t[]){4, 0});
        world->config.limit_leases_per_uid = 1;
}

static void few_groups(World *world) {
        world->config.limit_groups_per_lease = 1;
}

static void few_groups_in_own_lease(World *world) {
        (void)world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){1, 0});
        world->config.limit_groups_per_lease = 1;
}

static void few_groups_in_all(World *world) {
        (void)world_add_lease(world, OTHER, LEASE_HELD, (uint32_t[]){4, 0});
        world->config.limit_groups = 1;
}

static void few_own_groups(World *world) {
        (void)world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){4, 0});
        world->config.limit_groups_per_uid = 1;
}

static void few_targets(World *world) {
        world->config.limit_targets = 1;
}

static void reset_with_the_bus(World *world) {
        static const DeviceRow rows[] = {
                {"0000:05:00.0", 20, "vfio-pci", .path = "pci0000:00/0000:00:05.0/0000:05:00.0",
                 .reset = "bus"},
                {"0000:05:00.1", 21, "vfio-pci", .path = "pci0000:00/0000:00:05.0/0000:05:00.1",
                 .reset = "flr bus"},
        };

        world_put(world, rows, ELEMENTS(rows));
}

static void little_memlock(World *world) {
        world->config.memlock_max_bytes = 4096;
}

static void no_memlock(World *world) {
        world->config.memlock_max_bytes = 0;
}

/* A kernel without iommufd is the one of as_it_is(). */
static void iommufd(World *world) {
        world_set_iommufd(world);
        world_set_cdev(world, "0000:01:00.0", "vfio0");
}

static void no_cdevs(World *world) {
        world_set_iommufd(world);
        world->iommufd.cdevs = false;
}

static void own_iommufd_lease(World *world) {
        iommufd(world);
        own_lease(world);
        lease_table_find(&world->leases, 1)->mode = MODE_IOMMUFD;
}

/* Everything that stands in the way of resetting 08:00.0 with its bus, and 09:00.0. */
#define SLOT(name) .path = "pci0000:00/0000:00:08.0/" name
static void reset_in_company(World *world) {
        static const DeviceRow rows[] = {
                {"0000:08:00.0", 30, "vfio-pci", SLOT("0000:08:00.0"), .reset = "flr bus"},
                {"0000:08:00.1", 31, "vfio-pci", SLOT("0000:08:00.1"), .reset = "bus"},
                {"0000:08:00.2", 32, "e1000e", SLOT("0000:08:00.2"), .reset = "flr"},
                {"0000:08:00.3", 33, NULL, SLOT("0000:08:00.3"), .reset = "flr"},
                {"0000:09:00.0", 34, "vfio-pci", .path = "pci0000:00/0000:00:09.0/0000:09:00.0"},
                {"0000:0a:00.0", 35, "vfio-pci", .path = "pci0000:00/0000:00:0a.0/0000:0a:00.0",
                 .reset = ""},
        };

        world_put(world, rows, ELEMENTS(rows));
}

static void reset_in_leased_company(World *world) {
        reset_in_company(world);
        (void)world_add_lease(world, OTHER, LEASE_HELD, (uint32_t[]){31, 0});
}

static void reset_leased(World *world) {
        reset_in_company(world);
        world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){30, 0})->mode = MODE_IOMMUFD;
}

static void reset_leased_group(World *world) {
        reset_in_company(world);
        world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){30, 0})->mode = MODE_GROUP;
}

static void in_use(World *world) {
        world_add_use(world, "0000:03:02.0", "eth0 has a route");
        world_add_use(world, "0000:03:02.0", "it has 4 virtual functions");
}

static void without_iommu(World *world) {
        world_put(world, &(DeviceRow){"0000:0b:00.0", 40, "vfio-pci", .noiommu = true}, 1);
}

static void without_iommu_allowed(World *world) {
        without_iommu(world);
        world->config.unsafe_noiommu = true;
}

static void without_iommu_leased(World *world) {
        without_iommu_allowed(world);
        (void)world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){40, 0});
}

static void leased_beside_one_without_iommu(World *world) {
        without_iommu_allowed(world);
        (void)world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){2, 0});
}

static void without_group(World *world) {
        topology_set_ungrouped(&world->topology, "0000:0b:00.0", true);
}

/* Groups of vfio's own make are none of an IOMMU. */
static void without_group_or_iommu(World *world) {
        world_done(world);
        world_init(world, NULL, 0);
        without_iommu(world);
        topology_set_ungrouped(&world->topology, "0000:01:00.0", true);
}

static void broken_assignments(World *world) {
        ck_assert_int_eq(string_set(&world->assignments_problem,
                                    "/etc/vfiod/assignments.json: at byte 7: x"),
                         0);
}

static void no_directory(World *world) {
        world->config_directory = NULL;
}

static void many_assignments(World *world) {
        for (unsigned i = 0; i < ASSIGNMENTS_MAX; i++) {
                _cleanup_free_ char *name = string_format("%04x:00:00.0", i + 16);
                const Assignment entry = {.device = name};

                ck_assert_int_eq(assignments_put(&world->assignments, &entry), 0);
        }
}

static void functions_in_use(World *world) {
        static const DeviceRow rows[] = {
                {"0000:0c:00.0", 50, "igb"},
                {"0000:0c:10.0", 51, "igbvf", .physfn = "0000:0c:00.0"},
                {"0000:0c:10.2", 52, "vfio-pci", .physfn = "0000:0c:00.0"},
        };

        world_put(world, rows, ELEMENTS(rows));
}

/* 0d:00.0 with a function of each kind that is not to be removed, and one that is. */
static void functions(World *world) {
        static const DeviceRow rows[] = {
                {"0000:0d:00.0", 60, "igb", .total_vfs = 7},
                {"0000:0d:10.0", 61, "igbvf", .physfn = "0000:0d:00.0"},
                {"0000:0d:10.2", 62, .physfn = "0000:0d:00.0"},
                {"0000:0e:00.0", 65, "vfio-pci", .total_vfs = 7},
                {"0000:0f:00.0", 66, NULL, .total_vfs = 7},
        };

        world_put(world, rows, ELEMENTS(rows));
}

static void functions_of_the_host(World *world) {
        functions(world);
        world_add_use(world, "0000:0d:10.0", "eth1 has a route");
}

static void functions_on_vfio(World *world) {
        functions_of_the_host(world);
        world_set_driver(world, "0000:0d:10.2", "vfio-pci");
}

/* Of 0d:10.0, and of 0f:00.0, which has no driver yet. */
static void mediated(World *world) {
        static const DeviceRow rows[] = {
                {"mdev-a", 90, "vfio_mdev", .bus = "mdev", .no_override = true,
                 .path = "pci0000:0d/0000:0d:10.0/mdev-a"},
                {"mdev-b", 91, "vfio_mdev", .bus = "mdev", .no_override = true,
                 .path = "pci0000:0f/0000:0f:00.0/mdev-b"},
        };

        functions(world);
        world_put(world, rows, ELEMENTS(rows));
}

static void functions_leased(World *world) {
        functions_of_the_host(world);
        world_set_driver(world, "0000:0d:10.2", "vfio-pci");
        (void)world_add_lease(world, OTHER, LEASE_HELD, (uint32_t[]){62, 0});
}

static void functions_granting(World *world) {
        functions(world);
        world_set_driver(world, "0000:0d:10.2", "vfio-pci");
        (void)world_add_lease(world, OTHER, LEASE_GRANTING, (uint32_t[]){62, 0});
}

static void functions_busy(World *world) {
        functions(world);
        (void)world_add_activity(world, OTHER, OPERATION_BIND, (uint32_t[]){61, 0});
}

static void mediated_busy(World *world) {
        other_buses(world);
        (void)world_add_activity(world, OTHER, OPERATION_RESET, (uint32_t[]){21, 0});
}

static void mediated_leased(World *world) {
        other_buses(world);
        (void)world_add_lease(world, OTHER, LEASE_HELD, (uint32_t[]){21, 0});
}

static void physical_leased(World *world) {
        functions(world);
        (void)world_add_lease(world, OWNER, LEASE_HELD, (uint32_t[]){65, 0});
}

static void many_functions(World *world) {
        functions(world);
        for (unsigned i = 0; i < 10; i++) {
                _cleanup_free_ char *name = string_format("0000:0d:11.%u", i);

                world_put(world, &(DeviceRow){name, 70 + i, "vfio-pci", .physfn = "0000:0d:00.0"},
                          1);
        }
}

#define BIND OPERATION_BIND
#define UNBIND OPERATION_UNBIND
#define ACQUIRE OPERATION_ACQUIRE
#define ADD OPERATION_ADD
#define REMOVE OPERATION_REMOVE
#define INSPECT OPERATION_INSPECT
#define RESET OPERATION_RESET
#define SET_VFS OPERATION_SET_VFS
#define ASSIGN OPERATION_ASSIGN
#define UNASSIGN OPERATION_UNASSIGN
#define CREATE OPERATION_CREATE_MDEV
#define DESTROY OPERATION_REMOVE_MDEV
#define FUNCTIONS "0d:00.0 group/61 group/62"

static const struct {
        Prepared world;
        Ask ask;
        RefusalKind kind;
        const char *words;
} rows[] = {
        {as_it_is, {BIND, ""}, REFUSAL_NO_TARGETS, "no target given"},
        {few_targets, {BIND, "group/1 group/2"}, REFUSAL_TOO_MANY_TARGETS, "more than 1 targets"},
        {as_it_is, {BIND, "a/b"}, REFUSAL_INVALID_TARGET, "'a/b'"},
        {as_it_is, {BIND, "group/1 group/1"}, REFUSAL_DUPLICATE_TARGET, "'group/1'"},
        {as_it_is, {BIND, "group/1 01:00.0"}, REFUSAL_DUPLICATE_TARGET, "by its group 1"},
        {as_it_is, {BIND, "group/77"}, REFUSAL_NOT_FOUND, "no IOMMU group 77"},
        {as_it_is, {ACQUIRE, "77:00.0"}, REFUSAL_NOT_FOUND, "no device 0000:77:00.0"},

        /* Bind. */
        {as_it_is, {BIND, "00:1f.2"}, REFUSAL_HOST_DEVICE, "it holds the ISA bridge 0000:00:1f.0"},
        {driverless_isa_bridge, {BIND, "group/9"}, REFUSAL_HOST_DEVICE, "ISA bridge 0000:00:1f.0"},
        {host_bridge,
         {BIND, "00:00.1"},
         REFUSAL_HOST_DEVICE,
         "host bridge 0000:00:00.0 is bound to skl_uncore"},
        {in_use,
         {BIND, "03:01.0"},
         REFUSAL_HOST_DEVICE,
         "0000:03:02.0 is in use by the host: eth0 has a route, it has 4 virtual functions; end "
         "that use, or take a device that the host does not need ('--override-safety' takes it all "
         "the same)"},
        {in_use,
         {ACQUIRE, "03:01.0", OWNER, .bind = true},
         REFUSAL_HOST_DEVICE,
         "eth0 has a route"},
        {shpchp, {BIND, "03:01.0", .override_safety = true}, REFUSAL_NOT_VIABLE, "bound to shpchp"},
        {functions_in_use,
         {BIND, "0c:00.0", .override_safety = true},
         REFUSAL_HOST_DEVICE,
         "0000:0c:10.2, a virtual function of 0000:0c:00.0, is bound to vfio-pci; unbind it, and "
         "remove the virtual functions with 'vfioctl vfs 0000:0c:00.0 0' first"},
        {mediated,
         {BIND, "0f:00.0", .override_safety = true},
         REFUSAL_HOST_DEVICE,
         "mdev-b is a mediated device of 0000:0f:00.0, and would go with its driver; remove it "
         "with "
         "'vfioctl mdev remove mdev-b' first"},
        {as_it_is, {BIND, "group/5"}, REFUSAL_NOTHING_TO_BIND, "group 5 has only bridges"},
        {as_it_is, {BIND, "group/1 group/9"}, REFUSAL_HOST_DEVICE, "group 9"},
        {shpchp,
         {BIND, "03:01.0"},
         REFUSAL_NOT_VIABLE,
         "as root: echo 0000:00:03.0 > /sys/bus/pci/drivers/shpchp/unbind"},
        {other_buses, {BIND, "a-mdev"}, REFUSAL_NO_VFIO_DRIVER, "a-mdev is on the mdev bus"},
        {other_buses, {BIND, "a-vfio-less"}, REFUSAL_NO_VFIO_DRIVER, "on the spi bus"},
        {as_it_is,
         {BIND, "03:01.0", .driver = "e1000e"},
         REFUSAL_NO_VFIO_DRIVER,
         "e1000e is no vfio driver for 0000:03:01.0"},
        {leased,
         {BIND, "01:00.0"},
         REFUSAL_LEASED,
         "leased to uid 1001 (lease 1 for 'my VM'); it is free when the holder exits or after "
         "'vfioctl release 1'"},
        {busy, {BIND, "group/1"}, REFUSAL_BUSY, "group 1 is busy: bind for uid 1001 is under way"},
        {stuck,
         {BIND, "03:01.0"},
         REFUSAL_STUCK,
         "0000:00:03.0 is stuck: 'unbind 0000:03:02.0 from e1000' has not returned; it will be "
         "usable when"},
        {few_operations,
         {BIND, "03:01.0", OWNER},
         REFUSAL_LIMIT_EXCEEDED,
         "1 operations are under way, the limit (limits.operations)"},
        {few_own_operations,
         {BIND, "03:01.0", OWNER},
         REFUSAL_LIMIT_EXCEEDED,
         "uid 1000 has 1 operations under way, the limit (limits.operations_per_uid)"},

        /* Unbind. */
        {other_buses, {UNBIND, "an-mdev"}, REFUSAL_NO_VFIO_DRIVER, "no host driver to go back to"},
        {own_lease, {UNBIND, "01:00.0", OWNER}, REFUSAL_LEASED, "leased to uid 1000"},
        {draining,
         {UNBIND, "01:00.0", OWNER},
         REFUSAL_LEASED,
         "was given back by uid 1000 (lease 1), but a process still has it open"},
        {lost, {UNBIND, "01:00.0", OWNER}, REFUSAL_LEASED, "was given back"},
        {busy, {UNBIND, "01:00.0"}, REFUSAL_BUSY, "group 1 is busy"},
        {stuck, {UNBIND, "group/3"}, REFUSAL_STUCK, "0000:03:02.0"},
        {few_operations, {UNBIND, "01:00.0"}, REFUSAL_LIMIT_EXCEEDED, "limits.operations"},

        /* Acquire. */
        {as_it_is,
         {ACQUIRE, "03:01.0", OWNER},
         REFUSAL_NOT_VIABLE,
         "group 3 is not viable: 0000:03:01.0 is bound to e1000; 0000:03:02.0 is bound to e1000; "
         "bind the whole group with 'vfioctl bind group/3'"},
        {shpchp_over_bound,
         {ACQUIRE, "03:01.0", OWNER},
         REFUSAL_NOT_VIABLE,
         "0000:00:03.0 is a bridge bound to shpchp, which claims the whole group; as root: echo"},
        {as_it_is,
         {ACQUIRE, "00:1f.2", OWNER},
         REFUSAL_NOT_VIABLE,
         "0000:00:1f.2 is bound to ahci; group 9 is a part of the host's chipset: it holds the ISA "
         "bridge 0000:00:1f.0; use a device of another group"},
        {in_use,
         {ACQUIRE, "03:01.0", OWNER},
         REFUSAL_NOT_VIABLE,
         "0000:03:02.0 is bound to e1000; 0000:03:02.0 is in use by the host: eth0 has a route, it "
         "has 4 virtual functions; end that use"},
        {half_bound,
         {ACQUIRE, "03:01.0", OWNER},
         REFUSAL_NOT_BOUND,
         "group 3 is not on a vfio driver: 0000:03:02.0 is bound to no driver"},
        {as_it_is,
         {ACQUIRE, "group/4", OWNER},
         REFUSAL_NOT_BOUND,
         "0000:00:10.0 is bound to no driver; 0000:00:10.1"},
        {as_it_is, {ACQUIRE, "group/1 group/4", OWNER}, REFUSAL_NOT_BOUND, "group 4"},
        {as_it_is, {ACQUIRE, "group/5", OWNER}, REFUSAL_NOTHING_TO_BIND, "only bridges"},
        {half_bound,
         {ACQUIRE, "00:03.0", OWNER},
         REFUSAL_NOTHING_TO_BIND,
         "0000:00:03.0 is a bridge and cannot be given away; name a device of group 3, or group/3"},
        {as_it_is, {ACQUIRE, "group/9", OWNER, .bind = true}, REFUSAL_HOST_DEVICE, "chipset"},
        {as_it_is,
         {ACQUIRE, "group/3", OWNER, .bind = true, .driver = "nvme"},
         REFUSAL_NO_VFIO_DRIVER,
         "nvme is no vfio driver"},
        {as_it_is,
         {ACQUIRE, "group/1 group/2", OWNER, .fds_max = 5},
         REFUSAL_TOO_MANY_FDS,
         "would carry 6"},
        {as_it_is,
         {ACQUIRE, "group/3", OWNER, .bind = true, .fds_max = 4},
         REFUSAL_TOO_MANY_FDS,
         "would carry 5"},
        {leased, {ACQUIRE, "01:00.0", OWNER}, REFUSAL_LEASED, "lease 1"},
        {leased, {ACQUIRE, "01:00.0", OTHER}, REFUSAL_LEASED, "lease 1"},
        {leased, {ACQUIRE, "02:00.0 01:00.0", OWNER}, REFUSAL_LEASED, "group 1"},
        {granting, {ACQUIRE, "01:00.0", OWNER}, REFUSAL_BUSY, "acquire for uid 1001 is under way"},
        {stuck, {ACQUIRE, "group/3", OWNER}, REFUSAL_STUCK, "0000:03:02.0"},
        {few_groups,
         {ACQUIRE, "01:00.0 02:00.0", OWNER},
         REFUSAL_LIMIT_EXCEEDED,
         "2 groups in one lease, the limit is 1 (limits.groups_per_lease)"},
        {few_leases,
         {ACQUIRE, "01:00.0", OWNER},
         REFUSAL_LIMIT_EXCEEDED,
         "there are 1 leases, the limit (limits.leases)"},
        {few_leases, {ACQUIRE, "01:00.0", 0}, REFUSAL_LIMIT_EXCEEDED, "limits.leases)"},
        {few_groups_in_all,
         {ACQUIRE, "01:00.0", OWNER},
         REFUSAL_LIMIT_EXCEEDED,
         "there would be more than 1 groups in all leases, the limit (limits.groups)"},
        {few_groups_in_all, {ACQUIRE, "01:00.0", 0}, REFUSAL_LIMIT_EXCEEDED, "limits.groups)"},
        {few_own_groups,
         {ACQUIRE, "01:00.0", OWNER},
         REFUSAL_LIMIT_EXCEEDED,
         "uid 1000 would have more than 1 groups in its leases, the limit "
         "(limits.groups_per_uid)"},
        {few_own_leases,
         {ACQUIRE, "01:00.0", OWNER},
         REFUSAL_LIMIT_EXCEEDED,
         "uid 1000 has 1 leases, the limit (limits.leases_per_uid)"},
        {few_operations, {ACQUIRE, "01:00.0", OWNER}, REFUSAL_LIMIT_EXCEEDED, "limits.operations"},

        {reset_with_the_bus,
         {ACQUIRE, "05:00.0", OWNER},
         REFUSAL_RESET_SET_INCOMPLETE,
         "0000:05:00.0 cannot be reset by itself, and a reset of its bus resets 0000:05:00.1 "
         "(group "
         "21) too; lease group/21 with it, in one request"},
        {reset_with_the_bus,
         {ACQUIRE, "05:00.1", OWNER, .hot_reset = true},
         REFUSAL_RESET_SET_INCOMPLETE,
         "a hot reset of 0000:05:00.1 resets 0000:05:00.0 (group 20) too; lease group/20 with it, "
         "in one request, or leave out hot_reset"},

        {without_iommu,
         {ACQUIRE, "0b:00.0", 0},
         REFUSAL_UNSUPPORTED,
         "0000:0b:00.0 has no IOMMU: group 40 is one of the kernel's unsafe no-IOMMU mode"},
        {without_iommu,
         {ACQUIRE, "0b:00.0", 0, .bind = true, .override_safety = true},
         REFUSAL_UNSUPPORTED,
         "whoever has it can read and write all of the host's memory; an administrator who wants "
         "that all the same sets unsafe_noiommu in vfiod.json, and allows "
         "org.vfiod1.unsafe-noiommu"},
        {without_iommu,
         {ACQUIRE, "0b:00.0 01:00.0", 0, .mode = MODE_IOMMUFD},
         REFUSAL_UNSUPPORTED,
         "sets unsafe_noiommu"},
        {without_iommu_allowed,
         {ACQUIRE, "0b:00.0", OWNER, .mode = MODE_IOMMUFD},
         REFUSAL_UNSUPPORTED,
         "group 40 has no IOMMU, and the kernel lets no such device be bound to an iommufd; use "
         "mode 'group'"},
        {without_iommu_allowed,
         {ACQUIRE, "0b:00.0", OWNER, .prepare = PREPARE_BIND},
         REFUSAL_UNSUPPORTED,
         "group 40 has no IOMMU"},
        {without_iommu_allowed,
         {ACQUIRE, "0b:00.0 01:00.0", OWNER},
         REFUSAL_UNSUPPORTED,
         "group 40 has no IOMMU, and group 1 has one: the kernel puts no two such into one "
         "container; acquire each with a lease of its own"},
        {without_iommu_leased,
         {ADD, "01:00.0", OWNER, .lease = 1},
         REFUSAL_UNSUPPORTED,
         "group 40 has no IOMMU, and group 1 has one"},
        {leased_beside_one_without_iommu,
         {ADD, "0b:00.0", OWNER, .lease = 1},
         REFUSAL_UNSUPPORTED,
         "group 40 has no IOMMU, and group 2 has one"},
        {without_group,
         {ACQUIRE, "0b:00.0", OWNER},
         REFUSAL_NOT_FOUND,
         "0000:0b:00.0 is in no IOMMU group: the IOMMU of this machine does not stand behind it"},
        {without_group_or_iommu,
         {BIND, "01:00.0"},
         REFUSAL_NOT_FOUND,
         "0000:01:00.0 is in no IOMMU group: this machine has no IOMMU that is switched on; switch "
         "it on in the firmware and on the kernel's command line (intel_iommu=on)"},
        {without_iommu, {BIND, "0b:00.0"}, REFUSAL_UNSUPPORTED, "has no IOMMU"},
        {without_iommu, {INSPECT, "0b:00.0", 0}, REFUSAL_UNSUPPORTED, "has no IOMMU"},
        {little_memlock,
         {ACQUIRE, "01:00.0", OWNER, .memlock = 4097, .pid = 812},
         REFUSAL_LIMIT_EXCEEDED,
         "option memlock: 4097 bytes, the limit is 4096 (memlock.max_bytes)"},
        {no_memlock,
         {ACQUIRE, "01:00.0", 0, .memlock = 1, .pid = 812},
         REFUSAL_LIMIT_EXCEEDED,
         "the limit is 0 (memlock.max_bytes)"},
        {as_it_is,
         {ACQUIRE, "01:00.0", OWNER, .memlock = 4096},
         REFUSAL_UNSUPPORTED,
         "it is not known for certain which process calls; call from a process that is still "
         "there"},
        {own_lease,
         {ADD, "group/4", OWNER, .bind = true, .lease = 1, .memlock = 4096},
         REFUSAL_UNSUPPORTED,
         "which process calls"},
        /* Modes. */
        {as_it_is,
         {ACQUIRE, "01:00.0", OWNER, .mode = MODE_IOMMUFD},
         REFUSAL_UNSUPPORTED,
         "this kernel has no iommufd (CONFIG_IOMMUFD); use mode 'group'"},
        {as_it_is,
         {ACQUIRE, "01:00.0", OWNER, .prepare = PREPARE_BIND},
         REFUSAL_UNSUPPORTED,
         "this kernel has no iommufd"},
        {no_cdevs,
         {ACQUIRE, "01:00.0", OWNER, .mode = MODE_IOMMUFD},
         REFUSAL_UNSUPPORTED,
         "this kernel gives VFIO devices no nodes of their own (CONFIG_VFIO_DEVICE_CDEV); use mode "
         "'group'"},
        {iommufd,
         {ACQUIRE, "01:00.0 02:00.0", OWNER, .mode = MODE_IOMMUFD},
         REFUSAL_UNSUPPORTED,
         "0000:02:00.0 has no node under /dev/vfio/devices; use mode 'group'"},
        {iommufd,
         {ACQUIRE, "02:00.0", OWNER, .prepare = PREPARE_BIND},
         REFUSAL_UNSUPPORTED,
         "0000:02:00.0 has no node"},
        {iommufd,
         {ACQUIRE, "01:00.0", OWNER, .mode = MODE_GROUP, .cookies = "0000:01:00.0=7"},
         REFUSAL_INVALID_OPTION_VALUE,
         "option cookies: only in mode 'iommufd', and this is 'group'"},
        {as_it_is,
         {ACQUIRE, "01:00.0", OWNER, .cookies = "0000:01:00.0=7"},
         REFUSAL_INVALID_OPTION_VALUE,
         "only in mode 'iommufd'"},
        {iommufd,
         {ACQUIRE, "01:00.0", OWNER, .cookies = "0000:01:00.0=7 0000:02:00.0=8"},
         REFUSAL_INVALID_OPTION_VALUE,
         "option cookies: 0000:02:00.0 is not among the devices asked for"},
        {iommufd,
         {ACQUIRE, "01:00.0", OWNER, .mode = MODE_IOMMUFD, .fds_max = 2},
         REFUSAL_TOO_MANY_FDS,
         "would carry 3"},
        {own_iommufd_lease,
         {ADD, "03:01.0", OWNER, .lease = 1, .mode = MODE_GROUP},
         REFUSAL_INVALID_OPTION_VALUE,
         "option mode: lease 1 is in mode 'iommufd'; acquire a lease of its own"},
        {own_lease,
         {ADD, "03:01.0", OWNER, .lease = 1, .mode = MODE_IOMMUFD},
         REFUSAL_INVALID_OPTION_VALUE,
         "option mode: lease 1 is in mode 'group'"},

        /* Add and remove. */
        {as_it_is, {ADD, "01:00.0", OWNER, .lease = 1}, REFUSAL_NOT_FOUND, "there is no lease 1"},
        {leased,
         {ADD, "02:00.0", OWNER, .lease = 1},
         REFUSAL_NOT_OWNER,
         "lease 1 belongs to uid 1001"},
        {leased, {ADD, "02:00.0", 0, .lease = 1}, REFUSAL_NOT_OWNER, "only its owner"},
        {draining, {ADD, "02:00.0", OWNER, .lease = 1}, REFUSAL_LEASE_ENDED, "lease 1 is draining"},
        {lost, {ADD, "02:00.0", OWNER, .lease = 1}, REFUSAL_LEASE_ENDED, "lease 1 is lost"},
        {own_lease, {ADD, "01:00.0", OWNER, .lease = 1}, REFUSAL_LEASED, "lease 1"},
        {own_lease, {ADD, "03:01.0", OWNER, .lease = 1}, REFUSAL_NOT_VIABLE, "group 3"},
        {few_groups_in_own_lease,
         {ADD, "02:00.0", OWNER, .lease = 1},
         REFUSAL_LIMIT_EXCEEDED,
         "2 groups in one lease"},
        {as_it_is,
         {REMOVE, "01:00.0", OWNER, .lease = 7},
         REFUSAL_NOT_FOUND,
         "there is no lease 7"},
        {leased, {REMOVE, "01:00.0", OWNER, .lease = 1}, REFUSAL_NOT_OWNER, "uid 1001"},
        {draining, {REMOVE, "01:00.0", OWNER, .lease = 1}, REFUSAL_LEASE_ENDED, "draining"},
        {own_lease,
         {REMOVE, "03:01.0", OWNER, .lease = 1},
         REFUSAL_NOT_IN_LEASE,
         "lease 1 does not have group 3"},
        {own_lease,
         {REMOVE, "group/1 group/2", OWNER, .lease = 1},
         REFUSAL_NOT_IN_LEASE,
         "no group left"},

        /* Inspect. */
        {as_it_is, {INSPECT, "77:00.0", OWNER}, REFUSAL_NOT_FOUND, "no device 0000:77:00.0"},
        {as_it_is, {INSPECT, "03:01.0", OWNER}, REFUSAL_NOT_BOUND, "bound to e1000; only a device"},
        {shpchp_over_bound, {INSPECT, "03:01.0", OWNER}, REFUSAL_NOT_VIABLE, "bound to shpchp"},
        {draining, {INSPECT, "01:00.0", OWNER}, REFUSAL_IN_USE, "given back by uid 1000 (lease 1)"},
        {busy, {INSPECT, "01:00.0", OWNER}, REFUSAL_BUSY, "group 1 is busy"},
        {stuck, {INSPECT, "03:01.0", OWNER}, REFUSAL_STUCK, "0000:00:03.0 is stuck"},
        {few_operations, {INSPECT, "01:00.0", OWNER}, REFUSAL_LIMIT_EXCEEDED, "limits.operations"},

        /* Reset. */
        {as_it_is, {RESET, "77:00.0", OWNER}, REFUSAL_NOT_FOUND, "no device 0000:77:00.0"},
        {other_buses,
         {RESET, "an-mdev", OWNER},
         REFUSAL_UNSUPPORTED,
         "an-mdev is on the mdev bus; only PCI devices"},
        {as_it_is,
         {RESET, "00:01.0", OWNER},
         REFUSAL_UNSUPPORTED,
         "0000:00:01.0 is a bridge, and its reset would be that of all below it"},
        {as_it_is,
         {RESET, "01:00.0", OWNER, .reset_method = "flr"},
         REFUSAL_UNSUPPORTED,
         "this kernel does not let a reset method be chosen"},
        {as_it_is,
         {RESET, "03:01.0", OWNER},
         REFUSAL_NOT_BOUND,
         "0000:03:01.0 is bound to e1000, and in use by the host; bind the whole group with "
         "'vfioctl bind group/3'"},
        {leased, {RESET, "01:00.0", OWNER}, REFUSAL_LEASED, "leased to uid 1001 (lease 1"},
        {leased, {RESET, "01:00.0", 0}, REFUSAL_LEASED, "leased to uid 1001"},
        {draining, {RESET, "01:00.0", OWNER}, REFUSAL_IN_USE, "given back by uid 1000 (lease 1)"},
        {granting, {RESET, "01:00.0", OWNER}, REFUSAL_BUSY, "acquire for uid 1001"},
        {busy, {RESET, "01:00.0", OWNER}, REFUSAL_BUSY, "group 1 is busy"},
        {reset_in_company,
         {RESET, "08:00.0", OWNER, .reset_method = "pm"},
         REFUSAL_NO_RESET,
         "0000:08:00.0 has no reset method 'pm'; it has flr, bus"},
        {reset_in_company,
         {RESET, "09:00.0", OWNER},
         REFUSAL_NO_RESET,
         "0000:09:00.0 cannot be reset alone: the kernel knows no method for it"},
        {reset_in_company,
         {RESET, "0a:00.0", OWNER, .reset_method = "flr"},
         REFUSAL_NO_RESET,
         "all its methods are switched off in its reset_method"},
        {reset_in_company,
         {RESET, "08:00.0", OWNER, .reset_method = "bus"},
         REFUSAL_RESET_SET_INCOMPLETE,
         "a reset of the bus of 0000:08:00.0 is one of 0000:08:00.1 (group 31), 0000:08:00.2 "
         "(group 32), 0000:08:00.3 (group 33) too; that is the method 'hot'"},
        {reset_in_company,
         {RESET, "08:00.1", OWNER},
         REFUSAL_RESET_SET_INCOMPLETE,
         "a reset of the bus of 0000:08:00.1"},
        {reset_in_leased_company,
         {RESET, "08:00.0 group/31 group/32 group/33", OWNER, .reset_method = "hot"},
         REFUSAL_RESET_SET_INCOMPLETE,
         "a hot reset of 0000:08:00.0 is one of 0000:08:00.1 (leased to uid 1001), 0000:08:00.2 "
         "(bound to e1000e), 0000:08:00.3 (on no vfio driver) too; bind them all, when nobody has "
         "them"},
        {reset_leased_group,
         {RESET, "08:00.0 group/31 group/32 group/33", OWNER, .reset_method = "hot"},
         REFUSAL_RESET_SET_INCOMPLETE,
         "0000:08:00.1 (in no group of lease 1)"},
        {reset_in_company,
         {RESET, "08:00.3", OWNER, .reset_method = "hot"},
         REFUSAL_NOT_BOUND,
         "0000:08:00.3 is bound to no driver"},
        {half_bound,
         {RESET, "03:01.0", OWNER, .reset_method = "hot"},
         REFUSAL_NOT_BOUND,
         "0000:03:02.0 is bound to no driver"},
        {reset_leased,
         {RESET, "08:00.0", OWNER},
         REFUSAL_IN_USE,
         "group 30 is leased to uid 1000 (lease 1) without a file of 0000:08:00.0; reset it when "
         "the lease is over"},
        {few_operations, {RESET, "01:00.0", OWNER}, REFUSAL_LIMIT_EXCEEDED, "limits.operations"},

        /* Mediated devices. */
        {as_it_is,
         {CREATE, NULL, .mdev_type = "../mtty-1", .mdev_uuid = "u"},
         REFUSAL_NOT_FOUND,
         "mtty has no type '../mtty-1' of mediated devices"},
        {as_it_is,
         {CREATE, NULL, .mdev_type = "\x01", .mdev_uuid = "u"},
         REFUSAL_NOT_FOUND,
         "mtty has no type '?'"},
        {other_buses,
         {CREATE, NULL, .mdev_type = "mtty-1", .mdev_uuid = "an-mdev"},
         REFUSAL_ALREADY_EXISTS,
         "there is a device an-mdev already; take another UUID"},
        {busy,
         {CREATE, "01:00.0", .mdev_type = "t", .mdev_uuid = "u"},
         REFUSAL_BUSY,
         "group 1 is busy"},
        {few_operations,
         {CREATE, NULL, OWNER, .mdev_type = "t", .mdev_uuid = "u"},
         REFUSAL_LIMIT_EXCEEDED,
         "limits.operations"},
        {as_it_is,
         {DESTROY, "01:00.0"},
         REFUSAL_UNSUPPORTED,
         "0000:01:00.0 is on the pci bus; only mediated devices can be removed"},
        {as_it_is, {DESTROY, "an-mdev"}, REFUSAL_NOT_FOUND, "no device an-mdev"},
        {mediated_leased,
         {DESTROY, "an-mdev", OTHER},
         REFUSAL_LEASED,
         "group 21 is leased to uid 1001 (lease 1)"},
        {mediated_busy, {DESTROY, "an-mdev"}, REFUSAL_BUSY, "group 21 is busy: reset"},

        /* Virtual functions. */
        {as_it_is,
         {SET_VFS, "01:00.0", .n_vfs = 1},
         REFUSAL_UNSUPPORTED,
         "0000:01:00.0 cannot have virtual functions"},
        {other_buses,
         {SET_VFS, "an-mdev", .n_vfs = 1},
         REFUSAL_UNSUPPORTED,
         "an-mdev cannot have virtual functions"},
        {functions,
         {SET_VFS, "0d:10.0", .n_vfs = 1},
         REFUSAL_UNSUPPORTED,
         "0000:0d:10.0 is a virtual function of 0000:0d:00.0 itself; name that device"},
        {functions,
         {SET_VFS, FUNCTIONS, .n_vfs = 8, .recreate = true},
         REFUSAL_EXHAUSTED,
         "0000:0d:00.0 can have 7 virtual functions at most, not 8"},
        {functions,
         {SET_VFS, FUNCTIONS, .n_vfs = 3},
         REFUSAL_ALREADY_EXISTS,
         "0000:0d:00.0 has 2 virtual functions, and the kernel makes another number from none "
         "only; remove them with 'vfioctl vfs 0000:0d:00.0 0' first, or give --recreate"},
        {functions,
         {SET_VFS, "0e:00.0", .n_vfs = 1},
         REFUSAL_UNSUPPORTED,
         "0000:0e:00.0 is bound to vfio-pci: virtual functions of it would want a VF token"},
        {functions,
         {SET_VFS, "0f:00.0", .n_vfs = 1},
         REFUSAL_UNSUPPORTED,
         "0000:0f:00.0 is bound to no driver"},
        {physical_leased,
         {SET_VFS, "0e:00.0", OWNER, .n_vfs = 1},
         REFUSAL_LEASED,
         "group 65 is leased to uid 1000 (lease 1)"},
        {functions_of_the_host,
         {SET_VFS, FUNCTIONS},
         REFUSAL_HOST_DEVICE,
         "virtual functions of 0000:0d:00.0 are in use: 0000:0d:10.0 (in use by the host: eth1 has "
         "a route); end that use first"},
        {functions_on_vfio,
         {SET_VFS, FUNCTIONS},
         REFUSAL_IN_USE,
         "0000:0d:10.0 (in use by the host: eth1 has a route), 0000:0d:10.2 (bound to vfio-pci); "
         "give it back with 'vfioctl unbind', and remove mediated devices, first"},
        {mediated,
         {SET_VFS, FUNCTIONS},
         REFUSAL_IN_USE,
         "0000:0d:10.0 (parent of mediated device mdev-a); give it back"},
        {functions_leased,
         {SET_VFS, FUNCTIONS, .n_vfs = 3, .recreate = true},
         REFUSAL_LEASED,
         "0000:0d:10.2 (leased to uid 1001, lease 1); it is free when the lease is over"},
        {functions_granting, {SET_VFS, FUNCTIONS}, REFUSAL_IN_USE, "0000:0d:10.2 (bound to"},
        /* Assignments: what Bind would refuse, and the file. */
        {as_it_is, {ASSIGN, "group/9"}, REFUSAL_HOST_DEVICE, "a part of the host's chipset"},
        {in_use,
         {ASSIGN, "group/3"},
         REFUSAL_HOST_DEVICE,
         "0000:03:02.0 is in use by the host: eth0 has a route"},
        {as_it_is, {ASSIGN, "group/5"}, REFUSAL_NOTHING_TO_BIND, "group 5 has only bridges"},
        {other_buses,
         {ASSIGN, "an-mdev"},
         REFUSAL_UNSUPPORTED,
         "an-mdev is on the mdev bus; only PCI devices can be assigned"},
        {as_it_is,
         {ASSIGN, "01:00.0", .driver = "mlx5_vfio_pci"},
         REFUSAL_NO_VFIO_DRIVER,
         "0000:01:00.0 is bound to vfio-pci; unbind it before it is assigned to mlx5_vfio_pci"},
        {busy, {ASSIGN, "01:00.0"}, REFUSAL_BUSY, "group 1 is busy: bind for uid 1001"},
        {few_operations, {ASSIGN, "01:00.0"}, REFUSAL_LIMIT_EXCEEDED, "limits.operations"},
        {leased, {ASSIGN, "01:00.0", .bind = true}, REFUSAL_LEASED, "lease 1 for 'my VM'"},
        {broken_assignments,
         {ASSIGN, "01:00.0"},
         REFUSAL_BAD_ASSIGNMENTS,
         "/etc/vfiod/assignments.json: at byte 7: x; mend it or remove it"},
        {broken_assignments, {UNASSIGN, "01:00.0"}, REFUSAL_BAD_ASSIGNMENTS, "mend it or remove"},
        {no_directory, {ASSIGN, "01:00.0"}, REFUSAL_UNSUPPORTED, "no directory to write"},
        {many_assignments, {ASSIGN, "01:00.0"}, REFUSAL_LIMIT_EXCEEDED, "more than 4096 devices"},
        {as_it_is,
         {UNASSIGN, "0000:77:00.0"},
         REFUSAL_NOT_FOUND,
         "there is no device 0000:77:00.0 with an IOMMU group, and none is assigned"},
        {as_it_is, {UNASSIGN, "group/77"}, REFUSAL_NOT_FOUND, "there is no IOMMU group 77"},
        {busy, {UNASSIGN, "01:00.0"}, REFUSAL_BUSY, "group 1 is busy"},
        {functions_busy, {SET_VFS, FUNCTIONS}, REFUSAL_BUSY, "group 61 is busy: bind for uid 1001"},
        {many_functions,
         {SET_VFS, FUNCTIONS},
         REFUSAL_IN_USE,
         "0000:0d:11.7 (bound to vfio-pci) and 2 more; give it back"},
};

START_TEST(each_refusal_names_the_subject_and_the_remedy) {
        World world;

        world_init_lab(&world);
        world_set_driver(&world, "0000:01:00.0", "vfio-pci");
        world_set_driver(&world, "0000:02:00.0", "vfio-pci");
        rows[_i].world(&world);
        assert_refused(&world, &rows[_i].ask, rows[_i].kind, rows[_i].words);
        world_done(&world);
}
END_TEST

/* "NotViable" as it is spelt in C: "NOT_VIABLE". */
static void spell(RefusalKind kind, char *buffer) {
        for (const char *c = refusal_name(kind); *c; c++) {
                if (isupper((unsigned char)*c) && c != refusal_name(kind))
                        *buffer++ = '_';
                *buffer++ = (char)toupper((unsigned char)*c);
        }
        *buffer = '\0';
}

static RefusalKind kind_of(const char *word) {
        char buffer[64];

        for (RefusalKind kind = REFUSAL_NONE + 1; kind < _REFUSAL_MAX; kind++) {
                spell(kind, buffer);
                if (strlen(buffer) == strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") &&
                    strncmp(word, buffer, strlen(buffer)) == 0)
                        return kind;
        }
        return REFUSAL_NONE;
}

/* Marks every REFUSAL_... that a source file names. */
static void read_source(const char *path, bool *named) {
        static const char prefix[] = "REFUSAL_";
        FILE *file = fopen(path, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        ck_assert_ptr_nonnull(file);
        while (getline(&line, &size, file) >= 0)
                for (const char *c = line; (c = strstr(c, prefix)); c++)
                        named[kind_of(c + strlen(prefix))] = true;
        (void)fclose(file);
}

START_TEST(every_refusal_that_the_deciders_name_has_a_row) {
        static const char *const patterns[] = {"decide-*.c", "select.c", "request.c"};
        bool named[_REFUSAL_MAX] = {false};
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS(patterns); i++) {
                _cleanup_free_ char *pattern =
                        string_format("%s/daemon/core/%s", source_root, patterns[i]);
                glob_t found;

                ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
                for (size_t j = 0; j < found.gl_pathc; j++)
                        read_source(found.gl_pathv[j], named);
                globfree(&found);
        }
        for (RefusalKind kind = REFUSAL_NONE + 1; kind < _REFUSAL_MAX; kind++) {
                bool has_row = false;

                for (size_t i = 0; i < ELEMENTS(rows); i++)
                        has_row = has_row || rows[i].kind == kind;
                n += named[kind];
                ck_assert_msg(named[kind] == has_row, "%s: the sources %s it, the table %s",
                              refusal_name(kind), named[kind] ? "name" : "do not name",
                              has_row ? "has it" : "does not");
        }
        ck_assert_uint_ge(n, 18);
}
END_TEST

int main(int argc, char **argv) {
        TCase *tests = tests_new("decide-refusals");

        source_root = argc > 1 ? argv[1] : ".";
        tcase_add_loop_test(tests, each_refusal_names_the_subject_and_the_remedy, 0,
                            (int)ELEMENTS(rows));
        tcase_add_test(tests, every_refusal_that_the_deciders_name_has_a_row);
        return tests_run(tests);
}
