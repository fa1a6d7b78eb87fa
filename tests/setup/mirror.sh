# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Which archive the roots are made from: the one that this machine's own apt uses. No mirror is named here. Needs packages.sh.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# mirror_sources SUITE: the lines of a sources.list for SUITE, from where this machine gets its own Debian and, if it has that,
# its security updates. Other archives on this machine are none of our business.
mirror_sources() {
        local suite=$1 main security
        main=$(mirror_of 'Debian' | head -n 1)
        security=$(mirror_of 'Debian-Security' | head -n 1)
        echo "deb [signed-by=$KEYRING] $main $suite main"
        [ -z "$security" ] || echo "deb [signed-by=$KEYRING] $security $suite-security main"
}

# mirror_of LABEL: the addresses of the archives which carry this label in their Release file.
mirror_of() {
        apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $1"
}

# mirror_options: how this machine's apt reaches its archives (proxies, old snapshots), as options for mmdebstrap.
mirror_options() {
        apt-config dump 2>/dev/null |
                sed -n -E 's/^(Acquire::(https?::Proxy|https::(Verify|CaInfo)[^ ]*|Check-Valid-Until|Retries)) (.*)$/--aptopt=\1 \4/p'
}

# make_root OUTPUT SUITE PACKAGES OPTION...: mmdebstrap, from there.
make_root() {
        local output=$1 suite=$2 packages=$3 options sources
        shift 3
        sources=$(mirror_sources "$suite") || return 1
        mapfile -t options < <(mirror_options)
        as_root mmdebstrap --mode=root --variant=minbase --include="$packages" "${options[@]}" \
                --aptopt='Acquire::Languages "none"' \
                --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
                --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
                "$@" "$suite" "$output" - <<<"$sources"
}
