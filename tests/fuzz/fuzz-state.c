/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What vfiod has written down for the next vfiod: read whole or refused with a sentence; and what
 * was read is written and read back as it was. */

#include <errno.h>
#include <string.h>

#include "daemon/core/state.h"
#include "daemon/util/string.h"
#include "tests/fuzz/fuzz.h"

/* The leases change hands. */
static void init_world(World *world, State *state) {
        *world = (World){0};
        lease_table_init(&world->leases);
        world->leases.last_id = state->leases.last_id;
        list_for_each_safe(link, &state->leases.leases) {
                list_remove(link);
                list_insert(&world->leases.leases, link);
        }
}

static char *write_down(State *state) {
        World world;
        char *text;

        init_world(&world, state);
        text = state_write(&world, state->plans, state->n_plans);
        MUST(text);
        lease_table_done(&world.leases);
        return text;
}

/* Without the originals, which are the topology's to write. */
static void write_back(State *state) {
        _cleanup_free_ char *text = write_down(state), *again = NULL, *error = NULL;
        State back = {0};

        MUST(state_read(text, &back, &error) == 0);
        again = write_down(&back);
        MUST(strcmp(text, again) == 0);
        state_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size), *error = NULL;
        State state = {0};
        int r = state_read(text, &state, &error);

        MUST(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
        MUST((r < 0) == (error != NULL));
        if (r == 0)
                write_back(&state);
        state_done(&state);
        return 0;
}
