#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Acquires a device from vfiod over D-Bus, shows its files, and keeps them until Enter or until somebody asks for them.

    acquire.py DEVICE [auto|group|iommufd]

With GLib's D-Bus (python3-gi, gir1.2-glib-2.0): the one with files as plain numbers, and a loop that hears of everything.
"""

import os
import sys

from gi.repository import Gio, GLib


def acquire(bus, device, mode):
    options = {"mode": GLib.Variant("s", mode), "label": GLib.Variant("s", "acquire.py")}
    reply, received = bus.call_with_unix_fd_list_sync(
        "org.vfiod1", "/org/vfiod1", "org.vfiod1.Manager", "Acquire",
        GLib.Variant("(asa{sv})", ([device], options)), None,
        Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, GLib.MAXINT, None, None)
    lease, lease_fd, files = reply.unpack()
    fds = received.steal_fds()  # files are told by their place in this list
    return lease, fds[lease_fd], {(kind, name): fds[place] for kind, name, place in files}


def release(bus, lease):
    bus.call_sync("org.vfiod1", lease, "org.vfiod1.Lease", "Release", None, None, Gio.DBusCallFlags.NONE, -1, None)


def hold(bus, lease, lease_fd):
    """Returns why it is to end, and whether the lease is still there."""
    loop = GLib.MainLoop()
    ends = []

    def end(why, there):
        ends.append((why, there))
        loop.quit()

    def asked(_bus, _sender, _path, _interface, _signal, arguments):
        end(f"asked back: {arguments.unpack()[1]}", True)

    def lease_file_says(*_):
        # Whoever has this file but not the connection is asked by a byte in it; here the signal says more.
        if os.read(lease_fd, 1) == b"":
            end("the lease is over, or vfiod is gone", False)
        return GLib.SOURCE_CONTINUE

    def typed(*_):
        sys.stdin.readline()
        end("given back", True)
        return GLib.SOURCE_REMOVE

    bus.signal_subscribe("org.vfiod1", "org.vfiod1.Lease", "ReleaseRequested", lease, None, Gio.DBusSignalFlags.NONE, asked)
    events = GLib.IOCondition.IN | GLib.IOCondition.HUP
    GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, lease_fd, events, lease_file_says)
    GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, sys.stdin.fileno(), events, typed)
    loop.run()
    return ends[0]


def main(device, mode="auto"):
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    lease, lease_fd, files = acquire(bus, device, mode)
    print(f"{lease}, until Enter; lease_fd: {lease_fd}")
    for (kind, name), fd in files.items():
        print(f"  {kind} {name}: {fd}", flush=True)
    why, there = hold(bus, lease, lease_fd)
    print(why)
    for fd in files.values():
        os.close(fd)
    if there:
        release(bus, lease)
    os.close(lease_fd)  # this alone would end it, too


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: acquire.py DEVICE [auto|group|iommufd]")
    try:
        main(*sys.argv[1:])
    except GLib.Error as error:
        sys.exit(f"acquire.py: {error.message}")
