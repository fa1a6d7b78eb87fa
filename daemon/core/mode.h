/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The two families of VFIO files, and how far they are prepared before they are handed over. */

#include <stdbool.h>

typedef enum Mode {
        MODE_AUTO,    /* asked for only: iommufd where it can be */
        MODE_GROUP,   /* container, group and device files (Documentation/driver-api/vfio.rst) */
        MODE_IOMMUFD, /* iommufd and cdevs (Documentation/userspace-api/iommufd.rst) */
        _MODE_MAX,
} Mode;

typedef enum Prepare {
        PREPARE_ATTACH, /* groups in a container with its IOMMU set, devices open; or cdevs bound
                           and attached to an IOAS */
        PREPARE_BIND,   /* MODE_IOMMUFD: cdevs bound */
        PREPARE_OPEN,   /* opened, no more */
        _PREPARE_MAX,
} Prepare;

/* "auto", "group", "iommufd"; "attach", "bind", "open". */
const char *mode_name(Mode mode);
const char *prepare_name(Prepare prepare);

/* False, and *ret untouched, for another word. */
bool mode_parse(const char *text, Mode *ret);
bool prepare_parse(const char *text, Prepare *ret);
