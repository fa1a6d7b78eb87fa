/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/mdev-types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

#define PARENTS "class/mdev_bus"
#define PATH_SIZE 1024

bool mdev_is_parent(const Roots *roots, const char *name) {
        char path[PATH_SIZE];

        (void)snprintf(path, sizeof(path), PARENTS "/%s/mdev_supported_types", name);
        return sysfs_exists(roots->sys_fd, path);
}

static int add_text(Findings *findings, MdevField field, const char *text) {
        size_t left = strlen(text);
        int r = 0;

        for (; r >= 0 && left > 0;) {
                size_t n = left < FINDING_BYTES ? left : FINDING_BYTES;
                Finding finding = {.kind = FINDING_MDEV_TEXT, .values = {field, n}};

                memcpy(finding.bytes, text, n);
                r = findings_add(findings, &finding);
                text += n;
                left -= n;
        }
        return r;
}

static int add_attribute(const Roots *roots, const char *directory, const char *name,
                         MdevField field, Findings *findings) {
        _cleanup_free_ char *text = NULL;
        char path[PATH_SIZE + 32];
        int r;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        r = sysfs_read_optional(roots->sys_fd, path, &text);
        return r < 0 ? r : add_text(findings, field, text);
}

static int read_available(const Roots *roots, const char *directory, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        char path[PATH_SIZE + 32];
        int r;

        (void)snprintf(path, sizeof(path), "%s/available_instances", directory);
        r = sysfs_read_optional(roots->sys_fd, path, &text);
        if (r >= 0 && string_to_u64(text, UINT32_MAX, ret) < 0)
                *ret = 0;
        return r;
}

static int add_type(const Roots *roots, const char *parent, const char *type, Findings *findings) {
        Finding finding = {.kind = FINDING_MDEV_TYPE};
        char directory[PATH_SIZE];
        int r;

        (void)snprintf(finding.device, sizeof(finding.device), "%s", parent);
        (void)snprintf(directory, sizeof(directory), PARENTS "/%s/mdev_supported_types/%s", parent,
                       type);
        r = read_available(roots, directory, &finding.values[0]);
        if (r >= 0)
                r = findings_add(findings, &finding);
        if (r >= 0)
                r = add_text(findings, MDEV_FIELD_TYPE, type);
        if (r >= 0)
                r = add_attribute(roots, directory, "name", MDEV_FIELD_NAME, findings);
        if (r >= 0)
                r = add_attribute(roots, directory, "device_api", MDEV_FIELD_API, findings);
        return r < 0 ? r
                     : add_attribute(roots, directory, "description", MDEV_FIELD_DESCRIPTION,
                                     findings);
}

static int add_parent(const Roots *roots, const char *parent, Findings *findings) {
        _cleanup_strv_ char **types = NULL;
        char path[PATH_SIZE];
        int r;

        (void)snprintf(path, sizeof(path), PARENTS "/%s/mdev_supported_types", parent);
        r = sysfs_list(roots->sys_fd, path, &types);
        for (char **type = types; r >= 0 && type && *type; type++)
                r = add_type(roots, parent, *type, findings);
        return r;
}

int mdev_read_types(const Roots *roots, const char *parent, Findings *findings) {
        _cleanup_strv_ char **parents = NULL;
        int r;

        if (parent)
                return mdev_is_parent(roots, parent) ? add_parent(roots, parent, findings)
                                                     : -ENOENT;
        r = sysfs_list(roots->sys_fd, PARENTS, &parents);
        for (char **one = parents; r >= 0 && one && *one; one++)
                r = add_parent(roots, *one, findings);
        return r;
}
