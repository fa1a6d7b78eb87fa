/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Names of PCI ids, from libpci's database. The database takes megabytes while it is open: open it,
 * look up what is needed, close it.
 */

#include "daemon/util/facts.h"

typedef struct PciNames PciNames;

/* NULL when memory ran out. */
PciNames *pci_names_open(void);
PciNames *pci_names_close(PciNames *names);

/* Fills the three names of a device, "" where the database has none. 0 or -ENOMEM. */
int pci_names_look_up(PciNames *names, DeviceFacts *facts);

DEFINE_TRIVIAL_CLEANUP(PciNames *, pci_names_close, NULL);
