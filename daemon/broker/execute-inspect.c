/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The step that reads what there is to know of a device. */

#include "daemon/broker/execute-private.h"
#include "daemon/kernel/inspect.h"
#include "daemon/util/string.h"

/* 0: it is not known by which id the device is bound, or it is in no iommufd. */
static uint32_t device_id_of(const Run *run, const Step *step) {
        const Findings *findings = &run->results->findings;

        for (size_t i = 0; i < findings->n_findings; i++)
                if (findings->findings[i].kind == FINDING_DEVICE_ID &&
                    strcmp(findings->findings[i].device, step->device) == 0)
                        return (uint32_t)findings->findings[i].values[0];
        return step->device_id;
}

/* That the kernel does not tell is no failure: not of an older one, not of a device without IOMMU.
 */
static int read_iommu(Run *run, const Step *step) {
        int iommufd = run_find_shared(run, HANDLE_IOMMUFD, step->group);
        uint32_t id = device_id_of(run, step);

        if (iommufd < 0 || id == 0)
                return 0;
        return inspect_read_iommu(iommufd, id, step->device, &run->results->findings);
}

static int note_cdev(Run *run, const Step *step) {
        const Finding finding = {.kind = FINDING_CDEV};

        if (handles_find(run->files, HANDLE_CDEV, step->group, step->device) < 0)
                return 0;
        return findings_add(&run->results->findings, &finding);
}

int run_inspect(Run *run, const Step *step) {
        int r = inspect_read_device(run_find_device(run, step), step->device,
                                    &run->results->findings);

        if (r >= 0)
                r = note_cdev(run, step);
        if (r >= 0)
                r = read_iommu(run, step);
        if (r >= 0 && strcmp(step->bus, "pci") == 0)
                r = inspect_read_resets(run->roots, step->device, &run->results->findings);
        return r;
}
