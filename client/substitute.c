/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/substitute.h"

#include <errno.h>

#include "daemon/util/string.h"

typedef struct Kind {
        const char *name;
        const char *mode; /* the only one that has it, NULL for both */
        bool named;       /* "{kind:name}" makes sense */
} Kind;

static const Kind kinds[] = {
        {.name = VFIOD_KIND_LEASE},
        {.name = VFIOD_KIND_CONTAINER, .mode = VFIOD_MODE_GROUP},
        {.name = VFIOD_KIND_GROUP, .mode = VFIOD_MODE_GROUP, .named = true},
        {.name = VFIOD_KIND_DEVICE, .mode = VFIOD_MODE_GROUP, .named = true},
        {.name = VFIOD_KIND_IOMMUFD, .mode = VFIOD_MODE_IOMMUFD},
        {.name = VFIOD_KIND_CDEV, .mode = VFIOD_MODE_IOMMUFD, .named = true},
};

typedef struct Placeholder {
        const Kind *kind;
        char *name; /* NULL where none is given */
        char *text; /* what is between the braces, for sentences */
} Placeholder;

#define PLACEHOLDER_NULL {.kind = NULL}

static void placeholder_done(Placeholder *p) {
        free(p->name);
        free(p->text);
}

static int refuse(char **reterr, char *sentence) {
        if (!sentence)
                return -ENOMEM;
        *reterr = sentence;
        return -EINVAL;
}

/* `s` is behind the opening brace; *ret_end is set behind the closing one. */
static int parse(const char *s, Placeholder *ret, const char **ret_end, char **reterr) {
        const char *end = strchr(s, '}');
        size_t n;

        if (!end)
                return refuse(reterr,
                              string_format("'{%s' does not end; write '{{' for a brace", s));
        ret->text = strndup(s, (size_t)(end - s));
        if (!ret->text)
                return -ENOMEM;

        n = strcspn(ret->text, ":");
        for (size_t i = 0; i < ELEMENTS(kinds) && !ret->kind; i++)
                if (strlen(kinds[i].name) == n && strncmp(kinds[i].name, ret->text, n) == 0)
                        ret->kind = &kinds[i];
        if (!ret->kind || (ret->text[n] == ':' && (!ret->kind->named || ret->text[n + 1] == '\0')))
                return refuse(reterr,
                              string_format("unknown placeholder '{%s}'; write '{{' for a brace",
                                            ret->text));
        if (ret->text[n] == ':') {
                ret->name = strdup(ret->text + n + 1);
                if (!ret->name)
                        return -ENOMEM;
        }
        *ret_end = end + 1;
        return 0;
}

static size_t count_files(const vfiod_lease *lease, const char *kind) {
        const vfiod_file *file;
        size_t n = 0;

        for (size_t i = 0; (file = vfiod_lease_get_file(lease, i)); i++)
                n += string_equal(file->kind, kind);
        return n;
}

static int look_up(const Placeholder *p, const vfiod_lease *lease, int *ret_fd, char **reterr) {
        int fd = vfiod_lease_get_fd(lease, p->kind->name, p->name);

        if (fd == -ENOTUNIQ)
                return refuse(reterr, string_format("'{%s}' could be any of %zu: write '{%s:NAME}'",
                                                    p->text, count_files(lease, p->kind->name),
                                                    p->kind->name));
        if (fd < 0)
                return refuse(reterr,
                              string_format("'{%s}' matches no file of the lease", p->text));
        *ret_fd = fd;
        return 0;
}

/* Whether there can be such a file. */
static int check_kind(const Placeholder *p, const char *prepare, const char **mode, char **reterr) {
        if (!p->kind->mode)
                return 0;
        if (!*mode || string_equal(*mode, VFIOD_MODE_AUTO))
                *mode = p->kind->mode;
        if (!string_equal(*mode, p->kind->mode))
                return refuse(reterr, string_format("'{%s}': there is no %s file in %s mode",
                                                    p->text, p->kind->name, *mode));
        if (string_equal(p->kind->name, VFIOD_KIND_DEVICE) &&
            string_equal(prepare, VFIOD_PREPARE_OPEN))
                return refuse(reterr,
                              string_format("'{%s}': there are no device files with --prepare open",
                                            p->text));
        return 0;
}

/* Appends the text up to the next placeholder, with "{{" undone; returns where it stopped. */
static const char *copy_literal(const char *s, char **text, int *r) {
        while (*s && *r >= 0) {
                size_t n = strcspn(s, "{");

                *r = string_append(text, "%.*s", (int)n, s);
                s += n;
                if (*r < 0 || s[0] == '\0' || s[1] != '{')
                        break;
                *r = string_append(text, "{");
                s += 2;
        }
        return s;
}

typedef int (*PlaceholderHandler)(const Placeholder *p, void *userdata, char **text, char **reterr);

/* Each placeholder goes to `handle`, the rest into *text. */
static int walk(const char *s, PlaceholderHandler handle, void *userdata, char **text,
                char **reterr) {
        int r = 0;

        for (s = copy_literal(s, text, &r); r >= 0 && *s; s = copy_literal(s, text, &r)) {
                _cleanup_(placeholder_done) Placeholder p = PLACEHOLDER_NULL;

                r = parse(s + 1, &p, &s, reterr);
                if (r >= 0)
                        r = handle(&p, userdata, text, reterr);
                if (r < 0)
                        return r;
        }
        return r;
}

typedef struct Wishes {
        const char *prepare;
        const char **mode;
} Wishes;

static int check_placeholder(const Placeholder *p, void *userdata, _unused_ char **text,
                             char **reterr) {
        Wishes *wishes = userdata;

        return check_kind(p, wishes->prepare, wishes->mode, reterr);
}

int substitute_check(const char *argument, const char *prepare, const char **mode, char **reterr) {
        _cleanup_free_ char *text = NULL;

        return walk(argument, check_placeholder, &(Wishes){prepare, mode}, &text, reterr);
}

static int replace_placeholder(const Placeholder *p, void *userdata, char **text, char **reterr) {
        int r, fd = -EBADF;

        r = look_up(p, userdata, &fd, reterr);
        return r < 0 ? r : string_append(text, "%d", fd);
}

int substitute(const char *argument, const vfiod_lease *lease, char **ret, char **reterr) {
        _cleanup_free_ char *text = strdup("");
        int r;

        if (!text)
                return -ENOMEM;
        r = walk(argument, replace_placeholder, (void *)lease, &text, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}
