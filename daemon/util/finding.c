/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/util/finding.h"

#include <errno.h>
#include <stdlib.h>

int findings_add(Findings *findings, const Finding *finding) {
        Finding *grown =
                reallocarray(findings->findings, findings->n_findings + 1, sizeof(Finding));

        if (!grown)
                return -ENOMEM;
        findings->findings = grown;
        grown[findings->n_findings++] = *finding;
        return 0;
}

void findings_done(Findings *findings) {
        free(findings->findings);
        *findings = (Findings)FINDINGS_NULL;
}
