/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A user-space driver for QEMU's educational device (docs/specs/edu in QEMU), with libvfiod:
 * registers, DMA there and back, and an interrupt. Needs no privilege but vfiod's word.
 *
 *      cc -o edu edu.c $(pkg-config --cflags --libs libvfiod)
 *      ./edu 0000:00:10.1 [auto|group|iommufd]
 */
#include <err.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
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
enum { IDENT = 0x00 / 4, FACTORIAL = 0x08 / 4, STATUS = 0x20 / 4 /* bit 0: computing */ };
enum { IRQ_RAISE = 0x60 / 4, IRQ_ACK = 0x64 / 4 };
enum { DMA_FROM = 0x80 / 4, DMA_TO = 0x88 / 4, DMA_COUNT = 0x90 / 4, DMA_COMMAND = 0x98 / 4 };
enum { BEGIN = 1 /* also: under way */, TO_MEMORY = 2 }; /* bits of DMA_COMMAND */
#define BUFFER 0x40000

#define IOVA 0x100000 /* where the device sees our memory; it reaches 256 MiB */
#define SIZE 4096
#define COUNT 1024

#define expect(right) ((right) ? (void)0 : err(1, "%s", #right))

static volatile uint32_t *bar;

/* Registers into our address space, and the device's leave to begin transfers. */
static void map_bar(int device) {
        struct vfio_region_info config = {sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX};
        struct vfio_region_info info = {sizeof(info), .index = VFIO_PCI_BAR0_REGION_INDEX};
        uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

        expect(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) == 0);
        expect(pwrite(device, &command, 2, (off_t)config.offset + PCI_COMMAND) == 2);
        expect(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) == 0);
        bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)info.offset);
        expect(bar != MAP_FAILED);
}

/* Memory of ours that the device finds at IOVA: the one thing that differs between the modes. */
static uint8_t *map_memory(const vfiod_lease *lease) {
        void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int container = vfiod_lease_get_fd(lease, VFIOD_KIND_CONTAINER, NULL);
        int iommufd = vfiod_lease_get_fd(lease, VFIOD_KIND_IOMMUFD, NULL);
        struct vfio_iommu_type1_dma_map map = {
                sizeof(map), VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                .vaddr = (uintptr_t)memory, .iova = IOVA, .size = SIZE};

        expect(memory != MAP_FAILED);
        if (iommufd >= 0)
                expect(iommufd_map(iommufd, vfiod_lease_get_ioas(lease), memory, SIZE, IOVA) == 0);
        else
                expect(ioctl(container, VFIO_IOMMU_MAP_DMA, &map) == 0);
        return memory;
}

static void wait_for(unsigned number) {
        while (bar[number] & 1)
                usleep(1000);
}

static void test_registers(void) {
        printf("edu %u.%u\n", bar[IDENT] >> 24, bar[IDENT] >> 16 & 0xff);
        bar[FACTORIAL] = 10;
        wait_for(STATUS);
        printf("10! = %u\n", bar[FACTORIAL]);
}

static void transfer(uint32_t from, uint32_t to, uint32_t command) {
        bar[DMA_FROM] = from;
        bar[DMA_TO] = to;
        bar[DMA_COUNT] = COUNT;
        bar[DMA_COMMAND] = command;
        wait_for(DMA_COMMAND);
}

static void test_dma(uint8_t *memory) {
        for (int i = 0; i < COUNT; i++)
                memory[i] = (uint8_t)(i * 7 + 1);
        transfer(IOVA, BUFFER, BEGIN);
        transfer(BUFFER, IOVA + COUNT, BEGIN | TO_MEMORY);
        expect(memcmp(memory, memory + COUNT, COUNT) == 0);
        printf("%d bytes by DMA to the device and back\n", COUNT);
}

static void test_interrupt(int device) {
        size_t size = sizeof(struct vfio_irq_set) + sizeof(int);
        struct vfio_irq_set *irqs = calloc(1, size);
        int event = eventfd(0, EFD_CLOEXEC);
        eventfd_t count;

        expect(irqs && event >= 0);
        irqs->argsz = (uint32_t)size;
        irqs->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
        irqs->index = VFIO_PCI_MSI_IRQ_INDEX;
        irqs->count = 1;
        memcpy(irqs->data, &event, sizeof(int));
        expect(ioctl(device, VFIO_DEVICE_SET_IRQS, irqs) == 0);
        free(irqs);
        bar[IRQ_RAISE] = 1;
        expect(eventfd_read(event, &count) == 0);
        bar[IRQ_ACK] = 1;
        printf("%u interrupt\n", (unsigned)count);
}

int main(int argc, char **argv) {
        const char *const targets[] = {argc > 1 ? argv[1] : "", NULL};
        vfiod_acquire_options options = VFIOD_ACQUIRE_OPTIONS_NULL;
        vfiod_connection *c = NULL;
        vfiod_lease *lease;
        int device;

        options.mode = argc > 2 ? argv[2] : VFIOD_MODE_AUTO;
        options.label = "edu";
        if (vfiod_connection_new(&c) < 0 || vfiod_connection_open(c, NULL) < 0 ||
            vfiod_acquire(c, targets, &options, &lease) < 0)
                errx(1, "%s", c ? vfiod_error_message(c) : "no memory");
        device = vfiod_lease_get_fd(lease, VFIOD_KIND_CDEV, NULL);
        if (device < 0)
                device = vfiod_lease_get_fd(lease, VFIOD_KIND_DEVICE, NULL);

        alarm(30); /* the end, should the device not answer */
        map_bar(device);
        test_registers();
        test_dma(map_memory(lease));
        test_interrupt(device);

        vfiod_lease_free(lease);
        vfiod_connection_free(c);
        return 0;
}
