/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The twin of daemon/kernel/module.c: a module brings the driver of its name, no process is run. */

#include "daemon/kernel/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/util/cleanup.h"
#include "tests/bus/fake-machine.h"

static const struct {
        const char *module;
        const char *driver;
} modules[] = {
        {"vfio_pci", "vfio-pci"},
        {"mlx5_vfio_pci", "mlx5_vfio_pci"},
};

int module_load(const Roots *roots _unused_, const char *name) {
        int r = fake_machine_obey("module", name);

        if (r < 0)
                return r;
        fake_machine_log("load module %s", name);
        for (size_t i = 0; i < ELEMENTS(modules); i++)
                if (strcmp(modules[i].module, name) == 0) {
                        _cleanup_free_ char *path =
                                fake_machine_path("sys/bus/pci/drivers/%s", modules[i].driver);

                        return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
                }
        return -ENOENT;
}

int module_read_aliases(const Roots *roots _unused_, int (*line)(void *userdata, const char *line),
                        void *userdata) {
        _cleanup_free_ char *path = fake_machine_path("modules/modules.alias");
        FILE *file = fopen(path, "re");
        char *text = NULL;
        size_t size = 0;
        int r = 0;

        if (!file)
                return -errno;
        while (r >= 0 && getline(&text, &size, file) >= 0)
                r = line(userdata, text);
        free(text);
        (void)fclose(file);
        return r < 0 ? r : 0;
}
