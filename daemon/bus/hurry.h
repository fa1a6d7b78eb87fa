/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For when something is closed that a client may have put files into. The last close of such a file
 * is then ours, and that of a TCP socket with SO_LINGER takes as long as the client likes, or until
 * a signal comes (close(2), socket(7)). Between begin and end one comes every millisecond, so what
 * is not restarted after a signal has no place there.
 */

void hurry_begin(void);
void hurry_end(void);
