/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * vfiod-assigned: makes assignments come true at boot, run by udev for each PCI device that is
 * added (boot/60-vfiod.rules.in), in an initramfs too; no daemon and no bus is needed. It sets
 * driver_override and binds; it unbinds nothing, and leaves alone what is not what was assigned.
 *
 * Each run looks at all assignments, and not only at that of its device: a module is loaded because
 * of one device and takes all that it matches, so the overrides of all must be there before udev
 * loads the first module, which it does after the rules (systemd's 80-drivers.rules).
 *
 * Nothing that goes wrong here keeps the boot from going on. It is said once a boot, in the kernel
 * log, which ends up in the journal.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/core/assignment.h"
#include "daemon/kernel/pci-serial.h"
#include "daemon/kernel/sysfs.h"
#include "daemon/persist/assignments-file.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "version.h"

/* What was said at this boot; /run goes along from the initramfs to the root. */
#define SAID "run/vfiod-assigned.said"
#define SAID_MAX (64 * 1024)

#define KMSG "dev/kmsg"

/* What has become of an assignment. */
typedef enum Result {
        RESULT_ABSENT,   /* no such device now */
        RESULT_MISMATCH, /* another device at its address */
        RESULT_TAKEN,    /* a driver has it, or somebody else has set driver_override */
        RESULT_FAILED,   /* the kernel has said no */
        RESULT_ASSIGNED, /* the override is set, or its driver has it */
} Result;

typedef struct Program {
        const char *root;      /* "/", or where a test has its machine */
        const char *directory; /* of the configuration */
        int root_fd;
        Roots roots;
} Program;

/* As a whole: the name of a device may be the end of another's ("10000:01:00.0"). */
static bool has_line(const char *text, const char *line) {
        for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
                if (at == text || at[-1] == '\n')
                        return true;
        return false;
}

/* Whether it is new at this boot; noted then. If it cannot be noted, it is. */
static bool is_new(const Program *program, const char *sentence) {
        _cleanup_free_ char *line = string_format("%s\n", sentence), *said = NULL;
        _cleanup_close_ int fd = openat(program->root_fd, SAID,
                                        O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        ssize_t n;

        if (fd < 0 || !line || flock(fd, LOCK_EX) < 0)
                return true;
        said = calloc(1, SAID_MAX + 1);
        n = said ? pread(fd, said, SAID_MAX, 0) : -1;
        if (n < 0)
                return true;
        if (n == SAID_MAX || has_line(said, line))
                return false;
        return write(fd, line, strlen(line)) > 0;
}

static void say(const Program *program, const char *format, ...) _printf_(2, 3);

static void say(const Program *program, const char *format, ...) {
        _cleanup_free_ char *sentence = NULL, *record = NULL;
        _cleanup_close_ int fd = -EBADF;
        va_list arguments;

        va_start(arguments, format);
        sentence = string_vformat(format, arguments);
        va_end(arguments);
        if (!sentence || !is_new(program, sentence))
                return;
        (void)fprintf(stderr, "%s\n", sentence);
        /* One write is one record; <4> is a warning (Documentation/ABI/testing/dev-kmsg). */
        record = string_format("<4>vfiod-assigned: %s\n", sentence);
        fd = openat(program->root_fd, KMSG, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0 && record)
                (void)!write(fd, record, strlen(record));
}

/* "0x8086" of the attribute. */
static int read_number(int dir, const char *attribute, uint16_t *ret) {
        _cleanup_free_ char *text = NULL;
        unsigned long number;
        char *end;
        int r = sysfs_read(dir, attribute, &text);

        if (r < 0)
                return r;
        number = strtoul(text, &end, 16);
        if (end == text || *end != '\0' || number > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t)number;
        return 0;
}

static int read_id(int dir, const char *vendor, const char *device, char **ret) {
        uint16_t numbers[2];
        int r = read_number(dir, vendor, &numbers[0]);

        if (r >= 0)
                r = read_number(dir, device, &numbers[1]);
        if (r >= 0)
                *ret = assignment_id(numbers[0], numbers[1]);
        return r < 0 ? r : *ret ? 0 : -ENOMEM;
}

static int check_device(const Program *program, int dir, const Assignment *entry,
                        char **ret_mismatch) {
        _cleanup_free_ char *id = NULL, *subsystem = NULL, *serial = NULL;
        int r = read_id(dir, "vendor", "device", &id);

        if (r >= 0)
                r = read_id(dir, "subsystem_vendor", "subsystem_device", &subsystem);
        if (r >= 0)
                r = pci_read_serial(&program->roots, entry->device, &serial);
        return r < 0 ? r : assignment_check(entry, id, subsystem, serial, ret_mismatch);
}

/* The driver's "(null)" is that there is none. */
static int read_override(int dir, char **ret) {
        int r = sysfs_read(dir, "driver_override", ret);

        if (r >= 0 && string_equal(*ret, "(null)"))
                r = string_set(ret, "");
        return r;
}

static Result give_up(const Program *program, const Assignment *entry, const char *what,
                      int error) {
        say(program, "%s is assigned to %s, but %s: %s", entry->device, entry->driver, what,
            strerror(-error));
        return RESULT_FAILED;
}

static Result set_override(const Program *program, int dir, const Assignment *entry) {
        _cleanup_free_ char *override = NULL;
        int r = read_override(dir, &override);

        if (r < 0)
                return give_up(program, entry, "its driver_override cannot be read", r);
        if (!string_is_empty(override) && !string_equal(override, entry->driver)) {
                say(program,
                    "%s is assigned to %s, but somebody else has set its driver_override to %s; "
                    "it is left so",
                    entry->device, entry->driver, override);
                return RESULT_TAKEN;
        }
        r = string_is_empty(override) ? sysfs_write(dir, "driver_override", entry->driver) : 0;
        return r < 0 ? give_up(program, entry, "its driver_override cannot be set", r)
                     : RESULT_ASSIGNED;
}

static Result assign(const Program *program, int dir, const Assignment *entry) {
        _cleanup_free_ char *driver = NULL, *mismatch = NULL;
        int r = check_device(program, dir, entry, &mismatch);

        if (r < 0)
                return give_up(program, entry, "what sits there cannot be read", r);
        if (mismatch) {
                say(program,
                    "%s; it is left to its own driver. Assign it anew with 'vfioctl assign %s', or "
                    "'vfioctl unassign %s'",
                    mismatch, entry->device, entry->device);
                return RESULT_MISMATCH;
        }
        r = sysfs_read_link(dir, "driver", &driver);
        if (r < 0)
                return give_up(program, entry, "its driver cannot be read", r);
        if (string_equal(driver, entry->driver))
                return RESULT_ASSIGNED;
        if (string_is_empty(driver))
                return set_override(program, dir, entry);
        say(program,
            "%s is assigned to %s, but %s has it already: a driver that is built into the kernel, "
            "or loaded before udev; it is left there. 'vfioctl bind %s' moves it",
            entry->device, entry->driver, driver, entry->device);
        return RESULT_TAKEN;
}

static Result apply(const Program *program, const Assignment *entry) {
        _cleanup_free_ char *path = string_format("bus/pci/devices/%s", entry->device);
        _cleanup_close_ int dir = -EBADF;

        if (path)
                /* errno is not 0 where openat(2) has failed.
                 * NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions) */
                dir = openat(program->roots.sys_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return dir < 0 ? RESULT_ABSENT : assign(program, dir, entry);
}

/*
 * A driver that is registered already looks at the device no more by itself. One that is not takes
 * the device when it is loaded, which is left to udev (VFIOD_MODULE): drivers' names are those of
 * their modules here, with '-' for '_', which modprobe takes for the same.
 */
static void probe(const Program *program, const Assignment *entry) {
        _cleanup_free_ char *driver = string_format("bus/pci/drivers/%s", entry->driver);
        _cleanup_free_ char *bound = string_format("bus/pci/devices/%s/driver", entry->device);
        int r;

        if (!driver || !bound || !sysfs_exists(program->roots.sys_fd, driver) ||
            sysfs_exists(program->roots.sys_fd, bound))
                return;
        r = sysfs_write(program->roots.sys_fd, "bus/pci/drivers_probe", entry->device);
        if (r < 0)
                (void)give_up(program, entry, "it cannot be bound", r);
}

/* A property of udev's cannot be empty. */
static void print_serial(const char *serial) {
        (void)printf("VFIOD_SERIAL=%s\n", string_is_empty(serial) ? "none" : serial);
}

static int print_own_serial(const Program *program, const char *device) {
        _cleanup_free_ char *serial = NULL;
        int r = pci_read_serial(&program->roots, device, &serial);

        if (r >= 0)
                print_serial(serial);
        return r;
}

static void tell_udev(const Program *program, const Assignment *entry, Result result) {
        static const char *const words[] = {
                [RESULT_ABSENT] = "absent",     [RESULT_MISMATCH] = "mismatch",
                [RESULT_TAKEN] = "taken",       [RESULT_FAILED] = "failed",
                [RESULT_ASSIGNED] = "assigned",
        };

        (void)printf("VFIOD_ASSIGNMENT=%s\n", words[result]);
        (void)print_own_serial(program, entry->device);
        if (result == RESULT_ASSIGNED)
                (void)printf("VFIOD_MODULE=%s\n", entry->driver);
}

static int read_assignments(const Program *program, Assignments *ret) {
        _cleanup_free_ char *directory = string_format("%s%s", program->root, program->directory);
        _cleanup_free_ char *text = NULL, *problem = NULL, *error = NULL;
        int r = directory ? assignments_file_read(directory, &text, &problem) : -ENOMEM;

        if (r >= 0 && text)
                r = assignments_read(text, ret, &error);
        if (r < 0)
                say(program, "%s%s%s; no device is assigned at this boot",
                    problem ?: program->directory, problem ? "" : "/" ASSIGNMENTS_FILE ": ",
                    problem ? "" : error ?: strerror(-r));
        return r;
}

/* `device` is the one that was added. */
static void apply_all(const Program *program, const char *device) {
        _cleanup_assignments_ Assignments all = ASSIGNMENTS_NULL;

        if (read_assignments(program, &all) < 0)
                return;
        for (size_t i = 0; i < all.n; i++) {
                Result result = apply(program, &all.items[i]);

                if (strcmp(all.items[i].device, device) != 0)
                        continue;
                if (result == RESULT_ASSIGNED)
                        probe(program, &all.items[i]);
                tell_udev(program, &all.items[i], result);
        }
}

static int open_root(Program *program) {
        program->root_fd = open(program->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (program->root_fd < 0)
                return -errno;
        program->roots.sys_fd = openat(program->root_fd, "sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return program->roots.sys_fd < 0 ? -errno : 0;
}

static int usage(FILE *stream) {
        (void)fprintf(stream, "vfiod-assigned [--config DIRECTORY] [--root DIRECTORY] [--serial] "
                              "[--version] [--help] PCI-ADDRESS\n"
                              "Run by udev when a PCI device is added; see vfiod-assigned(8).\n");
        return stream == stderr ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"config", required_argument, NULL, 'c'}, {"root", required_argument, NULL, 'r'},
                {"serial", no_argument, NULL, 's'},       {"version", no_argument, NULL, 'v'},
                {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
        };
        Program program = {.root = "/",
                           .directory = VFIOD_CONFIG_DIRECTORY,
                           .root_fd = -EBADF,
                           .roots = ROOTS_NULL};
        bool serial = false;
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case 'c':
                        program.directory = optarg;
                        break;
                case 'r':
                        program.root = optarg;
                        break;
                case 's':
                        serial = true;
                        break;
                case 'v':
                        (void)puts("vfiod-assigned " VFIOD_VERSION);
                        return EXIT_SUCCESS;
                case 'h':
                        return usage(stdout);
                default:
                        return usage(stderr);
                }
        if (optind + 1 != argc)
                return usage(stderr);
        r = open_root(&program);
        if (r >= 0 && serial)
                r = print_own_serial(&program, argv[optind]);
        else if (r >= 0)
                apply_all(&program, argv[optind]);
        roots_done(&program.roots);
        (void)fd_close(program.root_fd);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
