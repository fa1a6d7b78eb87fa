/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Assign and Unassign, and what vfiod knows of the assignments: those of the file as it was when
 * vfiod started, and as it is when somebody asks for a change. A file that cannot be read is told
 * of once, and keeps nothing from working but Assign and Unassign.
 */

#include <errno.h>
#include <stdlib.h>

#include "daemon/broker/broker-private.h"
#include "daemon/kernel/pci-serial.h"
#include "daemon/persist/assignments-file.h"
#include "daemon/util/string.h"

static int parse(const World *world, const char *text, Assignments *ret, char **ret_problem) {
        _cleanup_free_ char *error = NULL;
        int r = text ? assignments_read(text, ret, &error) : 0;

        if (r < 0)
                *ret_problem = string_format("%s/" ASSIGNMENTS_FILE ": %s", world->config_directory,
                                             error ?: strerror(-r));
        return r;
}

void assign_note_serial(const Broker *broker, const char *name) {
        Device *device = topology_find_device(&broker->world.topology, name);
        _cleanup_free_ char *serial = NULL;

        if (!device || !assignments_find(&broker->world.assignments, name))
                return;
        (void)pci_known_serial(name, &serial);
        free(device->serial);
        device->serial = TAKE_PTR(serial);
}

const char *broker_read_assignments(Broker *broker) {
        World *world = &broker->world;
        _cleanup_free_ char *text = NULL;

        assignments_done(&world->assignments);
        free(TAKE_PTR(world->assignments_problem));
        if (!world->config_directory)
                return NULL;
        if (assignments_file_read(world->config_directory, &text, &world->assignments_problem) >= 0)
                (void)parse(world, text, &world->assignments, &world->assignments_problem);
        for (size_t i = 0; i < world->assignments.n; i++)
                assign_note_serial(broker, world->assignments.items[i].device);
        return world->assignments_problem;
}

static bool is_same(const Assignment *a, const Assignment *b) {
        return a && b && string_equal(a->id, b->id) && string_equal(a->subsystem, b->subsystem) &&
               string_equal(a->serial, b->serial) && string_equal(a->driver, b->driver);
}

static void tell_changed(Broker *broker, const Assignments *before) {
        const Assignments *now = &broker->world.assignments;

        for (size_t i = 0; i < now->n; i++)
                if (!is_same(&now->items[i], assignments_find(before, now->items[i].device)))
                        broker_emit(broker, CHANGE_DEVICE_CHANGED, 0, now->items[i].device);
        for (size_t i = 0; i < before->n; i++)
                if (!assignments_find(now, before->items[i].device))
                        broker_emit(broker, CHANGE_DEVICE_CHANGED, 0, before->items[i].device);
}

const char *broker_reload_assignments(Broker *broker) {
        _cleanup_assignments_ Assignments before = broker->world.assignments;

        broker->world.assignments = (Assignments)ASSIGNMENTS_NULL;
        (void)broker_read_assignments(broker);
        tell_changed(broker, &before);
        return broker->world.assignments_problem;
}

void broker_set_config_directory(Broker *broker, const char *directory) {
        broker->world.config_directory = directory;
}

static int assign_prepare(Job *job) {
        return job->request.bind ? bind_prepare(job) : 0;
}

static void assign_finish(Job *job, bool ran, Handles *opened) {
        if (job->request.bind)
                bind_finish(job, ran, opened);
        (void)broker_read_assignments(job->broker);
}

const JobClass job_class_assign = {.prepare = assign_prepare, .finish = assign_finish};
const JobClass job_class_unassign = {.finish = assign_finish};
