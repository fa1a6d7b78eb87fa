/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/finding.h */

#include "daemon/util/finding.h"

#include "tests/unit/fixture-check.h"

START_TEST(findings_stay_in_the_order_in_which_they_were_added) {
        Findings findings = FINDINGS_NULL;
        Finding finding = {.kind = FINDING_IOAS, .values = {7}};

        ck_assert_int_eq(findings_add(&findings, &finding), 0);
        finding = (Finding){.kind = FINDING_DEVICE_ID, .device = "a", .values = {1}};
        ck_assert_int_eq(findings_add(&findings, &finding), 0);
        finding.values[0] = 99;
        ck_assert_uint_eq(findings.n_findings, 2);
        ck_assert_uint_eq(findings.findings[0].values[0], 7);
        ck_assert_str_eq(findings.findings[1].device, "a");
        ck_assert_uint_eq(findings.findings[1].values[0], 1);
        findings_done(&findings);
        ck_assert_uint_eq(findings.n_findings, 0);
        findings_done(&findings);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("finding");

        tcase_add_test(tests, findings_stay_in_the_order_in_which_they_were_added);
        return tests_run(tests);
}
