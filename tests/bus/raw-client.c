/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* D-Bus specification, "Message Format" and "Authentication Protocol". Little endian only. */

#include "tests/bus/raw-client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FILES_MAX 253
#define HEADER_SIZE 16

enum { METHOD_CALL = 1, METHOD_RETURN, METHOD_ERROR };
enum {
        FIELD_PATH = 1,
        FIELD_INTERFACE = 2,
        FIELD_MEMBER = 3,
        FIELD_SENDER = 7,
        FIELD_SIGNATURE,
        FIELD_UNKNOWN = 200
};

static size_t round_up(size_t n, size_t to) {
        return (n + to - 1) / to * to;
}

static void append(Bytes *bytes, const void *data, size_t size) {
        if (bytes->size + size > sizeof(bytes->data))
                abort();
        (void)memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
}

static void append_u32(Bytes *bytes, uint32_t value) {
        append(bytes, &value, sizeof(value));
}

static void align(Bytes *bytes, size_t start, size_t to) {
        while ((bytes->size - start) % to != 0)
                append(bytes, "", 1);
}

void raw_begin(Bytes *bytes, uid_t uid) {
        char decimal[16], line[64] = "AUTH EXTERNAL ";

        (void)snprintf(decimal, sizeof(decimal), "%u", uid);
        for (size_t i = 0; decimal[i]; i++)
                (void)snprintf(line + strlen(line), 3, "%02x", (unsigned char)decimal[i]);
        append(bytes, "", 1);
        append(bytes, line, strlen(line));
        append(bytes, "\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n",
               strlen("\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"));
}

static void append_field(Bytes *bytes, size_t start, uint8_t field, const char *type,
                         const char *value) {
        uint8_t signature_size = (uint8_t)strlen(value);

        align(bytes, start, 8);
        append(bytes, &field, 1);
        append(bytes, "\1", 1);
        append(bytes, type, 2);
        if (field == FIELD_SIGNATURE)
                append(bytes, &signature_size, 1);
        else {
                align(bytes, start, 4);
                append_u32(bytes, (uint32_t)strlen(value));
        }
        append(bytes, value, strlen(value) + 1);
}

/* Up to its fields, of which the size is not known yet. */
static void append_start(Bytes *bytes, uint32_t serial, uint32_t body) {
        static const uint8_t fixed[] = {'l', METHOD_CALL, 0, 1};

        append(bytes, fixed, sizeof(fixed));
        append_u32(bytes, body);
        append_u32(bytes, serial);
        append_u32(bytes, 0);
}

static void append_method(Bytes *bytes, size_t start, const char *path, const char *interface,
                          const char *member) {
        append_field(bytes, start, FIELD_PATH, "o", path);
        append_field(bytes, start, FIELD_INTERFACE, "s", interface);
        append_field(bytes, start, FIELD_MEMBER, "s", member);
}

/* Of the message that starts there. */
static void set_size_of_fields(Bytes *bytes, size_t start, uint32_t more) {
        uint32_t size = (uint32_t)(bytes->size - start - HEADER_SIZE) + more;

        (void)memcpy(bytes->data + start + HEADER_SIZE - sizeof(size), &size, sizeof(size));
}

static void append_header(Bytes *bytes, uint32_t serial, uint32_t body, const char *path,
                          const char *interface, const char *member, const char *sender) {
        size_t start = bytes->size;

        append_start(bytes, serial, body);
        append_method(bytes, start, path, interface, member);
        if (sender)
                append_field(bytes, start, FIELD_SENDER, "s", sender);
        if (body > 0)
                append_field(bytes, start, FIELD_SIGNATURE, "g", "ay");
        set_size_of_fields(bytes, start, 0);
        align(bytes, start, 8);
}

void raw_call(Bytes *bytes, uint32_t serial, const char *path, const char *interface,
              const char *member, const char *sender) {
        append_header(bytes, serial, 0, path, interface, member, sender);
}

void raw_call_of_size(Bytes *bytes, uint32_t serial, uint32_t body) {
        append_header(bytes, serial, body, "/", "org.example.Any", "Any", NULL);
}

size_t raw_call_with_waste(Bytes *bytes, uint32_t serial, const char *path, const char *interface,
                           const char *member, uint32_t waste) {
        static const uint8_t field[] = {FIELD_UNKNOWN, 1, 's', 0};
        size_t start = bytes->size, size;

        append_start(bytes, serial, 0);
        append_method(bytes, start, path, interface, member);
        align(bytes, start, 8);
        append(bytes, field, sizeof(field));
        align(bytes, start, 4);
        append_u32(bytes, waste);
        set_size_of_fields(bytes, start, waste + 1);
        size = bytes->size - start + waste;
        return round_up(size + 1, 8) - size;
}

int raw_send(int socket, const void *data, size_t size, int file, size_t n_files) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(FILES_MAX * sizeof(int))];
        } control = {.header = {.cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS,
                                .cmsg_len = CMSG_LEN(n_files * sizeof(int))}};
        struct iovec vector = {.iov_base = (void *)data, .iov_len = size};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

        for (size_t i = 0; i < n_files; i++)
                (void)memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &file, sizeof(int));
        if (n_files > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(n_files * sizeof(int));
        }
        return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

size_t raw_count_replies(const uint8_t *data, size_t size) {
        size_t n = 0, total;
        uint32_t body, fields;

        for (; size >= HEADER_SIZE; data += total, size -= total) {
                (void)memcpy(&body, data + 4, sizeof(body));
                (void)memcpy(&fields, data + 12, sizeof(fields));
                total = round_up(HEADER_SIZE + fields, 8) + body;
                if (total > size)
                        break;
                n += data[1] == METHOD_RETURN || data[1] == METHOD_ERROR;
        }
        return n;
}
