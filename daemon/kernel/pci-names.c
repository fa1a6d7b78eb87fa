/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/pci-names.h"

#include <errno.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdlib.h>

#include "daemon/util/string.h"

#define NAME_MAX_LENGTH 256

struct PciNames {
        struct pci_access *access;
        bool broken; /* the database could not be read; every name is "" from now on */
};

/* libpci's error handler must not return, and its own ends the process. */
static _Thread_local jmp_buf *on_error;

__attribute__((noreturn)) static void handle_error(char *message _unused_, ...) {
        longjmp(*on_error, 1);
}

static void ignore_message(char *message _unused_, ...) {
}

PciNames *pci_names_open(void) {
        PciNames *names = calloc(1, sizeof(PciNames));

        if (!names)
                return NULL;
        names->access = pci_alloc();
        names->access->error = handle_error;
        names->access->warning = ignore_message;
        names->access->debug = ignore_message;
        return names;
}

PciNames *pci_names_close(PciNames *names) {
        if (names) {
                pci_free_name_list(names->access);
                pci_cleanup(names->access);
        }
        free(names);
        return NULL;
}

/*
 * From pci.ids alone. For what that does not know libpci would ask udev's hwdb, and where there is
 * no hwdb it leaks what it asked with, at each question.
 */
#define LOOKUP_FLAGS (PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB)

static int look_up(PciNames *names, int flags, int first, int second, char **ret) {
        char buffer[NAME_MAX_LENGTH];
        const char *volatile name = NULL;
        jmp_buf target;
        int r;

        on_error = &target;
        if (setjmp(target) == 0) {
                if (!names->broken)
                        name = pci_lookup_name(names->access, buffer, sizeof(buffer),
                                               flags | LOOKUP_FLAGS, first, second);
        } else
                names->broken = true;
        on_error = NULL;
        r = string_set(ret, string_or_empty(name));
        if (r >= 0)
                (void)string_make_printable(*ret);
        return r;
}

int pci_names_look_up(PciNames *names, DeviceFacts *facts) {
        int r;

        if (!device_facts_is_pci(facts)) {
                r = string_set(&facts->vendor_name, "");
                if (r >= 0)
                        r = string_set(&facts->device_name, "");
                return r < 0 ? r : string_set(&facts->class_name, "");
        }
        r = look_up(names, PCI_LOOKUP_VENDOR, facts->vendor, 0, &facts->vendor_name);
        if (r >= 0)
                r = look_up(names, PCI_LOOKUP_DEVICE, facts->vendor, facts->device,
                            &facts->device_name);
        if (r >= 0)
                r = look_up(names, PCI_LOOKUP_CLASS, (int)(facts->class_code >> 8), 0,
                            &facts->class_name);
        return r;
}
