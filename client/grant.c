/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/grant.h"

#include <errno.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

void grant_close_files(Grant *grant) {
        for (size_t i = 0; i < grant->n_files; i++) {
                (void)fd_close(grant->files[i].fd);
                free(grant->files[i].kind);
                free(grant->files[i].name);
        }
        free(grant->files);
        grant->files = NULL;
        grant->n_files = 0;
}

void grant_done(Grant *grant) {
        grant_close_files(grant);
        grant->lease_fd = fd_close(grant->lease_fd);
        free(grant->lease);
        grant->lease = NULL;
        free(grant->granter);
        grant->granter = NULL;
}

int grant_add_consume(Grant *grant, const char *kind, const char *name, int fd) {
        _cleanup_close_ int owned = fd;
        GrantFile *grown;

        grown = reallocarray(grant->files, grant->n_files + 1, sizeof(GrantFile));
        if (!grown)
                return -ENOMEM;
        grant->files = grown;
        grown[grant->n_files] = (GrantFile){
                .kind = strdup(kind),
                .name = strdup(name),
                .fd = TAKE_FD(owned),
        };
        grant->n_files++;
        return grown[grant->n_files - 1].kind && grown[grant->n_files - 1].name ? 0 : -ENOMEM;
}

static bool name_matches(const char *name, const char *wanted) {
        const char *without_domain = string_after(name, "0000:");

        return !wanted || string_equal(name, wanted) || string_equal(without_domain, wanted);
}

const GrantFile *grant_find(const Grant *grant, const char *kind, const char *name, size_t *ret_n) {
        const GrantFile *found = NULL;

        *ret_n = 0;
        for (size_t i = 0; i < grant->n_files; i++) {
                const GrantFile *file = &grant->files[i];

                if (!string_equal(file->kind, kind) || !name_matches(file->name, name))
                        continue;
                if (!found)
                        found = file;
                (*ret_n)++;
        }
        return found;
}

char *grant_describe(const Grant *grant) {
        _cleanup_free_ char *text = strdup("");

        for (size_t i = 0; text && i < grant->n_files; i++)
                if (string_append(&text, "%s%s:%s=%d", i > 0 ? " " : "", grant->files[i].kind,
                                  grant->files[i].name, grant->files[i].fd) < 0)
                        return NULL;
        return TAKE_PTR(text);
}
