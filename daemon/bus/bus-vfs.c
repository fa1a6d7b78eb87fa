/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-vfs.h"

#include <stdlib.h>

#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"

static void on_set(void *userdata, Outcome *outcome) {
        call_reply_outcome(userdata, outcome);
}

static void run_set(Call *call) {
        call_run(call, on_set);
}

int vfs_method_set(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_SET_VFS};
        int r = sd_bus_message_read(m, "u", &request.n_vfs);

        if (r >= 0)
                r = bus_read_options(m, userdata, OPTIONS_VFS, &request, error);
        if (r >= 0)
                r = bus_set_own_target(m, userdata, &request, error);
        return r < 0 ? r : call_begin(userdata, m, PERMISSION_MANAGE, run_set, &request, false);
}
