/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What vfioctl and libvfiod make of a reply: of any type, with any contents. Lines of the input:
 * the signature of the body, then the values in order, as fuzz_append() has them.
 */

#include <string.h>

#include "client/holder-list.h"
#include "client/json.h"
#include "client/lib/lib-private.h"
#include "client/listing.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz-bus.h"
#include "tests/fuzz/fuzz.h"

static const char *next_line(FuzzValues *values) {
        return string_or_empty(fuzz_line(&values->rest));
}

static sd_bus_message *make(char *text) {
        FuzzValues values = {.next = next_line, .rest = text};
        const char *types = next_line(&values);
        sd_bus_message *m = NULL;

        MUST(sd_bus_message_new_signal(fuzz_bus(), &m, "/a", "a.a", "A") >= 0);
        if (fuzz_append(m, types, &values) && sd_bus_message_seal(m, 1, 0) >= 0)
                return m;
        return sd_bus_message_unref(m);
}

static void read_facts(sd_bus_message *m) {
        LeaseFacts facts = {0};

        if (lease_facts_read(m, &facts) >= 0)
                MUST(facts.mode);
        lease_facts_done(&facts);
}

static void read_files(sd_bus_message *m) {
        LeaseFiles files = {0};
        size_t n;

        if (lease_files_read(&files, m) >= 0)
                for (size_t i = 0; i < files.n_files; i++)
                        MUST(lease_files_find(&files, files.files[i].kind, NULL, &n) && n > 0);
        lease_files_done(&files);
}

static void read_inspection(sd_bus_message *m) {
        vfiod_inspection *inspection = NULL;

        if (inspection_read(m, "0000:01:00.0", &inspection) >= 0) {
                MUST(inspection->name && inspection->mode && inspection->flags);
                MUST(inspection->regions && inspection->irqs && inspection->resets);
        }
        vfiod_inspection_free(inspection);
}

static void read_members(sd_bus_message *m) {
        Members members = {0};

        if (members_read(m, &members) >= 0)
                for (size_t i = 0; i < members.n_members; i++)
                        MUST(members.members[i].device && members.members[i].verdict);
        members_done(&members);
}

static void read_holders(sd_bus_message *m) {
        _cleanup_holder_list_ HolderList list = HOLDER_LIST_NULL;

        if (holder_list_read(m, &list) >= 0)
                for (size_t i = 0; i < list.n_holders; i++)
                        MUST(list.holders[i].command && list.holders[i].unit);
}

static void read_listing(sd_bus_message *m) {
        _cleanup_listing_ Listing listing = LISTING_NULL;

        (void)listing_read(m, m, &listing);
}

static void read_json(sd_bus_message *m) {
        _cleanup_json_ json_object *value = NULL;
        _cleanup_free_ char *text = NULL;

        if (json_from_message(m, &value) < 0)
                return;
        text = json_to_text(value);
        MUST(text);
        (void)json_get_string(value, "Path");
        (void)json_get_u64(value, "Group");
}

static void read_json_objects(sd_bus_message *m) {
        _cleanup_json_ json_object *value = NULL;

        (void)json_from_objects(m, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static void (*const readers[])(sd_bus_message *m) = {
                read_facts,   read_files,   read_inspection, read_members,
                read_holders, read_listing, read_json,       read_json_objects,
        };
        _cleanup_free_ char *text = fuzz_text(data, size);
        size_t fds = (fuzz_bus(), fuzz_count_fds());
        sd_bus_message *m = make(text);

        for (size_t i = 0; m && i < ELEMENTS(readers); i++) {
                MUST(sd_bus_message_rewind(m, true) >= 0);
                readers[i](m);
        }
        sd_bus_message_unref(m);
        MUST(fuzz_count_fds() == fds);
        return 0;
}
