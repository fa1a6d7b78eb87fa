/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Twin of daemon/kernel/inspect.c: tells two things of every device whose file is open. */

#include "daemon/kernel/inspect.h"

#include <errno.h>
#include <stdio.h>

#include "tests/stub/stub.h"

static int add(FindingKind kind, const char *device, uint64_t value, Findings *findings) {
        Finding finding = {.kind = kind, .values = {value}, .bytes = "flr"};

        (void)snprintf(finding.device, sizeof(finding.device), "%s", device);
        return findings_add(findings, &finding);
}

int inspect_read_device(int file, const char *device, Findings *findings) {
        const StubFile *open = stub_file(file);
        int r = stub_call("inspect %s through %s", device, open ? open->what : "no file");

        if (r < 0)
                return r;
        return open ? add(FINDING_DEVICE_FLAGS, device, 2, findings) : -EBADF;
}

int inspect_read_iommu(int iommufd, uint32_t device_id, const char *device, Findings *findings) {
        int r = stub_call("inspect the iommu of %s, device %u", device, device_id);

        if (r < 0)
                return r;
        return stub_file(iommufd) ? add(FINDING_HW_INFO, device, 1, findings) : -EBADF;
}

int inspect_read_resets(const Roots *roots _unused_, const char *device, Findings *findings) {
        int r = stub_call("resets of %s", device);

        return r < 0 ? r : add(FINDING_RESET, device, 0, findings);
}
