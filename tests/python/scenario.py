# SPDX-License-Identifier: LGPL-2.1-or-later
"""What programs need that try vfiod from outside: expectations with words, patience, and a message bus of their own."""

import socket
import subprocess
import time

# What must happen does so in this many seconds, sanitisers and a busy machine included.
PATIENCE = 60

# On which everybody may do everything; vfiod's own policy and polkit's are for tests of who may do what.
OPEN_POLICY = """  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
"""

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path={socket}</listen>
{policy}</busconfig>
"""


class Failure(Exception):
    """The reason why a test has failed."""


def expect(condition, complaint):
    if not condition:
        raise Failure(complaint)


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        expect(time.monotonic() < end, f"in {PATIENCE} s it did not happen that {what}")
        time.sleep(0.02)


def is_listening(path):
    """There is a moment when a socket has its name and cannot be connected to yet."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def write_bus_config(directory, policy):
    config = directory / "bus.conf"
    config.write_text(BUS_CONFIG.format(socket=directory / "bus", policy=policy))
    return config


def start_bus(directory, policy=OPEN_POLICY):
    """A message bus at the socket `bus` of the directory; the process, which is the caller's to end."""
    config = write_bus_config(directory, policy)
    process = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    expect(process.stdout.readline(), "dbus-daemon did not start")
    return process
