/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A configuration file: taken whole or not at all, and a complaint says where. */

#include <errno.h>
#include <string.h>

#include "daemon/core/config.h"
#include "daemon/core/json-line.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

#define FILE_NAME "vfiod.json"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const path[] = {"limits", "leases", NULL};
        _cleanup_free_ char *text = fuzz_text(data, size), *error = NULL;
        Config config, before;
        int r;

        /* Bytes and all: the two are compared as memory. */
        memset(&config, 0, sizeof(config));
        config_init(&config);
        memcpy(&before, &config, sizeof(config));
        r = config_apply(&config, FILE_NAME, text, &error);
        if (r < 0) {
                unsigned line = 0;

                MUST(r == -EINVAL && error);
                MUST(memcmp(&config, &before, sizeof(config)) == 0);
                MUST(sscanf(error, FILE_NAME ":%u: ", &line) == 1);
                MUST(line >= 1 && line <= json_line_of_offset(text, strlen(text)));
        } else {
                MUST(!error);
                MUST(json_line_of_key(text, path) <= json_line_of_offset(text, strlen(text)));
        }
        return 0;
}
