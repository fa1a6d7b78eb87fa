/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * holder: the zoo of programs that have a device when somebody wants it back, for the lab cases
 * named holder-*. It inherits the files as `vfioctl exec` hands them over:
 *
 *      holder FILES... KIND [ARGUMENT...]    (FILES: take_files() in vfio-files.h)
 *      holder ping        asks vfiod for a sign of life all the time, until SIGTERM
 *
 * The table `zoo` has the kinds. Each maps memory for DMA, says "holding" when it is in its place,
 * and goes on until SIGTERM. What happens to it is a line of its output. SIGUSR1 makes it use the
 * devices, and say whether they work; SIGUSR2 makes it give back everything.
 */
#include "holder.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vfio-files.h"

#define DMA_BYTES (UINT64_C(256) * 1024)
/* A register that every device with a mapped BAR 0 here can be asked for without consequences. */
#define HARMLESS_REGISTER 8
/* How often a kind that works with its device does so. */
#define WORK_MS 20

enum {
        HEARS_BUS = 1 << 0,     /* the signal ReleaseRequested */
        HEARS_PIPE = 1 << 1,    /* the byte in the lease's pipe */
        HEARS_REQUEST = 1 << 2, /* the device-request interrupt */
        MAPS_BAR = 1 << 3,
        WORKS = 1 << 4, /* reads a register of the BAR all the time */
        OWNS_NOTHING = 1 << 5,
        BINDS_LATE = 1 << 6, /* its cdevs, when it is to use the devices */
};

typedef void (*SigbusHandler)(int signal, siginfo_t *info, void *context);

typedef struct Kind {
        const char *name;
        unsigned traits;
        void (*asked)(void);              /* NULL: does nothing about it */
        void (*place)(char ***arguments); /* NULL: the files stay with this process */
        SigbusHandler sigbus;             /* NULL: ends it */
} Kind;

static void give_back(void);
static void give_devices_back(void);
static void on_sigbus_go_on(int signal, siginfo_t *info, void *context);
static void on_sigbus_give_back(int signal, siginfo_t *info, void *context);

static const Kind zoo[] = {
        /* Those who can be asked. */
        {.name = "polite", .traits = HEARS_BUS, .asked = give_back},
        {.name = "lease-pipe", .traits = HEARS_PIPE, .asked = give_back},
        {.name = "request", .traits = HEARS_REQUEST, .asked = give_devices_back},
        {.name = "listener", .traits = HEARS_BUS | HEARS_PIPE | HEARS_REQUEST},
        /* Those who cannot, and where they have the files. */
        {.name = "deaf"},
        {.name = "grandchild", .place = hand_to_child},
        {.name = "many", .place = hand_to_many_children}, /* NUMBER */
        {.name = "thread", .place = hand_to_thread},
        {.name = "mapping", .traits = MAPS_BAR, .place = hand_to_mapping},
        {.name = "send", .place = send_away},                          /* SOCKET */
        {.name = "receive", .traits = OWNS_NOTHING, .place = receive}, /* SOCKET */
        {.name = "in-flight", .place = leave_in_flight},               /* keep|close|send */
        {.name = "replaced", .place = hold_in_two_children},           /* as root */
        {.name = "vanishing", .place = hold_in_vanishing_children},    /* NUMBER OTHERS; as root */
        /* Those who were given cdevs and have done nothing with them (--ioas 0). */
        {.name = "unbound-child", .traits = OWNS_NOTHING | BINDS_LATE, .place = hand_to_child},
        {.name = "unbound-in-flight",
         .traits = OWNS_NOTHING | BINDS_LATE,
         .place = leave_in_flight}, /* keep|close */
        /* Those whom SIGBUS does not end. */
        {.name = "stubborn", .traits = MAPS_BAR, .sigbus = on_sigbus_go_on},
        {.name = "careful", .traits = MAPS_BAR | WORKS, .sigbus = on_sigbus_give_back},
};

static const Kind *kind;
static int request_fd = -1;
/* What on_sigbus_give_back() leaves for the loop. */
static volatile sig_atomic_t sigbus_code, sigbus_pending;

void close_devices(void) {
        for (size_t i = 0; i < files.n_devices; i++) {
                Device *device = &files.devices[i];

                unmap_bar(device);
                if (device->fd >= 0)
                        close(device->fd);
                device->fd = -EBADF;
        }
}

void close_files(void) {
        int *others[] = {&files.group, &files.container, &files.iommufd, &files.lease};

        close_devices();
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                if (*others[i] >= 0)
                        close(*others[i]);
                *others[i] = -EBADF;
        }
}

static void give_back(void) {
        take_out_of_flight();
        close_files();
        puts("gave everything back");
}

static void give_devices_back(void) {
        close_devices();
        puts("gave the devices back");
}

void be_asked(const char *how) {
        printf("asked by %s\n", how);
        if (kind->asked)
                kind->asked();
}

/* --- SIGBUS: only what a signal handler may do. */

static void say(const char *words) {
        if (write(STDOUT_FILENO, words, strlen(words)) < 0)
                _exit(EXIT_FAILURE);
}

static void on_sigbus_go_on(int signal, siginfo_t *info, void *context) {
        (void)signal;
        (void)context;
        if (info->si_code != BUS_ADRERR) {
                say("goes on after SIGBUS\n");
                return;
        }
        /* The access would be tried again for ever. */
        say("the device does not answer any more\n");
        _exit(EXIT_FAILURE);
}

/* Puts plain memory where the BARs were, so that an access that met with SIGBUS can be finished. */
static void on_sigbus_give_back(int signal, siginfo_t *info, void *context) {
        (void)signal;
        (void)context;
        for (size_t i = 0; i < files.n_devices; i++) {
                const Device *device = &files.devices[i];

                if (device->bar &&
                    mmap((void *)device->bar, device->bar_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
                        _exit(EXIT_FAILURE);
        }
        sigbus_code = info->si_code;
        sigbus_pending = true;
}

static void after_sigbus(void) {
        if (!sigbus_pending)
                return;
        sigbus_pending = false;
        be_asked(sigbus_code == BUS_ADRERR ? "the kernel, by SIGBUS at an access" : "SIGBUS");
        give_back();
}

static void handle_sigbus(void) {
        struct sigaction action = {.sa_sigaction = kind->sigbus, .sa_flags = SA_SIGINFO};

        if (kind->sigbus && sigaction(SIGBUS, &action, NULL) < 0)
                die("sigaction: %m");
}

/* --- the beginning */

static void listen_for_request(void) {
        _Alignas(struct vfio_irq_set) uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int)];
        struct vfio_irq_set *request = (struct vfio_irq_set *)bytes;

        request_fd = eventfd(0, EFD_CLOEXEC);
        if (request_fd < 0)
                die("eventfd: %m");
        *request = (struct vfio_irq_set){
                .argsz = sizeof(bytes),
                .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                .index = VFIO_PCI_REQ_IRQ_INDEX,
                .count = 1,
        };
        memcpy(request->data, &request_fd, sizeof(request_fd));
        for (size_t i = 0; i < files.n_devices; i++)
                if (ioctl(files.devices[i].fd, VFIO_DEVICE_SET_IRQS, request) < 0)
                        die("%s: VFIO_DEVICE_SET_IRQS of the request interrupt: %m",
                            files.devices[i].name);
}

/* As a driver does: with bus mastering, and the registers where they can be reached. */
static void start_devices(void) {
        for (size_t i = 0; i < files.n_devices; i++) {
                Device *device = &files.devices[i];

                config_write(device, PCI_COMMAND,
                             config_read(device, PCI_COMMAND) | PCI_COMMAND_MASTER);
                if (!(kind->traits & MAPS_BAR))
                        continue;
                map_bar(device);
                (void)read_register(device, HARMLESS_REGISTER);
        }
        map_memory(DMA_BYTES);
}

static int open_signals(void) {
        static const int taken[] = {SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD};
        sigset_t set;
        int fd;

        sigemptyset(&set);
        for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
                sigaddset(&set, taken[i]);
        sigprocmask(SIG_BLOCK, &set, NULL);
        fd = signalfd(-1, &set, SFD_CLOEXEC);
        if (fd < 0)
                die("signalfd: %m");
        return fd;
}

static void begin(char ***arguments) {
        if (!(kind->traits & OWNS_NOTHING))
                start_devices();
        if (kind->traits & HEARS_BUS)
                bus_listen();
        if (kind->traits & HEARS_REQUEST)
                listen_for_request();
        handle_sigbus();
        if (kind->place)
                kind->place(arguments);
        if (**arguments)
                die("'%s' is too much", **arguments);
        puts("holding");
}

/* --- and then */

static void bind_devices(void) {
        take_in();
        for (size_t i = 0; i < files.n_devices; i++)
                if (bind_cdev(&files.devices[i]) < 0)
                        printf("%s: cannot be bound: %m\n", files.devices[i].name);
                else
                        printf("%s: bound\n", files.devices[i].name);
}

static void use_devices(void) {
        for (size_t i = 0; i < files.n_devices; i++) {
                const Device *device = &files.devices[i];

                if (device->fd >= 0) {
                        uint16_t command = config_read(device, PCI_COMMAND);

                        printf("%s: works, bus mastering %s, memory decode %s\n", device->name,
                               command & PCI_COMMAND_MASTER ? "on" : "off",
                               command & PCI_COMMAND_MEMORY ? "on" : "off");
                }
                if (device->bar)
                        printf("%s: a register is 0x%08x\n", device->name,
                               read_register(device, HARMLESS_REGISTER));
        }
}

static void work(void) {
        for (size_t i = 0; i < files.n_devices; i++)
                if (files.devices[i].bar)
                        (void)read_register(&files.devices[i], HARMLESS_REGISTER);
}

static void on_signal(int signals) {
        struct signalfd_siginfo info;

        if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
                die("signalfd: %m");
        switch (info.ssi_signo) {
        case SIGTERM:
                exit(EXIT_SUCCESS);
        case SIGUSR1:
                kind->traits &BINDS_LATE ? bind_devices() : use_devices();
                break;
        case SIGUSR2:
                give_back();
                break;
        case SIGCHLD:
                reap_children();
                break;
        }
}

static void on_pipe(void) {
        char byte;

        if (read(files.lease, &byte, 1) == 1) {
                be_asked(byte == 'r' ? "the lease's pipe" : "an unknown byte in the lease's pipe");
                return;
        }
        puts("the lease is over");
        close(files.lease);
        files.lease = -EBADF;
}

static void on_request(void) {
        uint64_t times;

        if (read(request_fd, &times, sizeof(times)) != (ssize_t)sizeof(times))
                die("eventfd: %m");
        be_asked("the request interrupt");
}

static void wait_for_something(int signals) {
        struct pollfd fds[] = {
                {.fd = signals, .events = POLLIN},
                {.fd = bus_fd(), .events = POLLIN},
                {.fd = kind->traits & HEARS_PIPE ? files.lease : -1, .events = POLLIN},
                {.fd = request_fd, .events = POLLIN},
        };

        if (poll(fds, sizeof(fds) / sizeof(fds[0]), kind->traits & WORKS ? WORK_MS : -1) < 0) {
                if (errno != EINTR)
                        die("poll: %m");
                return;
        }
        if (fds[0].revents)
                on_signal(signals);
        if (fds[1].revents)
                bus_dispatch();
        /* One may have closed what the next one is about. */
        if (fds[2].revents && fds[2].fd == files.lease)
                on_pipe();
        if (fds[3].revents)
                on_request();
}

static const Kind *find_kind(const char *name) {
        for (size_t i = 0; i < sizeof(zoo) / sizeof(zoo[0]); i++)
                if (strcmp(zoo[i].name, name) == 0)
                        return &zoo[i];
        die("no kind '%s'", name);
}

int main(int argc, char **argv) {
        char **arguments = argv + (argc > 0);
        const char *name;
        int signals;

        setvbuf(stdout, NULL, _IOLBF, 0);
        take_files(&arguments);
        name = next_argument(&arguments, "the kind of holder");
        if (strcmp(name, "ping") == 0)
                return ping_until_told();

        kind = find_kind(name);
        signals = open_signals();
        begin(&arguments);
        for (;;) {
                wait_for_something(signals);
                after_sigbus();
                if (kind->traits & WORKS)
                        work();
        }
}
