#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What programs link and include: the library exports what the map says, and the header, the manual and Debian's table of symbols declare,
# no more and no less; the header stands alone, in C and in C++, and knows nothing of libsystemd, nor does the file for pkg-config.
#
#       check-libvfiod.sh LIBRARY SOURCE_ROOT COMPILER...
set -eu

LIBRARY=$1
FOLDER=$2/client/lib
MANUAL=$2/man/libvfiod.3
SYMBOLS=$2/debian/libvfiod1.symbols
shift 2
FAILED=0

complain() {
        echo "$*" >&2
        FAILED=1
}

# differ WHAT LIST LIST
differ() {
        [ -n "$2" ] || complain "$1: nothing found"
        [ "$2" = "$3" ] || complain "$1 differ:
$(printf '%s\n' "$2" "$3" | sort | uniq -u)"
}

exports() {
        nm -D --defined-only "$LIBRARY" | awk '$2 != "A" { print $3 }' | sort
}

mapped() {
        sed -nE 's/^[[:space:]]*(vfiod_[a-z_]+);$/\1/p' "$FOLDER/libvfiod.sym" | sort
}

# Functions end a line of a declaration with a parenthesis behind their name; types and callbacks do not.
declared() {
        grep -v '^ \*\|^/\*\|^typedef\|^#' "$FOLDER/vfiod.h" | grep -oE '\bvfiod_[a-z_]+\(' | tr -d '(' | sort -u
}

# In the synopsis.
documented() {
        sed '/^\.SH DESCRIPTION/q' "$MANUAL" | grep -oE '\bvfiod_[a-z_]+\(' | tr -d '(' | sort -u
}

packaged() {
        sed -nE 's/^ (vfiod_[a-z_]+)@LIBVFIOD_1 [0-9.]+$/\1/p' "$SYMBOLS" | sort
}

versions() {
        exports | sed 's/.*@@//' | sort -u
}

# compile LANGUAGE COMPILER...
compile() {
        language=$1
        shift
        printf '#include "vfiod.h"\nvfiod_acquire_options options = VFIOD_ACQUIRE_OPTIONS_NULL;\n' |
                "$@" -x "$language" -I "$FOLDER" -Wall -Wextra -Wpedantic -Werror -fsyntax-only - ||
                complain "vfiod.h does not compile alone as $language with $*"
}

differ "the library's symbols and the map" "$(exports | sed 's/@@.*//')" "$(mapped)"
differ "the header's functions and the map" "$(declared)" "$(mapped)"
differ "the manual's functions and the map" "$(documented)" "$(mapped)"
differ "the package's symbols and the map" "$(packaged)" "$(mapped)"
differ "the versions of the symbols and LIBVFIOD_1" "$(versions)" "LIBVFIOD_1"
! grep -nE 'sd_bus|sd_event|systemd' "$FOLDER/vfiod.h" >&2 || complain "vfiod.h: knows of libsystemd"

# What it is built on is nobody else's business: the package with the header depends on none of it.
! grep -n '^Requires' "$(dirname "$LIBRARY")/../../meson-private/libvfiod.pc" >&2 || complain "libvfiod.pc: asks for other packages"

compile c "$@"
for cxx in c++ clang++ clang; do
        if echo | "$cxx" -x c++ -fsyntax-only - 2>/dev/null; then
                compile c++ "$cxx"
                exit "$FAILED"
        fi
done
echo "no C++ compiler here: that the header compiles as C++ was not tried"
exit "$FAILED"
