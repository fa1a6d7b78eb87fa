/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/core/refusal.h */

#include "daemon/core/refusal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fixture-check.h"

START_TEST(every_refusal_has_a_name_of_its_own_fit_for_dbus) {
        ck_assert_str_eq(refusal_name(REFUSAL_NONE), "");
        for (RefusalKind i = REFUSAL_NONE + 1; i < _REFUSAL_MAX; i++) {
                const char *name = refusal_name(i);

                ck_assert_msg(name && isupper((unsigned char)name[0]), "%d", i);
                for (const char *c = name; *c; c++)
                        ck_assert(isalpha((unsigned char)*c));
                for (RefusalKind j = REFUSAL_NONE + 1; j < i; j++)
                        ck_assert_str_ne(name, refusal_name(j));
        }
}
END_TEST

START_TEST(a_refusal_keeps_its_last_sentence) {
        _cleanup_refusal_ Refusal refusal = REFUSAL_NULL;

        ck_assert_int_eq(refuse(&refusal, REFUSAL_BUSY, "group %u is busy", 3), REFUSAL_BUSY);
        ck_assert_str_eq(refusal.sentence, "group 3 is busy");
        ck_assert_int_eq(refuse(&refusal, REFUSAL_LEASED, "%s", "leased"), REFUSAL_LEASED);
        ck_assert_int_eq(refusal.kind, REFUSAL_LEASED);
        ck_assert_str_eq(refusal.sentence, "leased");
        refusal_done(&refusal);
        ck_assert_int_eq(refusal.kind, REFUSAL_NONE);
        ck_assert_ptr_null(refusal.sentence);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("refusal");

        tcase_add_test(tests, every_refusal_has_a_name_of_its_own_fit_for_dbus);
        tcase_add_test(tests, a_refusal_keeps_its_last_sentence);
        return tests_run(tests);
}
