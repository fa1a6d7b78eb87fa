# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Compiles the checkout in a build root. The tree is copied in, so nothing has to be mounted, and the build directory stays
# there, so that the next build compiles only what changed. Needs buildroot.sh.

# Each checkout has its own place in a root that several may share.
build_place() {
        printf '/var/tmp/vfiod/%s' "$(cache_key "$TOP")"
}

# with_lock NAME COMMAND...: one at a time in this checkout, whoever else is at work there.
with_lock() {
        local name=$1 lock
        shift
        mkdir -p "$TOP/build-lab"
        exec {lock}>"$TOP/build-lab/$name.lock"
        flock "$lock"
        "$@"
        exec {lock}>&-
}

# copy_checkout TREE: the checkout as it is now, at build_place/src there.
copy_checkout() {
        local place
        place=$(build_place)
        as_root mkdir -p "$1$place"
        as_root rsync -a --delete --exclude=/.git --exclude='/build*' --exclude=__pycache__ --chown=0:0 "$TOP/" "$1$place/src"
}

# copy_to_root SUITE: the same in the root of that release; its directory goes to $REPLY.
copy_to_root() {
        buildroot "$1"
        copy_checkout "$REPLY/tree"
}

# build_in_root SUITE NAME COMPILER MESON_OPTION...: a build directory NAME there, up to date.
build_in_root() {
        local suite=$1 name=$2 compiler=$3 place
        shift 3
        copy_to_root "$suite"
        place=$(build_place)
        in_root "$REPLY/tree" env CC="$compiler" sh -euc '
                cd "$1"; build=build-$2; shift 2
                [ "$(cat "$build.options" 2>/dev/null)" = "$CC $*" ] || rm -rf "$build"
                [ -f "$build/build.ninja" ] || meson setup --fatal-meson-warnings "$build" src "$@"
                echo "$CC $*" >"$build.options"
                ninja -C "$build"' sh "$place" "$name" "$@"
}

# copy_kernel_headers TREE: those of Debian 13's kernel there, as the lab's helper programs want them, whatever that release has.
copy_kernel_headers() {
        buildroot trixie
        as_root mkdir -p "$1/linux"
        as_root rsync -a --delete "$REPLY/tree/usr/include/linux/" "$1/linux/"
}

# install_from_root SUITE NAME DIRECTORY: what `meson install` puts on a machine, and the lab's helper programs, into DIRECTORY.
install_from_root() {
        local suite=$1 name=$2 directory=$3 place
        buildroot "$suite"
        place=$(build_place)
        copy_kernel_headers "$REPLY/tree$place/kernel-headers"
        buildroot "$suite"
        in_root "$REPLY/tree" env C_INCLUDE_PATH="$place/kernel-headers" sh -euc 'cd "$1"; rm -rf stage; mkdir -p stage/usr/lib/vfiod-lab
                cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -o stage/usr/lib/vfiod-lab/vfio-user \
                        src/tests/lab/guest/vfio-user.c src/tests/lab/guest/vfio-files.c
                cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -pthread -o stage/usr/lib/vfiod-lab/holder \
                        src/tests/lab/guest/holder*.c src/tests/lab/guest/vfio-files.c $(pkg-config --cflags --libs libsystemd)
                cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -o stage/usr/lib/vfiod-lab/polkit-agent \
                        src/tests/lab/guest/polkit-agent.c $(pkg-config --cflags --libs libsystemd)
                cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -o stage/usr/lib/vfiod-lab/memlock-user \
                        src/tests/lab/guest/memlock-user.c $(pkg-config --cflags --libs libsystemd)
                cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -o stage/usr/lib/vfiod-lab/hostile \
                        src/tests/lab/guest/hostile*.c src/tests/lab/guest/vfio-files.c
                cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Isrc -o stage/usr/lib/vfiod-lab/soak-user \
                        src/tests/lab/guest/soak-user.c src/tests/lab/guest/vfio-files.c -L"build-$2/client/lib" -lvfiod \
                        $(pkg-config --cflags --libs libsystemd)
                cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -o stage/usr/lib/vfiod-lab/each-write \
                        src/tests/lab/guest/each-write.c
                for program in vm-plug bystander; do
                        cc -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Isrc -o "stage/usr/lib/vfiod-lab/$program" \
                                "src/tests/lab/guest/$program.c" -L"build-$2/client/lib" -lvfiod $(pkg-config --cflags --libs libsystemd)
                done
                mkdir -p initrd/dev
                cc -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -static -o initrd/init src/tests/lab/guest/vm-init.c
                (cd initrd; find . | cpio --create --format=newc --quiet >../stage/usr/lib/vfiod-lab/vm-initrd)
                mkdir -p stage/usr/lib/vfiod-lab/bench
                for program in acquire unbind holders; do
                        cc -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -Isrc -o "stage/usr/lib/vfiod-lab/bench/$program" \
                                "src/tests/bench/$program.c" src/tests/bench/common.c "build-$2/daemon/kernel/libkernel.a" \
                                "build-$2/daemon/util/libutil.a" $(pkg-config --cflags --libs libsystemd)
                done
                cp "build-$2/examples/edu" stage/usr/lib/vfiod-lab/edu
                DESTDIR=$PWD/stage meson install -C "build-$2" --no-rebuild --quiet' sh "$place" "$name"
        as_root cp -a "$REPLY/tree$place/stage/." "$directory/"
        as_root chown -R "$(id -u):$(id -g)" "$directory"
}
