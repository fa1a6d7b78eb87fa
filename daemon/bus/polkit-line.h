/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whose turn it is to ask polkit. It answers one question after the other, everybody's; so of one
 * uid one is with it at a time, beside those that a person thinks about, and the others wait in a
 * line here, in which the uids take turns. How many may wait, limit.c says; what is asked,
 * authorise.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "daemon/util/list.h"

typedef struct PolkitLine {
        List waiting; /* PolkitQuestion.link: whoever may be first is first */
        List asked;   /* PolkitQuestion.link: with polkit */
        List resting; /* Rest.link */
        sd_event_source *rest_over;
        uint64_t last_id; /* a cancellation id, unique on our connection */
        uid_t last_uid;   /* of whom there was a question last */
        bool has_last;
        uint64_t several_until; /* more than one uid has asked lately: until then (CLOCK_MONOTONIC)
                                 */
        bool advancing;
} PolkitLine;

typedef struct PolkitQuestion PolkitQuestion;

/* Who asks. Each callback may leave the line, and may stand in it anew with another question. */
typedef struct PolkitAsker {
        uid_t uid;                    /* whom it is asked for */
        bool interactive;             /* a person may be asked, which may take long */
        uint64_t interactive_max;     /* for such: so many of the uid may be with polkit */
        void (*turn)(void *userdata); /* asks now, by polkit_question_send(), or leaves */
        /* The question is over. NULL: polkit has not answered in time, this one or, as long as this
         * one waited, another. */
        void (*answered)(void *userdata, sd_bus_message *reply);
        void *userdata;
} PolkitAsker;

int polkit_line_init(PolkitLine *line, sd_event *event);

/* All questions are over, and nobody hears of it. */
void polkit_line_done(PolkitLine *line);

/*
 * Stands in line, at the end; it may be its turn at once. *ret is set before that, and is good
 * until `answered` is called. -ENOMEM.
 */
int polkit_line_join(PolkitLine *line, const PolkitAsker *asker, PolkitQuestion **ret);

/* Of those of the uid that have not left, or of all. */
uint64_t polkit_line_count(const PolkitLine *line, uid_t uid);
uint64_t polkit_line_count_all(const PolkitLine *line);

/* By which polkit is told to give the question up; whoever asks for it must send it along. */
uint64_t polkit_question_id(PolkitQuestion *question);

/* For `turn`: asks on that bus, and waits that long for the answer. */
int polkit_question_send(PolkitQuestion *question, sd_bus *bus, sd_bus_message *m, uint64_t usec);

/* The answer is nobody's: a question that is with polkit is withdrawn. Accepts NULL; returns NULL.
 */
PolkitQuestion *polkit_question_leave(PolkitQuestion *question);
