/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/persist/config-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define FILE_NAME "vfiod.json"
#define DROP_INS "vfiod.json.d"
#define FILE_SIZE_MAX (1024 * 1024)

static int read_text(const char *path, char **ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ char *text = NULL;
        struct stat status;
        size_t at = 0;
        ssize_t n;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MAX)
                return -EINVAL;
        text = malloc((size_t)status.st_size + 1);
        if (!text)
                return -ENOMEM;
        while ((n = read(fd, text + at, (size_t)status.st_size - at)) > 0)
                at += (size_t)n;
        if (n < 0)
                return -errno;
        text[at] = '\0';
        /* JSON has no NUL; what follows one would be passed over in silence. */
        if (strlen(text) != at)
                return -EINVAL;
        *ret = TAKE_PTR(text);
        return 0;
}

static int read_one(const char *path, ConfigFileRead read, void *userdata, char **ret_failed) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_text(path, &text);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                *ret_failed = strdup(path);
                return r;
        }
        return read(userdata, path, text);
}

static bool is_drop_in(const char *name) {
        size_t n = strlen(name);

        return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".json") == 0;
}

static int list_drop_ins(const char *path, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        DIR *dir = opendir(path);
        struct dirent *entry;
        int r = 0;

        if (!dir)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && (entry = readdir(dir)))
                if (is_drop_in(entry->d_name))
                        r = strv_push(&names, entry->d_name);
        (void)closedir(dir);
        if (r < 0)
                return r;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

int config_files_read(const char *directory, ConfigFileRead read, void *userdata,
                      char **ret_failed) {
        _cleanup_free_ char *file = string_format("%s/" FILE_NAME, directory);
        _cleanup_free_ char *drop_ins = string_format("%s/" DROP_INS, directory);
        _cleanup_strv_ char **names = NULL;
        int r;

        if (!file || !drop_ins)
                return -ENOMEM;
        r = read_one(file, read, userdata, ret_failed);
        if (r < 0)
                return r;
        r = list_drop_ins(drop_ins, &names);
        if (r < 0) {
                *ret_failed = TAKE_PTR(drop_ins);
                return r;
        }
        for (char **name = names; name && *name; name++) {
                _cleanup_free_ char *path = string_format("%s/%s", drop_ins, *name);

                r = path ? read_one(path, read, userdata, ret_failed) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}
