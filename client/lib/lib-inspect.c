/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inspect: a device's regions, interrupts and IOMMU as plain structures. */

#include <errno.h>
#include <stdlib.h>

#include "client/lib/lib-private.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

/* Strings and bytes are borrowed from the reply. */
typedef struct Inspection {
        vfiod_inspection public; /* first, so that it can be freed by its address */
        char *name;
        vfiod_region **regions; /* NULL-terminated, as all that follow */
        vfiod_irq **irqs;
        char **flags;
        char **resets;
        char **hw_capabilities;
        sd_bus_message *reply;
        unsigned seen; /* bits of Field: a key comes once */
} Inspection;

static void region_free(vfiod_region *region) {
        free((vfiod_area *)region->areas);
        free(region);
}

vfiod_inspection *vfiod_inspection_free(vfiod_inspection *inspection) {
        Inspection *i = (Inspection *)inspection;

        if (!i)
                return NULL;
        for (size_t n = 0; i->regions && i->regions[n]; n++)
                region_free(i->regions[n]);
        for (size_t n = 0; i->irqs && i->irqs[n]; n++)
                free(i->irqs[n]);
        free(i->regions);
        free(i->irqs);
        strv_free(i->flags);
        strv_free(i->resets);
        strv_free(i->hw_capabilities);
        sd_bus_message_unref(i->reply);
        free(i->name);
        free(i);
        return NULL;
}

static void inspection_freep(Inspection **i) {
        vfiod_inspection_free((vfiod_inspection *)*i);
}

/* Makes room for one pointer more, and NULL behind it. */
static int grow(void *array, size_t n) {
        void ***pointers = array;
        void **grown = reallocarray(*pointers, n + 2, sizeof(void *));

        if (!grown)
                return -ENOMEM;
        grown[n] = grown[n + 1] = NULL;
        *pointers = grown;
        return 0;
}

/* a(tt) */
static int read_areas(sd_bus_message *m, vfiod_region *region) {
        vfiod_area *areas = NULL, area;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(tt)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(tt)", &area.offset, &area.size)) > 0) {
                vfiod_area *grown = reallocarray(areas, region->n_areas + 1, sizeof(area));

                if (!grown)
                        return -ENOMEM;
                region->areas = areas = grown;
                areas[region->n_areas++] = area;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The members of (usuttba(tt)), which has been entered */
static int read_region(sd_bus_message *m, vfiod_region *region) {
        int r, mappable;

        r = sd_bus_message_read(m, "usuttb", &region->index, &region->name, &region->flags,
                                &region->size, &region->offset, &mappable);
        if (r < 0)
                return r;
        region->msix_mappable = mappable;
        r = read_areas(m, region);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_regions(sd_bus_message *m, Inspection *i) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(usuttba(tt))");
        for (size_t n = 0; r >= 0; n++) {
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, "usuttba(tt)");
                if (r <= 0)
                        break;
                r = grow(&i->regions, n);
                if (r < 0)
                        return r;
                i->regions[n] = calloc(1, sizeof(vfiod_region));
                r = i->regions[n] ? read_region(m, i->regions[n]) : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_irqs(sd_bus_message *m, Inspection *i) {
        vfiod_irq irq;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(usuu)");
        for (size_t n = 0; r >= 0; n++) {
                r = sd_bus_message_read(m, "(usuu)", &irq.index, &irq.name, &irq.flags, &irq.count);
                if (r <= 0)
                        break;
                r = grow(&i->irqs, n);
                if (r < 0)
                        return r;
                i->irqs[n] = malloc(sizeof(irq));
                if (!i->irqs[n])
                        return -ENOMEM;
                *i->irqs[n] = irq;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

typedef enum Field {
        FIELD_MODE,
        FIELD_FLAGS,
        FIELD_REGIONS,
        FIELD_IRQS,
        FIELD_RESETS,
        FIELD_HW_TYPE,
        FIELD_HW_CAPABILITIES,
        FIELD_HW_PASID_BITS,
        FIELD_HW_DATA,
} Field;

static const struct {
        const char *key;
        const char *type;
} fields[] = {
        [FIELD_MODE] = {"Mode", "s"},
        [FIELD_FLAGS] = {"Flags", "as"},
        [FIELD_REGIONS] = {"Regions", "a(usuttba(tt))"},
        [FIELD_IRQS] = {"Irqs", "a(usuu)"},
        [FIELD_RESETS] = {"Resets", "as"},
        [FIELD_HW_TYPE] = {"HwType", "s"},
        [FIELD_HW_CAPABILITIES] = {"HwCapabilities", "as"},
        [FIELD_HW_PASID_BITS] = {"HwPasidBits", "u"},
        [FIELD_HW_DATA] = {"HwData", "ay"},
};

static int read_field(sd_bus_message *m, Field field, Inspection *i) {
        switch (field) {
        case FIELD_MODE:
                return sd_bus_message_read(m, "s", &i->public.mode);
        case FIELD_FLAGS:
                return sd_bus_message_read_strv(m, &i->flags);
        case FIELD_REGIONS:
                return read_regions(m, i);
        case FIELD_IRQS:
                return read_irqs(m, i);
        case FIELD_RESETS:
                return sd_bus_message_read_strv(m, &i->resets);
        case FIELD_HW_TYPE:
                return sd_bus_message_read(m, "s", &i->public.hw_type);
        case FIELD_HW_CAPABILITIES:
                return sd_bus_message_read_strv(m, &i->hw_capabilities);
        case FIELD_HW_PASID_BITS:
                return sd_bus_message_read(m, "u", &i->public.hw_pasid_bits);
        case FIELD_HW_DATA:
                return sd_bus_message_read_array(m, 'y', &i->public.hw_data,
                                                 &i->public.hw_data_size);
        }
        return 0;
}

/* What is behind the key; a field that a later daemon adds is passed over. */
static int read_value(sd_bus_message *m, const char *key, Inspection *i) {
        int r;

        for (size_t n = 0; n < ELEMENTS(fields); n++) {
                if (!string_equal(key, fields[n].key))
                        continue;
                if (i->seen & 1U << n)
                        return -EBADMSG;
                i->seen |= 1U << n;
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, fields[n].type);
                if (r >= 0)
                        r = read_field(m, (Field)n, i);
                return r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return sd_bus_message_skip(m, "v");
}

static int read_all(sd_bus_message *m, Inspection *i) {
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = read_value(m, key, i);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

/* No array of the public structure is NULL, so that whoever walks one need not look. */
static int publish(Inspection *i) {
        int r = 0;

        if (!i->regions)
                r = grow(&i->regions, 0);
        if (r >= 0 && !i->irqs)
                r = grow(&i->irqs, 0);
        if (r >= 0 && !i->flags)
                r = grow(&i->flags, 0);
        if (r >= 0 && !i->resets)
                r = grow(&i->resets, 0);
        if (r >= 0 && !i->hw_capabilities)
                r = grow(&i->hw_capabilities, 0);
        if (r < 0)
                return r;
        i->public.name = i->name;
        i->public.mode = string_or_empty(i->public.mode);
        i->public.regions = (const vfiod_region *const *)i->regions;
        i->public.irqs = (const vfiod_irq *const *)i->irqs;
        i->public.flags = (const char *const *)i->flags;
        i->public.resets = (const char *const *)i->resets;
        i->public.hw_capabilities = (const char *const *)i->hw_capabilities;
        return 0;
}

static int ask(vfiod_connection *c, const char *path, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = connection_new_call(c, path, VFIOD_INTERFACE_DEVICE, "Inspect", &m);
        return r < 0 ? r : connection_call(c, m, 0, ret);
}

int inspection_read(sd_bus_message *reply, const char *name, vfiod_inspection **ret) {
        _cleanup_(inspection_freep) Inspection *i = calloc(1, sizeof(*i));
        int r;

        if (!i)
                return -ENOMEM;
        i->reply = sd_bus_message_ref(reply);
        r = string_set(&i->name, name);
        if (r >= 0)
                r = read_all(i->reply, i);
        if (r >= 0)
                r = publish(i);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(i)->public;
        return 0;
}

static int inspect(vfiod_connection *c, const char *device, vfiod_inspection **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL, *name = NULL;
        int r;

        r = connection_find_device(c, device, &path);
        if (r >= 0 && sd_bus_path_decode(path, VFIOD_PATH_DEVICE, &name) <= 0)
                r = -EBADMSG;
        if (r >= 0)
                r = ask(c, path, &reply);
        return r < 0 ? r : inspection_read(reply, name, ret);
}

int vfiod_inspect(vfiod_connection *c, const char *device, vfiod_inspection **ret) {
        connection_begin(c);
        return connection_end(c, inspect(c, device, ret));
}
