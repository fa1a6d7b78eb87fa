/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vfioctl: the table of verbs, and the way from the command line to one of them. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/arguments.h"
#include "client/help.h"
#include "client/options.h"
#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/string.h"
#include "version.h"

static const char exec_details[] =
        "In ARGS a placeholder stands for the number of an open file:\n"
        "  {container}               the container\n"
        "  {group} {group:3}         the only group, or the one of that number\n"
        "  {device} {device:NAME}    the only device, or the one of that name\n"
        "  {iommufd}                 the iommufd\n"
        "  {cdev} {cdev:NAME}        the only device of it, or the one of that name\n"
        "  {lease}                   lease_fd: the lease ends with its last copy\n"
        "'{{' is a literal '{'. Unless --mode says so, the mode is the one that has the\n"
        "files that are asked for. The program also gets VFIOD_LEASE, VFIOD_LEASE_FD,\n"
        "VFIOD_FDS (\"kind:name=fd\", separated by spaces) and, where there is one,\n"
        "VFIOD_IOAS. Exit status is the program's, 127 when it is not found and 126 when\n"
        "it cannot be run.\n";

static const char qemu_args_details[] =
        "QEMU 9.0 or later takes the iommufd and the devices from exec:\n"
        "  vfioctl exec --prepare=open 01:00.0 -- \\\n"
        "      qemu-system-x86_64 ... $(vfioctl qemu-args 01:00.0)\n"
        "A group stands for its members on a vfio driver, or with --bind for those that\n"
        "would be. Each device is one of its own in the guest, on whatever slot QEMU gives\n"
        "it, and has the id vfio-ADDRESS, with '-' for ':'.\n";

static const char add_details[] =
        "They join the lease's container or iommufd. Its holder gets their files by GetFds\n"
        "(vfiod_lease_fetch_files() of libvfiod).\n";

static const char remove_details[] =
        "Its holder closes the devices of these groups before. The last groups leave by\n"
        "release.\n";

static const char inspect_details[] =
        "A device that is not leased is opened for it, which resets it. A group stands for\n"
        "its members on a vfio driver.\n";

static const char reset_details[] =
        "A device that is leased is reset for the owner of the lease alone. Without --method\n"
        "the kernel chooses.\n";

static const char vfs_details[] =
        "Without COUNT, how many there are and can be, and which. With it, as many are made by\n"
        "the device's host driver, and all removed with 0; what somebody has is not removed.\n";

static const char mdev_details[] =
        "types lists what can be made, and of what. create prints the UUID of the new device,\n"
        "which is one of its own unless UUID is given. remove is of devices that nobody has.\n";

static const char unbind_details[] =
        "A group that somebody holds is refused, with their names, unless --wait or\n"
        "--revoke is given. Both ask the holders to give it back, and show on stderr who\n"
        "still holds it; --timeout does not apply. TIME is a number of seconds, or has a\n"
        "unit: 500ms, 10s, 2m. When it is over, --wait changes nothing and fails, and\n"
        "--revoke takes the devices: SIGBUS to the holders, then SIGKILL. Interrupted,\n"
        "vfioctl stops waiting, and vfiod changes nothing unless it had begun to.\n";

static const char assign_details[] =
        "They are on a vfio driver then before their own driver can have them, also before\n"
        "vfiod runs. A device is known by its address, ids and serial number: another one\n"
        "at its address is left alone, and list says so. Nothing moves now without --now.\n"
        "Where an initramfs loads their driver, it is to be made again: update-initramfs -u,\n"
        "or dracut -f.\n";

static const char unassign_details[] =
        "They stay where they are until then; unbind moves them now. Also for devices that\n"
        "are not there any more. An initramfs that has assignments is to be made again:\n"
        "update-initramfs -u, or dracut -f.\n";

static const char auth_details[] =
        "Without a TARGET, for every action as such. MAY is 'yes', 'no', or 'password': after\n"
        "authentication. Nobody is asked for one, and nothing is done. Actions are those of\n"
        "polkit: list, inspect, acquire, bind, unbind, release-other, revoke, reset, manage,\n"
        "assign, override-safety, raise-memlock, unsafe-noiommu. --label, --mode and --memlock are "
        "for\n"
        "rules that look at them.\n"
        "Status 0 if all of it is 'yes', 1 if not.\n";

static const char acquire_details[] =
        "Prints the lease and its files, and holds them until SIGINT, SIGTERM or SIGHUP\n"
        "(status 0), or until the lease ends or is asked back (status 1).\n";

static const char list_details[] =
        "A group is \"bound\" when it can be acquired, \"viable\" when it could be but for\n"
        "members without a vfio driver, and \"not viable\" while the host uses one of them.\n"
        "One of \"only bridges\" has nothing to acquire.\n"
        "See explain.\n";

static const Verb verbs[] = {
        {"list", "[TARGET...]", "Groups, their devices, drivers and leases", list_details, 0, 0,
         SIZE_MAX, false, verb_list},
        {"show", "TARGET...", "Everything about a device or a group", NULL, 0, 1, SIZE_MAX, false,
         verb_show},
        {"explain", "TARGET...", "What stands in the way of acquiring, and what to do about it",
         "Status 0 if all can be acquired, 1 if not.\n", 0, 1, SIZE_MAX, false, verb_explain},
        {"auth", "[TARGET...]", "What you may do, and what decides that", auth_details,
         OPTION_ACTION | OPTION_LABEL | OPTION_MODE | OPTION_MEMLOCK, 0, SIZE_MAX, false,
         verb_auth},
        {"inspect", "TARGET...", "Regions, interrupts and IOMMU of devices on a vfio driver",
         inspect_details, 0, 1, SIZE_MAX, false, verb_inspect},
        {"bind", "TARGET...", "Move whole groups to a vfio driver", NULL,
         OPTION_DRIVER | OPTION_DRY_RUN | OPTION_OVERRIDE_SAFETY, 1, SIZE_MAX, false, verb_bind},
        {"unbind", "TARGET...", "Give whole groups back to their original drivers", unbind_details,
         OPTIONS_UNBIND | OPTION_DRY_RUN, 1, SIZE_MAX, false, verb_unbind},
        {"assign", "TARGET...", "Make whole groups belong to vfiod from the next boot on",
         assign_details, OPTION_DRIVER | OPTION_DRY_RUN | OPTION_OVERRIDE_SAFETY | OPTION_NOW, 1,
         SIZE_MAX, false, verb_assign},
        {"unassign", "TARGET...", "Leave whole groups to their own drivers from the next boot on",
         unassign_details, OPTION_DRY_RUN, 1, SIZE_MAX, false, verb_unassign},
        {"acquire", "TARGET...", "Lease groups and hold them until interrupted", acquire_details,
         OPTIONS_ACQUIRE | OPTION_DRY_RUN, 1, SIZE_MAX, false, verb_acquire},
        {"exec", "TARGET... -- PROGRAM [ARGS]", "Lease groups and run a program with their files",
         exec_details, OPTIONS_ACQUIRE, 1, SIZE_MAX, true, verb_exec},
        {"qemu-args", "TARGET...", "Arguments for a QEMU that exec runs with these devices",
         qemu_args_details, OPTION_IOMMUFD_ID | OPTION_BIND, 1, SIZE_MAX, false, verb_qemu_args},
        {"add", "LEASE TARGET...", "Lease more groups under a lease of yours", add_details,
         OPTIONS_ADD, 2, SIZE_MAX, false, verb_add},
        {"remove", "LEASE TARGET...", "Take groups out of a lease of yours", remove_details, 0, 2,
         SIZE_MAX, false, verb_remove},
        {"release", "LEASE...", "End leases (7, lease/7 or the path)", NULL, 0, 1, SIZE_MAX, false,
         verb_release},
        {"reset", "DEVICE", "Reset a device that nobody else has", reset_details, OPTION_METHOD, 1,
         1, false, verb_reset},
        {"vfs", "DEVICE [COUNT]", "Virtual functions of a device (SR-IOV): show, make, remove",
         vfs_details, OPTION_RECREATE | OPTION_AUTOPROBE, 1, 2, false, verb_vfs},
        {"mdev", "types [PARENT] | create PARENT TYPE [UUID] | remove UUID...",
         "Mediated devices: types, making and removing", mdev_details, 0, 1, SIZE_MAX, false,
         verb_mdev},
        {"holders", "TARGET...", "Processes that have the devices open or mapped", NULL, 0, 1,
         SIZE_MAX, false, verb_holders},
        {"leases", "", "Who has what", NULL, 0, 0, 0, false, verb_leases},
        {"monitor", "", "Print changes as they happen", NULL, 0, 0, 0, false, verb_monitor},
        {"help", "[VERB]", "This help, or that of a verb", NULL, 0, 0, 1, false, verb_help},
        {.name = NULL},
};

int verb_help(const Arguments *a) {
        const char *name = a->operands[0];

        if (!name) {
                help_print(stdout, verbs);
                return STATUS_OK;
        }
        for (const Verb *verb = verbs; verb->name; verb++)
                if (string_equal(verb->name, name)) {
                        help_print_verb(stdout, verb);
                        return STATUS_OK;
                }
        return report(STATUS_USAGE, NULL, "unknown verb '%s'", name);
}

static int run(const Arguments *a) {
        if (a->version) {
                puts("vfioctl " VFIOD_VERSION);
                return STATUS_OK;
        }
        if (a->help && a->verb) {
                help_print_verb(stdout, a->verb);
                return STATUS_OK;
        }
        if (a->help) {
                help_print(stdout, verbs);
                return STATUS_OK;
        }
        if (!a->verb)
                return report(STATUS_USAGE, NULL, "no verb given; 'vfioctl --help' lists them");
        return a->verb->run(a);
}

/* What nobody could read was not printed: a full disk or a closed pipe must not look like success
 */
static int finish(int status) {
        if (fflush(stdout) != 0 || ferror(stdout))
                return status == STATUS_OK ? report(STATUS_NO, NULL, "cannot write the output")
                                           : status;
        return status;
}

int main(_unused_ int argc, char **argv) {
        _cleanup_arguments_ Arguments a = ARGUMENTS_NULL;
        _cleanup_free_ char *sentence = NULL;
        int r;

        r = arguments_parse(verbs, argv + 1, &a, &sentence);
        report_as_json(a.json);
        if (r == -EINVAL)
                return report(STATUS_USAGE, NULL, "%s; see 'vfioctl %s%s--help'",
                              string_or_empty(sentence), a.verb ? a.verb->name : "",
                              a.verb ? " " : "");
        if (r < 0)
                return report_errno(r, "cannot read the command line");
        return finish(run(&a));
}
