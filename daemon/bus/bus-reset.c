/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-reset.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"
#include "daemon/util/string.h"

/* Longer than any; what is cut off matches none. */
#define METHOD_SIZE 33

static void on_reset(void *userdata, Outcome *outcome) {
        call_reply_outcome(userdata, outcome);
}

static void run_reset(Call *call) {
        call_run(call, on_reset);
}

int reset_method(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_RESET};
        char name[METHOD_SIZE];
        const char *method;
        int r;

        r = sd_bus_message_read(m, "s", &method);
        if (r >= 0)
                r = bus_check_text(method, error);
        if (r >= 0)
                r = string_set(&request.reset_method,
                               string_is_empty(method)
                                       ? NULL
                                       : string_quotable(method, name, sizeof(name)));
        if (r >= 0)
                r = bus_set_own_target(m, userdata, &request, error);
        return r < 0 ? r : call_begin(userdata, m, PERMISSION_RESET, run_reset, &request, false);
}
