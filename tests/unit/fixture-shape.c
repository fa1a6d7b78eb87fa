/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the table of shapes, and how a shape becomes a world, a stub and a plan. */

#include "tests/unit/fixture-shape.h"

#include <check.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdio.h>

#include "daemon/kernel/iommufd.h"
#include "daemon/kernel/vfio.h"

#define OWNER 1000
#define HOLDER 812
#define VARIANT_ALIAS "alias vfio_pci:v000015B3d*sv*sd*bc*sc*i* mlx5_vfio_pci"

#define BRIDGE {"0000:00:03.0", 3, .class_code = CLASS_PCI_BRIDGE, .header_type = HEADER_BRIDGE}
#define ON_HOST(name, group) {name, group, "e1000", .original = "e1000"}
#define ON_VFIO(name, group) {name, group, "vfio-pci", .override = "vfio-pci", .original = "e1000"}
#define WITHOUT_IOMMU(name, group)                                                                 \
        {name, group, "vfio-pci", .override = "vfio-pci", .original = "e1000", .noiommu = true}
#define ON_CDEV(name, group)                                                                       \
        {name, group, "vfio-pci", .override = "vfio-pci", .original = "e1000", .cdev = "vfio0"}
#define BELOW(name, group) {name, group, "vfio-pci", .path = "pci0000:00/0000:00:01.0/" name}
#define BELOW_CDEV(name, group)                                                                    \
        {name, group, "vfio-pci", .cdev = "vfio" name, .path = "pci0000:00/0000:00:01.0/" name}
#define VARIANT(name, group)                                                                       \
        {name, group, "mlx5_core", .modalias = "pci:v000015B3d0000101Esv0sd0bc02sc00i00",          \
         .original = "mlx5_core"}

/* Of a revocation: whether the holder lets go does not hang on these. */
#define SPARED "quiesce reset send load bind"
#define SPARED_CDEV SPARED " detach open"

const Shape shapes[] = {
        {.name = "bind two beside a bridge",
         .devices = {BRIDGE, ON_HOST("0000:03:01.0", 3), ON_HOST("0000:03:02.0", 3)},
         .ask = {OPERATION_BIND, "group/3"}},
        {.name = "bind over overrides of others",
         .devices = {{"a", 1, "e1000", .override = "e1000"}, {"b", 1, .override = "none"}},
         .ask = {OPERATION_BIND, "group/1"}},
        {.name = "bind two groups",
         .devices = {ON_HOST("a", 1), ON_HOST("b", 2)},
         .ask = {OPERATION_BIND, "group/1 group/2"}},
        {.name = "bind to a variant",
         .devices = {VARIANT("a", 1)},
         .ask = {OPERATION_BIND, "group/1"},
         .spared = "bind is"},
        {.name = "bind to a variant that refuses",
         .devices = {VARIANT("a", 1), ON_HOST("b", 1)},
         .refuses = "mlx5_vfio_pci",
         .ask = {OPERATION_BIND, "group/1"},
         .spared = "bind"},
        {.name = "unbind two",
         .devices = {BRIDGE, ON_VFIO("0000:03:01.0", 3), ON_VFIO("0000:03:02.0", 3)},
         .ask = {OPERATION_UNBIND, "group/3"},
         .spared = "load bind"},
        {.name = "unbind to an override of others",
         .devices = {{"a", 1, "vfio-pci", .override = "vfio-pci", .original = "e1000",
                      .original_override = "e1000"}},
         .ask = {OPERATION_UNBIND, "group/1"},
         .spared = "load bind"},
        {.name = "unbind to a driver that is gone",
         .devices = {ON_VFIO("a", 1)},
         .missing = "e1000",
         .native = "e1001",
         .ask = {OPERATION_UNBIND, "group/1"},
         .spared = "load bind"},
        {.name = "unbind to no driver",
         .devices = {{"a", 1, "vfio-pci", .override = "vfio-pci", .original = ""}},
         .ask = {OPERATION_UNBIND, "group/1"}},
        {.name = "unbind what others bound",
         .devices = {{"a", 1, "vfio-pci", .override = "vfio-pci", .modalias = "pci:v1"}},
         .ask = {OPERATION_UNBIND, "group/1"},
         .spared = "load"},
        {.name = "unbind what somebody wants on another driver",
         .devices = {{"a", 1, "vfio-pci", .override = "e1000", .modalias = "pci:v1"}},
         .native = "e1000",
         .ask = {OPERATION_UNBIND, "group/1"},
         .spared = "load"},
        {.name = "unbind what somebody has taken already",
         .devices = {{"a", 1, .override = "vfio-pci", .original = "e1000", .bound = "vfio-pci"},
                     ON_VFIO("b", 1)},
         .ask = {OPERATION_UNBIND, "group/1"},
         .spared = "load bind"},
        {.name = "unbind two groups",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2)},
         .ask = {OPERATION_UNBIND, "group/1 group/2"},
         .spared = "load bind"},
        {.name = "acquire three groups",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2), ON_VFIO("c", 3)},
         .ask = {OPERATION_ACQUIRE, "a b c", OWNER}},
        {.name = "acquire a group of two",
         .devices = {BRIDGE, ON_VFIO("0000:03:01.0", 3), ON_VFIO("0000:03:02.0", 3)},
         .ask = {OPERATION_ACQUIRE, "group/3", OWNER}},
        {.name = "acquire with bind",
         .devices = {ON_HOST("a", 1), ON_HOST("b", 1)},
         .ask = {OPERATION_ACQUIRE, "group/1", OWNER, .bind = true}},
        {.name = "acquire with bind and memlock",
         .devices = {ON_HOST("a", 1)},
         .ask = {OPERATION_ACQUIRE, "group/1", OWNER, .bind = true, .memlock = 1 << 20,
                 .pid = 812}},
        {.name = "add with memlock",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2)},
         .before = {OPERATION_ACQUIRE, "a", OWNER, .memlock = 1 << 20, .pid = 812},
         .ask = {OPERATION_ADD, "b", OWNER, .lease = 1, .memlock = 1 << 21, .pid = 812}},
        {.name = "acquire, open only",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2)},
         .ask = {OPERATION_ACQUIRE, "a b", OWNER, .prepare = PREPARE_OPEN}},
        {.name = "add",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2), ON_VFIO("c", 3)},
         .before = {OPERATION_ACQUIRE, "a", OWNER},
         .ask = {OPERATION_ADD, "b c", OWNER, .lease = 1}},
        {.name = "add with bind",
         .devices = {ON_VFIO("a", 1), ON_HOST("b", 2)},
         .before = {OPERATION_ACQUIRE, "a", OWNER},
         .ask = {OPERATION_ADD, "b", OWNER, .lease = 1, .bind = true}},
        {.name = "remove",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2), ON_VFIO("c", 2)},
         .before = {OPERATION_ACQUIRE, "group/1 group/2", OWNER},
         .ask = {OPERATION_REMOVE, "group/2", OWNER, .lease = 1}},
        {.name = "inspect what nobody has",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 1)},
         .ask = {OPERATION_INSPECT, "a", OWNER}},
        {.name = "inspect what is leased",
         .devices = {ON_VFIO("a", 1)},
         .before = {OPERATION_ACQUIRE, "a", OWNER},
         .ask = {OPERATION_INSPECT, "a", OWNER}},
        {.name = "inspect what the holder has set up by itself",
         .devices = {ON_VFIO("a", 1)},
         .before = {OPERATION_ACQUIRE, "a", OWNER, .prepare = PREPARE_OPEN},
         .attaches = true,
         .ask = {OPERATION_INSPECT, "a", OWNER}},
        {.name = "reset what nobody has",
         .devices = {{"a", 1, "vfio-pci", .reset = "flr bus"}},
         .ask = {OPERATION_RESET, "a", OWNER}},
        {.name = "reset by a method",
         .devices = {{"a", 1, "vfio-pci", .reset = "flr bus"}},
         .ask = {OPERATION_RESET, "a", OWNER, .reset_method = "bus"}},
        {.name = "reset what is leased",
         .devices = {{"a", 1, "vfio-pci", .reset = "flr bus"}},
         .before = {OPERATION_ACQUIRE, "a", OWNER},
         .ask = {OPERATION_RESET, "a", OWNER, .reset_method = "flr"}},
        {.name = "reset what the holder has set up by itself",
         .devices = {{"a", 1, "vfio-pci", .reset = "flr bus"}},
         .before = {OPERATION_ACQUIRE, "a", OWNER, .prepare = PREPARE_OPEN},
         .attaches = true,
         .ask = {OPERATION_RESET, "a", OWNER}},
        {.name = "hot reset over two groups",
         .devices = {BELOW("a", 1), BELOW("b", 2)},
         .ask = {OPERATION_RESET, "a group/2", OWNER, .reset_method = "hot"}},
        {.name = "hot reset of two groups of a lease",
         .devices = {BELOW("a", 1), BELOW("b", 2)},
         .before = {OPERATION_ACQUIRE, "a b", OWNER},
         .ask = {OPERATION_RESET, "a group/2", OWNER, .reset_method = "hot"}},
        {.name = "make virtual functions",
         .devices = {{"a", 1, "igb", .total_vfs = 4}},
         .ask = {OPERATION_SET_VFS, "a", OWNER, .n_vfs = 2, .autoprobe = "no"}},
        {.name = "make another number of virtual functions",
         .devices = {{"a", 1, "igb", .total_vfs = 4},
                     {"b", 2, .physfn = "a"},
                     {"c", 3, "igbvf", .physfn = "a"}},
         .ask = {OPERATION_SET_VFS, "a group/2 group/3", OWNER, .n_vfs = 3, .recreate = true,
                 .autoprobe = "no"}},
        {.name = "remove virtual functions",
         .devices = {{"a", 1, "igb", .total_vfs = 4}, {"b", 2, "igbvf", .physfn = "a"}},
         .ask = {OPERATION_SET_VFS, "a group/2", OWNER}},
        {.name = "make a mediated device",
         .devices = {{"a", 1, "i915"}},
         .ask = {OPERATION_CREATE_MDEV, "a", OWNER, .mdev_type = "t", .mdev_uuid = "u"}},
        {.name = "remove a mediated device",
         .devices = {{"a", 1, "vfio_mdev", .bus = "mdev"}},
         .ask = {OPERATION_REMOVE_MDEV, "a", OWNER}},
        {.name = "remove a mediated device with a cdev",
         .devices = {{"a", 1, "vfio_mdev", .bus = "mdev", .cdev = "vfio0"}},
         .iommufd = true,
         .ask = {OPERATION_REMOVE_MDEV, "a", OWNER}},
        {.name = "assign two beside a bridge",
         .devices = {BRIDGE, ON_HOST("0000:03:01.0", 3), ON_HOST("0000:03:02.0", 3)},
         .ask = {OPERATION_ASSIGN, "group/3"}},
        {.name = "assign again, and bind",
         .devices = {ON_HOST("0000:03:01.0", 3), ON_VFIO("0000:03:02.0", 3)},
         .assigned = "0000:03:02.0",
         .ask = {OPERATION_ASSIGN, "group/3", .bind = true}},
        {.name = "unassign what waits for its driver",
         .devices = {{"0000:03:01.0", 3, .override = "vfio-pci"}, ON_HOST("0000:03:02.0", 3)},
         .assigned = "0000:03:01.0",
         .ask = {OPERATION_UNASSIGN, "group/3"}},
        {.name = "take what was let go of",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 1)},
         .before = {OPERATION_ACQUIRE, "group/1", OWNER},
         .vacated = true,
         .ask = {OPERATION_UNBIND, "group/1", .policy = POLICY_WAIT},
         .spared = "reset load bind"},
        {.name = "acquire without an IOMMU",
         .devices = {WITHOUT_IOMMU("a", 1), WITHOUT_IOMMU("b", 2)},
         .ask = {OPERATION_ACQUIRE, "a b", OWNER}},
        {.name = "take what has no IOMMU",
         .devices = {WITHOUT_IOMMU("a", 1)},
         .before = {OPERATION_ACQUIRE, "a", OWNER},
         .vacated = true,
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_WAIT},
         .spared = "reset load bind"},
        {.name = "unbind what has no IOMMU",
         .devices = {WITHOUT_IOMMU("a", 1)},
         .ask = {OPERATION_UNBIND, "a"},
         .spared = "load bind"},
        {.name = "revoke from a lease",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 1)},
         .before = {OPERATION_ACQUIRE, "group/1", OWNER},
         .yields_to = SIGBUS,
         .holds = HOLD_DEVICE,
         .ask = {OPERATION_UNBIND, "group/1", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED},
        {.name = "revoke by force",
         .devices = {ON_VFIO("a", 1)},
         .before = {OPERATION_ACQUIRE, "group/1", OWNER},
         .yields_to = SIGKILL,
         .holds = HOLD_MAPPING,
         .ask = {OPERATION_UNBIND, "group/1", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED},
        {.name = "revoke one of the groups in a container",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2)},
         .before = {OPERATION_ACQUIRE, "a b", OWNER},
         .yields_to = SIGBUS,
         .holds = HOLD_DEVICE,
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED},
        {.name = "revoke all groups in a container",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2)},
         .before = {OPERATION_ACQUIRE, "a b", OWNER},
         .yields_to = SIGBUS,
         .holds = HOLD_DEVICE,
         .ask = {OPERATION_UNBIND, "a b", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED},
        {.name = "revoke what the holder has opened by itself",
         .devices = {ON_VFIO("a", 1)},
         .before = {OPERATION_ACQUIRE, "a", OWNER, .prepare = PREPARE_OPEN},
         .attaches = true,
         .yields_to = SIGBUS,
         .holds = HOLD_DEVICE,
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED " open"},
        {.name = "revoke what was never used",
         .devices = {ON_VFIO("a", 1)},
         .before = {OPERATION_ACQUIRE, "a", OWNER, .prepare = PREPARE_OPEN},
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED " open"},
        {.name = "revoke what nobody leased",
         .devices = {ON_VFIO("a", 1)},
         .yields_to = SIGBUS,
         .holds = HOLD_GROUP,
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED},
        {.name = "revoke with and without a lease",
         .devices = {ON_VFIO("a", 1), ON_VFIO("b", 2)},
         .before = {OPERATION_ACQUIRE, "b", OWNER},
         .yields_to = SIGBUS,
         .holds = HOLD_GROUP,
         .ask = {OPERATION_UNBIND, "a b", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED},
        {.name = "unbind what has a cdev",
         .devices = {ON_CDEV("a", 1)},
         .ask = {OPERATION_UNBIND, "group/1"},
         .spared = "load bind"},
        {.name = "acquire cdevs",
         .devices = {BRIDGE, ON_CDEV("0000:03:01.0", 3), ON_CDEV("0000:03:02.0", 3)},
         .iommufd = true,
         .ask = {OPERATION_ACQUIRE, "group/3", OWNER}},
        {.name = "acquire cdevs, bound only",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 2)},
         .iommufd = true,
         .ask = {OPERATION_ACQUIRE, "a b", OWNER, .prepare = PREPARE_BIND}},
        {.name = "acquire cdevs, open only",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 1)},
         .iommufd = true,
         .ask = {OPERATION_ACQUIRE, "a b", OWNER, .prepare = PREPARE_OPEN}},
        {.name = "acquire cdevs with bind",
         .devices = {ON_HOST("a", 1), ON_HOST("b", 1)},
         .iommufd = true,
         .ask = {OPERATION_ACQUIRE, "group/1", OWNER, .bind = true}},
        {.name = "add cdevs",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 2), ON_CDEV("c", 2)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "a", OWNER},
         .ask = {OPERATION_ADD, "b c", OWNER, .lease = 1}},
        {.name = "add cdevs, open only",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 2)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "a", OWNER, .prepare = PREPARE_OPEN},
         .ask = {OPERATION_ADD, "b", OWNER, .lease = 1}},
        {.name = "remove cdevs",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 2), ON_CDEV("c", 2)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "group/1 group/2", OWNER},
         .ask = {OPERATION_REMOVE, "group/2", OWNER, .lease = 1}},
        {.name = "remove cdevs that were only opened",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 2), ON_CDEV("c", 2)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "group/1 group/2", OWNER, .prepare = PREPARE_OPEN},
         .ask = {OPERATION_REMOVE, "group/2", OWNER, .lease = 1},
         .spared = "open bind"},
        {.name = "reset a leased cdev",
         .devices = {ON_CDEV("a", 1)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "a", OWNER},
         .ask = {OPERATION_RESET, "a", OWNER}},
        {.name = "hot reset cdevs",
         .devices = {BELOW_CDEV("a", 1), BELOW_CDEV("b", 2)},
         .iommufd = true,
         .ask = {OPERATION_RESET, "a group/2", OWNER, .reset_method = "hot"}},
        {.name = "take cdevs that were let go of",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 1)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "group/1", OWNER},
         .vacated = true,
         .ask = {OPERATION_UNBIND, "group/1", .policy = POLICY_WAIT},
         .spared = "reset load bind"},
        {.name = "revoke cdevs from a lease",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 1)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "group/1", OWNER},
         .yields_to = SIGBUS,
         .holds = HOLD_CDEV,
         .ask = {OPERATION_UNBIND, "group/1", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED_CDEV},
        {.name = "revoke bound cdevs by force",
         .devices = {ON_CDEV("a", 1)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "group/1", OWNER, .prepare = PREPARE_BIND},
         .yields_to = SIGKILL,
         .holds = HOLD_MAPPING,
         .ask = {OPERATION_UNBIND, "group/1", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED_CDEV},
        {.name = "revoke one of the groups of an iommufd",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 2)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "a b", OWNER},
         .yields_to = SIGBUS,
         .holds = HOLD_CDEV,
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED_CDEV},
        {.name = "revoke cdevs that the holder has bound by itself",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 1)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "a b", OWNER, .prepare = PREPARE_OPEN},
         .attaches = true,
         .yields_to = SIGBUS,
         .holds = HOLD_CDEV,
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED_CDEV},
        {.name = "revoke cdevs that were never used",
         .devices = {ON_CDEV("a", 1), ON_CDEV("b", 1)},
         .iommufd = true,
         .before = {OPERATION_ACQUIRE, "a b", OWNER, .prepare = PREPARE_OPEN},
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED_CDEV},
        {.name = "revoke a cdev that nobody leased",
         .devices = {ON_CDEV("a", 1)},
         .yields_to = SIGBUS,
         .holds = HOLD_CDEV,
         .ask = {OPERATION_UNBIND, "a", .policy = POLICY_REVOKE, .due = true},
         .spared = SPARED},
};

const size_t n_shapes = ELEMENTS(shapes);

const Shape *shape_find(const char *name) {
        for (size_t i = 0; i < n_shapes; i++)
                if (strcmp(shapes[i].name, name) == 0)
                        return &shapes[i];
        ck_abort_msg("no shape '%s'", name);
        return NULL;
}

static void init_stub(const Shape *shape, size_t n) {
        stub_init();
        for (size_t i = 0; i < n; i++) {
                const DeviceRow *row = &shape->devices[i];
                StubDevice *device =
                        stub_add_device(row->name, row->group, row->driver, row->override);

                (void)snprintf(device->reset_method, sizeof(device->reset_method), "%s",
                               string_or_empty(row->reset));
                device->vfs_most = row->total_vfs;
                device->autoprobe = row->total_vfs > 0;
                for (size_t j = 0; j < n; j++)
                        device->vfs += string_equal(shape->devices[j].physfn, row->name);
                (void)snprintf(device->native, sizeof(device->native), "%s",
                               string_or_empty(shape->native ?: row->original));
                if (i == 0)
                        (void)snprintf(device->refuses, sizeof(device->refuses), "%s",
                                       string_or_empty(shape->refuses));
        }
        (void)snprintf(stub->missing_driver, sizeof(stub->missing_driver), "%s",
                       string_or_empty(shape->missing));
}

static void assign(Scene *scene, const char *device) {
        _cleanup_free_ char *text = NULL;

        world_assign(&scene->world, device, "vfio-pci", "");
        text = assignments_write(&scene->world.assignments);
        (void)snprintf(stub->assignments, sizeof(stub->assignments), "%s", text);
}

static void decide_plan(Scene *scene, const Ask *ask) {
        Answer answer;

        ask_world(&scene->world, ask, &answer);
        ck_assert_msg(answer.refusal.kind == REFUSAL_NONE, "%s", answer.refusal.sentence);
        scene->plan = answer.plan;
}

static uint32_t find_ioas(const Results *results) {
        for (size_t i = 0; i < results->findings.n_findings; i++)
                if (results->findings.findings[i].kind == FINDING_IOAS)
                        return (uint32_t)results->findings.findings[i].values[0];
        return 0;
}

/* The lease that the files opened before belong to. */
static void add_lease(Scene *scene, const Shape *shape) {
        Lease *lease = world_add_lease(&scene->world, OWNER, LEASE_HELD, (uint32_t[]){0});

        lease->mode = shape->iommufd ? MODE_IOMMUFD : MODE_GROUP;
        lease->prepare = shape->before.prepare;
        lease->iommufd.ioas = find_ioas(&scene->results);
        for (size_t i = 0; i < scene->files.n_handles; i++) {
                Handle *handle = &scene->files.handles[i];
                bool device = handle_kind_is_device(handle->kind);

                handle->fresh = false;
                if ((device || handle->kind == HANDLE_GROUP) &&
                    !lease_has_group(lease, handle->group))
                        ck_assert_int_eq(lease_add_group(lease, handle->group), 0);
                if (device)
                        ck_assert_int_eq(lease_add_device(lease, handle->device), 0);
        }
}

static void attach_cdevs(Scene *scene) {
        int iommufd = handles_find(&scene->files, HANDLE_IOMMUFD, 0, NULL);
        uint32_t ioas, id;

        ck_assert_int_eq(iommufd_alloc_ioas(iommufd, &ioas), 0);
        for (size_t i = 0; i < scene->files.n_handles; i++) {
                const Handle *handle = &scene->files.handles[i];

                if (handle->kind != HANDLE_CDEV)
                        continue;
                ck_assert_int_eq(cdev_bind(handle->fd, iommufd, &id), 0);
                ck_assert_int_eq(cdev_attach(handle->fd, ioas), 0);
        }
}

/* What the holder does with container and groups: its files are the same as ours. */
static void attach_groups(Scene *scene) {
        int container = handles_find(&scene->files, HANDLE_CONTAINER, 0, NULL);

        for (size_t i = 0; i < scene->files.n_handles; i++)
                if (scene->files.handles[i].kind == HANDLE_GROUP)
                        ck_assert_int_eq(
                                vfio_group_set_container(scene->files.handles[i].fd, container), 0);
        ck_assert_int_eq(vfio_container_set_iommu(container, VFIO_TYPE1v2_IOMMU), 0);
}

static void vacate(Scene *scene) {
        const Lease *lease = lease_table_find(&scene->world.leases, 1);

        for (size_t i = 0; i < lease->n_groups; i++)
                wait_vacate(world_add_wait(&scene->world, 0, (uint32_t[]){lease->groups[i], 0}),
                            lease->groups[i]);
}

static void run_before(Scene *scene, const Shape *shape) {
        decide_plan(scene, &shape->before);
        ck_assert_int_eq(scene_run(scene, NEVER).error, 0);
        add_lease(scene, shape);
        plan_done(&scene->plan);
        if (shape->attaches)
                shape->iommufd ? attach_cdevs(scene) : attach_groups(scene);
        if (shape->vacated)
                vacate(scene);
        stub->calls = 0;
        stub->log[0] = '\0';
}

/* Whoever was given nothing has opened the device by itself. */
static void add_holder(const Shape *shape) {
        StubHolder *holder =
                stub_add_holder(HOLDER, shape->holds, shape->devices[0].group,
                                shape->holds == HOLD_GROUP ? NULL : shape->devices[0].name);

        holder->yields_to = shape->yields_to;
        holder->bound = shape->holds == HOLD_CDEV && !holder->file;
}

void scene_init(Scene *scene, const Shape *shape) {
        size_t n = 0;

        while (n < ELEMENTS(shape->devices) && shape->devices[n].name)
                n++;
        *scene = (Scene){.plan = PLAN_NULL, .files = HANDLES_NULL};
        world_init(&scene->world, shape->devices, n);
        ck_assert_int_eq(vfio_aliases_add_line(&scene->world.aliases, VARIANT_ALIAS), 1);
        if (shape->iommufd)
                world_set_iommufd(&scene->world);
        scene->world.config.unsafe_noiommu = true;
        init_stub(shape, n);
        if (shape->assigned)
                assign(scene, shape->assigned);
        if (shape->before.targets)
                run_before(scene, shape);
        if (shape->yields_to)
                add_holder(shape);
        scene->world.config.sigbus_grace_ms = 0;
        decide_plan(scene, &shape->ask);
}

void scene_done(Scene *scene) {
        handles_done(&scene->files);
        results_done(&scene->results);
        plan_done(&scene->plan);
        world_done(&scene->world);
        stub_done();
}

typedef struct Canceller {
        const Progress *progress;
        size_t before;
} Canceller;

/* A step that waits asks too. */
static bool is_cancelled(void *userdata) {
        const Canceller *canceller = userdata;

        stub->step = canceller->progress->step;
        return stub->step == canceller->before;
}

Progress scene_run(Scene *scene, size_t cancel_before) {
        const Roots roots = ROOTS_NULL;
        Progress progress = {0};
        Canceller canceller = {.progress = &progress, .before = cancel_before};
        const ExecuteHost host = {
                .cancelled = is_cancelled, .userdata = &canceller, .vfiod = STUB_VFIOD};

        stub->undoing = &progress.undoing;
        results_done(&scene->results);
        execute_plan(&roots, &scene->plan, &scene->files, &scene->results, &progress, &host);
        stub->undoing = NULL;
        return progress;
}
