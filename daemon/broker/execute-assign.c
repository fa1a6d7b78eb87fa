/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The steps on assignments. What there is in the file for other devices stays, and may have changed
 * since the plan was made: the file is read again, and nobody else writes it meanwhile.
 */

#include <errno.h>

#include "daemon/broker/execute-private.h"
#include "daemon/core/assignment.h"
#include "daemon/kernel/pci-serial.h"
#include "daemon/persist/assignments-file.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

int run_read_serial(Run *run, const Step *step) {
        _cleanup_free_ char *serial = NULL;
        int r = pci_read_serial(run->roots, step->device, &serial);

        if (r == -EPERM)
                r = pci_ask_serial(run->roots, step->device, &serial);
        if (r < 0)
                return r;
        /* Name and number take turns in the array. */
        r = strv_push(&run->serials, step->device);
        return r < 0 ? r : strv_push(&run->serials, serial);
}

static const char *find_serial(const Run *run, const char *device) {
        for (size_t i = 0; run->serials && run->serials[i] && run->serials[i + 1]; i += 2)
                if (strcmp(run->serials[i], device) == 0)
                        return run->serials[i + 1];
        return NULL;
}

/* Those of a plan have none yet. */
static int fill_serials(const Run *run, Assignments *entries) {
        for (size_t i = 0; i < entries->n; i++) {
                Assignment *entry = &entries->items[i];

                if (!entry->serial &&
                    string_set(&entry->serial, string_or_empty(find_serial(run, entry->device))) <
                            0)
                        return -ENOMEM;
        }
        return 0;
}

/* NULL: none. */
static int read_entries(const char *text, Assignments *ret) {
        _cleanup_free_ char *problem = NULL;

        return text ? assignments_read(text, ret, &problem) : 0;
}

static int read_file(const char *directory, Assignments *ret) {
        _cleanup_free_ char *text = NULL, *problem = NULL;
        int r = assignments_file_read(directory, &text, &problem);

        return r < 0 ? r : read_entries(text, ret);
}

static int write_file(const char *directory, const Assignments *all) {
        _cleanup_free_ char *text = all->n > 0 ? assignments_write(all) : NULL;

        return all->n > 0 && !text ? -ENOMEM : assignments_file_write(directory, text);
}

/* Entries for the devices of `from` go, those of `to` come. */
static int replace(const Run *run, const Step *step, const char *from, const char *to) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL, old = ASSIGNMENTS_NULL,
                                          fresh = ASSIGNMENTS_NULL;
        _cleanup_close_ int lock = assignments_file_lock(step->directory);
        int r = lock < 0 ? lock : read_file(step->directory, &all);

        if (r >= 0)
                r = read_entries(from, &old);
        if (r >= 0)
                r = read_entries(to, &fresh);
        if (r >= 0)
                r = fill_serials(run, &fresh);
        if (r < 0)
                return r;
        for (size_t i = 0; i < old.n; i++)
                assignments_remove(&all, old.items[i].device);
        for (size_t i = 0; r >= 0 && i < fresh.n; i++)
                r = assignments_put(&all, &fresh.items[i]);
        return r < 0 ? r : write_file(step->directory, &all);
}

int run_assign(const Run *run, const Step *step) {
        return replace(run, step, step->assignments_old, step->assignments);
}

int undo_assign(const Run *run, const Step *step) {
        return replace(run, step, step->assignments, step->assignments_old);
}
