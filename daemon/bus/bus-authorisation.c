/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/bus-authorisation.h"

#include "daemon/bus/authorise-survey.h"
#include "daemon/bus/bus-request.h"
#include "daemon/bus/call.h"
#include "daemon/util/string.h"

static void run_check(Call *call) {
        call_reply_with(call, survey_append);
}

/* No targets are an answer here: every action as such. */
static int read_targets(sd_bus_message *m, const Bus *bus, Request *request, sd_bus_error *error) {
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = bus_read_strv(m, broker_world(bus->broker)->config.limit_targets, &targets);
        if (r < 0 || strv_length(targets) == 0)
                return r;
        return bus_set_targets(bus, request, targets, error);
}

int authorisation_method_check(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_request_ Request request = {.operation = OPERATION_ACQUIRE};
        int r;

        r = read_targets(m, userdata, &request, error);
        if (r >= 0)
                r = bus_read_options(m, userdata, OPTIONS_CHECK, &request, error);
        return r < 0 ? r : call_begin(userdata, m, PERMISSION_SURVEY, run_check, &request, true);
}
