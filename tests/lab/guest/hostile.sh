# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case about clients that mean harm can say: the harm (hostile.c) is done by alice, beside bob (bystander.c), who leases
# a device and gives it back in a loop. He must never fail, nor take more than twice as long as before it began, by the median. Nor
# may anything of it be left in the daemon.

BYSTANDER_DEVICE=0000:01:00.0
HOSTILE_DEVICE=0000:00:10.1
# Of the bystander, alone and meanwhile.
ROUNDS=${ROUNDS:-20}
# What the allocator may keep, in KiB; a leak of the harms here is many times that.
PSS_ALLOWED=${PSS_ALLOWED:-1024}

# hostile_begin: what both need. Bob may use his device, alice another one.
hostile_begin() {
        vfioctl bind $BYSTANDER_DEVICE $HOSTILE_DEVICE
        allow_device bob $BYSTANDER_DEVICE acquire
        allow_device alice $HOSTILE_DEVICE acquire bind unbind
}

hostile_end() {
        wait_until 30 vfioctl unbind $BYSTANDER_DEVICE $HOSTILE_DEVICE
        is "$(driver_of $BYSTANDER_DEVICE)" e1000e
}

# nobody_suffers TRANSPORT SENTENCE HARM [ARGUMENT...]: while `hostile` does that over the bus or the socket.
nobody_suffers() {
        local transport=$1 sentence=$2 alone meanwhile files pss
        shift 2
        LEASES_BEFORE=$(leases_now)
        bystander_begins "$transport"
        more_rounds 3
        alone=$(median_of_more)
        bystander_ends
        files=$(daemon_files) pss=$(daemon_pss)

        bystander_begins "$transport"
        background hostile as alice "$LAB/hostile" "$transport" "$@"
        wait_until 120 begun_or_failed
        said hostile "at it" || fail "alice can do it: $(cat "$WORK/hostile.out")"
        meanwhile=$(median_of_more)
        ! gone hostile || fail "she goes on: $(cat "$WORK/hostile.out")"
        finish hostile
        bystander_ends

        note "$transport, $sentence: median $(in_ms "$alone") ms alone, $(in_ms "$meanwhile") ms meanwhile, ratio" \
                "$(ratio "$meanwhile" "$alone"); $(tail -n 1 "$WORK/hostile.out")"
        ((meanwhile <= 2 * alone)) || fail "the median is at most doubled: $alone us, and $meanwhile us"
        wait_until 60 daemon_has "$files"
        wait_until 60 daemon_is_within $((pss + PSS_ALLOWED))
        note "$transport: the daemon has $files files again, Pss $pss -> $(daemon_pss) KiB"
}

bystander_begins() {
        background bystander as bob "$LAB/bystander" "$1" $BYSTANDER_DEVICE
}

# Then nothing is left of him.
bystander_ends() {
        has_not_failed
        finish bystander >/dev/null
        ! said bystander failed || fail "the bystander never fails: $(tail -n 1 "$WORK/bystander.out")"
        wait_until 60 leases_as_before
}

leases_now() {
        vfioctl --json leases | grep -c '"Id"' || true
}

leases_as_before() {
        [ "$(leases_now)" = "$LEASES_BEFORE" ]
}

# What has failed says so; what is "at it" too.
begun_or_failed() {
        has_not_failed
        said hostile "at it" || gone hostile
}

has_not_failed() {
        ! said bystander failed || fail "the bystander never fails: $(tail -n 1 "$WORK/bystander.out")"
        ! gone bystander || fail "the bystander goes on"
}

rounds() {
        wc -l <"$WORK/bystander.out"
}

# more_rounds N: waits for that many that began from now on.
more_rounds() {
        local enough=$(($(rounds) + 1 + $1))
        wait_until 240 at_least_rounds $enough
}

at_least_rounds() {
        has_not_failed
        [ "$(rounds)" -ge "$1" ]
}

# median_of_more: in microseconds, of $ROUNDS rounds that begin from now on.
median_of_more() {
        local from=$(($(rounds) + 1))
        more_rounds "$ROUNDS" >&2
        tail -n "+$((from + 1))" "$WORK/bystander.out" | head -n "$ROUNDS" | sort -n | sed -n "$((ROUNDS / 2))p"
}

in_ms() {
        awk -v usec="$1" 'BEGIN { printf "%.1f", usec / 1000 }'
}

ratio() {
        awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

daemon_files() {
        find "/proc/$(pid_of_vfiod)/fd" -mindepth 1 | wc -l
}

daemon_has() {
        [ "$(daemon_files)" -eq "$1" ]
}

daemon_is_within() {
        [ "$(daemon_pss)" -le "$1" ]
}

daemon_pss() {
        sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$(pid_of_vfiod)/smaps_rollup"
}
