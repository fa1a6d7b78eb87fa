/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/module.c: loads nothing, always with success. */

#include "daemon/kernel/module.h"

#include "tests/stub/stub.h"

int module_load(const Roots *roots _unused_, const char *name) {
        return stub_call("load module %s", name);
}

int module_read_aliases(const Roots *roots _unused_,
                        int (*line)(void *userdata, const char *line) _unused_,
                        void *userdata _unused_) {
        return stub_call("read aliases");
}
