/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/holder-text.h"

#include <errno.h>

#include "client/duration.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define COMMAND_SIZE 64
#define UNIT_SIZE 256

static bool same_thing(const HeldFile *a, const HeldFile *b) {
        return string_equal(a->kind, b->kind) && string_equal(a->name, b->name);
}

static bool said_before(const Holder *holder, size_t index) {
        for (size_t i = 0; i < index; i++)
                if (same_thing(&holder->files[i], &holder->files[index]))
                        return true;
        return false;
}

/* The file of that index and all others of its kind and name. */
static char *describe_files(const Holder *holder, size_t index) {
        const HeldFile *file = &holder->files[index];
        _cleanup_free_ char *text = NULL;
        bool numbered = false;
        int r;

        r = string_append(&text, "%s%s%s", file->kind, file->name[0] ? " " : "", file->name);
        for (size_t i = index; i < holder->n_files && r >= 0; i++) {
                if (holder->files[i].fd < 0 || !same_thing(&holder->files[i], file))
                        continue;
                r = string_append(&text, "%s%d", numbered ? ", " : " (fd ", holder->files[i].fd);
                numbered = true;
        }
        if (r >= 0 && numbered)
                r = string_append(&text, ")");
        return r < 0 ? NULL : TAKE_PTR(text);
}

int holder_files_text(const Holder *holder, char ***ret) {
        _cleanup_strv_ char **texts = NULL;
        int r;

        for (size_t i = 0; i < holder->n_files; i++) {
                char *text;

                if (said_before(holder, i))
                        continue;
                text = describe_files(holder, i);
                r = text ? strv_push_consume(&texts, text) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        if (holder->n_more_files > 0) {
                char *text = string_format("and %u more", holder->n_more_files);

                r = text ? strv_push_consume(&texts, text) : -ENOMEM;

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(texts);
        return 0;
}

static void add_process(Table *table, const Holder *holder) {
        const char *lease = string_after(holder->lease, VFIOD_PATH "/");
        char command[COMMAND_SIZE], unit[UNIT_SIZE];

        table_add_format(table, "%u", holder->pid);
        if (holder->user)
                table_add(table, holder->user);
        else
                table_add_format(table, "%u", holder->uid);
        table_add(table, string_quotable(holder->command, command, sizeof(command)));
        table_add(table, string_quotable(holder->unit, unit, sizeof(unit)));
        table_add(table, lease);
}

int holders_print(FILE *f, const Style *style, const HolderList *list) {
        static const char *const titles[] = {"PID", "USER", "COMMAND", "UNIT", "LEASE", "FILES"};
        _cleanup_table_ Table table = TABLE_INIT(titles);

        table.elastic = 3;
        for (size_t i = 0; i < list->n_holders; i++) {
                _cleanup_strv_ char **files = NULL;
                int r;

                r = holder_files_text(&list->holders[i], &files);
                if (r < 0)
                        return r;
                add_process(&table, &list->holders[i]);
                table_add(&table, files ? files[0] : NULL);
                for (char **more = files; more && more[0] && more[1]; more++) {
                        for (size_t blank = 1; blank < ELEMENTS(titles); blank++)
                                table_add_blank(&table);
                        table_add(&table, more[1]);
                }
        }
        if (list->n_holders > 0) {
                int r = table_print(f, style, &table);

                if (r < 0)
                        return r;
        }
        if (list->n_more_holders > 0)
                (void)fprintf(f, "%s%u process%s not listed\n", list->n_holders > 0 ? "and " : "",
                              list->n_more_holders,
                              list->n_more_holders == 1 ? " that is" : "es that are");
        return 0;
}

/* How much a file stands in the way of giving back: the lower, the more. */
typedef enum Rank {
        RANK_DEVICE, /* open or mapped */
        RANK_GROUP,
        RANK_LEASE,
        RANK_CONTAINER,
        _RANK_MAX,
} Rank;

static Rank file_rank(const HeldFile *file) {
        if (string_equal(file->kind, "container"))
                return RANK_CONTAINER;
        if (string_equal(file->kind, "lease"))
                return RANK_LEASE;
        return string_equal(file->kind, "group") ? RANK_GROUP : RANK_DEVICE;
}

static Rank holder_rank(const Holder *holder) {
        Rank rank = _RANK_MAX;

        for (size_t i = 0; i < holder->n_files; i++)
                if (file_rank(&holder->files[i]) < rank)
                        rank = file_rank(&holder->files[i]);
        return rank;
}

Holder *holders_foremost(const HolderList *list) {
        Holder *foremost = NULL;

        for (size_t i = 0; i < list->n_holders; i++)
                if (!foremost || holder_rank(&list->holders[i]) < holder_rank(foremost))
                        foremost = &list->holders[i];
        return foremost;
}

static char *describe_process(const HolderList *list, const Holder *holder) {
        size_t others = list->n_holders - 1 + list->n_more_holders;
        _cleanup_free_ char *text = NULL;
        char command[COMMAND_SIZE];
        int r;

        r = string_append(&text, "pid %u (%s, ", holder->pid,
                          string_quotable(holder->command, command, sizeof(command)));
        if (r >= 0 && holder->user)
                r = string_append(&text, "%s)", holder->user);
        else if (r >= 0)
                r = string_append(&text, "uid %u)", holder->uid);
        if (r >= 0 && others > 0)
                r = string_append(&text, " and %zu other%s", others, others > 1 ? "s" : "");
        return r < 0 ? NULL : TAKE_PTR(text);
}

static char *thing_text(const HeldFile *file) {
        switch (file_rank(file)) {
        case RANK_GROUP:
                return string_format("group %s", file->name);
        case RANK_LEASE:
                return string_format("lease %s", file->name);
        case RANK_CONTAINER:
                return strdup("the container");
        case RANK_DEVICE:
        case _RANK_MAX:
                break;
        }
        /* Kernels before 6.18 do not tell of every device file which device it is of. */
        return strdup(file->name[0] ? file->name : "a device");
}

/* What files of that rank are of, over all holders, each once. */
static int collect_things(const HolderList *list, Rank rank, char ***things) {
        for (size_t h = 0; h < list->n_holders; h++) {
                const Holder *holder = &list->holders[h];

                for (size_t i = 0; i < holder->n_files; i++) {
                        _cleanup_free_ char *thing = NULL;

                        if (file_rank(&holder->files[i]) != rank)
                                continue;
                        thing = thing_text(&holder->files[i]);
                        if (!thing)
                                return -ENOMEM;
                        if (!strv_contains(*things, thing) && strv_push(things, thing) < 0)
                                return -ENOMEM;
                }
        }
        return 0;
}

static char *describe_things(const HolderList *list, Rank rank) {
        _cleanup_strv_ char **things = NULL;
        size_t n;

        if (collect_things(list, rank, &things) < 0)
                return NULL;
        if (!things)
                return strdup("the files");
        n = strv_length(things);
        if (n == 1)
                return strdup(things[0]);
        if (n == 2)
                return string_format("%s and %s", things[0], things[1]);
        return string_format("%s and %zu more", things[0], n - 1);
}

static char *live_sentence(const HolderList *list, bool taking) {
        const Holder *holder = holders_foremost(list);
        _cleanup_free_ char *who = NULL, *what = NULL;

        if (!holder)
                return strdup("no holder is to be seen any more");
        who = describe_process(list, holder);
        what = describe_things(list, holder_rank(holder));
        if (!who || !what)
                return NULL;
        return taking ? string_format("taking %s back from %s", what, who)
                      : string_format("waiting for %s to give back %s", who, what);
}

int holders_live_text(const HolderList *list, bool revoke, uint64_t deadline, uint64_t now,
                      char **ret_text, char **ret_rest) {
        bool over = deadline != 0 && deadline <= now;
        _cleanup_free_ char *text = live_sentence(list, revoke && over), *left = NULL, *rest = NULL;

        if (deadline == 0 || over) {
                rest = strdup("");
        } else {
                left = duration_text(deadline - now);
                rest = left ? string_format("; %s left", left) : NULL;
        }
        if (!text || !rest)
                return -ENOMEM;
        *ret_text = TAKE_PTR(text);
        *ret_rest = TAKE_PTR(rest);
        return 0;
}
