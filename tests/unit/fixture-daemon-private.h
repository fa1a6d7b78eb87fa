/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the scripted daemon share: its state, and how it answers. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "tests/unit/fixture-daemon.h"

typedef struct Daemon {
        const Script *script;
        sd_bus *bus;
        sd_event *event;
        uint64_t begun; /* CLOCK_MONOTONIC, 0 before */
        sd_bus_message *unbind;
        int lease_pipe[2];
        int log;
        bool added;        /* SCRIPT_ADDED is in the lease */
        unsigned failures; /* answered with the script's error */
} Daemon;

/* A line for the test to read. */
void hear(const Daemon *d, const char *line);

/*
 * Notes "Unbind [targets] {options}". 1 when the script says that this method fails, and it is
 * answered; 0 when it goes on, or -errno. Afterwards the message can be read from its beginning.
 */
int hear_call(Daemon *d, sd_bus_message *m);

/* As the bus would: every message has its sender. Consumes the message. */
int send_as_vfiod(sd_bus_message *m);

/* Success, or an error where its name is given. */
int answer(sd_bus_message *call, const char *error);

/* From the first call of Acquire or Unbind on. */
int begin_script(Daemon *d);
bool is_past(const Daemon *d, unsigned milliseconds);
uint64_t script_deadline(const Daemon *d);

/* fixture-daemon-lease.c */
extern const sd_bus_vtable scripted_lease[];
int on_acquire(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* fixture-daemon-device.c */
extern const sd_bus_vtable scripted_device[];
int on_explain(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int on_create_mdev(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int on_list_mdev_types(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int on_get_device(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
