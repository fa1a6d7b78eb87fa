/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of the fake machine, and what binding and unbinding does to them. */

#include "tests/bus/fake-machine.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"

#define WAIT_USEC 5000
#define CONFIG_SIZE 64
#define CONFIG_HEADER_TYPE 0x0e

/* A test machine that cannot be made is no machine to test on. */
static void ensure(bool ok, const char *what) {
        if (ok)
                return;
        (void)fprintf(stderr, "fake machine: %s: %s\n", what, strerror(errno));
        abort();
}

const char *fake_machine_directory(void) {
        const char *directory = getenv(FAKE_MACHINE_VARIABLE);

        ensure(directory, "FAKE_MACHINE is not set");
        return directory;
}

char *fake_machine_path(const char *format, ...) {
        _cleanup_free_ char *rest = NULL;
        va_list arguments;
        char *path;

        va_start(arguments, format);
        rest = string_vformat(format, arguments);
        va_end(arguments);
        ensure(rest, "memory");
        path = string_format("%s/%s", fake_machine_directory(), rest);
        ensure(path, "memory");
        return path;
}

static void make_directories(const char *path) {
        _cleanup_free_ char *copy = strdup(path);

        ensure(copy, "memory");
        for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                ensure(mkdir(copy, 0755) == 0 || errno == EEXIST, copy);
                *slash = '/';
        }
        ensure(mkdir(copy, 0755) == 0 || errno == EEXIST, copy);
}

static void make_directory(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void make_directory(const char *format, ...) {
        _cleanup_free_ char *rest = NULL, *path = NULL;
        va_list arguments;

        va_start(arguments, format);
        rest = string_vformat(format, arguments);
        va_end(arguments);
        path = fake_machine_path("%s", string_or_empty(rest));
        make_directories(path);
}

/* Owns the path. */
static void write_file(char *path, const void *data, size_t size) {
        _cleanup_free_ char *owned = path;
        _cleanup_close_ int fd = open(owned, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ensure(fd >= 0 && write(fd, data, size) == (ssize_t)size, owned);
}

static void write_text(char *path, const char *text) {
        write_file(path, text, strlen(text));
}

/* Owns the path. "" where there is no such file; without the last newline. */
static char *read_text(char *path) {
        _cleanup_free_ char *owned = path;
        _cleanup_close_ int fd = open(owned, O_RDONLY | O_CLOEXEC);
        char *text = NULL, buffer[4096];
        ssize_t n;

        ensure(string_append(&text, "%s", "") >= 0, "memory");
        while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
                ensure(string_append(&text, "%.*s", (int)n, buffer) >= 0, "memory");
        if (text[0] && text[strlen(text) - 1] == '\n')
                text[strlen(text) - 1] = '\0';
        return text;
}

/* Owns both. */
static void make_link(char *path, char *target) {
        _cleanup_free_ char *owned_path = path, *owned_target = target;

        ensure(owned_target && symlink(owned_target, owned_path) == 0, owned_path);
}

static void unlink_path(char *path) {
        _cleanup_free_ char *owned = path;

        ensure(unlink(owned) == 0 || errno == ENOENT, owned);
}

static bool exists(char *path) {
        _cleanup_free_ char *owned = path;

        return access(owned, F_OK) == 0;
}

/* The last component of a link, "" for none. Owns the path. */
static char *read_link(char *path) {
        _cleanup_free_ char *owned = path;
        char target[512], *name, *slash;
        ssize_t n = readlink(owned, target, sizeof(target) - 1);

        target[n < 0 ? 0 : n] = '\0';
        slash = strrchr(target, '/');
        name = strdup(slash ? slash + 1 : target);
        ensure(name, "memory");
        return name;
}

static char *device_path(const char *name, const char *attribute) {
        return fake_machine_path("sys/devices/%s/%s", name, attribute);
}

char *fake_machine_driver(const char *name) {
        return read_link(device_path(name, "driver"));
}

char *fake_machine_override(const char *name) {
        char *override = read_text(device_path(name, "driver_override"));

        if (strcmp(override, "(null)") == 0)
                override[0] = '\0';
        return override;
}

void fake_machine_set_override(const char *name, const char *override) {
        write_text(device_path(name, "driver_override"),
                   string_is_empty(override) ? "(null)\n" : override);
}

void fake_machine_set_attribute(const char *name, const char *attribute, const char *text) {
        write_text(device_path(name, attribute), text);
}

char *fake_machine_attribute(const char *name, const char *attribute) {
        return read_text(device_path(name, attribute));
}

uint32_t fake_machine_group(const char *name) {
        _cleanup_free_ char *group = read_link(device_path(name, "iommu_group"));

        return (uint32_t)strtoul(group, NULL, 10);
}

static char *bus_of(const char *name) {
        return read_link(device_path(name, "subsystem"));
}

void fake_machine_log(const char *format, ...) {
        _cleanup_free_ char *path = fake_machine_path("calls"), *line = NULL, *whole = NULL;
        _cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        va_list arguments;

        va_start(arguments, format);
        line = string_vformat(format, arguments);
        va_end(arguments);
        whole = string_format("%s\n", string_or_empty(line));
        ensure(fd >= 0 && whole && write(fd, whole, strlen(whole)) == (ssize_t)strlen(whole), path);
}

char *fake_machine_calls(void) {
        return read_text(fake_machine_path("calls"));
}

char *fake_machine_calls_but_requests(void) {
        char *calls = fake_machine_calls(), *to = calls;

        for (const char *line = calls, *next; *line; line = next) {
                next = strchrnul(line, '\n');
                next += *next == '\n';
                if (string_after(line, "request "))
                        continue;
                memmove(to, line, (size_t)(next - line));
                to += next - line;
        }
        *to = '\0';
        return calls;
}

void fake_machine_announce(const char *action, const char *name) {
        _cleanup_free_ char *path = fake_machine_path("events");
        _cleanup_free_ char *line = string_format("%s %s\n", action, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

        /* Nobody listens: so does udev speak to the air at times. */
        if (fd >= 0 && fake_machine_obey("event", name) >= 0)
                ensure(write(fd, line, strlen(line)) == (ssize_t)strlen(line), path);
}

/* At once, because a worker may be looking. */
void fake_machine_fault(const char *what, const char *subject, int error) {
        _cleanup_free_ char *fresh = fake_machine_path("faults/new");
        _cleanup_free_ char *path = fake_machine_path("faults/%s %s", what, subject);
        char number[16];

        (void)snprintf(number, sizeof(number), "%d", error);
        write_text(fake_machine_path("faults/new"), number);
        ensure(rename(fresh, path) == 0, path);
}

void fake_machine_clear(const char *what, const char *subject) {
        unlink_path(fake_machine_path("faults/%s %s", what, subject));
}

bool fake_machine_is_waiting_for(const char *what) {
        _cleanup_free_ char *last = read_text(fake_machine_path("faults/waiting"));

        return what ? strcmp(last, what) == 0 : last[0] != '\0';
}

void fake_machine_set_crowd(size_t n) {
        char number[16];

        (void)snprintf(number, sizeof(number), "%zu", n);
        write_text(fake_machine_path("crowd"), number);
}

/* 0: there is no such file. */
static size_t read_number(const char *name) {
        _cleanup_free_ char *number = read_text(fake_machine_path("%s", name));

        return (size_t)atoi(number);
}

size_t fake_machine_patience(void) {
        return read_number("patience");
}

size_t fake_machine_crowd(void) {
        return read_number("crowd");
}

static int obey(const char *what, const char *subject) {
        for (;;) {
                _cleanup_free_ char *fault =
                        read_text(fake_machine_path("faults/%s %s", what, subject));

                if (fault[0] == '\0')
                        return 0;
                if (atoi(fault) == FAKE_MACHINE_KILL) {
                        fake_machine_clear(what, subject);
                        (void)kill(getpid(), SIGKILL);
                }
                if (strcmp(fault, "0") != 0)
                        return -atoi(fault);
                write_text(fake_machine_path("faults/waiting"), what);
                (void)usleep(WAIT_USEC);
        }
}

void fake_machine_count(size_t at, int error) {
        char text[48];

        (void)snprintf(text, sizeof(text), "%zu %d", at, error);
        write_text(fake_machine_path("counted"), "");
        write_text(fake_machine_path("fail-at"), text);
}

char *fake_machine_counted(void) {
        return read_text(fake_machine_path("counted"));
}

/* What is no doing of a plan. */
static bool is_uncounted(const char *what) {
        static const char *const uncounted[] = {"event", "cdevs", "look", "serial", "table"};

        for (size_t i = 0; i < ELEMENTS(uncounted); i++)
                if (strcmp(what, uncounted[i]) == 0)
                        return true;
        return false;
}

/* One worker counts at a time. */
static int count(const char *what, const char *subject) {
        _cleanup_free_ char *order = read_text(fake_machine_path("fail-at"));
        _cleanup_free_ char *before = NULL, *after = NULL;
        size_t n = 1, at;
        int error;

        if (is_uncounted(what) || sscanf(order, "%zu %d", &at, &error) != 2)
                return 0;
        before = fake_machine_counted();
        for (const char *c = before; *c; c++)
                n += *c == '\n';
        n += before[0] != '\0';
        after = string_format("%s%s%s %s", before, before[0] ? "\n" : "", what, subject);
        write_text(fake_machine_path("counted"), after);
        return n == at ? -error : 0;
}

int fake_machine_obey(const char *what, const char *subject) {
        int r = count(what, subject);

        if (r >= 0)
                r = obey(what, subject);
        return r < 0 ? r : obey(what, "any");
}

/* Locks a file for a moment: it fails while somebody has it open. */
static bool is_locked(char *path) {
        _cleanup_free_ char *owned = path;
        _cleanup_close_ int fd = open(owned, O_RDWR | O_CLOEXEC);

        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static struct flock lock_of(short type, long byte) {
        return (struct flock){
                .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1, .l_pid = 0};
}

bool fake_machine_lock(int fd, long byte, bool shared) {
        struct flock lock = lock_of(shared ? F_RDLCK : F_WRLCK, byte);

        return fcntl(fd, F_OFD_SETLK, &lock) >= 0;
}

void fake_machine_unlock(int fd, long byte) {
        struct flock lock = lock_of(F_UNLCK, byte);

        ensure(fcntl(fd, F_OFD_SETLK, &lock) >= 0, "unlock");
}

bool fake_machine_is_locked(int fd, long byte) {
        struct flock lock = lock_of(F_WRLCK, byte);

        ensure(fcntl(fd, F_OFD_GETLK, &lock) >= 0, "look at a lock");
        return lock.l_type != F_UNLCK;
}

/* A number is the group's, and the last digit of the name. */
static char *cdev_name(const char *name) {
        char *cdev = string_format("vfio%u%c", fake_machine_group(name), name[strlen(name) - 1]);

        ensure(cdev, "memory");
        return cdev;
}

char *fake_machine_cdev(const char *name) {
        _cleanup_free_ char *cdev = cdev_name(name);

        return fake_machine_path("dev/vfio/devices/%s", cdev);
}

bool fake_machine_cdev_is(const char *name, FakeCdevByte byte) {
        _cleanup_free_ char *path = fake_machine_cdev(name);
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);

        return fd >= 0 && fake_machine_is_locked(fd, byte);
}

bool fake_machine_device_is_open(const char *name) {
        return is_locked(fake_machine_path("dev/device/%s", name)) ||
               fake_machine_cdev_is(name, FAKE_CDEV_OPEN);
}

bool fake_machine_device_is_in_use(const char *name) {
        return is_locked(fake_machine_path("dev/device/%s", name)) ||
               fake_machine_cdev_is(name, FAKE_CDEV_BOUND);
}

/* /dev/vfio/3, /dev/vfio/noiommu-3. */
static char *group_node(uint32_t group) {
        _cleanup_free_ char *name =
                read_text(fake_machine_path("sys/kernel/iommu_groups/%u/name", group));

        return fake_machine_path("dev/vfio/%s%u", name[0] ? "noiommu-" : "", group);
}

bool fake_machine_group_is_open(uint32_t group) {
        return is_locked(group_node(group));
}

void fake_machine_set_iommufd(bool there) {
        if (there)
                write_text(fake_machine_path("dev/iommu"), "");
        else
                unlink_path(fake_machine_path("dev/iommu"));
}

char *fake_machine_read(int fd) {
        char text[256];
        ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

        ensure(n >= 0, "read what a file is of");
        text[n] = '\0';
        return strdup(text);
}

static bool is_vfio(const char *driver) {
        return strstr(driver, "vfio");
}

/* The node of a group is there while a member of the group is on a vfio driver. */
static void update_group_node(uint32_t group) {
        _cleanup_free_ char *count =
                read_text(fake_machine_path("sys/kernel/iommu_groups/%u/vfio", group));
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", group);
        if (strcmp(count, "") != 0 && strcmp(count, "0") != 0) {
                if (!exists(group_node(group)))
                        write_text(group_node(group), number);
        } else
                unlink_path(group_node(group));
}

static void count_vfio(uint32_t group, int more) {
        _cleanup_free_ char *count =
                read_text(fake_machine_path("sys/kernel/iommu_groups/%u/vfio", group));
        char number[16];

        (void)snprintf(number, sizeof(number), "%d", atoi(count) + more);
        write_text(fake_machine_path("sys/kernel/iommu_groups/%u/vfio", group), number);
        update_group_node(group);
}

/* The directories of all devices are beside each other; only the links say what is below what. */
static void make_member(const FakeDevice *device) {
        const char *name = device->name;

        if (device->parent) {
                make_directory("sys/devices/%s", device->parent);
                make_link(fake_machine_path("sys/devices/%s/%s", device->parent, name),
                          string_format("../%s", name));
        }
        make_link(fake_machine_path("sys/kernel/iommu_groups/%u/devices/%s", device->group, name),
                  string_format("../../../../devices/%s%s%s", string_or_empty(device->parent),
                                device->parent ? "/" : "", name));
}

/* Both links. */
static void remove_member(uint32_t group, const char *name) {
        _cleanup_free_ char *member =
                fake_machine_path("sys/kernel/iommu_groups/%u/devices/%s", group, name);
        char target[512];
        ssize_t n = readlink(member, target, sizeof(target) - 1);

        target[n < 0 ? 0 : n] = '\0';
        if (strcmp(target + strlen("../../../../devices/"), name) != 0)
                unlink_path(
                        fake_machine_path("sys/kernel/iommu_groups/%u/devices/%s", group, target));
        unlink_path(TAKE_PTR(member));
}

static void make_group(uint32_t group) {
        if (exists(fake_machine_path("sys/kernel/iommu_groups/%u", group)))
                return;
        make_directory("sys/kernel/iommu_groups/%u/devices", group);
        write_text(fake_machine_path("sys/kernel/iommu_groups/%u/type", group), "DMA-FQ\n");
        write_text(fake_machine_path("sys/kernel/iommu_groups/%u/reserved_regions", group),
                   "0x00000000fee00000 0x00000000feefffff msi\n");
}

static void join_group(const FakeDevice *device) {
        make_group(device->group);
        make_link(device_path(device->name, "iommu_group"),
                  string_format("../../kernel/iommu_groups/%u", device->group));
        make_member(device);
}

/* The kernel's group goes with its last member. */
static void leave_group(const char *name) {
        uint32_t group = fake_machine_group(name);
        _cleanup_free_ char *path = fake_machine_path("sys/kernel/iommu_groups/%u", group);
        _cleanup_free_ char *members = string_format("%s/devices", path);

        remove_member(group, name);
        unlink_path(device_path(name, "iommu_group"));
        if (rmdir(members) == 0)
                fake_machine_erase(path);
}

static bool has_no_iommu(const char *name) {
        return exists(fake_machine_path("no-iommu/%s", name));
}

static void join_group_without_iommu(const char *name) {
        _cleanup_free_ char *number = read_text(fake_machine_path("no-iommu/%s", name));

        join_group(&(FakeDevice){.name = name, .group = (uint32_t)strtoul(number, NULL, 10)});
        write_text(fake_machine_path("sys/kernel/iommu_groups/%s/name", number), "vfio-noiommu\n");
        write_text(fake_machine_path("sys/kernel/iommu_groups/%s/type", number), "unknown\n");
}

static void attach_driver(const char *name, const char *driver) {
        _cleanup_free_ char *bus = bus_of(name), *cdev = NULL;

        make_link(device_path(name, "driver"),
                  string_format("../../bus/%s/drivers/%s", bus, driver));
        if (!is_vfio(driver))
                return;
        if (has_no_iommu(name))
                join_group_without_iommu(name);
        cdev = cdev_name(name);
        make_directory("sys/devices/%s/vfio-dev/%s", name, cdev);
        if (!has_no_iommu(name)) {
                write_text(fake_machine_path("sys/devices/%s/vfio-dev/%s/dev", name, cdev),
                           "511:0\n");
                write_text(fake_machine_path("dev/vfio/devices/%s", cdev), name);
        }
        write_text(fake_machine_path("dev/device/%s", string_or_empty(name)), name);
        count_vfio(fake_machine_group(name), 1);
}

static void detach_driver(const char *name, const char *driver) {
        _cleanup_free_ char *child = device_path(name, is_vfio(driver) ? "vfio-dev" : "net");

        fake_machine_erase(child);
        if (!is_vfio(driver))
                return;
        unlink_path(fake_machine_cdev(name));
        unlink_path(fake_machine_path("dev/device/%s", name));
        count_vfio(fake_machine_group(name), -1);
        if (has_no_iommu(name))
                leave_group(name);
}

int fake_machine_bind(const char *name, const char *driver) {
        _cleanup_free_ char *bus = bus_of(name), *now = fake_machine_driver(name);
        _cleanup_free_ char *override = fake_machine_override(name);
        _cleanup_free_ char *natural = read_text(fake_machine_path("natural/%s", name));

        if (!exists(fake_machine_path("sys/bus/%s/drivers/%s", bus, driver)))
                return -ENOENT;
        if (now[0] != '\0')
                return -EBUSY;
        if (strcmp(override[0] ? override : natural, driver) != 0)
                return -ENODEV;
        attach_driver(name, driver);
        fake_machine_announce("bind", name);
        return 0;
}

/* As the kernel does, waits for as long as somebody has a vfio device open; the device has no
 * driver any more then. */
int fake_machine_unbind(const char *name, const char *driver) {
        _cleanup_free_ char *now = fake_machine_driver(name);

        if (strcmp(now, driver) != 0)
                return -ENODEV;
        unlink_path(device_path(name, "driver"));
        while (fake_machine_device_is_open(name))
                (void)usleep(WAIT_USEC);
        detach_driver(name, driver);
        fake_machine_announce("unbind", name);
        return 0;
}

static void write_uevent(const char *name, uint16_t vendor, uint16_t device, uint32_t class_code) {
        _cleanup_free_ char *text = string_format(
                "PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=1AF4:1100\nPCI_SLOT_NAME=%s\n"
                "MODALIAS=pci:v%08Xd%08Xsv00001AF4sd00001100bc%02Xsc%02Xi%02X\n",
                class_code, vendor, device, name, vendor, device, class_code >> 16 & 0xff,
                class_code >> 8 & 0xff, class_code & 0xff);

        ensure(text, "memory");
        write_text(device_path(name, "uevent"), text);
}

static void make_pci(const FakeDevice *device) {
        uint8_t config[CONFIG_SIZE] = {0};

        config[CONFIG_HEADER_TYPE] = device->header_type;
        write_file(device_path(device->name, "config"), config, sizeof(config));
        write_uevent(device->name, device->vendor, device->device, device->class_code);
        fake_machine_set_override(device->name, "");
        write_text(device_path(device->name, "numa_node"), "-1\n");
        if (device->reset)
                write_text(device_path(device->name, "reset_method"), device->reset);
}

static void note_no_iommu(const FakeDevice *device) {
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", device->group);
        write_text(fake_machine_path("no-iommu/%s", device->name), number);
}

static void make_sriov(const FakeDevice *device) {
        _cleanup_free_ char *total = string_format("%u\n", device->total_vfs);

        ensure(total, "memory");
        write_text(device_path(device->name, "sriov_totalvfs"), total);
        write_text(device_path(device->name, "sriov_numvfs"), "0\n");
        write_text(device_path(device->name, "sriov_drivers_autoprobe"), "1\n");
}

/* The links of both to each other; the function's number is the last of its name. */
static void link_physical(const FakeDevice *device) {
        const char *name = device->name;

        make_link(device_path(name, "physfn"), string_format("../%s", device->physical));
        make_link(fake_machine_path("sys/devices/%s/virtfn%c", device->physical,
                                    name[strlen(name) - 1]),
                  string_format("../%s", name));
}

static void unlink_physical(const char *name) {
        _cleanup_free_ char *physical = read_link(device_path(name, "physfn"));

        if (physical[0])
                unlink_path(fake_machine_path("sys/devices/%s/virtfn%c", physical,
                                              name[strlen(name) - 1]));
}

void fake_machine_add(const FakeDevice *device) {
        const char *bus = device->bus ?: "pci", *name = device->name;

        make_directory("sys/devices/%s", name);
        make_directory("sys/bus/%s/devices", bus);
        make_link(device_path(name, "subsystem"), string_format("../../bus/%s", bus));
        make_link(fake_machine_path("sys/bus/%s/devices/%s", bus, name),
                  string_format("../../../devices/%s", name));
        if (device->no_iommu)
                note_no_iommu(device);
        else
                join_group(device);
        if (!device->bus)
                make_pci(device);
        if (device->total_vfs > 0)
                make_sriov(device);
        if (device->physical)
                link_physical(device);
        if (device->interface)
                make_directory("sys/devices/%s/net/%s", name, device->interface);
        if (!device->driver)
                return;
        if (!is_vfio(device->driver))
                write_text(fake_machine_path("natural/%s", name), device->driver);
        else
                fake_machine_set_override(name, device->driver);
        make_directory("sys/bus/%s/drivers/%s", bus, device->driver);
        attach_driver(name, device->driver);
}

void fake_machine_remove(const char *name) {
        _cleanup_free_ char *bus = bus_of(name), *driver = fake_machine_driver(name);
        _cleanup_free_ char *device = fake_machine_path("sys/devices/%s", name);

        if (driver[0]) {
                unlink_path(device_path(name, "driver"));
                detach_driver(name, driver);
        }
        unlink_physical(name);
        if (!has_no_iommu(name))
                leave_group(name);
        unlink_path(fake_machine_path("sys/bus/%s/devices/%s", bus, name));
        unlink_path(fake_machine_path("no-iommu/%s", name));
        fake_machine_erase(device);
}

#define MDEV_PARENT "mtty"
#define MDEV_DRIVER "vfio_mdev"
#define MDEV_GROUP 60U

static char *mdev_type_path(const char *type, const char *attribute) {
        return fake_machine_path("sys/devices/" MDEV_PARENT "/mdev_supported_types/%s/%s", type,
                                 attribute);
}

static void add_mdev_type(const char *type, const char *name, unsigned available) {
        _cleanup_free_ char *number = string_format("%u\n", available);

        make_directory("sys/devices/" MDEV_PARENT "/mdev_supported_types/%s/devices", type);
        write_text(mdev_type_path(type, "name"), name);
        write_text(mdev_type_path(type, "device_api"), "vfio-pci\n");
        write_text(mdev_type_path(type, "available_instances"), number);
}

void fake_machine_add_mdev_parent(void) {
        add_mdev_type("mtty-1", "Single port serial\n", 2);
        add_mdev_type("mtty-2", "Dual port serial\n", 1);
        make_directory("sys/class/mdev_bus");
        make_link(fake_machine_path("sys/class/mdev_bus/" MDEV_PARENT),
                  strdup("../../devices/" MDEV_PARENT));
}

static void count_mdev(const char *type, int more) {
        _cleanup_free_ char *count = read_text(mdev_type_path(type, "available_instances"));
        _cleanup_free_ char *number = string_format("%d\n", atoi(count) + more);

        write_text(mdev_type_path(type, "available_instances"), number);
}

static uint32_t free_mdev_group(void) {
        uint32_t group = MDEV_GROUP;

        while (exists(fake_machine_path("sys/kernel/iommu_groups/%u", group)))
                group++;
        return group;
}

int fake_machine_create_mdev(const char *parent, const char *type, const char *uuid) {
        _cleanup_free_ char *available = read_text(mdev_type_path(type, "available_instances"));

        if (!exists(fake_machine_path("sys/class/mdev_bus/%s", parent)) || !available[0])
                return -ENOENT;
        if (exists(fake_machine_path("sys/bus/mdev/devices/%s", uuid)))
                return -EEXIST;
        if (atoi(available) == 0)
                return -ENOSPC;
        fake_machine_add(&(FakeDevice){.name = uuid,
                                       .group = free_mdev_group(),
                                       .bus = "mdev",
                                       .driver = MDEV_DRIVER,
                                       .parent = parent});
        make_link(device_path(uuid, "mdev_type"),
                  string_format("../%s/mdev_supported_types/%s", parent, type));
        count_mdev(type, -1);
        fake_machine_announce("add", uuid);
        return 0;
}

int fake_machine_remove_mdev(const char *uuid) {
        _cleanup_free_ char *type = read_link(device_path(uuid, "mdev_type"));
        int r = fake_machine_unbind(uuid, MDEV_DRIVER);

        if (r < 0)
                return r;
        fake_machine_remove(uuid);
        unlink_path(fake_machine_path("sys/devices/" MDEV_PARENT "/%s", uuid));
        count_mdev(type, 1);
        fake_machine_announce("remove", uuid);
        return 0;
}

void fake_machine_replace(const char *name, uint16_t vendor, uint16_t device) {
        write_uevent(name, vendor, device, 0x020000);
}

static const FakeDevice standard[] = {
        {"0000:00:00.0", 0, NULL, NULL, 0x8086, 0x29c0, 0x060000, 0, NULL},
        {"0000:00:1f.0", 1, NULL, "lpc_ich", 0x8086, 0x2918, 0x060100, 0, NULL},
        {"0000:00:1f.2", 1, NULL, "ahci", 0x8086, 0x2922, 0x010601, 0, NULL},
        {"0000:00:1c.0", 2, NULL, "pcieport", 0x1b36, 0x000c, 0x060400, 1, NULL},
        {"0000:01:00.0", 2, NULL, "e1000e", 0x8086, 0x10d3, 0x020000, 0, "eth0", "0000:00:1c.0"},
        {"0000:01:00.1", 2, NULL, "snd_hda_intel", 0x8086, 0x2668, 0x040300, 0, NULL,
         "0000:00:1c.0"},
        {"0000:02:00.0", 3, NULL, "nvme", 0x144d, 0xa808, 0x010802, 0, NULL, .total_vfs = 4},
        {"0000:03:00.0", 4, NULL, "vfio-pci", 0x8086, 0x100e, 0x020000, 0, NULL,
         .reset = "flr bus\n"},
        {"0000:04:00.0", 5, NULL, NULL, 0x10de, 0x1eb8, 0x030200, 0, NULL},
        {"0000:00:1d.0", 6, NULL, "shpchp", 0x1b36, 0x000c, 0x060400, 1, NULL},
        {"0000:05:00.0", 6, NULL, "e1000e", 0x8086, 0x10d3, 0x020000, 0, NULL, "0000:00:1d.0"},
        {"10000000.gpu", 7, "platform", "panfrost", 0, 0, 0, 0, NULL},
        {"0000:06:00.0", 8, NULL, "vfio-pci", 0x8086, 0x100e, 0x020000, 0, NULL},
        {"0000:06:00.1", 8, NULL, "pci-stub", 0x8086, 0x2668, 0x040300, 0, NULL},
        {"0000:07:00.0", 9, NULL, "vfio-pci", 0x8086, 0x100e, 0x020000, 0, NULL},
};

static const char aliases[] = "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"
                              "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n";

void fake_machine_build(const char *directory) {
        static const char *const directories[] = {"sys/kernel/iommu_groups",
                                                  "sys/class/vfio-dev",
                                                  "sys/bus/pci/drivers",
                                                  "dev/vfio/devices",
                                                  "dev/device",
                                                  "natural",
                                                  "no-iommu",
                                                  "faults",
                                                  "modules"};
        _cleanup_free_ char *events = NULL;

        ensure(setenv(FAKE_MACHINE_VARIABLE, directory, 1) == 0, "setenv");
        for (size_t i = 0; i < ELEMENTS(directories); i++)
                make_directory("%s", directories[i]);
        events = fake_machine_path("events");
        ensure(mkfifo(events, 0600) == 0, events);
        write_text(fake_machine_path("dev/vfio/vfio"), "");
        write_text(fake_machine_path("modules/modules.alias"), aliases);
        for (size_t i = 0; i < ELEMENTS(standard); i++)
                fake_machine_add(&standard[i]);
}

char *fake_machine_new(void) {
        char *directory = strdup("/tmp/fake-machine-XXXXXX");

        ensure(directory && mkdtemp(directory), "mkdtemp");
        fake_machine_build(directory);
        return directory;
}

static int erase_one(const char *path, const struct stat *status _unused_, int type _unused_,
                     struct FTW *walk _unused_) {
        return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

void fake_machine_erase(const char *directory) {
        ensure(nftw(directory, erase_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT,
               directory);
}
