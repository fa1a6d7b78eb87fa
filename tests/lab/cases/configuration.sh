# SPDX-License-Identifier: LGPL-2.1-or-later
# A configuration that says what does not exist stops the daemon, naming file, line and key; limits are taken from it.

configure '{
  "limits": {
    "leases_per_uid": 1,
    "leases_per_gid": 1
  }
}'
refused "/etc/vfiod/vfiod.json:4: limits.leases_per_gid: unknown key" /usr/libexec/vfiod --check-config
configure '{"limits": {"leases_per_uid": "many"}}'
refused "limits.leases_per_uid: must be a whole number" /usr/libexec/vfiod --check-config
configure '{"limits": {"leases_per_uid": 1}}'
mkdir -p /etc/vfiod/vfiod.json.d
echo '{"limits": {"targets": 2}}' >/etc/vfiod/vfiod.json.d/10-targets.json
/usr/libexec/vfiod --check-config

allow alice acquire bind
background holder as alice vfioctl acquire --bind 0000:01:00.0
wait_until 20 said holder lease/
refused org.vfiod1.Error.LimitExceeded as alice vfioctl exec --bind 0000:02:00.0 -- true
is "$(driver_of 0000:02:00.0)" nvme
refused org.vfiod1.Error.TooManyTargets vfioctl bind 0000:02:00.0 0000:03:01.0 0000:00:10.0
finish holder
vfioctl unbind 0000:01:00.0
rm -r /etc/vfiod
