/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/tree.h"

#include <errno.h>

#include "daemon/util/string.h"
#include "protocol/names.h"

#define GAP 2
/* Longer names of drivers push their own line out instead of everybody's. */
#define DRIVER_WIDTH_MAX 16
#define BRANCH_WIDTH 4

typedef struct Widths {
        size_t name;
        size_t driver;
} Widths;

bool group_set_has(const GroupSet *set, uint32_t number) {
        if (!set->numbers)
                return true;
        for (size_t i = 0; i < set->n; i++)
                if (set->numbers[i] == number)
                        return true;
        return false;
}

static const char *shown_driver(const DeviceRow *device) {
        return string_is_empty(device->driver) ? "-" : device->driver;
}

static Widths measure(const Listing *listing, const GroupSet *wanted) {
        Widths widths = {0};

        for (size_t i = 0; i < listing->n_devices; i++) {
                const DeviceRow *device = &listing->devices[i];
                size_t name = text_width(device->name), driver = text_width(shown_driver(device));

                if (!group_set_has(wanted, device->group))
                        continue;
                if (name > widths.name)
                        widths.name = name;
                if (driver > widths.driver && driver <= DRIVER_WIDTH_MAX)
                        widths.driver = driver;
        }
        return widths;
}

static bool is_trouble(const char *state) {
        return string_equal(state, "stuck") || string_equal(state, "busy") ||
               string_equal(state, "rebound");
}

/* Interfaces first: they are what people know a device by, and the end is cut off on 80 columns. */
static char *describe_device(const DeviceRow *device) {
        _cleanup_free_ char *text = NULL, *interfaces = NULL;
        int r = 0;

        interfaces = strv_join(device->interfaces, " ");
        if (!interfaces)
                return NULL;
        if (is_trouble(device->state))
                r = string_append(&text, "(%s) ", device->state);
        if (r >= 0 && string_equal(device->assignment, "assigned"))
                r = string_append(&text, "(assigned) ");
        if (r >= 0 && interfaces[0])
                r = string_append(&text, "%s: ", interfaces);
        if (r >= 0 && device->vendor_name[0] && device->device_name[0])
                r = string_append(&text, "%s %s", device->vendor_name, device->device_name);
        else if (r >= 0 && (device->vendor || device->device))
                r = string_append(&text, "%s%s%04x:%04x", device->vendor_name,
                                  device->vendor_name[0] ? " " : "", device->vendor,
                                  device->device);
        else if (r >= 0)
                r = string_append(&text, "%s", device->bus);
        return r < 0 ? NULL : TAKE_PTR(text);
}

/* Red is what stands in the way, green what can be acquired. */
static Colour verdict_colour(const DeviceRow *device) {
        if (string_equal(device->verdict, "host-driver") ||
            string_equal(device->verdict, "bridge-driver"))
                return COLOUR_RED;
        return string_equal(device->verdict, "vfio") ? COLOUR_GREEN : COLOUR_NONE;
}

static size_t pad(FILE *f, size_t used, size_t width) {
        size_t n = used < width ? width - used + GAP : GAP;

        output_spaces(f, n);
        return used + n;
}

static size_t room(const Style *style, size_t used) {
        return style->width > used ? style->width - used : 0;
}

/* In full, and in a line of its own: it is what to act upon. */
static void print_trouble(FILE *f, const Style *style, const char *reason, bool last) {
        size_t used = last ? 0 : 1;

        if (!last)
                fputs(style->utf8 ? "\u2502" : "|", f);
        output_wrapped_behind(f, style, used, BRANCH_WIDTH + GAP, reason);
}

static int print_device(FILE *f, const Style *style, const DeviceRow *device, bool last,
                        const Widths *widths) {
        _cleanup_free_ char *text = describe_device(device);
        size_t used, driver;

        if (!text)
                return -ENOMEM;
        if (style->utf8)
                fputs(last ? "\u2514\u2500\u2500 " : "\u251c\u2500\u2500 ", f);
        else
                fputs(last ? "`-- " : "|-- ", f);
        fputs(device->name, f);
        used = BRANCH_WIDTH + pad(f, text_width(device->name), widths->name);
        driver = output_truncated(f, style, verdict_colour(device), shown_driver(device),
                                  room(style, used));
        if (room(style, used + driver) > GAP) {
                used += pad(f, driver, widths->driver);
                output_truncated(f, style, COLOUR_NONE, text, room(style, used));
        }
        fputc('\n', f);
        if (!string_is_empty(device->trouble))
                print_trouble(f, style, device->trouble, last);
        if (!string_is_empty(device->assignment) && !string_equal(device->assignment, "assigned"))
                print_trouble(f, style, device->assignment, last);
        return 0;
}

static const LeaseRow *find_lease(const Listing *listing, const char *path) {
        for (size_t i = 0; i < listing->n_leases; i++)
                if (string_equal(listing->leases[i].path, path))
                        return &listing->leases[i];
        return NULL;
}

/* "leased to alice: build 7 (lease/7)"; a lease that came after the list was made has a path only
 */
static char *describe_lease(const Listing *listing, const char *path) {
        const LeaseRow *lease = find_lease(listing, path);
        const char *id = string_after(path, VFIOD_PATH "/");
        _cleanup_free_ char *text = NULL;
        int r;

        if (!lease)
                return string_format("leased (%s)", id ? id : path);
        if (lease->user)
                r = string_append(&text, "leased to %s", lease->user);
        else
                r = string_append(&text, "leased to uid %u", lease->owner);
        if (r >= 0 && lease->label[0])
                r = string_append(&text, ": %s", lease->label);
        if (r >= 0)
                r = string_append(&text, " (%s", id ? id : path);
        if (r >= 0 && lease->state[0] && !string_equal(lease->state, "held"))
                r = string_append(&text, ", %s", lease->state);
        if (r >= 0)
                r = string_append(&text, ")");
        return r < 0 ? NULL : TAKE_PTR(text);
}

/* The members of the group begin at row `d`. */
static bool has_only_bridges(const Listing *listing, size_t d, uint32_t group) {
        size_t i;

        for (i = d; i < listing->n_devices && listing->devices[i].group == group; i++)
                if (!string_equal(listing->devices[i].verdict, "bridge"))
                        return false;
        return i > d;
}

static const char *describe_state(const GroupRow *group, const Listing *listing, size_t d) {
        if (!group->viable)
                return "not viable";
        if (group->bound)
                return "bound";
        return has_only_bridges(listing, d, group->number) ? "only bridges" : "viable";
}

/* Its members begin at row `d`. */
static int print_group(FILE *f, const Style *style, const GroupRow *group, const Listing *listing,
                       size_t d) {
        const char *state = describe_state(group, listing, d);
        _cleanup_free_ char *title = string_format("group/%u", group->number);
        _cleanup_free_ char *lease = NULL;
        size_t used;

        if (!title)
                return -ENOMEM;
        used = output_text(f, style, COLOUR_BOLD, title);
        output_spaces(f, GAP);
        used += GAP + output_text(f, style,
                                  !group->viable ? COLOUR_YELLOW
                                  : group->bound ? COLOUR_GREEN
                                                 : COLOUR_NONE,
                                  state);
        if (group->type[0]) {
                output_spaces(f, GAP);
                used += GAP + output_text(f, style,
                                          string_equal(group->type, "no-iommu") ? COLOUR_YELLOW
                                                                                : COLOUR_DIM,
                                          group->type);
        }
        if (group->lease[0] && !string_equal(group->lease, "/")) {
                lease = describe_lease(listing, group->lease);
                if (!lease)
                        return -ENOMEM;
                output_spaces(f, GAP);
                used += GAP;
                output_truncated(f, style, COLOUR_BOLD, lease, room(style, used));
        }
        fputc('\n', f);
        return 0;
}

int tree_print(FILE *f, const Style *style, const Listing *listing, const GroupSet *wanted) {
        Widths widths = measure(listing, wanted);
        size_t d = 0;
        int r;

        for (size_t g = 0; g < listing->n_groups; g++) {
                const GroupRow *group = &listing->groups[g];

                if (!group_set_has(wanted, group->number))
                        continue;
                /* Both are ordered by group number: one walk over each. */
                while (d < listing->n_devices && listing->devices[d].group < group->number)
                        d++;
                r = print_group(f, style, group, listing, d);
                if (r < 0)
                        return r;
                for (; d < listing->n_devices && listing->devices[d].group == group->number; d++) {
                        bool last = d + 1 == listing->n_devices ||
                                    listing->devices[d + 1].group != group->number;

                        r = print_device(f, style, &listing->devices[d], last, &widths);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
