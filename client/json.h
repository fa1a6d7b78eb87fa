/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * D-Bus values as json-c objects, by their type alone: a{..} becomes an object, other arrays and
 * structs an array, a variant what is in it, an fd its number. Nothing here knows vfiod's
 * interfaces: --json shows what the daemon said under the names it used.
 */

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "daemon/util/cleanup.h"

DEFINE_TRIVIAL_CLEANUP(json_object *, json_object_put, NULL);
#define _cleanup_json_ _cleanup_(json_object_putp)

/* The complete value at the read position of `m`, which moves on behind it. */
int json_from_message(sd_bus_message *m, json_object **ret);

/* (oa{sv}): the properties with the object path as "Path". */
int json_from_object(sd_bus_message *m, json_object **ret);

/* a(oa{sv}): an array of the above. */
int json_from_objects(sd_bus_message *m, json_object **ret);

/* Adds `value` (owned by the call, NULL is an allocation that failed) to an object or an array. */
int json_add(json_object *object, const char *key, json_object *value);
int json_append(json_object *array, json_object *value);

/* For people: strings bare, booleans yes or no, arrays with commas, "-" for what is empty. */
char *json_to_text(json_object *value);

/* Properties of an object; the fallback ("" or 0) where there is none of that name. */
const char *json_get_string(json_object *object, const char *key);
uint64_t json_get_u64(json_object *object, const char *key);
bool json_get_bool(json_object *object, const char *key);

/* A readable document, and one line for streams; both end in a newline and are flushed. */
void json_write_document(FILE *f, json_object *value);
void json_write_line(FILE *f, json_object *value);
