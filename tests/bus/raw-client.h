/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A client that speaks D-Bus byte by byte, to do what no library does: everything at once, half a
 * message, a header that claims another sender, files with any byte.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Bytes {
        uint8_t data[4096];
        size_t size;
} Bytes;

/* What authenticates as `uid` and begins. */
void raw_begin(Bytes *bytes, uid_t uid);

/* A call of a method without arguments; `sender` is claimed, if it is not NULL. */
void raw_call(Bytes *bytes, uint32_t serial, const char *path, const char *interface,
              const char *member, const char *sender);

/* The start of a call whose body is to be of so many bytes, of which none is there yet. */
void raw_call_of_size(Bytes *bytes, uint32_t serial, uint32_t body);

/* The start of a call without arguments, with a header field that nobody knows. `waste` letters are
 * to follow, and then as many zero bytes as it returns. */
size_t raw_call_with_waste(Bytes *bytes, uint32_t serial, const char *path, const char *interface,
                           const char *member, uint32_t waste);

/* Sends, with `n_files` copies of `file`. 0, or -errno. */
int raw_send(int socket, const void *data, size_t size, int file, size_t n_files);

/* How many whole replies (returns and errors) are in what was received after authentication. */
size_t raw_count_replies(const uint8_t *data, size_t size);
