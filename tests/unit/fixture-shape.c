/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the table of shapes, and how a shape becomes a world, a stub and a plan. */

#include "tests/unit/fixture-shape.h"

#include <check.h>
#include <stdio.h>

#define OWNER 1000
#define VARIANT_ALIAS "alias vfio_pci:v000015B3d*sv*sd*bc*sc*i* mlx5_vfio_pci"

#define BRIDGE {"0000:00:03.0", 3, .class_code = CLASS_PCI_BRIDGE, .header_type = HEADER_BRIDGE}
#define ON_HOST(name, group) {name, group, "e1000", .original = "e1000"}
#define ON_VFIO(name, group) {name, group, "vfio-pci", .override = "vfio-pci", .original = "e1000"}
#define VARIANT(name, group)                                                                       \
        {name, group, "mlx5_core", .modalias = "pci:v000015B3d0000101Esv0sd0bc02sc00i00",          \
         .original = "mlx5_core"}

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

                (void)snprintf(device->native, sizeof(device->native), "%s",
                               string_or_empty(shape->native ?: row->original));
                if (i == 0)
                        (void)snprintf(device->refuses, sizeof(device->refuses), "%s",
                                       string_or_empty(shape->refuses));
        }
        (void)snprintf(stub->missing_driver, sizeof(stub->missing_driver), "%s",
                       string_or_empty(shape->missing));
}

static void decide_plan(Scene *scene, const Ask *ask) {
        Answer answer;

        ask_world(&scene->world, ask, &answer);
        ck_assert_msg(answer.refusal.kind == REFUSAL_NONE, "%s", answer.refusal.sentence);
        scene->plan = answer.plan;
}

/* The lease that the files opened before belong to. */
static void add_lease(Scene *scene) {
        Lease *lease = world_add_lease(&scene->world, OWNER, LEASE_HELD, (uint32_t[]){0});

        lease->attached = true;
        for (size_t i = 0; i < scene->files.n_handles; i++) {
                Handle *handle = &scene->files.handles[i];

                handle->fresh = false;
                if (handle->kind == HANDLE_GROUP)
                        ck_assert_int_eq(lease_add_group(lease, handle->group), 0);
                if (handle->kind == HANDLE_DEVICE)
                        ck_assert_int_eq(lease_add_device(lease, handle->device), 0);
        }
}

void scene_init(Scene *scene, const Shape *shape) {
        size_t n = 0;

        while (n < ELEMENTS(shape->devices) && shape->devices[n].name)
                n++;
        *scene = (Scene){.plan = PLAN_NULL, .files = HANDLES_NULL};
        world_init(&scene->world, shape->devices, n);
        ck_assert_int_eq(vfio_aliases_add_line(&scene->world.aliases, VARIANT_ALIAS), 1);
        init_stub(shape, n);
        if (shape->before.targets) {
                decide_plan(scene, &shape->before);
                ck_assert_int_eq(scene_run(scene, NEVER).error, 0);
                add_lease(scene);
                plan_done(&scene->plan);
                stub->calls = 0;
                stub->log[0] = '\0';
        }
        decide_plan(scene, &shape->ask);
        stub->step = 0;
}

void scene_done(Scene *scene) {
        handles_done(&scene->files);
        holds_done(&scene->holds);
        plan_done(&scene->plan);
        world_done(&scene->world);
        stub_done();
}

static bool is_cancelled(void *userdata) {
        return stub->step++ == *(const size_t *)userdata;
}

Progress scene_run(Scene *scene, size_t cancel_before) {
        const Roots roots = ROOTS_NULL;
        const ExecuteHost host = {
                .cancelled = is_cancelled, .userdata = &cancel_before, .vfiod = STUB_VFIOD};
        Progress progress = {0};

        stub->step = 0;
        stub->undoing = &progress.undoing;
        holds_done(&scene->holds);
        execute_plan(&roots, &scene->plan, &scene->files, &scene->holds, &progress, &host);
        stub->undoing = NULL;
        return progress;
}
