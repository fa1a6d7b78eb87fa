/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/size.h"

#include <errno.h>
#include <string.h>

#include "daemon/util/string.h"

/* As memory is counted: powers of 1024. */
static const char units[] = "KMGT";

int size_parse(const char *text, uint64_t *ret) {
        size_t n = strlen(text);
        const char *unit = n > 0 ? strchr(units, text[n - 1]) : NULL;
        unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
        _cleanup_free_ char *digits = strndup(text, unit ? n - 1 : n);
        uint64_t number;
        int r;

        if (!digits)
                return -ENOMEM;
        r = string_to_u64(digits, UINT64_MAX >> shift, &number);
        if (r < 0)
                return r;
        if (number == 0)
                return -EINVAL;
        *ret = number << shift;
        return 0;
}
