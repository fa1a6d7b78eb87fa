/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The memory that the twins share, and their log. */

#include "tests/stub/stub.h"

#include <assert.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/string.h"

#define HANG_POLL_USEC 1000

Stub *stub;

void stub_init(void) {
        stub = mmap(NULL, sizeof(Stub), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert(stub != MAP_FAILED);
}

void stub_done(void) {
        (void)munmap(stub, sizeof(Stub));
        stub = NULL;
}

static void set(char *field, const char *value) {
        (void)snprintf(field, STUB_NAME, "%s", string_or_empty(value));
}

StubDevice *stub_add_device(const char *name, uint32_t group, const char *driver,
                            const char *override) {
        StubDevice *device = &stub->devices[stub->n_devices++];

        assert(stub->n_devices <= STUB_DEVICES);
        set(device->name, name);
        device->group = group;
        set(device->driver, driver);
        set(device->override, override);
        return device;
}

void stub_remove_device(StubDevice *device) {
        *device = stub->devices[--stub->n_devices];
}

StubDevice *stub_find_device(const char *name) {
        for (size_t i = 0; i < stub->n_devices; i++)
                if (strcmp(stub->devices[i].name, name) == 0)
                        return &stub->devices[i];
        return NULL;
}

static void hang_or_die(void) {
        while (stub->hang_call == stub->calls) {
                stub->hanging = true;
                (void)usleep(HANG_POLL_USEC);
        }
        stub->hanging = false;
        if (stub->die_call == stub->calls)
                _exit(3);
}

int stub_call(const char *format, ...) {
        size_t length = strlen(stub->log);
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(stub->log + length, sizeof(stub->log) - length, format, arguments);
        va_end(arguments);
        assert(strlen(stub->log) + 2 < sizeof(stub->log));
        strcat(stub->log, "\n");

        stub->calls++;
        stub->pid = getpid();
        hang_or_die();
        if (stub->calls == stub->vanish_call)
                set(stub_find_device(stub->vanishing)->name, "");
        if (stub->calls == stub->fail_call[1])
                stub->failed_in_undo = stub->undoing && *stub->undoing;
        if (stub->calls == stub->fail_call[0]) {
                stub->failed_step = stub->step;
                (void)snprintf(stub->failed, sizeof(stub->failed), "%.*s",
                               (int)strcspn(stub->log + length, "\n"), stub->log + length);
        }
        return stub->calls == stub->fail_call[0] || stub->calls == stub->fail_call[1]
                       ? stub->fail_error
                       : 0;
}

int stub_open(const char *what, uint32_t group) {
        StubFile *file = &stub->files[stub->n_files++];
        struct stat status;
        int fd = memfd_create(what, MFD_CLOEXEC);

        assert(stub->n_files <= STUB_FILES);
        if (fd < 0 || fstat(fd, &status) < 0)
                abort();
        set(file->what, what);
        file->group = group;
        file->inode = status.st_ino;
        return fd;
}

StubFile *stub_file(int fd) {
        struct stat status;

        if (fstat(fd, &status) < 0)
                return NULL;
        for (size_t i = 0; i < stub->n_files; i++)
                if (stub->files[i].inode == status.st_ino)
                        return &stub->files[i];
        return NULL;
}

bool stub_is_open(const StubFile *file) {
        DIR *dir = opendir("/proc/self/fd");
        const struct dirent *entry;
        bool found = false;

        while (!found && (entry = readdir(dir))) {
                struct stat status;

                found = fstatat(dirfd(dir), entry->d_name, &status, 0) == 0 &&
                        status.st_ino == file->inode;
        }
        (void)closedir(dir);
        return found;
}

StubFile *stub_find_open(const char *what) {
        for (size_t i = 0; i < stub->n_files; i++)
                if (strcmp(stub->files[i].what, what) == 0 && stub_is_open(&stub->files[i]))
                        return &stub->files[i];
        return NULL;
}

/* Opening a device that nobody has open resets it. */
static bool is_quiet(const StubDevice *device) {
        _cleanup_free_ char *file = string_format("device %s", device->name);
        _cleanup_free_ char *cdev = string_format("cdev %s", device->name);

        return device->quiet && (stub_find_open(file) || stub_find_open(cdev) ||
                                 stub_is_held(device->group, hold_keeps_device));
}

char *stub_state(void) {
        _cleanup_strv_ char **lines = NULL;

        for (size_t i = 0; i < stub->n_devices; i++) {
                const StubDevice *device = &stub->devices[i];

                (void)strv_push_consume(
                        &lines, string_format("%s on '%s', override '%s', reset '%s', vfs %u/%d%s",
                                              device->name, device->driver, device->override,
                                              device->reset_method, device->vfs, device->autoprobe,
                                              is_quiet(device) ? ", quiet" : ""));
        }
        for (size_t i = 0; i < stub->n_files; i++) {
                const StubFile *file = &stub->files[i];

                if (stub_is_open(file))
                        (void)strv_push_consume(
                                &lines, string_format("%s open%s%s%s%s", file->what,
                                                      file->container ? ", in a container" : "",
                                                      file->iommu ? ", IOMMU set" : "",
                                                      file->bound ? ", bound" : "",
                                                      file->attached ? ", attached" : ""));
        }
        if (stub->memlock)
                (void)strv_push_consume(&lines,
                                        string_format("memlock %lu", (unsigned long)stub->memlock));
        if (stub->assignments[0])
                (void)strv_push_consume(&lines, string_format("assigned: %s", stub->assignments));
        strv_sort(lines);
        return strv_join(lines, "\n");
}
