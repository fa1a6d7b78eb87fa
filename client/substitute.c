/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/substitute.h"

#include <errno.h>

#include "daemon/util/string.h"

#define LEASE "lease"

typedef struct Kind {
        const char *name;
        bool named; /* "{kind:name}" makes sense */
        bool device;
} Kind;

static const Kind kinds[] = {
        {.name = LEASE},
        {.name = "container"},
        {.name = "group", .named = true},
        {.name = "device", .named = true, .device = true},
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

static int look_up(const Placeholder *p, const Grant *grant, int *ret_fd, char **reterr) {
        const GrantFile *file;
        size_t n;

        if (string_equal(p->kind->name, LEASE)) {
                *ret_fd = grant->lease_fd;
                return 0;
        }
        file = grant_find(grant, p->kind->name, p->name, &n);
        if (!file)
                return refuse(reterr,
                              string_format("'{%s}' matches no file of the lease", p->text));
        if (n > 1)
                return refuse(reterr, string_format("'{%s}' could be any of %zu: write '{%s:NAME}'",
                                                    p->text, n, p->kind->name));
        *ret_fd = file->fd;
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

/* With no grant, only what substitute_check() promises. */
static int walk(const char *s, const Grant *grant, bool devices, char **text, char **reterr) {
        int r = 0;

        for (s = copy_literal(s, text, &r); r >= 0 && *s; s = copy_literal(s, text, &r)) {
                _cleanup_(placeholder_done) Placeholder p = PLACEHOLDER_NULL;
                int fd = -EBADF;

                r = parse(s + 1, &p, &s, reterr);
                if (r < 0)
                        return r;
                if (!devices && p.kind->device)
                        return refuse(reterr, string_format("'{%s}': there are no device files "
                                                            "with --prepare open",
                                                            p.text));
                if (!grant)
                        continue;
                r = look_up(&p, grant, &fd, reterr);
                if (r < 0)
                        return r;
                r = string_append(text, "%d", fd);
                if (r < 0)
                        return r;
        }
        return r;
}

int substitute_check(const char *argument, bool devices, char **reterr) {
        _cleanup_free_ char *text = NULL;

        return walk(argument, NULL, devices, &text, reterr);
}

int substitute(const char *argument, const Grant *grant, char **ret, char **reterr) {
        _cleanup_free_ char *text = strdup("");
        int r;

        if (!text)
                return -ENOMEM;
        r = walk(argument, grant, true, &text, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}
