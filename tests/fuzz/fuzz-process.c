/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A whole /proc as the input describes it, searched for the holders of groups 3 and 4 as a worker
 * does: tables of files, fdinfo, maps, stat, status. Which files are the same (kcmp) is what
 * stub-process.c says.
 */

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/holder-text.h"
#include "daemon/kernel/holders.h"
#include "daemon/kernel/process-stat.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz-tree.h"
#include "tests/fuzz/fuzz.h"
#include "tests/stub/stub-process.h"

#define VFIOD 5000050
#define LOOKS 2

static int take(void *userdata, const Hold *hold) {
        MUST((unsigned)hold->kind < _HOLD_KIND_MAX);
        MUST(hold->pid > 1 && hold->pid != VFIOD);
        MUST(hold->group == 3 || hold->group == 4);
        MUST(string_is_printable_utf8(hold->command));
        MUST((hold->kind == HOLD_MAPPING) == (hold->fd < 0));
        return holds_add(userdata, hold);
}

static void search(const Roots *roots, int reference) {
        static const uint32_t groups[] = {3, 4};
        const HolderReference references[] = {
                {.kind = HOLD_DEVICE, .group = 3, .device = "0000:03:01.0", .fd = reference},
                {.kind = HOLD_CONTAINER, .group = 3, .fd = reference},
                {.kind = HOLD_IOMMUFD, .group = 4, .fd = reference},
                {.kind = HOLD_LEASE, .group = 4, .fd = reference},
        };
        HolderSearch *search = NULL;

        if (holder_search_new(roots, groups, ELEMENTS(groups), references, ELEMENTS(references),
                              VFIOD, &search) < 0)
                return;
        for (size_t look = 0; look < LOOKS; look++) {
                _cleanup_holds_ Holds holds = HOLDS_NULL;
                _cleanup_free_ char *text = NULL;

                (void)holder_search_all(search, take, &holds);
                text = holders_describe(&holds, NULL);
                MUST(text);
                for (size_t i = 0; i < holds.n_holds; i++)
                        (void)holder_signal(search, &holds.holds[i], hold_keeps_group, SIGKILL,
                                            NULL);
        }
        holder_search_free(search);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        size_t fds = fuzz_count_fds();
        uint64_t start_time = 0;
        FuzzTree tree;
        int ends[2];

        MUST(pipe(ends) == 0);
        fuzz_tree_init(&tree, text);
        /* The one device node, 1:3: an input can make none, and does not lead out of proc. */
        (void)symlinkat("/dev/null", tree.roots.proc_fd, "vfio-node");
        stub_process = (StubProcess){.unit = "fuzz.service"};
        stub_process_add_file(getpid(), ends[0], 1);
        stub_process_add_file(5000100, 7, 1);
        stub_process_add_file(5000100, 8, 2);
        stub_process_add_file(VFIOD, 20, 2);
        stub_process_add_table(5000100, 1);
        stub_process_add_table(5000101, 1);
        search(&tree.roots, ends[0]);
        if (process_read_start_time(&tree.roots, 5000100, &start_time) >= 0) {
                const ProcessPin pin = {.pid = 5000100, .start_time = start_time, .uid = 1000};

                (void)process_check(&tree.roots, &pin);
        }
        fuzz_tree_done(&tree);
        fd_close(ends[0]);
        fd_close(ends[1]);
        MUST(fuzz_count_fds() == fds);
        return 0;
}
