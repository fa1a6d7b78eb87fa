/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names that anybody may write: targets, numbers, labels. */

#include <string.h>

#include "daemon/core/address.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

#define QUOTE_SIZE 16

/* What was read is spelled as the kernel spells it, and reads as itself. */
static void check_target(const char *text) {
        Target target, again;

        if (target_parse(text, &target) < 0)
                return;
        if (target.kind == TARGET_GROUP) {
                _cleanup_free_ char *spelled = string_format("group/%u", target.group);

                MUST(target_parse(spelled, &again) >= 0);
                MUST(again.kind == TARGET_GROUP && again.group == target.group);
                return;
        }
        MUST(target.device[0] != '\0' && strlen(target.device) <= ADDRESS_MAX);
        MUST(!strchr(target.device, '/') && target.device[0] != '.');
        MUST(target_parse(target.device, &again) >= 0);
        MUST(again.kind == TARGET_DEVICE && strcmp(again.device, target.device) == 0);
}

static void check_quote(const char *text) {
        char quote[QUOTE_SIZE];

        (void)string_quotable(text, quote, sizeof(quote));
        MUST(strlen(quote) < QUOTE_SIZE && string_is_printable_utf8(quote));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        uint64_t number = 0;

        check_target(text);
        check_quote(text);
        (void)string_is_printable_utf8(text);
        if (string_to_u64(text, UINT32_MAX, &number) >= 0)
                MUST(number <= UINT32_MAX);
        (void)string_to_u64(text, UINT64_MAX, &number);
        return 0;
}
