/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What people type: the command line of vfioctl, each line of the input one argument. */

#include <string.h>

#include "client/arguments.h"
#include "client/duration.h"
#include "client/options.h"
#include "client/size.h"
#include "client/substitute.h"
#include "client/target.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

#define ARGUMENTS_MAX 32

/* One that takes every option, and two that take some. */
static const Verb verbs[] = {
        {.name = "all", .synopsis = "", .summary = "", .options = ~0U},
        {.name = "acquire", .synopsis = "", .summary = "", .options = OPTIONS_ACQUIRE},
        {.name = "unbind", .synopsis = "", .summary = "", .options = OPTIONS_UNBIND},
        {.name = NULL},
};

static void parse(char **argv) {
        _cleanup_arguments_ Arguments arguments = ARGUMENTS_NULL;
        _cleanup_free_ char *error = NULL;
        int r = arguments_parse(verbs, argv, &arguments, &error);

        MUST((r < 0) == (error != NULL));
}

static void look_at(const char *word) {
        _cleanup_free_ char *error = NULL, *lease = NULL;
        const char *mode = NULL;
        uint64_t number = 0;
        uint32_t group = 0;

        (void)target_to_group(word, &group);
        if (target_to_lease(word, &lease) >= 0)
                MUST(lease);
        (void)target_may_be_interface(word);
        if (duration_parse(word, &number) >= 0)
                MUST(number <= DURATION_SECONDS_MAX * 1000);
        (void)size_parse(word, &number);
        if (substitute_check(word, VFIOD_PREPARE_OPEN, &mode, &error) < 0)
                MUST(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        char *argv[ARGUMENTS_MAX + 1] = {NULL}, *rest = text;

        for (size_t n = 0; n < ARGUMENTS_MAX && (argv[n] = fuzz_line(&rest)); n++)
                look_at(argv[n]);
        parse(argv);
        return 0;
}
