/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus messages by hand (D-Bus Specification, "Message Format"), little-endian. */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "vfio-files.h"

#define FIELD_PATH 1
#define FIELD_INTERFACE 2
#define FIELD_MEMBER 3
#define FIELD_REPLY_SERIAL 5
#define FIELD_DESTINATION 6
#define FIELD_SENDER 7
#define FIELD_SIGNATURE 8
#define FIELD_UNIX_FDS 9

void packet_done(Packet *p) {
        free(p->data);
        *p = (Packet)PACKET_NULL;
}

void packet_append(Packet *p, const void *data, size_t size) {
        if (p->size + size > p->capacity) {
                p->capacity = 2 * (p->size + size);
                p->data = realloc(p->data, p->capacity);
                if (!p->data)
                        die("out of memory");
        }
        memcpy(p->data + p->size, data, size);
        p->size += size;
}

void packet_align(Packet *p, size_t alignment) {
        static const uint8_t zeros[8];

        packet_append(p, zeros, (alignment - p->size % alignment) % alignment);
}

void packet_u32(Packet *p, uint32_t value) {
        packet_align(p, 4);
        packet_append(p, &value, sizeof(value));
}

void packet_string(Packet *p, const char *text) {
        packet_u32(p, (uint32_t)strlen(text));
        packet_append(p, text, strlen(text) + 1);
}

void packet_strings(Packet *p, const char *text) {
        packet_u32(p, text ? (uint32_t)(sizeof(uint32_t) + strlen(text) + 1) : 0);
        if (text)
                packet_string(p, text);
}

void packet_no_options(Packet *p) {
        packet_u32(p, 0);
        packet_align(p, 8);
}

void packet_option(Packet *p, const char *key, const char *value) {
        Packet entry = PACKET_NULL;

        /* As it is at a place that can be divided by 8. */
        packet_string(&entry, key);
        packet_append(&entry, "\1s", 3);
        packet_string(&entry, value);
        packet_u32(p, (uint32_t)entry.size);
        packet_align(p, 8);
        packet_append(p, entry.data, entry.size);
        packet_done(&entry);
}

static void append_signature(Packet *p, const char *signature) {
        uint8_t length = (uint8_t)strlen(signature);

        packet_append(p, &length, 1);
        packet_append(p, signature, (size_t)length + 1);
}

static void begin_field(Packet *p, uint8_t code, const char *signature) {
        packet_align(p, 8);
        packet_append(p, &code, 1);
        append_signature(p, signature);
}

static void append_text_field(Packet *p, uint8_t code, const char *signature, const char *text) {
        if (!text)
                return;
        begin_field(p, code, signature);
        if (code == FIELD_SIGNATURE)
                append_signature(p, text);
        else
                packet_string(p, text);
}

static void append_number_field(Packet *p, uint8_t code, uint32_t number) {
        if (number == 0)
                return;
        begin_field(p, code, "u");
        packet_u32(p, number);
}

static void append_fields(Packet *p, const Header *h) {
        append_text_field(p, FIELD_PATH, "o", h->path);
        append_text_field(p, FIELD_INTERFACE, "s", h->interface);
        append_text_field(p, FIELD_MEMBER, "s", h->member);
        append_text_field(p, FIELD_DESTINATION, "s", h->destination);
        append_text_field(p, FIELD_SENDER, "s", h->sender);
        append_text_field(p, FIELD_SIGNATURE, "g", h->signature);
        append_number_field(p, FIELD_REPLY_SERIAL, h->reply_serial);
        append_number_field(p, FIELD_UNIX_FDS, h->n_fds);
}

void packet_message(Packet *p, const Header *header, const Packet *body) {
        uint8_t start[4] = {'l', header->type, header->flags, 1};
        uint32_t size;

        p->size = 0;
        packet_append(p, start, sizeof(start));
        packet_u32(p, body ? (uint32_t)body->size : 0);
        packet_u32(p, header->serial);
        /* The length of the fields, which begin at 16, is known behind them. */
        packet_u32(p, 0);
        append_fields(p, header);
        size = (uint32_t)p->size - 16;
        memcpy(p->data + 12, &size, sizeof(size));
        packet_align(p, 8);
        if (body)
                packet_append(p, body->data, body->size);
}

void packet_call(Packet *p, uint8_t flags, uint32_t serial, const char *member,
                 const char *signature, const Packet *body) {
        Header header = {
                .type = CALL,
                .flags = flags,
                .serial = serial,
                .path = MANAGER_PATH,
                .interface = strcmp(member, "GetManagedObjects") == 0 ? OBJECT_MANAGER : MANAGER,
                .member = member,
                .destination = NAME,
                .signature = signature,
        };

        packet_message(p, &header, body);
}
