/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * modules.alias, and the choice of a driver by it. Lines of the input: the device's modalias, the
 * name of a driver that somebody asks for, then modules.alias.
 */

#include <errno.h>
#include <string.h>

#include "daemon/core/vfio-alias.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

static void check_choice(const VfioAliases *aliases, const DeviceFacts *facts, const char *name) {
        VfioDriver driver;

        MUST(vfio_driver_best(aliases, facts, &driver) >= 0);
        MUST(driver.driver[0] != '\0' && driver.module[0] != '\0');
        /* No client has a module loaded that is not a vfio driver of this device. */
        if (vfio_driver_named(aliases, facts, name, &driver) >= 0)
                MUST(strlen(driver.driver) == strlen(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        VfioAliases aliases = VFIO_ALIASES_NULL;
        char *rest = text, *line;
        const char *modalias = fuzz_line(&rest), *name = fuzz_line(&rest);
        DeviceFacts facts = {.bus = (char *)"pci", .modalias = (char *)string_or_empty(modalias)};

        while ((line = fuzz_line(&rest)))
                MUST(vfio_aliases_add_line(&aliases, line) >= 0);
        check_choice(&aliases, &facts, string_or_empty(name));
        vfio_aliases_done(&aliases);
        return 0;
}
