/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/wrong.h"

#include <errno.h>
#include <stdlib.h>

int wrong(char **reterr, char *sentence) {
        if (!sentence)
                return -ENOMEM;
        if (*reterr)
                free(sentence);
        else
                *reterr = sentence;
        return -EINVAL;
}
