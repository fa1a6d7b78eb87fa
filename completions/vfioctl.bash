# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# bash completion for vfioctl(1). Needs nothing but bash; with bash-completion it is loaded when it is first wanted.
# tests/bus/test-completions.py compares the tables with the program's own.

_vfioctl_verbs='list show explain inspect auth bind unbind assign unassign reset vfs mdev acquire exec qemu-args add remove release holders leases monitor help'

# _vfioctl_options VERB: its options, or those of every verb without one.
_vfioctl_options() {
    local add='--bind --driver --cookie --hot-reset --override-safety'

    printf '%s\n' --help --version --json --no-ask-password --socket --timeout
    case $1 in
    auth) printf '%s\n' --action --label --mode --memlock ;;
    bind) printf '%s\n' --driver --dry-run --override-safety ;;
    assign) printf '%s\n' --driver --dry-run --now --override-safety ;;
    unassign) printf '%s\n' --dry-run ;;
    unbind) printf '%s\n' --wait --revoke --dry-run ;;
    acquire) printf '%s\n' $add --label --prepare --mode --memlock --dry-run ;;
    exec) printf '%s\n' $add --label --prepare --mode --memlock ;;
    reset) printf '%s\n' --method ;;
    vfs) printf '%s\n' --recreate --autoprobe ;;
    qemu-args) printf '%s\n' --iommufd-id --bind ;;
    add) printf '%s\n' $add ;;
    esac
}

# _vfioctl_takes_value OPTION: as a word of its own.
_vfioctl_takes_value() {
    case $1 in
    --action | -a | --autoprobe | --driver | -d | --label | -l | --mode | --prepare | --memlock | --cookie | --iommufd-id | --method | -m | --timeout) return 0 ;;
    *) return 1 ;;
    esac
}

_vfioctl_values() {
    case $1 in
    --driver | -d) echo vfio-pci ;;
    --action | -a)
        printf '%s\n' list inspect acquire bind unbind release-other revoke reset manage assign override-safety raise-memlock unsafe-noiommu
        ;;
    --method | -m) printf '%s\n' hot flr af_flr pm bus cxl_bus device_specific acpi ;;
    --autoprobe) printf '%s\n' yes no ;;
    --mode) printf '%s\n' auto group iommufd ;;
    --prepare) printf '%s\n' open bind attach ;;
    esac
}

# _vfioctl_objects group|lease|device: what there is now.
_vfioctl_objects() {
    local pattern="s|^      \"Path\": \"/org/vfiod1/\\($1/[0-9]*\\)\",*\$|\\1|p"

    [ "$1" != device ] || pattern='s|^      "Name": "\([^"]*\)",*$|\1|p'
    vfioctl --no-ask-password --timeout=5 --json list 2>/dev/null </dev/null | sed -n "$pattern"
}

# _vfioctl_mdev Parent|Type: what there can be now.
_vfioctl_mdev() {
    vfioctl --no-ask-password --timeout=5 --json mdev types 2>/dev/null </dev/null | sed -n "s|^ *\"$1\": \"\([^\"]*\)\",*\$|\1|p" | sort -u
}

# _vfioctl_mdev_operands NUMBER FIRST: of mdev, whose first operand is FIRST.
_vfioctl_mdev_operands() {
    case $1-$2 in
    0-*) printf '%s\n' types create remove ;;
    1-types | 1-create) _vfioctl_mdev Parent ;;
    2-create) _vfioctl_mdev Type ;;
    *-remove) _vfioctl_objects device | grep -E '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' ;;
    esac
}

# _vfioctl_operands VERB NUMBER FIRST: what its operand of that number, from 0, can be.
_vfioctl_operands() {
    case $1 in
    '') printf '%s\n' $_vfioctl_verbs ;;
    help) [ "$2" -gt 0 ] || printf '%s\n' $_vfioctl_verbs ;;
    leases | monitor) ;;
    mdev) _vfioctl_mdev_operands "$2" "$3" ;;
    reset | vfs) [ "$2" -gt 0 ] || _vfioctl_objects device ;;
    release) _vfioctl_objects lease ;;
    add | remove)
        if [ "$2" -eq 0 ]; then
            _vfioctl_objects lease
        else
            _vfioctl_objects group
            _vfioctl_objects device
        fi
        ;;
    *)
        _vfioctl_objects group
        _vfioctl_objects device
        ;;
    esac
}

# The program that exec runs completes as it would alone.
_vfioctl_program() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif [ "$1" -eq "$COMP_CWORD" ]; then
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}

_vfioctl() {
    local words cur verb='' first='' operands=0 i option candidates prefix

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [ "${COMP_WORDS[i]}" = -- ]; then
            _vfioctl_program $((i + 1))
            return
        fi
    done

    # By blanks, and not as readline has cut it at the colons of an address.
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} != *[[:blank:]] ]] || words+=('')
    cur=${words[-1]}
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        if _vfioctl_takes_value "${words[i]}"; then
            i=$((i + 1))
        elif [[ ${words[i]} != -* ]]; then
            if [ -z "$verb" ]; then verb=${words[i]}; else operands=$((operands + 1)); fi
            [ $operands -ne 1 ] || [ -n "$first" ] || first=${words[i]}
        fi
    done

    option=''
    [ ${#words[@]} -lt 3 ] || option=${words[-2]}
    if [[ $cur == --*=* ]]; then
        candidates=$(_vfioctl_values "${cur%%=*}" | sed "s|^|${cur%%=*}=|")
    elif _vfioctl_takes_value "$option" && [ $i -ge ${#words[@]} ]; then
        candidates=$(_vfioctl_values "$option")
    elif [[ $cur == -* ]]; then
        candidates=$(_vfioctl_options "$verb")
    else
        candidates=$(_vfioctl_operands "$verb" $operands "$first")
    fi
    mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$cur")

    # readline replaces what is behind the last of these only.
    prefix=${cur%"${cur##*[:=]}"}
    [[ $COMP_WORDBREAKS == *[:=]* ]] || prefix=''
    COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
}

complete -F _vfioctl vfioctl
