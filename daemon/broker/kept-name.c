/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A device's ':' is written as '=', which no device's name has: ':' separates names in the store.
 */

#include "daemon/broker/kept-name.h"

#include "daemon/util/string.h"

#define PREFIX "lease-"

static void swap(char *text, char from, char to) {
        for (; *text; text++)
                if (*text == from)
                        *text = to;
}

char *kept_name_format(uint32_t lease, const Handle *handle) {
        const char *kind = handle_kind_name(handle->kind);
        char *text;

        if (handle_kind_is_shared(handle->kind) || handle->kind == HANDLE_LEASE)
                text = string_format(PREFIX "%u.%s", lease, kind);
        else if (!handle->device)
                text = string_format(PREFIX "%u.%s.%u", lease, kind, handle->group);
        else
                text = string_format(PREFIX "%u.%s.%u.%s", lease, kind, handle->group,
                                     handle->device);
        if (text)
                swap(text, ':', '=');
        return text;
}

/* The part up to the next '.' or the end; *text is behind it then. False for an empty one. */
static bool take_part(const char **text, char *part, size_t size) {
        size_t n = strcspn(*text, ".");

        if (n == 0 || n >= size)
                return false;
        (void)memcpy(part, *text, n);
        part[n] = '\0';
        *text += n + ((*text)[n] == '.');
        return true;
}

static bool take_number(const char **text, uint32_t *ret) {
        char part[16];
        uint64_t number;

        if (!take_part(text, part, sizeof(part)) || string_to_u64(part, UINT32_MAX, &number) < 0)
                return false;
        *ret = (uint32_t)number;
        return true;
}

static bool take_kind(const char **text, HandleKind *ret) {
        char part[16];

        if (!take_part(text, part, sizeof(part)))
                return false;
        for (HandleKind kind = HANDLE_CONTAINER; kind <= HANDLE_LEASE; kind++)
                if (strcmp(part, handle_kind_name(kind)) == 0) {
                        *ret = kind;
                        return true;
                }
        return false;
}

static bool take_device(const char *text, char *ret) {
        Target target;

        if (strlen(text) > ADDRESS_MAX)
                return false;
        (void)strcpy(ret, text);
        swap(ret, '=', ':');
        return target_parse(ret, &target) == 0 && target.kind == TARGET_DEVICE &&
               strcmp(target.device, ret) == 0;
}

bool kept_name_parse(const char *text, KeptName *ret) {
        KeptName name = {0};
        const char *rest = string_after(text, PREFIX);
        _cleanup_free_ char *again = NULL;

        if (!rest || !take_number(&rest, &name.lease) || !take_kind(&rest, &name.kind))
                return false;
        if (!handle_kind_is_shared(name.kind) && name.kind != HANDLE_LEASE &&
            !take_number(&rest, &name.group))
                return false;
        if (handle_kind_is_device(name.kind) ? !take_device(rest, name.device) : *rest != '\0')
                return false;
        again = kept_name_format(name.lease,
                                 &(Handle){.kind = name.kind,
                                           .group = name.group,
                                           .device = name.device[0] ? name.device : NULL});
        if (!string_equal(again, text))
                return false;
        *ret = name;
        return true;
}
