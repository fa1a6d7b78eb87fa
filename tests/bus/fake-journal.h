/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The journal records written since the test began, in place of the journal. */

#include <stddef.h>

size_t fake_journal_count(void);

/* "FIELD=value" lines, each with its newline. Borrowed. */
const char *fake_journal_record(size_t index);

/* How many records have these words. */
size_t fake_journal_said(const char *words);

void fake_journal_forget(void);
