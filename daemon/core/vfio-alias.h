/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which vfio driver a device is to be bound to. For PCI the kernel's modules carry aliases
 * "vfio_pci:v...d...sv...sd...bc...sc...i..." (drivers/vfio/pci; since 5.16); the one with the
 * fewest wildcards is the best, vfio-pci itself matches everything. The other buses have one driver
 * each.
 */

#include <stddef.h>

#include "daemon/util/facts.h"

typedef struct VfioAlias {
        char *pattern; /* "vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*" */
        char *module;  /* "mlx5_vfio_pci" */
        size_t wildcards;
} VfioAlias;

typedef struct VfioAliases {
        VfioAlias *aliases;
        size_t n_aliases;
} VfioAliases;

#define VFIO_ALIASES_NULL {.aliases = NULL}

/*
 * Takes one line of modules.alias ("alias PATTERN MODULE"). 1: it was about a vfio driver and is
 * kept; 0: it was not; -ENOMEM.
 */
int vfio_aliases_add_line(VfioAliases *aliases, const char *line);
void vfio_aliases_done(VfioAliases *aliases);

/* A driver and the module that brings it. Both borrowed from `aliases` or static. */
typedef struct VfioDriver {
        const char *driver;
        const char *module;
} VfioDriver;

/* The plain driver of the device's bus: -EOPNOTSUPP for a bus that has none. */
int vfio_driver_plain(const DeviceFacts *facts, VfioDriver *ret);

/* The best driver for the device: a variant where one matches, else the plain one. */
int vfio_driver_best(const VfioAliases *aliases, const DeviceFacts *facts, VfioDriver *ret);

/*
 * The driver of this name ('-' and '_' alike), if it is the plain one or a variant that matches the
 * device: -ENOENT for any other, so that no caller can have an arbitrary module loaded.
 */
int vfio_driver_named(const VfioAliases *aliases, const DeviceFacts *facts, const char *name,
                      VfioDriver *ret);
