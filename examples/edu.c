/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A user-space driver for QEMU's educational device (docs/specs/edu in QEMU), with libvfiod:
 * registers, DMA there and back, and an interrupt. The same in both modes; only what maps memory
 * for DMA differs.
 *
 *      cc -o edu edu.c $(pkg-config --cflags --libs libvfiod)
 *      ./edu 0000:00:10.1 [auto|group|iommufd]
 *
 * Status 0 only when everything was right. Needs no privilege but vfiod's word.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vfiod.h>

#include "iommufd-map.h"

/* BAR 0: registers of 32 bits by their number, and a buffer by its address. */
enum {
        IDENT = 0x00 / 4,
        LIVENESS = 0x04 / 4,
        FACTORIAL = 0x08 / 4,
        STATUS = 0x20 / 4, /* bit 0: computing */
        IRQ_STATUS = 0x24 / 4,
        IRQ_RAISE = 0x60 / 4,
        IRQ_ACK = 0x64 / 4,
        DMA_FROM = 0x80 / 4,
        DMA_TO = 0x88 / 4,
        DMA_COUNT = 0x90 / 4,
        DMA_COMMAND = 0x98 / 4, /* bit 0: begin, and under way; bit 1: from the device to memory */
        BUFFER = 0x40000,
};

#define IOVA 0x100000 /* the device reaches 256 MiB */
#define SIZE 4096
#define COUNT 1024

static volatile uint32_t *bar;

/* Ends the program unless `right`. */
static void expect(int right, const char *what) {
        if (right)
                return;
        fprintf(stderr, "edu: %s: %s\n", what, errno ? strerror(errno) : "wrong");
        exit(1);
}

/* Until the bit is clear; the device needs 100 ms for DMA. */
static void wait_for(unsigned number, const char *what) {
        for (int i = 0; i < 5000 && bar[number] & 1; i++)
                usleep(1000);
        expect(!(bar[number] & 1), what);
}

static struct vfio_region_info region(int device, unsigned index) {
        struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

        expect(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) == 0, "region");
        return info;
}

/* Lets the device answer to its registers and begin transfers of its own. */
static void enable(int device) {
        off_t command = (off_t)region(device, VFIO_PCI_CONFIG_REGION_INDEX).offset + PCI_COMMAND;
        uint16_t bits;

        expect(pread(device, &bits, sizeof(bits), command) == sizeof(bits), "config space");
        bits |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
        expect(pwrite(device, &bits, sizeof(bits), command) == sizeof(bits), "bus mastering");
}

static void map_bar(int device) {
        struct vfio_region_info info = region(device, VFIO_PCI_BAR0_REGION_INDEX);

        bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)info.offset);
        expect(bar != MAP_FAILED, "BAR 0");
}

/* Memory of ours that the device finds at IOVA. */
static uint8_t *map_memory(const vfiod_lease *lease) {
        int container = vfiod_lease_get_fd(lease, VFIOD_KIND_CONTAINER, NULL);
        int iommufd = vfiod_lease_get_fd(lease, VFIOD_KIND_IOMMUFD, NULL), r;
        void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct vfio_iommu_type1_dma_map map = {
                .argsz = sizeof(map),
                .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                .vaddr = (uintptr_t)memory,
                .iova = IOVA,
                .size = SIZE,
        };

        expect(memory != MAP_FAILED, "memory");
        if (iommufd >= 0)
                r = iommufd_map(iommufd, vfiod_lease_get_ioas(lease), memory, SIZE, IOVA);
        else
                r = ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
        expect(r == 0, "mapping memory for DMA");
        return memory;
}

static void test_registers(void) {
        uint32_t ident = bar[IDENT];

        expect((ident & 0xffff) == 0x00ed, "identification");
        printf("edu %u.%u\n", ident >> 24, ident >> 16 & 0xff);
        bar[LIVENESS] = 0x12345678;
        expect(bar[LIVENESS] == ~0x12345678U, "liveness");
        bar[FACTORIAL] = 10;
        wait_for(STATUS, "computing");
        printf("10! = %u\n", bar[FACTORIAL]);
        expect(bar[FACTORIAL] == 3628800, "factorial");
}

static void transfer(uint32_t from, uint32_t to, uint32_t command) {
        bar[DMA_FROM] = from;
        bar[DMA_TO] = to;
        bar[DMA_COUNT] = COUNT;
        bar[DMA_COMMAND] = command;
        wait_for(DMA_COMMAND, "DMA");
}

static void test_dma(uint8_t *memory) {
        for (int i = 0; i < COUNT; i++)
                memory[i] = (uint8_t)(i * 7 + 1);
        transfer(IOVA, BUFFER, 1);
        transfer(BUFFER, IOVA + COUNT, 3);
        expect(memcmp(memory, memory + COUNT, COUNT) == 0, "what DMA brought back");
        printf("%d bytes by DMA to the device and back\n", COUNT);
}

static void test_interrupt(int device) {
        uint32_t words[sizeof(struct vfio_irq_set) / 4 + 1]; /* and one fd behind it */
        struct vfio_irq_set *irqs = (struct vfio_irq_set *)words;
        struct pollfd event = {.fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN};
        eventfd_t count;

        expect(event.fd >= 0, "eventfd");
        *irqs = (struct vfio_irq_set){
                .argsz = sizeof(words),
                .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                .index = VFIO_PCI_MSI_IRQ_INDEX,
                .count = 1,
        };
        memcpy(irqs->data, &event.fd, sizeof(int));
        expect(ioctl(device, VFIO_DEVICE_SET_IRQS, irqs) == 0, "MSI");
        bar[IRQ_RAISE] = 1;
        expect(poll(&event, 1, 5000) == 1, "waiting for the interrupt");
        expect(eventfd_read(event.fd, &count) == 0 && count == 1, "interrupts counted");
        expect(bar[IRQ_STATUS] == 1, "interrupt status");
        bar[IRQ_ACK] = 1;
        printf("%u interrupt\n", (unsigned)count);
}

int main(int argc, char **argv) {
        const char *const targets[] = {argc > 1 ? argv[1] : "", NULL};
        vfiod_acquire_options options = VFIOD_ACQUIRE_OPTIONS_NULL;
        vfiod_connection *connection = NULL;
        vfiod_lease *lease = NULL;
        int r, device;

        options.mode = argc > 2 ? argv[2] : VFIOD_MODE_AUTO;
        options.label = "edu";
        r = vfiod_connection_new(&connection);
        if (r == 0)
                r = vfiod_connection_open(connection, NULL);
        if (r == 0)
                r = vfiod_acquire(connection, targets, &options, &lease);
        if (r < 0) {
                fprintf(stderr, "edu: %s\n",
                        connection ? vfiod_error_message(connection) : strerror(-r));
                return 1;
        }
        device = vfiod_lease_get_fd(lease, VFIOD_KIND_CDEV, NULL);
        if (device < 0)
                device = vfiod_lease_get_fd(lease, VFIOD_KIND_DEVICE, NULL);
        expect(device >= 0, "the device's file");

        errno = 0;
        enable(device);
        map_bar(device);
        test_registers();
        test_dma(map_memory(lease));
        test_interrupt(device);

        vfiod_lease_free(lease);
        vfiod_connection_free(connection);
        return fflush(stdout) == 0 ? 0 : 1;
}
