/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/bus/unread-files.h"

void unread_files_sent(UnreadFiles *files, uint64_t n) {
        files->at_most += n;
        files->sent += n;
}

uint64_t unread_files_mark(const UnreadFiles *files) {
        return files->sent;
}

void unread_files_told(UnreadFiles *files, uint64_t mark, uint64_t kept) {
        uint64_t now = kept + files->sent - mark;

        if (now < files->at_most)
                files->at_most = now;
}
