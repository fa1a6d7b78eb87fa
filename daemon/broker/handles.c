/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/handles.h"

#include <stdlib.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static const char *const names[] = {
        [HANDLE_CONTAINER] = "container", [HANDLE_GROUP] = "group", [HANDLE_DEVICE] = "device",
        [HANDLE_IOMMUFD] = "iommufd",     [HANDLE_CDEV] = "cdev",   [HANDLE_LEASE] = "lease",
        [HANDLE_CLAIM] = "claim",
};

bool handle_kind_is_shared(HandleKind kind) {
        return kind == HANDLE_CONTAINER || kind == HANDLE_IOMMUFD;
}

bool handle_kind_is_device(HandleKind kind) {
        return kind == HANDLE_DEVICE || kind == HANDLE_CDEV;
}

bool handle_kind_is_sent(HandleKind kind) {
        return handle_kind_is_shared(kind) || handle_kind_is_device(kind) || kind == HANDLE_GROUP;
}

static int reserve(Handles *handles, size_t more) {
        Handle *grown =
                reallocarray(handles->handles, handles->n_handles + more + 1, sizeof(Handle));

        if (!grown)
                return -ENOMEM;
        handles->handles = grown;
        return 0;
}

int handles_add_consume(Handles *handles, HandleKind kind, uint32_t group, const char *device,
                        int fd) {
        _cleanup_close_ int owned = fd;
        _cleanup_free_ char *name = NULL;

        if (string_set(&name, device) < 0 || reserve(handles, 1) < 0)
                return -ENOMEM;
        handles->handles[handles->n_handles++] = (Handle){
                .kind = kind,
                .group = group,
                .device = TAKE_PTR(name),
                .fd = TAKE_FD(owned),
                .fresh = true,
        };
        return 0;
}

static bool handle_is(const Handle *handle, HandleKind kind, uint32_t group, const char *device) {
        return handle->kind == kind && handle->group == group &&
               string_equal(handle->device, device);
}

int handles_find(const Handles *handles, HandleKind kind, uint32_t group, const char *device) {
        for (size_t i = 0; i < handles->n_handles; i++)
                if (handle_is(&handles->handles[i], kind, group, device))
                        return handles->handles[i].fd;
        return -EBADF;
}

/* The order of the rest is kept: GetFds counts on it. */
static Handle take_at(Handles *handles, size_t index) {
        Handle handle = handles->handles[index];

        handles->n_handles--;
        memmove(handles->handles + index, handles->handles + index + 1,
                (handles->n_handles - index) * sizeof(Handle));
        return handle;
}

static void handle_done(Handle *handle) {
        free(handle->device);
        handle->fd = fd_close(handle->fd);
}

void handles_close(Handles *handles, HandleKind kind, uint32_t group, const char *device) {
        for (size_t i = 0; i < handles->n_handles; i++)
                if (handle_is(&handles->handles[i], kind, group, device)) {
                        Handle handle = take_at(handles, i);

                        handle_done(&handle);
                        return;
                }
}

void handles_close_kind(Handles *handles, HandleKind kind) {
        for (size_t i = handles->n_handles; i > 0; i--)
                if (handles->handles[i - 1].kind == kind) {
                        Handle handle = take_at(handles, i - 1);

                        handle_done(&handle);
                }
}

typedef bool (*HandleMatch)(const Handle *handle, const void *what);

static int move_matching(Handles *from, Handles *to, HandleMatch match, const void *what) {
        if (reserve(to, from->n_handles) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < from->n_handles;)
                if (match(&from->handles[i], what))
                        to->handles[to->n_handles++] = take_at(from, i);
                else
                        i++;
        return 0;
}

static bool match_device(const Handle *handle, const void *device) {
        return handle_kind_is_device(handle->kind) && string_equal(handle->device, device);
}

static bool match_group(const Handle *handle, const void *group) {
        return !handle_kind_is_shared(handle->kind) && handle->group == *(const uint32_t *)group;
}

static bool match_any(const Handle *handle _unused_, const void *what _unused_) {
        return true;
}

int handles_move_device(Handles *from, const char *device, Handles *to) {
        return move_matching(from, to, match_device, device);
}

int handles_move_group(Handles *from, uint32_t group, Handles *to) {
        return move_matching(from, to, match_group, &group);
}

int handles_move_all(Handles *from, Handles *to) {
        return move_matching(from, to, match_any, NULL);
}

const char *handle_kind_name(HandleKind kind) {
        return names[kind];
}

/* Devices before groups before the container: the reverse of how they were opened. */
void handles_done(Handles *handles) {
        while (handles->n_handles > 0) {
                Handle handle = take_at(handles, handles->n_handles - 1);

                handle_done(&handle);
        }
        free(handles->handles);
        *handles = (Handles)HANDLES_NULL;
}
