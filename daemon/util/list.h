/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An intrusive, circular, doubly linked list. A List is both the head (in the owner) and the link
 * (in the element); a link's comment says which list it is on.
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct List List;

struct List {
        List *next;
        List *previous;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

static inline void list_init(List *list) {
        list->next = list;
        list->previous = list;
}

static inline bool list_is_empty(const List *list) {
        return list->next == list;
}

/* Puts `link` in front of `before`; with the head as `before`, at the end of the list. */
static inline void list_insert(List *before, List *link) {
        link->next = before;
        link->previous = before->previous;
        before->previous->next = link;
        before->previous = link;
}

/* Takes `link` off its list; harmless on a link that is on none but was initialised. */
static inline void list_remove(List *link) {
        link->previous->next = link->next;
        link->next->previous = link->previous;
        list_init(link);
}

#define list_for_each(link, list) for (List *link = (list)->next; link != (list); link = link->next)

/* The loop body may remove and free the element at `link`. */
#define list_for_each_safe(link, list)                                                             \
        for (List *link = (list)->next, *link##_next = link->next; link != (list);                 \
             link = link##_next, link##_next = link->next)
