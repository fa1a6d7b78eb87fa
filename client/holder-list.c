/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/holder-list.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "daemon/util/string.h"

static void holder_done(Holder *holder) {
        free(holder->files);
        free(holder->user);
}

void holder_list_done(HolderList *list) {
        for (size_t i = 0; i < list->n_holders; i++)
                holder_done(&list->holders[i]);
        free(list->holders);
        sd_bus_message_unref(list->reply);
        *list = (HolderList)HOLDER_LIST_NULL;
}

/* v, with a(ssi) in it */
static int read_files(sd_bus_message *m, Holder *holder) {
        HeldFile file;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "a(ssi)");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ssi)");
        while (r >= 0 &&
               (r = sd_bus_message_read(m, "(ssi)", &file.kind, &file.name, &file.fd)) > 0) {
                HeldFile *grown =
                        reallocarray(holder->files, holder->n_files + 1, sizeof(HeldFile));

                if (!grown)
                        return -ENOMEM;
                holder->files = grown;
                grown[holder->n_files++] = file;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_value(sd_bus_message *m, const char *key, Holder *holder, uint32_t *more_holders) {
        if (string_equal(key, "Pid"))
                return sd_bus_message_read(m, "v", "u", &holder->pid);
        if (string_equal(key, "Uid"))
                return sd_bus_message_read(m, "v", "u", &holder->uid);
        if (string_equal(key, "Command"))
                return sd_bus_message_read(m, "v", "s", &holder->command);
        if (string_equal(key, "Unit"))
                return sd_bus_message_read(m, "v", "s", &holder->unit);
        if (string_equal(key, "Lease"))
                return sd_bus_message_read(m, "v", "o", &holder->lease);
        if (string_equal(key, "Files"))
                return read_files(m, holder);
        if (string_equal(key, "MoreFiles"))
                return sd_bus_message_read(m, "v", "u", &holder->n_more_files);
        if (string_equal(key, "MoreHolders"))
                return sd_bus_message_read(m, "v", "u", more_holders);
        return sd_bus_message_skip(m, "v");
}

/* The entries of one a{sv} that has been entered. */
static int read_holder(sd_bus_message *m, Holder *holder, uint32_t *more_holders) {
        const char *key;
        int r;

        *holder = (Holder){.command = "", .unit = "", .lease = "/"};
        while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = read_value(m, key, holder, more_holders);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int holder_list_read(sd_bus_message *reply, HolderList *ret) {
        _cleanup_holder_list_ HolderList list = {.reply = sd_bus_message_ref(reply)};
        int r;

        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sv}")) > 0) {
                Holder *grown = reallocarray(list.holders, list.n_holders + 1, sizeof(Holder));

                if (!grown)
                        return -ENOMEM;
                list.holders = grown;
                r = read_holder(reply, &grown[list.n_holders++], &list.n_more_holders);
                /* It only says that there are others. */
                if (r >= 0 && grown[list.n_holders - 1].pid == 0)
                        holder_done(&grown[--list.n_holders]);
        }
        if (r < 0)
                return r;
        *ret = list;
        list = (HolderList)HOLDER_LIST_NULL;
        return 0;
}

int holder_name_user(Holder *holder) {
        const struct passwd *user = getpwuid(holder->uid);

        return string_set(&holder->user, user ? user->pw_name : NULL);
}
