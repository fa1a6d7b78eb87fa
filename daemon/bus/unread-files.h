/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How many files of those that were sent to a receiver are unread at most, where somebody else, the
 * message bus, can be asked how many it keeps for him. It answers later; all messages go the same
 * way one after the other.
 */

#include <stdint.h>

typedef struct UnreadFiles {
        uint64_t at_most;
        uint64_t sent; /* in all */
} UnreadFiles;

void unread_files_sent(UnreadFiles *files, uint64_t n);

/* To be kept with a question that is asked now. */
uint64_t unread_files_mark(const UnreadFiles *files);

/* The answer to that question: so many were kept. What was sent after it is not in it. */
void unread_files_told(UnreadFiles *files, uint64_t mark, uint64_t kept);
