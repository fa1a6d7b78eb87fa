/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/util/string.h"

/* A malformed name is quoted back only this far. */
#define QUOTE_MAX 65

static const char *const names[_OPERATION_MAX] = {
        [OPERATION_BIND] = "bind",
        [OPERATION_UNBIND] = "unbind",
        [OPERATION_ACQUIRE] = "acquire",
        [OPERATION_ADD] = "add",
        [OPERATION_REMOVE] = "remove",
        [OPERATION_RELEASE] = "release",
        [OPERATION_LOOK] = "look",
        [OPERATION_INSPECT] = "inspect",
        [OPERATION_RESET] = "reset",
        [OPERATION_SET_VFS] = "set-vfs",
        [OPERATION_CREATE_MDEV] = "create-mdev",
        [OPERATION_REMOVE_MDEV] = "remove-mdev",
        [OPERATION_ASSIGN] = "assign",
        [OPERATION_UNASSIGN] = "unassign",
};

void request_done(Request *request) {
        free(request->targets);
        free(request->driver);
        free(request->label);
        free(request->cookies);
        strv_free(request->actions);
        free(request->reset_method);
        free(request->mdev_parent);
        free(request->mdev_type);
        free(request->mdev_uuid);
        *request = (Request){0};
}

int request_copy(const Request *request, Request *ret) {
        _cleanup_request_ Request copy = *request;

        copy.driver = NULL;
        copy.label = NULL;
        copy.actions = NULL;
        copy.reset_method = NULL;
        copy.mdev_parent = NULL;
        copy.mdev_type = NULL;
        copy.mdev_uuid = NULL;
        copy.targets = calloc(request->n_targets + 1, sizeof(Target));
        copy.cookies = calloc(request->n_cookies + 1, sizeof(Cookie));
        if (!copy.targets || !copy.cookies || string_set(&copy.driver, request->driver) < 0 ||
            string_set(&copy.label, request->label) < 0 ||
            string_set(&copy.reset_method, request->reset_method) < 0 ||
            string_set(&copy.mdev_parent, request->mdev_parent) < 0 ||
            string_set(&copy.mdev_type, request->mdev_type) < 0 ||
            string_set(&copy.mdev_uuid, request->mdev_uuid) < 0)
                return -ENOMEM;
        if (request->n_targets > 0)
                memcpy(copy.targets, request->targets, request->n_targets * sizeof(Target));
        if (request->n_cookies > 0)
                memcpy(copy.cookies, request->cookies, request->n_cookies * sizeof(Cookie));
        *ret = copy;
        copy = (Request){0};
        return 0;
}

const char *operation_name(Operation operation) {
        assert(operation >= 0 && operation < _OPERATION_MAX);
        return names[operation];
}

static bool target_equal(const Target *a, const Target *b) {
        if (a->kind != b->kind)
                return false;
        return a->kind == TARGET_GROUP ? a->group == b->group : strcmp(a->device, b->device) == 0;
}

RefusalKind request_set_targets(Request *request, char *const *texts, size_t limit,
                                Refusal *refusal) {
        size_t n = strv_length(texts);

        if (n == 0)
                return refuse(refusal, REFUSAL_NO_TARGETS,
                              "no target given: name a device or a group, such as 0000:01:00.0 or "
                              "group/3");
        if (n > limit)
                return refuse(refusal, REFUSAL_TOO_MANY_TARGETS,
                              "more than %zu targets in one request, the limit (limits.targets)",
                              limit);
        request->targets = calloc(n, sizeof(Target));
        if (!request->targets)
                return refuse_memory(refusal);

        for (size_t i = 0; i < n; i++) {
                Target *target = &request->targets[i];
                char quote[QUOTE_MAX];

                if (target_parse(texts[i], target) < 0)
                        return refuse(refusal, REFUSAL_INVALID_TARGET,
                                      "'%s' is neither a device such as 0000:01:00.0 nor a group "
                                      "such as group/3",
                                      string_quotable(texts[i], quote, sizeof(quote)));
                for (size_t j = 0; j < i; j++)
                        if (target_equal(&request->targets[j], target))
                                return refuse(refusal, REFUSAL_DUPLICATE_TARGET,
                                              "'%s' is given twice",
                                              string_quotable(texts[i], quote, sizeof(quote)));
                request->n_targets++;
        }
        return REFUSAL_NONE;
}

char *request_targets_text(const Request *request) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; text && i < request->n_targets; i++) {
                const Target *target = &request->targets[i];
                const char *separator = i > 0 ? " " : "";
                int r;

                if (target->kind == TARGET_GROUP)
                        r = string_append(&text, "%sgroup/%u", separator, target->group);
                else
                        r = string_append(&text, "%s%s", separator, target->device);
                if (r < 0)
                        return NULL;
        }
        return TAKE_PTR(text);
}
