/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/mode.h"

#include "daemon/util/string.h"

static const char *const modes[_MODE_MAX] = {
        [MODE_AUTO] = "auto",
        [MODE_GROUP] = "group",
        [MODE_IOMMUFD] = "iommufd",
};

static const char *const prepares[_PREPARE_MAX] = {
        [PREPARE_ATTACH] = "attach",
        [PREPARE_BIND] = "bind",
        [PREPARE_OPEN] = "open",
};

const char *mode_name(Mode mode) {
        return modes[mode];
}

const char *prepare_name(Prepare prepare) {
        return prepares[prepare];
}

bool mode_parse(const char *text, Mode *ret) {
        for (size_t i = 0; i < ELEMENTS(modes); i++)
                if (string_equal(text, modes[i])) {
                        *ret = (Mode)i;
                        return true;
                }
        return false;
}

bool prepare_parse(const char *text, Prepare *ret) {
        for (size_t i = 0; i < ELEMENTS(prepares); i++)
                if (string_equal(text, prepares[i])) {
                        *ret = (Prepare)i;
                        return true;
                }
        return false;
}
