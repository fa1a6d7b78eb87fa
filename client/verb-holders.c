/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* holders: which processes have the devices of the targets open or mapped, by which files. */

#include <errno.h>
#include <unistd.h>

#include "client/holder-text.h"
#include "client/manager.h"
#include "client/verb.h"
#include "daemon/util/string.h"

static int print_nobody(char **targets) {
        _cleanup_free_ char *names = strv_join(targets, " or ");

        if (!names)
                return -ENOMEM;
        printf("nobody has %s open or mapped\n", names);
        return 0;
}

static int print_text(char **targets, sd_bus_message *reply) {
        _cleanup_holder_list_ HolderList list = HOLDER_LIST_NULL;
        Style style = style_detect(STDOUT_FILENO);
        int r;

        r = holder_list_read(reply, &list);
        for (size_t i = 0; i < list.n_holders && r >= 0; i++)
                r = holder_name_user(&list.holders[i]);
        if (r < 0)
                return r;
        return list.n_holders > 0 || list.n_more_holders > 0 ? holders_print(stdout, &style, &list)
                                                             : print_nobody(targets);
}

static int print_json(sd_bus_message *reply) {
        _cleanup_json_ json_object *holders = NULL;
        int r;

        r = json_from_message(reply, &holders);
        if (r < 0)
                return r;
        json_write_document(stdout, holders);
        return 0;
}

int verb_holders(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_strv_ char **targets = NULL;
        int r;

        r = verb_begin(a, &c, &targets);
        if (r >= 0)
                r = manager_list_holders(c, targets, &reply);
        if (r >= 0)
                r = a->json ? print_json(reply) : print_text(targets, reply);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
