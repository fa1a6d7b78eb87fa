/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A question whose asker has left keeps its uid's turn until polkit has answered: polkit works on
 * it all the same, and whoever asks and leaves, over and over, is not to have more of it than
 * whoever waits.
 *
 * A question that a person may be asked is in the way like any other until polkit has come to it,
 * which is when it answers what was sent behind it: where there is no agent, the answer comes at
 * once, and asking again and again must gain nobody a second place. After that only the person is
 * waited for.
 *
 * A uid that has more to ask rests after an answer for as long as the question took, and for three
 * times as long where others have asked lately: so it has half of polkit's time at most, or a
 * quarter, and who asks now and then seldom finds polkit at work for it. Who always waits for one
 * answer before he asks again never rests, and is in the others' way with one question at most.
 *
 * polkit that has not answered one question in time is at work on none of those behind it: they are
 * told at once, and do not wait that long again, each in its turn. A person who does not answer has
 * nothing to do with them.
 */

#include "daemon/bus/polkit-line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/bus/polkit.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

/* In polkit's way at once: as many as keep it busy while an answer is on its way. */
#define AT_ONCE 4

#define REST_BESIDE_OTHERS 3
#define LATELY_USEC (10 * 1000 * 1000ULL)
/* A question that took longer is not what polkit usually takes. */
#define TOOK_MAX_USEC (1000 * 1000ULL)

/* A uid of which nothing is asked for now. */
typedef struct Rest {
        uid_t uid;
        uint64_t until; /* microseconds, CLOCK_MONOTONIC */
        List link;      /* PolkitLine.resting */
} Rest;

struct PolkitQuestion {
        PolkitLine *line;
        PolkitAsker asker;
        bool left;         /* nobody wants the answer */
        uint64_t id;       /* 0: it cannot be withdrawn */
        uint64_t asked_at; /* microseconds, CLOCK_MONOTONIC */
        uint64_t deadline; /* the same */
        sd_bus_slot *slot; /* NULL while it waits */
        sd_bus_slot *mark; /* interactive: what was sent behind it, NULL once that is answered */
        List link;         /* PolkitLine.waiting or .asked */
};

static void question_free(PolkitQuestion *question) {
        list_remove(&question->link);
        sd_bus_slot_unref(question->slot);
        sd_bus_slot_unref(question->mark);
        free(question);
}

static void free_all(List *questions) {
        list_for_each_safe(link, questions)
                question_free(container_of(link, PolkitQuestion, link));
}

static void rest_free(Rest *rest) {
        list_remove(&rest->link);
        free(rest);
}

void polkit_line_done(PolkitLine *line) {
        free_all(&line->waiting);
        free_all(&line->asked);
        list_for_each_safe(link, &line->resting)
                rest_free(container_of(link, Rest, link));
        line->rest_over = sd_event_source_disable_unref(line->rest_over);
}

static uint64_t count(const List *questions, bool of_uid, uid_t uid) {
        uint64_t n = 0;

        list_for_each(link, questions) {
                const PolkitQuestion *question = container_of(link, PolkitQuestion, link);

                n += !question->left && (!of_uid || question->asker.uid == uid);
        }
        return n;
}

uint64_t polkit_line_count(const PolkitLine *line, uid_t uid) {
        return count(&line->waiting, true, uid) + count(&line->asked, true, uid);
}

uint64_t polkit_line_count_all(const PolkitLine *line) {
        return count(&line->waiting, false, 0) + count(&line->asked, false, 0);
}

/* A person is being asked, or looked for. */
static bool has_passed(const PolkitQuestion *question) {
        return question->asker.interactive && question->slot && !question->mark;
}

static bool is_resting(const PolkitLine *line, uid_t uid) {
        list_for_each(link, &line->resting)
                if (container_of(link, Rest, link)->uid == uid)
                        return true;
        return false;
}

static bool may_be_asked(const PolkitQuestion *question) {
        const PolkitAsker *asker = &question->asker;
        uint64_t of_uid = 0, in_all = 0, interactive = 0;

        list_for_each(link, &question->line->asked) {
                const PolkitQuestion *other = container_of(link, PolkitQuestion, link);
                bool same = other->asker.uid == asker->uid;

                interactive += same && other->asker.interactive;
                if (has_passed(other))
                        continue;
                of_uid += same;
                in_all++;
        }
        return of_uid == 0 && in_all < AT_ONCE && !is_resting(question->line, asker->uid) &&
               (!asker->interactive || interactive < asker->interactive_max);
}

static PolkitQuestion *find_next(const PolkitLine *line) {
        list_for_each(link, &line->waiting) {
                PolkitQuestion *question = container_of(link, PolkitQuestion, link);

                if (may_be_asked(question))
                        return question;
        }
        return NULL;
}

static void move_to_end(List *list, List *link) {
        list_remove(link);
        list_insert(list, link);
}

/* Those of the uid go behind everybody who is in line by now. */
static void let_others_first(PolkitLine *line, uid_t uid) {
        List own;

        list_init(&own);
        list_for_each_safe(link, &line->waiting)
                if (container_of(link, PolkitQuestion, link)->asker.uid == uid)
                        move_to_end(&own, link);
        while (!list_is_empty(&own))
                move_to_end(&line->waiting, own.next);
}

/* What is called in here may have the line advance again: it goes on in this loop. */
static void advance(PolkitLine *line) {
        PolkitQuestion *question;

        if (line->advancing)
                return;
        line->advancing = true;
        while ((question = find_next(line))) {
                move_to_end(&line->asked, &question->link);
                let_others_first(line, question->asker.uid);
                question->asker.turn(question->asker.userdata);
        }
        line->advancing = false;
}

static void set_timer(const PolkitLine *line) {
        uint64_t next = UINT64_MAX, now = clock_now(CLOCK_MONOTONIC);

        list_for_each(link, &line->resting) {
                const Rest *rest = container_of(link, Rest, link);

                next = rest->until < next ? rest->until : next;
        }
        if (next == UINT64_MAX)
                return;
        (void)sd_event_source_set_time_relative(line->rest_over, next > now ? next - now : 0);
        (void)sd_event_source_set_enabled(line->rest_over, SD_EVENT_ONESHOT);
}

static int on_rest_over(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        PolkitLine *line = userdata;
        uint64_t now = clock_now(CLOCK_MONOTONIC);

        list_for_each_safe(link, &line->resting)
                if (container_of(link, Rest, link)->until <= now)
                        rest_free(container_of(link, Rest, link));
        set_timer(line);
        advance(line);
        return 0;
}

/* Before the asker has its answer: what it then asks is the next, and not one more. */
static void let_rest(const PolkitQuestion *question) {
        PolkitLine *line = question->line;
        uint64_t now = clock_now(CLOCK_MONOTONIC), took = now - question->asked_at;
        Rest *rest;

        if (has_passed(question) || count(&line->waiting, true, question->asker.uid) == 0)
                return;
        rest = calloc(1, sizeof(Rest));
        if (!rest)
                return;
        took = took < TOOK_MAX_USEC ? took : TOOK_MAX_USEC;
        rest->uid = question->asker.uid;
        rest->until = now + (now < line->several_until ? REST_BESIDE_OTHERS * took : took);
        list_insert(&line->resting, &rest->link);
        set_timer(line);
}

int polkit_line_init(PolkitLine *line, sd_event *event) {
        int r;

        *line = (PolkitLine){0};
        list_init(&line->waiting);
        list_init(&line->asked);
        list_init(&line->resting);
        r = sd_event_add_time(event, &line->rest_over, CLOCK_MONOTONIC, 0, 1, on_rest_over, line);
        return r < 0 ? r : sd_event_source_set_enabled(line->rest_over, SD_EVENT_OFF);
}

static void note_uid(PolkitLine *line, uid_t uid) {
        if (line->has_last && line->last_uid != uid)
                line->several_until = clock_now(CLOCK_MONOTONIC) + LATELY_USEC;
        line->last_uid = uid;
        line->has_last = true;
}

int polkit_line_join(PolkitLine *line, const PolkitAsker *asker, PolkitQuestion **ret) {
        PolkitQuestion *question = calloc(1, sizeof(PolkitQuestion));

        if (!question)
                return -ENOMEM;
        question->line = line;
        question->asker = *asker;
        list_insert(&line->waiting, &question->link);
        note_uid(line, asker->uid);
        *ret = question;
        advance(line);
        return 0;
}

uint64_t polkit_question_id(PolkitQuestion *question) {
        if (question->id == 0)
                question->id = ++question->line->last_id;
        return question->id;
}

static void withdraw(const PolkitQuestion *question) {
        char id[32];

        if (question->id == 0 || !question->slot)
                return;
        (void)snprintf(id, sizeof(id), POLKIT_ID, question->id);
        (void)sd_bus_call_method_async(sd_bus_slot_get_bus(question->slot), NULL, POLKIT_NAME,
                                       POLKIT_PATH, POLKIT_INTERFACE, "CancelCheckAuthorization",
                                       NULL, NULL, "s", id);
}

/* The asker may be gone, or in line again, when this returns. */
static void finish(PolkitQuestion *question, sd_bus_message *reply) {
        PolkitAsker asker = question->asker;
        bool left = question->left;

        question_free(question);
        if (!left)
                asker.answered(asker.userdata, reply);
}

/* Those who come meanwhile are not among them. */
static void give_up_waiting(PolkitLine *line) {
        List late;

        list_init(&late);
        while (!list_is_empty(&line->waiting))
                move_to_end(&late, line->waiting.next);
        while (!list_is_empty(&late))
                finish(container_of(late.next, PolkitQuestion, link), NULL);
}

/* A polkit that leaves the bus without an answer has the same error, but earlier. */
static bool is_late(const PolkitQuestion *question, sd_bus_message *reply) {
        return sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) &&
               clock_now(CLOCK_MONOTONIC) >= question->deadline;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        PolkitQuestion *question = userdata;
        PolkitLine *line = question->line;
        bool late = is_late(question, reply), interactive = question->asker.interactive;

        if (late)
                withdraw(question);
        else
                let_rest(question);
        finish(question, late ? NULL : reply);
        if (late && !interactive)
                give_up_waiting(line);
        advance(line);
        return 0;
}

static int on_mark(sd_bus_message *reply _unused_, void *userdata, sd_bus_error *error _unused_) {
        PolkitQuestion *question = userdata;

        question->mark = sd_bus_slot_unref(question->mark);
        advance(question->line);
        return 0;
}

/* The smallest thing that polkit answers in the order in which it was asked. */
static void send_mark(PolkitQuestion *question, sd_bus *bus) {
        (void)sd_bus_call_method_async(bus, &question->mark, POLKIT_NAME, POLKIT_PATH,
                                       "org.freedesktop.DBus.Properties", "Get", on_mark, question,
                                       "ss", POLKIT_INTERFACE, "BackendVersion");
}

int polkit_question_send(PolkitQuestion *question, sd_bus *bus, sd_bus_message *m, uint64_t usec) {
        int r;

        question->asked_at = clock_now(CLOCK_MONOTONIC);
        question->deadline = question->asked_at + usec;
        r = sd_bus_call_async(bus, &question->slot, m, on_answer, question, usec);
        if (r >= 0 && question->asker.interactive)
                send_mark(question, bus);
        return r;
}

/* One that waits has nobody waiting for it; what is left in its turn, advance() goes on from. */
PolkitQuestion *polkit_question_leave(PolkitQuestion *question) {
        if (question && question->slot) {
                withdraw(question);
                question->left = true;
        } else if (question)
                question_free(question);
        return NULL;
}
