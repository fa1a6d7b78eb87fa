/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/options.h"

#include "daemon/util/string.h"
#include "protocol/names.h"

const Option all_options[] = {
        {OPTION_BIND, 'b', "bind", NULL, "move the groups to a vfio driver first"},
        {OPTION_DRIVER, 'd', "driver", "DRIVER", "the vfio driver, instead of the best match"},
        {OPTION_DRY_RUN, 'n', "dry-run", NULL, "print the steps and change nothing"},
        {OPTION_OVERRIDE_SAFETY, 0, "override-safety", NULL,
         "take also what the host is using, as explain tells; needs a right of its own"},
        {OPTION_LABEL, 'l', "label", "TEXT", "what the lease is for, shown to everybody"},
        {OPTION_MODE, 0, "mode", "auto|group|iommufd",
         "family of kernel interface; auto (default): iommufd where the kernel has it"},
        {OPTION_PREPARE, 0, "prepare", "open|bind|attach",
         "attach (default): devices ready, in one container or IOAS; bind: bound to the iommufd; "
         "open: opened, the program does the rest"},
        {OPTION_MEMLOCK, 0, "memlock", "SIZE",
         "raise the limit of locked memory to at least that: 4G, 512M"},
        {OPTION_COOKIE, 0, "cookie", "DEV=N",
         "a number of your own for a device (iommufd mode), shown with the lease; may be "
         "repeated"},
        {OPTION_HOT_RESET, 0, "hot-reset", NULL,
         "refuse unless the lease has all that is reset together with its devices"},
        {OPTION_IOMMUFD_ID, 0, "iommufd-id", "ID", "what QEMU calls the iommufd (iommufd0)"},
        {OPTION_ACTION, 'a', "action", "ACTION",
         "ask about this alone (acquire, org.vfiod1.bind, ...); may be repeated"},
        {OPTION_METHOD, 'm', "method", "METHOD",
         "how to reset: one that 'vfioctl show' lists, or hot (the whole reset set)"},
        {OPTION_RECREATE, 0, "recreate", NULL,
         "remove the virtual functions that there are first, if that must be"},
        {OPTION_AUTOPROBE, 0, "autoprobe", "yes|no",
         "whether host drivers take virtual functions of the device, from now on"},
        {OPTION_NOW, 0, "now", NULL, "bind them now, too"},
        {OPTION_WAIT, 0, "wait", "TIME",
         "ask the holders, and wait until they have given back; for ever without TIME", true},
        {OPTION_REVOKE, 0, "revoke", "TIME",
         "ask, wait, then take the devices back; without TIME when vfiod's configuration says so",
         true},
        {OPTION_JSON, 'j', "json", NULL, "print JSON, errors too (on stderr)"},
        {OPTION_NO_ASK_PASSWORD, 0, "no-ask-password", NULL,
         "never ask for authorisation; asked by default when stdin is a terminal"},
        {OPTION_SOCKET, 0, "socket", "PATH",
         "ask vfiod through its socket (" VFIOD_SOCKET_PATH "), not over the system bus; done by "
         "itself where there is no bus",
         true},
        {OPTION_TIMEOUT, 0, "timeout", "SECONDS", "how long to wait for an answer (360)"},
        {OPTION_HELP, 'h', "help", NULL, "this help, or that of a verb"},
        {OPTION_VERSION, 0, "version", NULL, "version of vfioctl"},
        {.name = NULL},
};

const Option *option_find(const char *word, const char **ret_inline) {
        *ret_inline = NULL;
        for (const Option *option = all_options; option->name; option++) {
                const char *rest;

                if (word[1] != '-') {
                        if (option->letter && word[1] == option->letter && word[2] == '\0')
                                return option;
                        continue;
                }
                rest = string_after(word + 2, option->name);
                if (!rest || (rest[0] != '\0' && rest[0] != '='))
                        continue;
                *ret_inline = rest[0] == '=' ? rest + 1 : NULL;
                return option;
        }
        return NULL;
}
