/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/kernel/module.h"

#include <spawn.h>
#include <sys/wait.h>

#include "daemon/kernel/module-unit.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/util/string.h"

static bool is_modalias(const char *name) {
        return strchr(name, ':');
}

static int run(const char *program, char *const *arguments) {
        static char *const environment[] = {NULL};
        int status, r;
        pid_t pid;

        r = posix_spawn(&pid, program, NULL, NULL, arguments, environment);
        if (r != 0)
                return -r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ENOENT;
}

static int load_directly(const Roots *roots, const char *name) {
        _cleanup_free_ char *program = NULL;
        int r;

        r = sysfs_read(roots->proc_fd, "sys/kernel/modprobe", &program);
        if (r < 0)
                return r;
        return run(program, (char *[]){program, (char *)(is_modalias(name) ? "-qb" : "-q"),
                                       (char *)"--", (char *)name, NULL});
}

/* The kernel knows no '-' in names of modules; files and drivers do. */
static void use_underscores(char *name) {
        for (; *name; name++)
                if (*name == '-')
                        *name = '_';
}

/* A line is `kernel/drivers/vfio/pci/vfio-pci.ko`. -EEXIST ends the search. */
static int compare_builtin(void *userdata, const char *line) {
        const char *slash = strrchr(line, '/');
        _cleanup_free_ char *name = strdup(slash ? slash + 1 : line);

        if (!name)
                return -ENOMEM;
        name[strcspn(name, ".\n")] = '\0';
        use_underscores(name);
        return strcmp(name, userdata) == 0 ? -EEXIST : 0;
}

/* Loaded and past its initialisation, or a part of the kernel. */
static bool is_there(const Roots *roots, char *module) {
        _cleanup_free_ char *directory = string_format("module/%s", module);
        _cleanup_free_ char *attribute = string_format("module/%s/initstate", module);
        _cleanup_free_ char *state = NULL;

        if (!directory || !attribute)
                return false;
        if (sysfs_read_optional(roots->sys_fd, attribute, &state) >= 0 && !string_is_empty(state))
                return strcmp(state, "live") == 0;
        return sysfs_exists(roots->sys_fd, directory) ||
               sysfs_read_lines(roots->modules_fd, "modules.builtin", compare_builtin, module) ==
                       -EEXIST;
}

static int load_by_unit(const Roots *roots, const char *name) {
        _cleanup_free_ char *module = NULL;
        int r;

        if (is_modalias(name))
                return module_start_unit(roots, name);
        module = strdup(name);
        if (!module)
                return -ENOMEM;
        use_underscores(module);
        if (is_there(roots, module))
                return 0;
        r = module_start_unit(roots, module);
        if (r < 0)
                return r;
        return is_there(roots, module) ? 0 : -ENOENT;
}

int module_load(const Roots *roots, const char *name) {
        /* As sd_booted(3) looks. */
        if (roots->run_fd >= 0 && sysfs_exists(roots->run_fd, "systemd/system"))
                return load_by_unit(roots, name);
        return load_directly(roots, name);
}

int module_read_aliases(const Roots *roots, int (*line)(void *userdata, const char *line),
                        void *userdata) {
        return sysfs_read_lines(roots->modules_fd, "modules.alias", line, userdata);
}
