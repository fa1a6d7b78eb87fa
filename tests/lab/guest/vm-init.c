/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vm-init: all there is in a VM's Linux. It says what PCI devices there are, whenever that changes;
 * plugging and unplugging is the kernel's own business.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices"

/* "0000:00:00.0 0000:01:00.0 ", in no order. */
static void list_devices(char *text, size_t size) {
        DIR *dir = opendir(DEVICES);
        const struct dirent *entry;
        size_t n = 0;

        text[0] = '\0';
        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.' && n < size)
                        n += (size_t)snprintf(text + n, size - n, "%s ", entry->d_name);
        if (dir)
                closedir(dir);
}

int main(void) {
        static char now[4096], before[4096];

        mkdir("/sys", 0755);
        mount("sysfs", "/sys", "sysfs", 0, NULL);
        puts("the guest is up");
        for (;;) {
                list_devices(now, sizeof(now));
                if (strcmp(now, before) != 0)
                        printf("devices: %s\n", now);
                fflush(stdout);
                memcpy(before, now, sizeof(before));
                usleep(200000);
        }
}
