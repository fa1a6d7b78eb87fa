/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Arguments of any method from JSON, for tests that call methods which they know by their XML
 * alone. */

#include <json-c/json.h>
#include <systemd/sd-bus.h>

/*
 * Appends the elements of the array `values` as `signature`. In a variant a string is "s", or "o"
 * where it begins with a slash, a number "t", a list "as", an object "a{st}".
 */
int json_append_arguments(sd_bus_message *m, const char *signature, json_object *values);
