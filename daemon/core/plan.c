/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/plan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "daemon/util/string.h"

static const char *const kind_names[] = {
        [STEP_RAISE_MEMLOCK] = "raise-memlock",
        [STEP_LOAD_MODULE] = "load-module",
        [STEP_SET_OVERRIDE] = "set-override",
        [STEP_UNBIND_HOST] = "unbind-host",
        [STEP_BIND_VFIO] = "bind-vfio",
        [STEP_UNBIND_VFIO] = "unbind-vfio",
        [STEP_BIND_HOST] = "bind-host",
        [STEP_CLAIM_GROUP] = "claim-group",
        [STEP_OPEN_CONTAINER] = "open-container",
        [STEP_OPEN_GROUP] = "open-group",
        [STEP_SET_CONTAINER] = "set-container",
        [STEP_SET_IOMMU] = "set-iommu",
        [STEP_GET_DEVICE] = "get-device",
        [STEP_CLOSE_DEVICE] = "close-device",
        [STEP_UNSET_CONTAINER] = "unset-container",
        [STEP_OPEN_IOMMUFD] = "open-iommufd",
        [STEP_ALLOC_IOAS] = "alloc-ioas",
        [STEP_OPEN_CDEV] = "open-cdev",
        [STEP_BIND_CDEV] = "bind-cdev",
        [STEP_ATTACH_CDEV] = "attach-cdev",
        [STEP_READ_IOVAS] = "read-iovas",
        [STEP_DETACH_CDEV] = "detach-cdev",
        [STEP_SEAL_CDEV] = "seal-cdev",
        [STEP_CLOSE_CDEV] = "close-cdev",
        [STEP_CLOSE_FILES] = "close-files",
        [STEP_TEST_GROUP] = "test-group",
        [STEP_FIND_HOLDERS] = "find-holders",
        [STEP_EXPECT_NOBODY] = "expect-nobody",
        [STEP_REQUEST_DEVICE] = "request-device",
        [STEP_QUIESCE] = "quiesce",
        [STEP_EVICT] = "evict",
        [STEP_SET_RESET_METHOD] = "set-reset-method",
        [STEP_RESET] = "reset",
        [STEP_RESET_FILE] = "reset-file",
        [STEP_HOT_RESET] = "hot-reset",
        [STEP_SET_AUTOPROBE] = "set-autoprobe",
        [STEP_SET_VFS] = "set-vfs",
        [STEP_CREATE_MDEV] = "create-mdev",
        [STEP_REMOVE_MDEV] = "remove-mdev",
        [STEP_READ_MDEV_TYPES] = "read-mdev-types",
        [STEP_INSPECT] = "inspect",
        [STEP_READ_SERIAL] = "read-serial",
        [STEP_ASSIGN] = "assign",
        [STEP_UNASSIGN] = "unassign",
};

static_assert(ELEMENTS(kind_names) == _STEP_KIND_MAX, "every kind of step has a name");

const char *step_kind_name(StepKind kind) {
        return kind_names[kind];
}

Step *plan_append(Plan *plan, StepKind kind, uint32_t group) {
        Step *grown = reallocarray(plan->steps, plan->n_steps + 1, sizeof(Step));

        if (!grown)
                return NULL;
        plan->steps = grown;
        grown[plan->n_steps] = (Step){.kind = kind, .group = group};
        return &grown[plan->n_steps++];
}

int step_set_device(Step *step, const char *device, const char *bus, const char *driver) {
        int r;

        r = string_set(&step->device, device);
        if (r >= 0)
                r = string_set(&step->bus, bus);
        if (r >= 0)
                r = string_set(&step->driver, driver);
        return r;
}

int step_set_override(Step *step, const char *override, const char *override_old) {
        int r;

        r = string_set(&step->override, override);
        if (r >= 0)
                r = string_set(&step->override_old, override_old);
        return r;
}

int step_add_group(Step *step, uint32_t group) {
        uint32_t *grown = reallocarray(step->groups, step->n_groups + 1, sizeof(uint32_t));

        if (!grown)
                return -ENOMEM;
        step->groups = grown;
        grown[step->n_groups++] = group;
        return 0;
}

static bool step_moves(StepKind kind) {
        switch (kind) {
        case STEP_SET_OVERRIDE:
        case STEP_UNBIND_HOST:
        case STEP_BIND_VFIO:
        case STEP_UNBIND_VFIO:
        case STEP_BIND_HOST:
        case STEP_REMOVE_MDEV:
                return true;
        default:
                return false;
        }
}

bool plan_moves_device(const Plan *plan, const char *device) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (step_moves(plan->steps[i].kind) && string_equal(plan->steps[i].device, device))
                        return true;
        return false;
}

uint64_t plan_grace_ms(const Plan *plan) {
        uint64_t sum = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                sum += plan->steps[i].grace_ms;
        return sum;
}

/* "group 3", "groups 3, 4". */
static char *describe_groups(const Step *step) {
        _cleanup_free_ char *text = string_format("group%s", step->n_groups == 1 ? "" : "s");

        for (size_t i = 0; text && i < step->n_groups; i++)
                if (string_append(&text, "%s%u", i > 0 ? ", " : " ", step->groups[i]) < 0)
                        return NULL;
        return TAKE_PTR(text);
}

static char *describe_evict(const Step *step) {
        _cleanup_free_ char *groups = describe_groups(step);

        return string_format("send %s to the holders of %s and give them %lu ms",
                             step->signal == SIGKILL ? "SIGKILL" : "SIGBUS",
                             string_or_empty(groups), (unsigned long)step->grace_ms);
}

static char *describe_look(const Step *step) {
        _cleanup_free_ char *groups = describe_groups(step);

        return string_format(step->kind == STEP_FIND_HOLDERS ? "look who holds %s"
                                                             : "see that nobody holds %s",
                             string_or_empty(groups));
}

char *step_describe(const Step *step) {
        switch (step->kind) {
        case STEP_RAISE_MEMLOCK:
                return string_format("raise RLIMIT_MEMLOCK of process %d to at least %" PRIu64
                                     " bytes",
                                     step->pid, step->bytes);
        case STEP_LOAD_MODULE:
                return string_format("load module %s", step->module);
        case STEP_SET_OVERRIDE:
                if (string_is_empty(step->override))
                        return string_format("clear driver_override of %s", step->device);
                return string_format("set driver_override of %s to %s", step->device,
                                     step->override);
        case STEP_UNBIND_HOST:
        case STEP_UNBIND_VFIO:
                return string_format("unbind %s from %s", step->device, step->driver);
        case STEP_BIND_VFIO:
                if (step->fallback)
                        return string_format("bind %s to %s, or else to %s", step->device,
                                             step->driver, step->fallback);
                return string_format("bind %s to %s", step->device, step->driver);
        case STEP_BIND_HOST:
                if (!step->driver)
                        return string_format("let the kernel find a driver for %s", step->device);
                return string_format("bind %s to %s", step->device, step->driver);
        case STEP_CLAIM_GROUP:
                return string_format("claim group %u", step->group);
        case STEP_OPEN_CONTAINER:
                return string_format("open a container");
        case STEP_OPEN_GROUP:
                return string_format("open group %u%s", step->group,
                                     step->no_iommu ? ", which has no IOMMU" : "");
        case STEP_SET_CONTAINER:
                return string_format("put group %u into the container", step->group);
        case STEP_SET_IOMMU:
                return string_format("set the container's IOMMU to %s",
                                     step->no_iommu ? "NOIOMMU" : "TYPE1v2");
        case STEP_GET_DEVICE:
                return string_format("open device %s of group %u", step->device, step->group);
        case STEP_CLOSE_DEVICE:
                return string_format("close device %s", step->device);
        case STEP_UNSET_CONTAINER:
                return string_format("take group %u out of the container", step->group);
        case STEP_OPEN_IOMMUFD:
                return string_format("open an iommufd");
        case STEP_ALLOC_IOAS:
                return string_format("allocate an IOAS");
        case STEP_OPEN_CDEV:
                return string_format("open cdev %s", step->device);
        case STEP_BIND_CDEV:
                return string_format("bind cdev %s to the iommufd", step->device);
        case STEP_ATTACH_CDEV:
                return string_format("attach %s to the IOAS", step->device);
        case STEP_READ_IOVAS:
                return string_format("read the IOVA ranges of the IOAS");
        case STEP_DETACH_CDEV:
                return string_format("detach %s from its IOAS", step->device);
        case STEP_SEAL_CDEV:
                return string_format("make cdev %s useless to others", step->device);
        case STEP_CLOSE_CDEV:
                return string_format("close cdev %s", step->device);
        case STEP_CLOSE_FILES:
                return string_format("close the files of %s", step->device ?: "the lease");
        case STEP_TEST_GROUP:
                return string_format("see that group %u is free", step->group);
        case STEP_FIND_HOLDERS:
        case STEP_EXPECT_NOBODY:
                return describe_look(step);
        case STEP_REQUEST_DEVICE:
                return string_format("ask the holder of %s for it by interrupt", step->device);
        case STEP_QUIESCE:
                return string_format("turn memory decode and bus mastering of %s off",
                                     step->device);
        case STEP_EVICT:
                return describe_evict(step);
        case STEP_SET_RESET_METHOD:
                return string_format("set reset_method of %s to %s", step->device,
                                     step->reset_method);
        case STEP_RESET:
                return string_format("reset %s", step->device);
        case STEP_RESET_FILE:
                return string_format("reset %s through its file", step->device);
        case STEP_HOT_RESET:
                return string_format("hot reset %s and what is reset with it", step->device);
        case STEP_SET_AUTOPROBE:
                return string_format("set sriov_drivers_autoprobe of %s to %d", step->device,
                                     step->autoprobe);
        case STEP_SET_VFS:
                if (step->n_vfs == 0)
                        return string_format("remove the virtual functions of %s", step->device);
                return string_format("make %u virtual function%s of %s", step->n_vfs,
                                     step->n_vfs == 1 ? "" : "s", step->device);
        case STEP_CREATE_MDEV:
                return string_format("make mediated device %s of type %s on %s", step->mdev_uuid,
                                     step->mdev_type, step->mdev_parent);
        case STEP_REMOVE_MDEV:
                return string_format("remove mediated device %s", step->device);
        case STEP_READ_MDEV_TYPES:
                return string_format("read the types of mediated devices of %s",
                                     step->mdev_parent ?: "all parents");
        case STEP_INSPECT:
                return string_format("read what the driver tells of %s", step->device);
        case STEP_READ_SERIAL:
                return string_format("read the serial number of %s", step->device);
        case STEP_ASSIGN:
                return string_format("assign %s from the next boot on", step->subjects);
        case STEP_UNASSIGN:
                return string_format("unassign %s from the next boot on", step->subjects);
        case _STEP_KIND_MAX:
                break;
        }
        abort();
}

char **plan_describe(const Plan *plan) {
        _cleanup_strv_ char **lines = calloc(1, sizeof(char *));

        for (size_t i = 0; lines && i < plan->n_steps; i++) {
                char *line = step_describe(&plan->steps[i]);

                if (!line || strv_push_consume(&lines, line) < 0)
                        return NULL;
        }
        return TAKE_PTR(lines);
}

void plan_done(Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                Step *step = &plan->steps[i];

                free(step->device);
                free(step->bus);
                free(step->driver);
                free(step->fallback);
                free(step->module);
                free(step->override);
                free(step->override_old);
                free(step->reset_method);
                free(step->reset_method_old);
                free(step->mdev_parent);
                free(step->mdev_type);
                free(step->mdev_uuid);
                free(step->directory);
                free(step->assignments);
                free(step->assignments_old);
                free(step->subjects);
                free(step->groups);
        }
        free(plan->steps);
        strv_free(plan->overridden);
        *plan = (Plan)PLAN_NULL;
}
