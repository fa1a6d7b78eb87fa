/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/devices.h"

#include <errno.h>

#include "client/target.h"
#include "daemon/util/string.h"

/* By the words of Manager.Explain. */
static bool counts(const Member *member, bool bind) {
        static const char *const bindable[] = {"no-driver", "host-driver"};

        for (size_t i = 0; bind && i < ELEMENTS(bindable); i++)
                if (string_equal(member->verdict, bindable[i]))
                        return true;
        return string_equal(member->verdict, "vfio");
}

static bool is_named(const Member *member, const char *target) {
        return string_equal(member->device, target) ||
               string_equal(string_after(member->device, "0000:"), target);
}

static int add_devices(const Members *members, const char *target, bool bind, char ***names,
                       char **reterr) {
        size_t before = strv_length(*names);
        uint32_t group;
        bool whole = target_to_group(target, &group) >= 0;
        int r = 0;

        for (size_t i = 0; i < members->n_members && r >= 0; i++) {
                const Member *member = &members->members[i];

                if (whole ? member->group == group && counts(member, bind)
                          : is_named(member, target))
                        r = strv_push(names, member->device);
        }
        if (r < 0 || strv_length(*names) > before)
                return r;
        *reterr = string_format(bind ? "%s has no device for a vfio driver"
                                     : "%s has no device on a vfio driver: 'vfioctl bind %s' first",
                                target, target);
        return *reterr ? -ENODEV : -ENOMEM;
}

int devices_of_targets(vfiod_connection *c, char **targets, bool bind, char ***ret, char **reterr) {
        _cleanup_(members_done) Members members = {0};
        _cleanup_strv_ char **names = NULL;
        int r;

        r = members_get(c, (const char *const *)targets, &members);
        for (char **target = targets; r >= 0 && *target; target++)
                r = add_devices(&members, *target, bind, &names, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}
