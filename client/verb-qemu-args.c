/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * qemu-args: what QEMU (9.0 and later) wants to be told of an iommufd and cdevs that it inherits,
 * with the placeholders that exec fills in. One device a -device: what is one multifunction device
 * on the host may be given in part, so the guest sees each function on a slot of its own.
 */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "client/devices.h"
#include "client/manager.h"
#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/string.h"

/* Every character of `pattern` that is 'x' stands for a hexadecimal digit. */
static bool looks_like(const char *name, const char *pattern) {
        if (strlen(name) != strlen(pattern))
                return false;
        for (; *name; name++, pattern++)
                if (*pattern == 'x' ? !isxdigit((unsigned char)*name) : *name != *pattern)
                        return false;
        return true;
}

/* A PCI device, its domain of four digits or more, or an mdev, which is one to QEMU. */
static bool is_for_vfio_pci(const char *name) {
        const char *bus = strchr(name, ':');

        return (bus && looks_like(bus, ":xx:xx.x")) ||
               looks_like(name, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

/* QEMU's ids have no ':'. */
static char *id_of_device(const char *name) {
        char *id = string_format("vfio-%s", name);

        for (char *c = id; c && *c; c++)
                if (*c == ':')
                        *c = '-';
        return id;
}

static int push_device(char ***words, const char *iommufd, const char *name) {
        _cleanup_free_ char *id = id_of_device(name);
        int r;

        if (!id)
                return -ENOMEM;
        r = strv_push(words, "-device");
        if (r < 0)
                return r;
        return strv_push_consume(
                words, string_format("vfio-pci,iommufd=%s,fd={cdev:%s},id=%s", iommufd, name, id));
}

static int make_words(const char *iommufd, char **devices, char ***ret) {
        _cleanup_strv_ char **words = NULL;
        int r;

        r = strv_push(&words, "-object");
        if (r >= 0)
                r = strv_push_consume(&words, string_format("iommufd,id=%s,fd={iommufd}", iommufd));
        for (char **device = devices; *device && r >= 0; device++)
                r = push_device(&words, iommufd, *device);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(words);
        return 0;
}

static int print_json(char **words) {
        _cleanup_json_ json_object *document = json_object_new_array();
        int r = document ? 0 : -ENOMEM;

        for (; *words && r >= 0; words++)
                r = json_append(document, json_object_new_string(*words));
        if (r >= 0)
                json_write_document(stdout, document);
        return r;
}

static int print_text(char **words) {
        _cleanup_free_ char *line = strv_join(words, " ");

        if (!line)
                return -ENOMEM;
        puts(line);
        return 0;
}

/* By QEMU's rule (id_wellformed() in util/id.c). */
static bool is_id(const char *id) {
        if (!isalpha((unsigned char)*id))
                return false;
        for (; *id; id++)
                if (!isalnum((unsigned char)*id) && !strchr("-._", *id))
                        return false;
        return true;
}

static int print_arguments(const Arguments *a, const char *iommufd, char **devices) {
        _cleanup_strv_ char **words = NULL;
        int r;

        for (char **device = devices; *device; device++)
                if (!is_for_vfio_pci(*device))
                        return report(STATUS_NO, NULL,
                                      "%s is no PCI device, and nothing for QEMU's vfio-pci",
                                      *device);
        r = make_words(iommufd, devices, &words);
        if (r >= 0)
                r = a->json ? print_json(words) : print_text(words);
        return r < 0 ? report_errno(r, "qemu-args") : STATUS_OK;
}

/* Only a word: the arguments may be for another boot, or another machine. */
static void note_missing_iommufd(vfiod_connection *c) {
        bool has = true;

        if (manager_has_feature(c, "iommufd", &has) >= 0 && !has)
                report_note("this kernel has no iommufd, or no cdevs of devices, which these "
                            "arguments are about (CONFIG_IOMMUFD, CONFIG_VFIO_DEVICE_CDEV)");
}

int verb_qemu_args(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_strv_ char **targets = NULL, **devices = NULL;
        const char *iommufd = a->iommufd_id ? a->iommufd_id : "iommufd0";
        _cleanup_free_ char *sentence = NULL;
        int r;

        if (!is_id(iommufd))
                return report(STATUS_USAGE, NULL, "'%s' is no id for QEMU", iommufd);
        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = devices_of_targets(c, targets, a->acquire.bind, &devices, &sentence);
        if (sentence)
                return report(STATUS_NO, NULL, "%s", sentence);
        if (r < 0)
                return connection_report(c, r);
        note_missing_iommufd(c);
        return print_arguments(a, iommufd, devices);
}
