/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the host itself is using of a device at this moment: file systems that are mounted and swap,
 * on its disks or through partitions, dm, md, btrfs and NVMe multipath; network interfaces that
 * have a route or an address, or are below one that has (bonds, bridges, VLANs); the display that
 * the host has booted with; virtual functions. Mounts and routes are those of process 1, because
 * vfiod may be in a mount namespace of its own; IPv4 addresses, which no table of proc(5) has, are
 * those of vfiod's network namespace, which is the host's.
 *
 * What a program has open without a mount, a route or an address is not seen.
 */

#include "daemon/kernel/roots.h"
#include "daemon/util/facts.h"

typedef struct HostUsage HostUsage;

/*
 * What of all devices has to be read once. -errno, here and below: something is there that cannot
 * be read, so that nothing is known to be free.
 */
int host_usage_read(const Roots *roots, HostUsage **ret);
HostUsage *host_usage_free(HostUsage *usage);

/* Sentences without their end, printable: "nvme0n1p1 is mounted on /"; NULL for none, at most
 * HOST_USAGE_MAX of them. The strings are the caller's. */
#define HOST_USAGE_MAX 8
int host_usage_of(const HostUsage *usage, const DeviceFacts *facts, char ***ret);
