/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of a plan, for execute.c and its steps in other files. */

#include "daemon/broker/execute.h"
#include "daemon/kernel/holders.h"
#include "daemon/kernel/memlock.h"

/* What undoing a step has to know of how it went. */
typedef struct Trace {
        bool done;             /* UNSET_CONTAINER, QUIESCE, DETACH_CDEV: it had an effect */
        uint16_t command;      /* QUIESCE: the register before */
        MemlockLimits memlock; /* RAISE_MEMLOCK: the limits before */
} Trace;

typedef struct Run {
        const Roots *roots;
        const Plan *plan;
        Handles *files;
        Results *results;
        const ExecuteHost *host;
        Trace *traces; /* one for each step of the plan */
        uint32_t ioas; /* allocated by the plan; 0 for none */
        int nobody;    /* an iommufd for cdevs that nobody is to use any more */
        bool orphaned; /* undoing: a group's last device was unbound, and the file of it is none any
                          more */
        /* Made by the first step that looks; remembers mappings it has seen. */
        HolderSearch *search;
        char **serials; /* READ_SERIAL: a device's name and its number by turns; NULL for none */
} Run;

Trace *run_trace(const Run *run, const Step *step);

/* A container or an iommufd; files of several leases name theirs by group. -EBADF for none. */
int run_find_shared(const Run *run, HandleKind kind, uint32_t group);

/* The step's device, by whichever way it was opened. -EBADF for none. */
int run_find_device(const Run *run, const Step *step);

/* Each is one step, or its undo, and returns 0 or -errno. */
int run_load_module(const Run *run, const Step *step);
int run_unbind(const Run *run, const Step *step);
int undo_unbind(const Run *run, const Step *step);
int run_bind_vfio(const Run *run, const Step *step);
int run_bind_host(const Run *run, const Step *step);
int undo_bind(const Run *run, const Step *step);
int run_claim_group(const Run *run, const Step *step);
int run_open_container(const Run *run);
int run_open_group(const Run *run, const Step *step);
int run_test_group(const Run *run, const Step *step);
int run_set_container(const Run *run, const Step *step);
int run_set_iommu(const Run *run, const Step *step);
int run_unset_container(const Run *run, const Step *step);
int undo_unset_container(Run *run, const Step *step);
int run_get_device(const Run *run, const Step *step);
int undo_close_device(const Run *run, const Step *step);
int run_request_device(const Run *run, const Step *step);
int run_quiesce(const Run *run, const Step *step);
int undo_quiesce(const Run *run, const Step *step);
int run_open_iommufd(Run *run);
int run_alloc_ioas(Run *run, const Step *step);
int run_open_cdev(Run *run, const Step *step);
int run_bind_cdev(Run *run, const Step *step);
int run_attach_cdev(const Run *run, const Step *step);
int undo_attach_cdev(const Run *run, const Step *step);
int run_read_iovas(Run *run, const Step *step);
int run_detach_cdev(Run *run, const Step *step);
int undo_detach_cdev(Run *run, const Step *step);
int run_seal_cdev(Run *run, const Step *step);
int run_close_cdev(Run *run, const Step *step);
int run_find_holders(Run *run, const Step *step);
int run_expect_nobody(Run *run, const Step *step);
int run_evict(Run *run, const Step *step);
int run_inspect(Run *run, const Step *step);
int run_reset(const Run *run, const Step *step);
int run_reset_file(const Run *run, const Step *step);
int run_hot_reset(const Run *run, const Step *step);
int run_set_vfs(const Run *run, const Step *step);
int run_read_serial(Run *run, const Step *step);
int run_assign(const Run *run, const Step *step);
int undo_assign(const Run *run, const Step *step);
int run_raise_memlock(const Run *run, const Step *step);
int undo_raise_memlock(const Run *run, const Step *step);
