# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for vfioctl(1). tests/bus/test-completions.py compares the tables with the program's own.

# What there is now: "group", "lease" or "device".
function __vfioctl_objects --argument-names kind
    set --local pattern 's|^      "Path": "/org/vfiod1/\('$kind'/[0-9]*\)",*$|\1|p'
    if test $kind = device
        set pattern 's|^      "Name": "\([^"]*\)",*$|\1|p'
    end
    vfioctl --no-ask-password --timeout=5 --json list 2>/dev/null </dev/null | sed -n $pattern
end

function __vfioctl_targets
    __vfioctl_objects group
    __vfioctl_objects device
end

# The words before the cursor that are no options and no values of options, the verb first.
function __vfioctl_words
    set --local value no
    for word in (commandline --tokenize --cut-at-cursor --current-process)[2..-1]
        if test $value = yes
            set value no
            continue
        end
        switch $word
            case --action -a --autoprobe --driver -d --label -l --mode --prepare --memlock --cookie --iommufd-id --method -m --timeout
                set value yes
            case '-*'
            case '*'
                echo -- $word
        end
    end
end

function __vfioctl_without_verb
    test (count (__vfioctl_words)) -eq 0
end

# The verb is one of these.
function __vfioctl_verb_is
    contains -- (__vfioctl_words)[1] $argv
end

# The same, and it is to have its first operand.
function __vfioctl_first_of
    set --local words (__vfioctl_words)
    test (count $words) -eq 1; and contains -- $words[1] $argv
end

# The same, and it has its first operand.
function __vfioctl_behind_first_of
    set --local words (__vfioctl_words)
    test (count $words) -gt 1; and contains -- $words[1] $argv
end

# What mediated devices there can be now: "Parent" or "Type".
function __vfioctl_mdev --argument-names key
    vfioctl --no-ask-password --timeout=5 --json mdev types 2>/dev/null </dev/null | sed -n 's|^ *"'$key'": "\([^"]*\)",*$|\1|p' | sort -u
end

# The verb is mdev, and has so many operands, the first of which is one of these.
function __vfioctl_mdev_has --argument-names count
    set --local words (__vfioctl_words)
    test "$words[1]" = mdev; and test (count $words) -eq (math $count + 1); and contains -- $words[2] $argv[2..-1]
end

function __vfioctl_mdev_removes
    set --local words (__vfioctl_words)
    test (count $words) -gt 1; and test "$words[1] $words[2]" = 'mdev remove'
end

# Of exec, behind "--".
function __vfioctl_program
    __vfioctl_verb_is exec; and contains -- -- (commandline --tokenize --cut-at-cursor --current-process)
end

# The command line as the program of exec alone would have it.
function __vfioctl_complete_program
    set --local words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token)
    set words $words[(math (contains --index -- -- $words) + 1)..-1]
    complete --do-complete "$words"
end

complete --command vfioctl --no-files

complete --command vfioctl --condition __vfioctl_without_verb --arguments list --description 'Groups, their devices, drivers and leases'
complete --command vfioctl --condition __vfioctl_without_verb --arguments show --description 'Everything about a device or a group'
complete --command vfioctl --condition __vfioctl_without_verb --arguments explain --description 'What stands in the way of acquiring'
complete --command vfioctl --condition __vfioctl_without_verb --arguments inspect --description 'Regions, interrupts and IOMMU of devices'
complete --command vfioctl --condition __vfioctl_without_verb --arguments auth --description 'What you may do, and what decides that'
complete --command vfioctl --condition __vfioctl_without_verb --arguments bind --description 'Move whole groups to a vfio driver'
complete --command vfioctl --condition __vfioctl_without_verb --arguments unbind --description 'Give whole groups back to their drivers'
complete --command vfioctl --condition __vfioctl_without_verb --arguments assign --description 'Make whole groups belong to vfiod from the next boot on'
complete --command vfioctl --condition __vfioctl_without_verb --arguments unassign --description 'Leave whole groups to their drivers from the next boot on'
complete --command vfioctl --condition __vfioctl_without_verb --arguments reset --description 'Reset a device that nobody else has'
complete --command vfioctl --condition __vfioctl_without_verb --arguments vfs --description 'Virtual functions of a device'
complete --command vfioctl --condition __vfioctl_without_verb --arguments mdev --description 'Mediated devices'
complete --command vfioctl --condition __vfioctl_without_verb --arguments acquire --description 'Lease groups and hold them'
complete --command vfioctl --condition __vfioctl_without_verb --arguments exec --description 'Lease groups and run a program with their files'
complete --command vfioctl --condition __vfioctl_without_verb --arguments qemu-args --description 'Arguments for QEMU'
complete --command vfioctl --condition __vfioctl_without_verb --arguments add --description 'Lease more groups under a lease'
complete --command vfioctl --condition __vfioctl_without_verb --arguments remove --description 'Take groups out of a lease'
complete --command vfioctl --condition __vfioctl_without_verb --arguments release --description 'End leases'
complete --command vfioctl --condition __vfioctl_without_verb --arguments holders --description 'Processes that have devices open or mapped'
complete --command vfioctl --condition __vfioctl_without_verb --arguments leases --description 'Who has what'
complete --command vfioctl --condition __vfioctl_without_verb --arguments monitor --description 'Print changes as they happen'
complete --command vfioctl --condition __vfioctl_without_verb --arguments help --description 'Help, or that of a verb'

set --local with_targets list show explain inspect auth bind unbind assign unassign acquire exec qemu-args holders
complete --command vfioctl --condition "__vfioctl_verb_is $with_targets; and not __vfioctl_program" --arguments '(__vfioctl_targets)'
complete --command vfioctl --condition '__vfioctl_behind_first_of add remove' --arguments '(__vfioctl_targets)'
complete --command vfioctl --condition '__vfioctl_first_of add remove; or __vfioctl_verb_is release' --arguments '(__vfioctl_objects lease)'
complete --command vfioctl --condition '__vfioctl_first_of reset vfs' --arguments '(__vfioctl_objects device)'
complete --command vfioctl --condition '__vfioctl_first_of mdev' --arguments 'types create remove'
complete --command vfioctl --condition '__vfioctl_mdev_has 1 types create' --arguments '(__vfioctl_mdev Parent)'
complete --command vfioctl --condition '__vfioctl_mdev_has 2 create' --arguments '(__vfioctl_mdev Type)'
complete --command vfioctl --condition __vfioctl_mdev_removes --arguments "(__vfioctl_objects device | string match --regex '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\$')"
complete --command vfioctl --condition '__vfioctl_first_of help' --arguments "list show explain inspect auth bind unbind assign unassign reset vfs mdev acquire exec qemu-args add remove release holders leases monitor help"
complete --command vfioctl --condition __vfioctl_program --arguments '(__vfioctl_complete_program)'

set --local ours 'not __vfioctl_program'
complete --command vfioctl --condition $ours --short-option h --long-option help --description 'Show help'
complete --command vfioctl --condition $ours --long-option version --description 'Show the version'
complete --command vfioctl --condition $ours --short-option j --long-option json --description 'Print JSON'
complete --command vfioctl --condition $ours --long-option no-ask-password --description 'Never ask for authorisation'
complete --command vfioctl --condition $ours --long-option socket --description 'Ask through the socket'
complete --command vfioctl --condition $ours --long-option timeout --exclusive --description 'Seconds to wait for an answer'

set --local of_add "$ours; and __vfioctl_verb_is acquire exec add"
set --local of_told "$ours; and __vfioctl_verb_is acquire auth exec"
set --local of_acquire "$ours; and __vfioctl_verb_is acquire exec"
complete --command vfioctl --condition "$ours; and __vfioctl_verb_is acquire exec add qemu-args" --short-option b --long-option bind --description 'Bind the groups first'
complete --command vfioctl --condition "$ours; and __vfioctl_verb_is acquire exec add bind assign" --short-option d --long-option driver --exclusive --arguments vfio-pci --description 'The vfio driver'
complete --command vfioctl --condition $of_add --long-option cookie --exclusive --description 'A number of your own for a device'
complete --command vfioctl --condition "$ours; and __vfioctl_verb_is acquire bind exec add assign" --long-option override-safety --description 'Take also what the host is using'
complete --command vfioctl --condition $of_add --long-option hot-reset --description 'Refuse unless all that is reset together is leased'
complete --command vfioctl --condition $of_told --short-option l --long-option label --exclusive --description 'What the lease is for'
complete --command vfioctl --condition $of_told --long-option mode --exclusive --arguments 'auto group iommufd' --description 'Family of kernel interface'
complete --command vfioctl --condition $of_acquire --long-option prepare --exclusive --arguments 'open bind attach' --description 'How far the devices are made ready'
complete --command vfioctl --condition $of_told --long-option memlock --exclusive --description 'Raise the limit of locked memory'
complete --command vfioctl --condition '__vfioctl_verb_is auth' --short-option a --long-option action --exclusive --arguments 'list inspect acquire bind unbind release-other revoke reset manage assign override-safety raise-memlock unsafe-noiommu' --description 'Ask about this alone'
complete --command vfioctl --condition '__vfioctl_verb_is acquire bind unbind assign unassign' --short-option n --long-option dry-run --description 'Print the steps and change nothing'
complete --command vfioctl --condition '__vfioctl_verb_is assign' --long-option now --description 'Bind them now, too'
complete --command vfioctl --condition '__vfioctl_verb_is unbind' --long-option wait --description 'Ask the holders and wait'
complete --command vfioctl --condition '__vfioctl_verb_is unbind' --long-option revoke --description 'Ask, wait, then take the devices back'
complete --command vfioctl --condition '__vfioctl_verb_is reset' --short-option m --long-option method --exclusive --arguments 'hot flr af_flr pm bus cxl_bus device_specific acpi' --description 'How to reset'
complete --command vfioctl --condition '__vfioctl_verb_is vfs' --long-option recreate --description 'Remove those that there are first'
complete --command vfioctl --condition '__vfioctl_verb_is vfs' --long-option autoprobe --exclusive --arguments 'yes no' --description 'Whether host drivers take them'
complete --command vfioctl --condition '__vfioctl_verb_is qemu-args' --long-option iommufd-id --exclusive --description 'What QEMU calls the iommufd'
