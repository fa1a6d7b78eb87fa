/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The keys of the configuration, for check-documents.py: "KEY DEFAULT RANGE", a line each. */

#include <inttypes.h>
#include <stdio.h>

#include "daemon/core/config.h"

int main(void) {
        Config config;
        size_t n;
        const ConfigKey *keys = config_keys(&n);

        config_init(&config);
        for (const ConfigKey *key = keys; key < keys + n; key++) {
                const char *field = (const char *)&config + key->offset;

                printf("%s%s%s ", key->section ? key->section : "", key->section ? "." : "",
                       key->name);
                if (key->type == CONFIG_BOOLEAN)
                        printf("%s boolean\n", *(const bool *)field ? "true" : "false");
                else
                        printf("%" PRIu64 " %" PRIu64 " to %" PRIu64 "\n", *(const uint64_t *)field,
                               key->least, key->most);
        }
        return 0;
}
