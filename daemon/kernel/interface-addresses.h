/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Gives the name of each interface that has an IPv4 address to `interface`, once for each of them,
 * until it returns less than 0, which is then returned; -errno. Of the network namespace that we
 * are in. Asked by netlink: no table of proc(5) has the addresses with their interfaces, and
 * getifaddrs(3) tells the label of an address, which anybody may choose, for its interface. A name
 * may come again after others, because the kernel is asked anew when addresses change meanwhile.
 */
int interface_addresses_read(int (*interface)(void *userdata, const char *name), void *userdata);
