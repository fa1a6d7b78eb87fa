/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the kernel says about a device and about an IOMMU group, as plain values. kernel/ fills
 * them, core/ judges them; neither needs to know the other. Strings are owned by the struct.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/util/cleanup.h"

/* PCI header type without the multi-function bit (linux/pci_regs.h, PCI_HEADER_TYPE). */
#define FACTS_HEADER_NORMAL 0

typedef struct DeviceFacts {
        char *name;            /* kernel name, unique on its bus: "0000:01:00.0" */
        char *bus;             /* "pci", "platform", "mdev", ... */
        uint32_t group;        /* IOMMU group number */
        char *driver;          /* "" for none */
        char *driver_module;   /* module of the driver, "" where built in or none */
        char *driver_override; /* printable; "" where unset, NULL where the bus has no such
                                  attribute */
        char *modalias;        /* "" where the bus gives none */
        bool vfio;             /* has a vfio-dev directory: bound to a vfio driver (kernel 6.1) */
        char *cdev;            /* "vfio3" under /dev/vfio/devices, "" where there is no cdev */
        char **interfaces;     /* network interfaces, by printable names; NULL for none */
        int numa_node;         /* -1 unknown */
        uint16_t vendor;       /* this and the following are 0 off PCI */
        uint16_t device;
        uint16_t subsystem_vendor;
        uint16_t subsystem_device;
        uint32_t class_code; /* 0xccsspp */
        uint8_t header_type;
        char *path;           /* below /sys/devices: "pci0000:00/0000:00:01.0/0000:01:00.0" */
        char **reset_methods; /* "flr", "bus", ... in order; NULL where it has none, or on kernels
                                 that do not tell (before 5.15) */
        char *physfn;         /* of a virtual function (SR-IOV): the device it is one of; else "" */
        uint16_t total_vfs; /* virtual functions that it can have (SR-IOV); 0: it is not capable */
        bool vfs_autoprobe; /* host drivers take its virtual functions (sriov_drivers_autoprobe) */
        char *mdev_type;    /* of a mediated device: "i915-GVTg_V5_4"; else "" or NULL */
        char *vendor_name;  /* from the PCI id database, "" where unknown */
        char *device_name;
        char *class_name;
} DeviceFacts;

#define DEVICE_FACTS_NULL {.numa_node = -1}

typedef struct ReservedRegion {
        uint64_t first;
        uint64_t last; /* inclusive */
        char kind[24]; /* "direct", "msi", ... */
} ReservedRegion;

typedef struct GroupFacts {
        uint32_t number;
        char *type; /* of the default domain: "DMA", "identity", ...; "" where the kernel gives none
                     */
        char *name; /* "vfio-noiommu" for groups that no IOMMU stands behind, else "" */
        ReservedRegion *regions;
        size_t n_regions;
} GroupFacts;

#define GROUP_FACTS_NULL {.number = 0}

/* What this kernel has of iommufd. */
typedef struct IommufdSupport {
        bool iommufd;     /* /dev/iommu is there */
        bool cdevs;       /* VFIO devices get nodes of their own */
        bool cdevs_known; /* false until vfio is loaded: then `cdevs` says nothing */
} IommufdSupport;

/* Addresses that an IOAS can be mapped at. */
typedef struct IovaRange {
        uint64_t first;
        uint64_t last; /* inclusive */
} IovaRange;

void device_facts_done(DeviceFacts *facts);
bool device_facts_equal(const DeviceFacts *a, const DeviceFacts *b);
bool device_facts_is_pci(const DeviceFacts *facts);

void group_facts_done(GroupFacts *facts);
bool group_facts_equal(const GroupFacts *a, const GroupFacts *b);

#define _cleanup_device_facts_ _cleanup_(device_facts_done)
#define _cleanup_group_facts_ _cleanup_(group_facts_done)
