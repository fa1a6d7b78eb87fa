#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Holds daemon/ and client/lib/ to their layers (HACKING.md): what a folder may include, that core/ is pure, that no stub is in
# the product.
#
#       check-layers.sh BUILD_ROOT SOURCE_ROOT
set -eu

BUILD=$1
SOURCE=$2
FAILED=0

complain() {
        echo "$*" >&2
        FAILED=1
}

# may_include FOLDER...: the files of the first folder include of daemon/ only the folders named, and nothing else of the project but
# protocol/names.h and version.h, which are constants. Each header is included from the top, so that the line shows the layer.
may_include() {
        folder=$1
        seen=0
        for file in "$SOURCE/daemon/$folder"/*.[ch]; do
                seen=$((seen + 1))
                headers=$(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/p' "$file")
                for header in $headers; do
                        other=${header#daemon/}
                        other=${other%%/*}
                        case " $* " in
                        *" $other "*) [ "$header" != "${header#daemon/}" ] && continue ;;
                        esac
                        case $folder:$header in
                        bus:protocol/names.h | bus:version.h) continue ;;
                        esac
                        complain "${file#"$SOURCE/"}: includes \"$header\"; $folder may include $*"
                done
        done
        [ "$seen" -gt 1 ] || complain "daemon/$folder: no source found"
}

# What others link includes nothing of the daemon but util/, and nothing of vfioctl.
library_stands_alone() {
        for file in "$SOURCE"/client/lib/*.[ch]; do
                headers=$(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/p' "$file")
                for header in $headers; do
                        case $header in
                        client/lib/* | daemon/util/* | protocol/names.h) continue ;;
                        esac
                        complain "${file#"$SOURCE/"}: includes \"$header\"; client/lib may include itself and daemon/util"
                done
        done
}

# What core/ may call: text, memory and sorting, JSON text, and of util/ what is text too. Anything else would be a way to the
# outside. What compilers and sanitisers put in is passed over.
PURE='(string|strv|device_facts|group_facts|holds|json)_.*|hold_(kind_name|keeps_device|keeps_group)|mem.*|str.*|stpcpy|[cm]alloc|realloc|reallocarray|free|abort|qsort|bsearch'
PURE="$PURE|fnmatch|v?snprintf|vasprintf|sscanf|tolower|toupper|ctype_.*_loc|assert_fail|gmtime_r"
COMPILER='(asan|ubsan|tsan|msan|sanitizer|gcov|llvm)_.*|stack_chk_fail|GLOBAL_OFFSET_TABLE_|stack_chk_guard'

core_is_pure() {
        library=$BUILD/daemon/core/libcore.a
        own=$(nm --defined-only "$library" | awk 'NF == 3 { print $3 }' | sort -u)
        used=$(nm --undefined-only "$library" | awk '$1 == "U" { print $2 }' | sort -u)
        case $own:$used in
        :* | *:) complain "$library: nm shows no symbols" ;;
        esac
        for symbol in $used; do
                # Fortified and ISO C variants of a function are that function.
                plain=$(echo "$symbol" | sed -E 's/^_+//; s/^isoc[0-9]+_//; s/(.)_chk$/\1/')
                echo "$own" | grep -qxF "$symbol" && continue
                echo "$plain" | grep -qxE "$PURE|$COMPILER" && continue
                complain "daemon/core calls $symbol: core is pure (or add it to PURE in this file, if it only computes)"
        done
}

has_no_stub() {
        symbols=$(nm "$1")
        echo "$symbols" | grep -q ' main$' || complain "$1: nm shows no symbols"
        ! echo "$symbols" | grep -E ' stub_|_stub$' >&2 || complain "$1: has symbols of a stub"
}

may_include util
may_include core util
may_include kernel util
may_include persist util
may_include broker core kernel persist util
may_include bus broker core kernel persist util
library_stands_alone
core_is_pure
has_no_stub "$BUILD/daemon/vfiod"
has_no_stub "$BUILD/client/vfioctl"
has_no_stub "$BUILD/boot/vfiod-assigned"
exit "$FAILED"
