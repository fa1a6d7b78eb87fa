/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every name the outside world may rely on: bus names, paths, interfaces, polkit actions, journal
 * fields. The meaning of each interface member is in the XML files beside this header. The daemon,
 * the client and the tests take the names from here and nowhere else.
 */

#define VFIOD_BUS_NAME "org.vfiod1"
#define VFIOD_PATH "/org/vfiod1"
#define VFIOD_PATH_GROUP VFIOD_PATH "/group"
#define VFIOD_PATH_DEVICE VFIOD_PATH "/device"
#define VFIOD_PATH_LEASE VFIOD_PATH "/lease"

#define VFIOD_INTERFACE_MANAGER "org.vfiod1.Manager"
#define VFIOD_INTERFACE_GROUP "org.vfiod1.Group"
#define VFIOD_INTERFACE_DEVICE "org.vfiod1.Device"
#define VFIOD_INTERFACE_LEASE "org.vfiod1.Lease"

/* Where the same objects are without a bus; the directory is meson's option rundir. The file that
 * systemd listens on for us has this name. */
#ifndef VFIOD_RUN_DIRECTORY
#define VFIOD_RUN_DIRECTORY "/run"
#endif
#define VFIOD_SOCKET_PATH VFIOD_RUN_DIRECTORY "/vfiod/socket"
#define VFIOD_SOCKET_FD_NAME "socket"
/* Who may connect to it, beside root. */
#define VFIOD_SOCKET_GROUP "vfio"
/* An environment variable: where clients look for it instead. */
#define VFIOD_SOCKET_VARIABLE "VFIOD_SOCKET"

/* Followed by the CamelCase word of a refusal (daemon/core/refusal.h), or by Failed or TimedOut. */
#define VFIOD_ERROR_PREFIX "org.vfiod1.Error."
#define VFIOD_ERROR_FAILED VFIOD_ERROR_PREFIX "Failed"
#define VFIOD_ERROR_TIMED_OUT VFIOD_ERROR_PREFIX "TimedOut"

#define VFIOD_ACTION_PREFIX "org.vfiod1."
#define VFIOD_ACTION_LIST "org.vfiod1.list"
#define VFIOD_ACTION_ACQUIRE "org.vfiod1.acquire"
#define VFIOD_ACTION_BIND "org.vfiod1.bind"
#define VFIOD_ACTION_UNBIND "org.vfiod1.unbind"
#define VFIOD_ACTION_INSPECT "org.vfiod1.inspect"
#define VFIOD_ACTION_RESET "org.vfiod1.reset"
#define VFIOD_ACTION_MANAGE "org.vfiod1.manage"
#define VFIOD_ACTION_ASSIGN "org.vfiod1.assign"
#define VFIOD_ACTION_RAISE_MEMLOCK "org.vfiod1.raise-memlock"
#define VFIOD_ACTION_REVOKE "org.vfiod1.revoke"
#define VFIOD_ACTION_RELEASE_OTHER "org.vfiod1.release-other"
#define VFIOD_ACTION_OVERRIDE_SAFETY "org.vfiod1.override-safety"
#define VFIOD_ACTION_UNSAFE_NOIOMMU "org.vfiod1.unsafe-noiommu"

/* Keys of the details that polkit rules see through action.lookup(). */
#define VFIOD_DETAIL_DEVICE "device" /* 0000:01:00.0, an mdev UUID, a platform name */
#define VFIOD_DETAIL_VENDOR "vendor" /* 8086:100e (vendor:device), empty off PCI */
#define VFIOD_DETAIL_CLASS "class"   /* 020000, six hexadecimal digits, empty off PCI */
#define VFIOD_DETAIL_GROUP "group"   /* IOMMU group number, decimal */
#define VFIOD_DETAIL_DRIVER "driver" /* the driver bound now, empty where there is none */
#define VFIOD_DETAIL_LABEL "label"   /* the label option of Acquire; else of the lease concerned */
#define VFIOD_DETAIL_MODE "mode"     /* group or iommufd: of the lease wanted, or concerned */
#define VFIOD_DETAIL_OWNER "owner"   /* uid of the owner of the lease concerned */
#define VFIOD_DETAIL_MEMLOCK "memlock" /* bytes asked for, decimal, for raise-memlock */

/* dbus-daemon disconnects a sender whose message carries more fds than this (its default limit). */
#define VFIOD_BUS_FDS_MAX 16U

#define VFIOD_JOURNAL_OPERATION "VFIOD_OPERATION"
#define VFIOD_JOURNAL_TARGETS "VFIOD_TARGETS"
#define VFIOD_JOURNAL_DEVICE "VFIOD_DEVICE"
#define VFIOD_JOURNAL_CALLER_UID "VFIOD_CALLER_UID"
#define VFIOD_JOURNAL_CALLER_PID "VFIOD_CALLER_PID"
#define VFIOD_JOURNAL_CALLER_NAME "VFIOD_CALLER_NAME"
#define VFIOD_JOURNAL_FROM "VFIOD_FROM"
#define VFIOD_JOURNAL_TO "VFIOD_TO"
#define VFIOD_JOURNAL_LEASE "VFIOD_LEASE"
#define VFIOD_JOURNAL_OUTCOME "VFIOD_OUTCOME"
#define VFIOD_JOURNAL_ERROR "VFIOD_ERROR"
#define VFIOD_JOURNAL_DURATION "VFIOD_DURATION_USEC"
#define VFIOD_JOURNAL_HOLDERS "VFIOD_HOLDERS"
#define VFIOD_JOURNAL_PLAN "VFIOD_PLAN"
