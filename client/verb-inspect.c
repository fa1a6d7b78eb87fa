/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* inspect: what devices on a vfio driver tell of themselves; of all of them, or of none. */

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <unistd.h>

#include "client/devices.h"
#include "client/output.h"
#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/string.h"

typedef struct Flag {
        uint32_t bit;
        const char *name;
} Flag;

static const Flag region_flags[] = {
        {VFIO_REGION_INFO_FLAG_READ, "read"},
        {VFIO_REGION_INFO_FLAG_WRITE, "write"},
        {VFIO_REGION_INFO_FLAG_MMAP, "mmap"},
};

static const Flag irq_flags[] = {
        {VFIO_IRQ_INFO_EVENTFD, "eventfd"},
        {VFIO_IRQ_INFO_MASKABLE, "maskable"},
        {VFIO_IRQ_INFO_AUTOMASKED, "automasked"},
        {VFIO_IRQ_INFO_NORESIZE, "noresize"},
};

/* --- text */

static int append_flags(char **text, const Flag *flags, size_t n, uint32_t value) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (value & flags[i].bit)
                        r = string_append(text, "%s%s", *text ? " " : "", flags[i].name);
        return r;
}

/* Under the last column. */
static void add_access(Table *table, char *text) {
        _cleanup_free_ char *owned = text;

        for (size_t i = 0; i < 4; i++)
                table_add_blank(table);
        table_add(table, string_or_empty(owned));
}

/* Where not all of it may be mapped, a row for each part that may. */
static int add_region_rows(Table *table, const vfiod_region *region) {
        uint32_t flags = region->flags;
        _cleanup_free_ char *access = NULL;
        int r;

        if (region->n_areas > 0)
                flags &= ~(uint32_t)VFIO_REGION_INFO_FLAG_MMAP;
        r = append_flags(&access, region_flags, ELEMENTS(region_flags), flags);
        if (r < 0)
                return r;
        table_add_format(table, "%" PRIu32, region->index);
        table_add(table, region->name);
        table_add_format(table, "0x%" PRIx64, region->size);
        table_add_format(table, "0x%" PRIx64, region->offset);
        table_add(table, string_or_empty(access));
        for (size_t i = 0; i < region->n_areas; i++)
                add_access(table,
                           string_format("mmap 0x%" PRIx64 "-0x%" PRIx64, region->areas[i].offset,
                                         region->areas[i].offset + region->areas[i].size - 1));
        if (region->msix_mappable)
                add_access(table, strdup("mmap of the MSI-X table"));
        return 0;
}

static int print_regions(const Style *style, const vfiod_region *const *regions) {
        static const char *const titles[] = {"REGION", "NAME", "SIZE", "OFFSET", "ACCESS"};
        _cleanup_table_ Table table = TABLE_INIT(titles);

        for (; *regions; regions++) {
                int r = (*regions)->size > 0 ? add_region_rows(&table, *regions) : 0;

                if (r < 0)
                        return r;
        }
        return table.n_cells > 0 ? table_print(stdout, style, &table) : 0;
}

static int print_irqs(const Style *style, const vfiod_irq *const *irqs) {
        static const char *const titles[] = {"IRQ", "NAME", "COUNT", "FLAGS"};
        _cleanup_table_ Table table = TABLE_INIT(titles);

        for (; *irqs; irqs++) {
                _cleanup_free_ char *flags = NULL;
                int r;

                if ((*irqs)->count == 0)
                        continue;
                r = append_flags(&flags, irq_flags, ELEMENTS(irq_flags), (*irqs)->flags);
                if (r < 0)
                        return r;
                table_add_format(&table, "%" PRIu32, (*irqs)->index);
                table_add(&table, (*irqs)->name);
                table_add_format(&table, "%" PRIu32, (*irqs)->count);
                table_add(&table, string_or_empty(flags));
        }
        return table.n_cells > 0 ? table_print(stdout, style, &table) : 0;
}

/* Names end in one column. */
static void print_fact(const char *name, const char *text) {
        printf("  %14s: %s\n", name, text[0] ? text : "-");
}

static int print_words(const char *name, const char *const *words) {
        _cleanup_free_ char *text = strv_join((char *const *)words, " ");

        if (!text)
                return -ENOMEM;
        print_fact(name, text);
        return 0;
}

static int print_hardware(const vfiod_inspection *device) {
        _cleanup_free_ char *bits = string_format("%" PRIu32, device->hw_pasid_bits);

        if (!bits)
                return -ENOMEM;
        print_fact("HwType", device->hw_type);
        print_fact("HwPasidBits", bits);
        return print_words("HwCapabilities", device->hw_capabilities);
}

static int print_facts(const vfiod_inspection *device) {
        int r;

        print_fact("Mode", device->mode);
        r = print_words("Flags", device->flags);
        if (r >= 0)
                r = print_words("Resets", device->resets);
        return r < 0 || !device->hw_type ? r : print_hardware(device);
}

static int print_device(const Style *style, const vfiod_inspection *device) {
        int r;

        output_text(stdout, style, COLOUR_BOLD, device->name);
        putchar('\n');
        r = print_facts(device);
        if (r >= 0)
                r = print_regions(style, device->regions);
        return r < 0 ? r : print_irqs(style, device->irqs);
}

/* --- JSON: the names of org.vfiod1.Device.Inspect */

static int add_u64(json_object *object, const char *key, uint64_t value) {
        return json_add(object, key, json_object_new_uint64(value));
}

static int add_string(json_object *object, const char *key, const char *value) {
        return json_add(object, key, json_object_new_string(value));
}

/* A fresh array or object under the key; owned by `object`. */
static int add_container(json_object *object, const char *key, json_object *fresh,
                         json_object **ret) {
        int r;

        r = json_add(object, key, fresh);
        if (r >= 0)
                *ret = fresh;
        return r;
}

static int append_object(json_object *array, json_object **ret) {
        json_object *fresh = json_object_new_object();
        int r;

        r = json_append(array, fresh);
        if (r >= 0)
                *ret = fresh;
        return r;
}

static int add_words(json_object *object, const char *key, const char *const *words) {
        json_object *array = NULL;
        int r;

        r = add_container(object, key, json_object_new_array(), &array);
        for (; r >= 0 && *words; words++)
                r = json_append(array, json_object_new_string(*words));
        return r;
}

static int add_areas(json_object *object, const vfiod_region *region) {
        json_object *array = NULL, *area = NULL;
        int r;

        r = add_container(object, "Areas", json_object_new_array(), &array);
        for (size_t i = 0; i < region->n_areas && r >= 0; i++) {
                r = append_object(array, &area);
                if (r >= 0)
                        r = add_u64(area, "Offset", region->areas[i].offset);
                if (r >= 0)
                        r = add_u64(area, "Size", region->areas[i].size);
        }
        return r;
}

static int add_region(json_object *array, const vfiod_region *region) {
        json_object *object = NULL;
        int r;

        r = append_object(array, &object);
        if (r >= 0)
                r = add_u64(object, "Index", region->index);
        if (r >= 0)
                r = add_string(object, "Name", region->name);
        if (r >= 0)
                r = add_u64(object, "Flags", region->flags);
        if (r >= 0)
                r = add_u64(object, "Size", region->size);
        if (r >= 0)
                r = add_u64(object, "Offset", region->offset);
        if (r >= 0)
                r = json_add(object, "MsixMappable",
                             json_object_new_boolean(region->msix_mappable));
        return r < 0 ? r : add_areas(object, region);
}

static int add_irq(json_object *array, const vfiod_irq *irq) {
        json_object *object = NULL;
        int r;

        r = append_object(array, &object);
        if (r >= 0)
                r = add_u64(object, "Index", irq->index);
        if (r >= 0)
                r = add_string(object, "Name", irq->name);
        if (r >= 0)
                r = add_u64(object, "Flags", irq->flags);
        return r < 0 ? r : add_u64(object, "Count", irq->count);
}

/* Bytes as hexadecimal digits, in the order that they have in memory. */
static int add_bytes(json_object *object, const char *key, const void *data, size_t size) {
        _cleanup_free_ char *text = strdup("");
        const uint8_t *bytes = data;
        int r = text ? 0 : -ENOMEM;

        for (size_t i = 0; i < size && r >= 0; i++)
                r = string_append(&text, "%02x", bytes[i]);
        return r < 0 ? r : add_string(object, key, text);
}

static int add_hardware(json_object *object, const vfiod_inspection *device) {
        int r;

        r = add_string(object, "HwType", device->hw_type);
        if (r >= 0)
                r = add_words(object, "HwCapabilities", device->hw_capabilities);
        if (r >= 0)
                r = add_u64(object, "HwPasidBits", device->hw_pasid_bits);
        return r < 0 ? r : add_bytes(object, "HwData", device->hw_data, device->hw_data_size);
}

static int add_device(json_object *document, const vfiod_inspection *device) {
        json_object *object = NULL, *regions = NULL, *irqs = NULL;
        int r;

        r = append_object(document, &object);
        if (r >= 0)
                r = add_string(object, "Name", device->name);
        if (r >= 0)
                r = add_string(object, "Mode", device->mode);
        if (r >= 0)
                r = add_words(object, "Flags", device->flags);
        if (r >= 0)
                r = add_container(object, "Regions", json_object_new_array(), &regions);
        for (size_t i = 0; r >= 0 && device->regions[i]; i++)
                r = add_region(regions, device->regions[i]);
        if (r >= 0)
                r = add_container(object, "Irqs", json_object_new_array(), &irqs);
        for (size_t i = 0; r >= 0 && device->irqs[i]; i++)
                r = add_irq(irqs, device->irqs[i]);
        if (r >= 0)
                r = add_words(object, "Resets", device->resets);
        return r < 0 || !device->hw_type ? r : add_hardware(object, device);
}

/* --- both */

static int print_json(vfiod_inspection **devices, size_t n) {
        _cleanup_json_ json_object *document = json_object_new_array();
        int r = document ? 0 : -ENOMEM;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_device(document, devices[i]);
        if (r >= 0)
                json_write_document(stdout, document);
        return r;
}

static int print_text(vfiod_inspection **devices, size_t n) {
        Style style = style_detect(STDOUT_FILENO);
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                if (i > 0)
                        putchar('\n');
                r = print_device(&style, devices[i]);
        }
        return r;
}

static int inspect_all(const Arguments *a, vfiod_connection *c, char **names) {
        size_t n = strv_length(names);
        _cleanup_free_ vfiod_inspection **devices = calloc(n, sizeof(vfiod_inspection *));
        int r = devices ? 0 : -ENOMEM;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = vfiod_inspect(c, names[i], &devices[i]);
        if (r >= 0)
                r = a->json ? print_json(devices, n) : print_text(devices, n);
        for (size_t i = 0; devices && i < n; i++)
                vfiod_inspection_free(devices[i]);
        return r;
}

int verb_inspect(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL, **names = NULL;
        _cleanup_free_ char *sentence = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = devices_of_targets(c, targets, false, &names, &sentence);
        if (sentence)
                return report(STATUS_NO, NULL, "%s", sentence);
        if (r >= 0)
                r = inspect_all(a, c, names);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
