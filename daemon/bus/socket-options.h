/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Options of a socket that the headers of Debian 12 do not know (asm-generic/socket.h of Linux). */

#include <sys/socket.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif
