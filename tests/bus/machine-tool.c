/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fake machine from the command line, for test-authorise.py. FAKE_MACHINE names its directory.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-machine.h"

static const char usage[] =
        "machine-tool build\n"
        "machine-tool many GROUP COUNT: a new group of so many devices on vfio-pci\n"
        "machine-tool add NAME GROUP DRIVER: a network card\n"
        "machine-tool no-iommu NAME GROUP: one on vfio-pci, in a group of unsafe no-IOMMU mode\n"
        "machine-tool remove NAME\n"
        "machine-tool replace NAME VENDOR DEVICE: hexadecimal ids\n"
        "machine-tool unbind NAME DRIVER: by somebody else\n"
        "machine-tool attribute NAME ATTRIBUTE TEXT: of a device\n"
        "machine-tool mdev UUID: a parent of mediated devices, and one of it\n"
        "machine-tool iommufd on|off: /dev/iommu, which is not there at first\n";

static int many(uint32_t group, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                _cleanup_free_ char *name = string_format("%04x:20:%02x.%u", group, i / 8, i % 8);

                fake_machine_add(&(FakeDevice){
                        .name = name, .group = group, .driver = "vfio-pci", .vendor = 0x8086});
        }
        return EXIT_SUCCESS;
}

static uint32_t number(const char *text, int base) {
        return (uint32_t)strtoul(text, NULL, base);
}

int main(int argc, char **argv) {
        const char *verb = argc > 1 ? argv[1] : "";

        if (strcmp(verb, "build") == 0 && argc == 2)
                fake_machine_build(fake_machine_directory());
        else if (strcmp(verb, "many") == 0 && argc == 4)
                return many(number(argv[2], 10), number(argv[3], 10));
        else if (strcmp(verb, "add") == 0 && argc == 5)
                fake_machine_add(&(FakeDevice){.name = argv[2],
                                               .group = number(argv[3], 10),
                                               .driver = argv[4],
                                               .vendor = 0x8086,
                                               .device = 0x100e,
                                               .class_code = 0x020000});
        else if (strcmp(verb, "no-iommu") == 0 && argc == 4)
                fake_machine_add(&(FakeDevice){.name = argv[2],
                                               .group = number(argv[3], 10),
                                               .driver = "vfio-pci",
                                               .vendor = 0x8086,
                                               .device = 0x100e,
                                               .class_code = 0x020000,
                                               .no_iommu = true});
        else if (strcmp(verb, "remove") == 0 && argc == 3)
                fake_machine_remove(argv[2]);
        else if (strcmp(verb, "replace") == 0 && argc == 5)
                fake_machine_replace(argv[2], (uint16_t)number(argv[3], 16),
                                     (uint16_t)number(argv[4], 16));
        else if (strcmp(verb, "unbind") == 0 && argc == 4)
                return fake_machine_unbind(argv[2], argv[3]) < 0;
        else if (strcmp(verb, "mdev") == 0 && argc == 3) {
                fake_machine_add_mdev_parent();
                return fake_machine_create_mdev("mtty", "mtty-1", argv[2]) < 0;
        } else if (strcmp(verb, "attribute") == 0 && argc == 5)
                fake_machine_set_attribute(argv[2], argv[3], argv[4]);
        else if (strcmp(verb, "iommufd") == 0 && argc == 3)
                fake_machine_set_iommufd(strcmp(argv[2], "on") == 0);
        else {
                (void)fputs(usage, stderr);
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
