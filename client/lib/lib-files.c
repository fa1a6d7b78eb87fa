/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The labelled files of a lease. */

#include <errno.h>

#include "client/lib/lib-private.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

static void file_done(vfiod_file *file) {
        (void)fd_close(file->fd);
        free((char *)file->kind);
        free((char *)file->name);
}

void lease_files_done(LeaseFiles *files) {
        for (size_t i = 0; i < files->n_files; i++)
                file_done(&files->files[i]);
        free(files->files);
        *files = (LeaseFiles){0};
}

int lease_files_add_consume(LeaseFiles *files, const char *kind, const char *name, int fd) {
        _cleanup_close_ int owned = fd;
        vfiod_file *grown, *file;

        grown = reallocarray(files->files, files->n_files + 1, sizeof(vfiod_file));
        if (!grown)
                return -ENOMEM;
        files->files = grown;
        file = &grown[files->n_files++];
        *file = (vfiod_file){.kind = strdup(kind), .name = strdup(name), .fd = TAKE_FD(owned)};
        return file->kind && file->name ? 0 : -ENOMEM;
}

void lease_files_drop(LeaseFiles *files, const char *kind, const char *name) {
        size_t kept = 0;

        for (size_t i = 0; i < files->n_files; i++)
                if (string_equal(files->files[i].kind, kind) &&
                    string_equal(files->files[i].name, name))
                        file_done(&files->files[i]);
                else
                        files->files[kept++] = files->files[i];
        files->n_files = kept;
}

int lease_files_read(LeaseFiles *files, sd_bus_message *m) {
        const char *kind, *name;
        int r, fd;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ssh)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(ssh)", &kind, &name, &fd)) > 0) {
                /* Those in a message are borrowed. */
                fd = fd_duplicate(fd);
                if (fd < 0)
                        return fd;
                r = lease_files_add_consume(files, kind, name, fd);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static bool name_matches(const char *name, const char *wanted) {
        const char *without_domain = string_after(name, "0000:");

        return !wanted || string_equal(name, wanted) || string_equal(without_domain, wanted);
}

vfiod_file *lease_files_find(const LeaseFiles *files, const char *kind, const char *name,
                             size_t *ret_n) {
        vfiod_file *found = NULL;

        *ret_n = 0;
        for (size_t i = 0; i < files->n_files; i++) {
                vfiod_file *file = &files->files[i];

                if (file->fd < 0 || !string_equal(file->kind, kind) ||
                    !name_matches(file->name, name))
                        continue;
                if (!found)
                        found = file;
                (*ret_n)++;
        }
        return found;
}
