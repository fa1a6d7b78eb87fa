/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-inspect.h"

#include <stdlib.h>

#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"

static int append_inspected(sd_bus_message *m, const Call *call _unused_, const Outcome *outcome) {
        return inspect_append_info(m, &outcome->results.findings);
}

static void on_inspected(void *userdata, Outcome *outcome) {
        call_reply_result(userdata, outcome, append_inspected, "tell what was found");
}

static void run_inspect(Call *call) {
        call_run(call, on_inspected);
}

int inspect_method(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_INSPECT};
        int r = bus_set_own_target(m, userdata, &request, error);

        return r < 0 ? r
                     : call_begin(userdata, m, PERMISSION_INSPECT, run_inspect, &request, false);
}
