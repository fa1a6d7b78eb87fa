/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every shape that a plan can have, each decided by core/ for a small machine that the stub
 * imitates device by device.
 */

#include "daemon/broker/execute.h"
#include "tests/stub/stub.h"
#include "tests/unit/fixture-world.h"

typedef struct Shape {
        const char *name;
        DeviceRow devices[3]; /* the kernel finds `original` by itself */
        const char *refuses;  /* a driver that refuses the first device */
        const char *missing;  /* a driver that is not loaded any more */
        const char *native;   /* the driver that the kernel finds then */
        bool iommufd;         /* the kernel has iommufd */
        const char *assigned; /* a device that is assigned to vfio-pci */
        Ask before;           /* what was done before, to have files; no targets for nothing */
        bool attaches;        /* the holder of these has set up container or iommufd by itself */
        bool vacated;         /* they were let go of since somebody waits for them */
        int yields_to;        /* the first device is held until its holder is sent this signal */
        HoldKind holds;       /* by such a file */
        Ask ask;
        /* Calls that may fail without the plan failing, each by how its line begins; ' ' between.
         */
        const char *spared;
} Shape;

extern const Shape shapes[];
extern const size_t n_shapes;

/* A machine as the shape has it, the plan, and the files that are there when it begins. */
typedef struct Scene {
        World world;
        Plan plan;
        Handles files;
        Results results; /* of the last run */
} Scene;

void scene_init(Scene *scene, const Shape *shape);
void scene_done(Scene *scene);

const Shape *shape_find(const char *name);

/* Runs the scene's plan in this process. `cancel_before`: the step before which it is called off.
 */
#define NEVER SIZE_MAX
Progress scene_run(Scene *scene, size_t cancel_before);
