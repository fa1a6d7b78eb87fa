# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The analysers: clang-tidy, with the checkers of clang's own (those of scan-build), and gcc's over the product; cppcheck over
# every C file; and valgrind, which runs the tests of handlers. Owns which are run and how; what clang-tidy looks for is in .clang-tidy,
# and what a finding is excused with stands beside its line. They are those of Debian 13 on every host, because their verdicts differ
# from release to release. Needs build.sh.

ANALYSERS=clang-tidy,clang-tools,cppcheck,valgrind

# analysis_root: a root to compile in that has them, as `$REPLY/tree`; apart from the others, which would be made anew with it.
analysis_root() {
        cache_make analysis-trixie "$(cache_key trixie "$(buildroot_packages trixie)" "$ANALYSERS" make_analysis_root make_root)" \
                "making a root with the static analysers (Debian 13, a few minutes)" make_analysis_root
}

make_analysis_root() {
        local output=$1
        as_root mkdir "$output/tree"
        make_root "$output/tree" trixie "$(buildroot_packages trixie),$ANALYSERS"
}

# analyse_here WORDS: run by `sh` at the checkout's place there, with the source in src/.
analyse_here() {
        in_root "$ANALYSIS_TREE" sh -euc "cd '$(build_place)'; setup() { directory=\$1; shift
                [ -f \$directory/build.ninja ] || meson setup \$directory src -Dtests=enabled --buildtype=debugoptimized \"\$@\"; }
                $1"
}

# prepare_analysis: the checkout there; its tree goes to $ANALYSIS_TREE.
prepare_analysis() {
        analysis_root
        ANALYSIS_TREE=$REPLY/tree
        copy_checkout "$ANALYSIS_TREE"
        # What is generated, which clang-tidy and cppcheck read.
        analyse_here 'CC=clang setup build-tidy; ninja -C build-tidy tests/fuzz/methods.h'
}

# gcc's, over the product. Of its checks those are left out that do not understand how the code is written: a leak is what it says of
# everything that a cleanup function frees, and freed with the wrong function of what reallocarray() gave; both are the sanitizers' to find,
# in every test. What an array is indexed with it does not follow into another function. A list of targets is of the build as it was: what has
# come since is not in it before it is made anew.
analyse_gcc() {
        analyse_here 'CFLAGS="-fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-mismatching-deallocation -Wno-analyzer-out-of-bounds" \
                setup build-fanalyzer --werror
                ninja -C build-fanalyzer build.ninja
                ninja -k 0 -C build-fanalyzer $(ninja -C build-fanalyzer -t targets all | sed -nE "s/^((boot|client|daemon)\/.*\.o): .*/\1/p")'
}

analyse_clang_tidy() {
        # What it says of each file that it has nothing to say of would hide the rest.
        analyse_here 'run-clang-tidy -quiet -p build-tidy -config-file=src/.clang-tidy "/src/(boot|client|daemon)/" >tidy.log 2>&1 ||
                { grep -vE "^(\[ *[0-9]+/[0-9]+\]|[0-9]+ warnings? generated|Suppressed|\$)" tidy.log; exit 1; }'
}

analyse_cppcheck() {
        analyse_here 'cppcheck --quiet --project=build-tidy/compile_commands.json --enable=warning,performance,portability \
                --inline-suppr --suppressions-list=src/tests/setup/cppcheck.supp --error-exitcode=1 -j 2'
}

# Without the sanitizers, which it does not go with; leaks are theirs to find.
analyse_valgrind() {
        analyse_here 'CC=gcc setup build-valgrind; ninja -C build-valgrind'
        in_root_with_proc "$ANALYSIS_TREE" meson test -C "$(build_place)/build-valgrind" --no-rebuild --setup valgrind --suite handlers \
                --print-errorlogs
}
