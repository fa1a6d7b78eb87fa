/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an open file is, where all that is known of it is that somebody gave it to us. */

#include <stdbool.h>

#include "daemon/kernel/roots.h"

/* Of the node below /dev: "vfio/vfio", "vfio/3", "iommu". */
bool vfio_file_is_node(const Roots *roots, int fd, const char *node);

/* The end of a pipe that is written to. */
bool vfio_file_is_write_end(int fd);
