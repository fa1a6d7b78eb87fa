/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the machine between two inputs, and the event loop during one. */

#include "tests/fuzz/fuzz-world.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/util/string.h"
#include "tests/bus/fake-journal.h"
#include "tests/bus/fake-machine.h"
#include "tests/fuzz/fuzz.h"

/* Far more than any input needs that ends. */
#define TURNS_MAX 20000

static struct {
        char *directory;
        bool spoilt;
} machine;

static void forget_machine(void) {
        if (machine.directory)
                fuzz_erase_directory(machine.directory);
        free(TAKE_PTR(machine.directory));
        machine.spoilt = false;
}

static void need_machine(void) {
        static bool registered;

        if (!registered)
                MUST(atexit(forget_machine) == 0);
        registered = true;
        if (machine.spoilt)
                forget_machine();
        if (machine.directory)
                return;
        machine.directory = fuzz_make_directory();
        fake_machine_build(machine.directory);
        fake_machine_add_mdev_parent();
}

void fuzz_world_spoil(void) {
        machine.spoilt = true;
}

void fuzz_world_init(FuzzWorld *world) {
        Config config;
        Roots roots;

        need_machine();
        world->fds_before = fuzz_count_fds();
        config_init(&config);
        /* Nobody is waited for inside a plan: it would be waited for here. */
        config.sigbus_grace_ms = 0;
        config.sigkill_grace_ms = 0;
        MUST(sd_event_new(&world->event) >= 0);
        MUST(roots_open(&roots) >= 0);
        MUST(broker_new(world->event, &config, &roots, &world->broker) >= 0);
        MUST(broker_start(world->broker) >= 0);
        world->config_directory = fake_machine_path("etc");
        MUST(mkdir(world->config_directory, 0755) == 0);
        broker_set_config_directory(world->broker, world->config_directory);
        (void)broker_read_assignments(world->broker);
        MUST(bus_new(world->event, world->broker, &world->bus) >= 0);
}

void fuzz_world_done(FuzzWorld *world) {
        _cleanup_free_ char *calls = fake_machine_calls();

        if (calls[0] != '\0' || rmdir(world->config_directory) < 0) /* files in it keep it */
                machine.spoilt = true;
        world->bus = bus_free(world->bus);
        world->broker = broker_free(world->broker);
        free(TAKE_PTR(world->config_directory));
        world->event = sd_event_unref(world->event);
        listed_holders_forget();
        fake_journal_forget();
        MUST(fuzz_count_fds() == world->fds_before);
}

void fuzz_world_settle(const FuzzWorld *world) {
        for (size_t i = 0;; i++) {
                int r = sd_event_run(world->event, 0);

                MUST(r >= 0);
                MUST(i < TURNS_MAX);
                if (r == 0)
                        return;
        }
}

void fuzz_socket_pair(uid_t uid, int *ends) {
        bool root = geteuid() == 0;

        /* The kernel notes who makes the pair. */
        if (root)
                MUST(seteuid(uid) == 0);
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        if (root)
                MUST(seteuid(0) == 0);
}
