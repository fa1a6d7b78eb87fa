/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages that are made of text; those of fuzz_bus() are read here, and never sent. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* A connection that nobody answers on. Made at the first call, and kept. */
sd_bus *fuzz_bus(void);

/* Where the values of a message come from: "" for what is missing. */
typedef struct FuzzValues {
        const char *(*next)(struct FuzzValues *values);
        char *rest;
        size_t n; /* how many were taken */
} FuzzValues;

/*
 * Appends values of the types: numbers in decimal, the length of each array before its elements,
 * the type of a variant before its value; an fd is one of /dev/null. False where D-Bus does not
 * allow it, or there is too much of it: the message is then good for nothing.
 */
bool fuzz_append(sd_bus_message *m, const char *types, FuzzValues *values);

/* The length of the first complete type; 0 for none. */
size_t fuzz_type_length(const char *types);
