# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a lab case about clients that mean harm can say: the harm (hostile.c) is done by alice, beside bob (bystander.c), who leases
# a device and gives it back in a loop. He must never fail, nor take more than twice as long as before it began, by the median. Nor
# may anything of it be left in the daemon.
# Over the bus, dbus-daemon has the flood in front of it, too, and answers one message after the other, polkit's among them: what
# the messages of a round take longer meanwhile is no doing of vfiod's, and is measured beside the rounds, by the same between others.

BYSTANDER_DEVICE=0000:01:00.0
HOSTILE_DEVICE=0000:00:10.1
HOSTILE_NEIGHBOUR=0000:00:10.0
# The bystander is measured alone and meanwhile by turns, a few rounds each, since the speed of an emulated machine is not the same a
# minute later. Of 20 rounds each the median is that of most minutes.
PHASES=${PHASES:-4}
ROUNDS=${ROUNDS:-5}
# What the allocator may keep, in KiB: malloc_trim(3) gives back whole pages, and up to 450 KiB were seen to stay. A leak of one
# KiB for each message or connection of the harms here is more.
KEPT_MAX=${KEPT_MAX:-1024}

# hostile_begin: what both need. Bob may use his device, alice another one.
hostile_begin() {
        vfioctl bind $BYSTANDER_DEVICE $HOSTILE_DEVICE
        allow_device bob $BYSTANDER_DEVICE acquire
        # The two are of one group, and polkit is asked for each.
        allow_device alice $HOSTILE_DEVICE acquire bind unbind revoke
        allow_device alice $HOSTILE_NEIGHBOUR acquire bind unbind revoke
}

hostile_end() {
        wait_until 30 vfioctl unbind $BYSTANDER_DEVICE $HOSTILE_DEVICE
        is "$(driver_of $BYSTANDER_DEVICE)" e1000e
}

# nobody_suffers TRANSPORT SENTENCE HARM [ARGUMENT...]: while `hostile` does that over the bus or the socket.
nobody_suffers() {
        local transport=$1 sentence=$2 phase alone meanwhile bus files memory
        shift 2
        LEASES_BEFORE=$(leases_now)
        bystander_begins "$transport"
        more_rounds 3
        bystander_ends
        files=$(daemon_files) memory=$(daemon_memory)

        rm -f "$WORK/alone" "$WORK/meanwhile"
        bystander_begins "$transport"
        for ((phase = 0; phase < PHASES; phase++)); do
                measure alone
                background hostile as alice "$LAB/hostile" "$transport" "$@"
                wait_until 120 begun_or_failed
                said hostile "at it" || fail "alice can do it: $(cat "$WORK/hostile.out")"
                [ -z "${AGENT:-}" ] || agent_begins
                measure meanwhile
                ! gone hostile || fail "she goes on: $(cat "$WORK/hostile.out")"
                finish hostile
                [ -z "${AGENT:-}" ] || agent_ends
        done
        bystander_ends

        alone=$(median_of alone 1) meanwhile=$(median_of meanwhile 1)
        bus=$(($(median_of meanwhile 2) - $(median_of alone 2)))
        bus=$((bus > 0 ? bus : 0))
        note "$transport, $sentence: median $(in_ms "$alone") ms alone, $(in_ms "$meanwhile") ms meanwhile, ratio" \
                "$(ratio "$meanwhile" "$alone"), of which bus and polkit take $(in_ms $bus) ms; at last $(tail -n 1 "$WORK/hostile.out")"
        ((meanwhile <= 2 * alone + bus)) ||
                fail "the median is at most doubled: $alone us, and $meanwhile us, of which bus and polkit take $bus us"
        wait_until 60 daemon_has "$files"
        note "$transport: the daemon has $files files again, and $(daemon_memory) KiB of its own, $memory before"
        wait_until 60 daemon_is_within $((memory + KEPT_MAX))
}

# With $AGENT set, alice has a polkit agent that does so: polkit-agent.c.
agent_begins() {
        background agent as root "$LAB/polkit-agent" "$(pid_of hostile)" "$AGENT"
        wait_until 60 said agent ready
        wait_until 60 said agent asked
}

agent_ends() {
        finish agent >/dev/null
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

# more_rounds N: waits for that many that began from now on. It looks seldom, because looking takes time from what is measured.
more_rounds() {
        local enough=$(($(rounds) + 1 + $1)) deadline=$((SECONDS + 240))
        until [ "$(rounds)" -ge $enough ]; do
                has_not_failed
                ((SECONDS < deadline)) || fail "within 240 s: $1 rounds of the bystander"
                sleep 1
        done
}

# measure NAME: what $ROUNDS rounds take that begin from now on, and the same messages after each, in microseconds.
measure() {
        local from=$(($(rounds) + 1))
        more_rounds "$ROUNDS"
        tail -n "+$((from + 1))" "$WORK/bystander.out" | head -n "$ROUNDS" >>"$WORK/$1"
}

# median_of NAME COLUMN
median_of() {
        cut -d ' ' -f "$2" "$WORK/$1" | sort -n | sed -n "$((PHASES * ROUNDS / 2))p"
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
        [ "$(daemon_memory)" -le "$1" ]
}

# In KiB: of a file its share depends on who else has it mapped just now.
daemon_memory() {
        sed -n 's/^Anonymous: *\([0-9]*\) kB/\1/p' "/proc/$(pid_of_vfiod)/smaps_rollup"
}
