/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/broker/kept-room.h"

#include "daemon/broker/kept-name.h"
#include "daemon/persist/fd-store.h"
#include "daemon/util/string.h"

/* Where pages are of 4 KiB. The rest is for the variable's own name and the socket's. */
#define NAMES_MAX (32 * 4096 - 256)
/* For the socket, and for what a lease has but once. */
#define OTHER_FILES 4
/* No number is longer. */
#define ANY_NUMBER 4294967295U

bool kept_files_fit(const KeptFiles *files, size_t store_max) {
        return files->n + OTHER_FILES <= store_max && files->name_bytes <= NAMES_MAX;
}

static void add_name(KeptFiles *files, const char *name) {
        files->n++;
        files->name_bytes += strlen(string_or_empty(name)) + 1;
}

static void add_holdings(KeptFiles *files, const Broker *broker) {
        list_for_each(link, &broker->holdings) {
                const Holding *holding = container_of(link, Holding, link);

                for (char **name = holding->kept; name && *name; name++)
                        add_name(files, *name);
        }
}

static HandleKind kind_of(const Step *step) {
        switch (step->kind) {
        case STEP_OPEN_CONTAINER:
                return HANDLE_CONTAINER;
        case STEP_OPEN_IOMMUFD:
                return HANDLE_IOMMUFD;
        case STEP_OPEN_GROUP:
                return HANDLE_GROUP;
        case STEP_GET_DEVICE:
                return HANDLE_DEVICE;
        case STEP_OPEN_CDEV:
                return HANDLE_CDEV;
        default:
                return HANDLE_LEASE;
        }
}

/* The lease that they are for may be the next one, whose number is not known yet. */
static void add_opened(KeptFiles *files, const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                const Step *step = &plan->steps[i];
                HandleKind kind = kind_of(step);
                _cleanup_free_ char *name = NULL;

                if (kind == HANDLE_LEASE)
                        continue;
                name = kept_name_format(
                        ANY_NUMBER,
                        &(Handle){.kind = kind, .group = ANY_NUMBER, .device = step->device});
                add_name(files, name);
        }
}

static bool opens_for_lease(const Request *request) {
        return request->operation == OPERATION_ACQUIRE || request->operation == OPERATION_ADD;
}

/* What has begun, and has no files in the store yet. */
static void add_jobs(KeptFiles *files, const Broker *broker, const Plan *but) {
        list_for_each(link, &broker->jobs) {
                const Job *job = container_of(link, Job, link);

                if (&job->plan != but && opens_for_lease(&job->request))
                        add_opened(files, &job->plan);
        }
}

RefusalKind kept_room_check(const Broker *broker, const Request *request, const Plan *plan,
                            Refusal *refusal) {
        KeptFiles files = {0};

        if (!fd_store_is_there() || !opens_for_lease(request))
                return REFUSAL_NONE;
        add_opened(&files, plan);
        add_jobs(&files, broker, plan);
        add_holdings(&files, broker);
        return kept_files_fit(&files, fd_store_max())
                       ? REFUSAL_NONE
                       : refuse(refusal, REFUSAL_LIMIT_EXCEEDED,
                                "with this, leases would have %zu files, more than systemd can "
                                "keep over a restart of vfiod (FileDescriptorStoreMax=, and their "
                                "names); release some",
                                files.n);
}
