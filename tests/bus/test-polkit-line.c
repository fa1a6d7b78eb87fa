/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may ask polkit when: a line whose askers write down what becomes of them, and a polkit at the
 * other end of a socket pair that answers when it is told to. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "daemon/bus/polkit-line.h"
#include "daemon/bus/polkit.h"
#include "daemon/util/clock.h"
#include "daemon/util/string.h"

#define PATIENT_USEC (60 * 1000000ULL)
#define ASKERS_MAX 16

typedef struct Asker {
        char name[8]; /* its uid's letter and its number: "a1" */
        PolkitQuestion *question;
        uint64_t usec; /* how long it waits */
        bool shy;      /* leaves when it is its turn */
} Asker;

static struct {
        sd_event *event;
        sd_bus *bus, *polkit;
        uint64_t later; /* the clock is so many microseconds ahead */
        PolkitLine line;
        Asker askers[ASKERS_MAX];
        size_t n_askers;
        sd_bus_message *open[ASKERS_MAX]; /* that polkit has not answered */
        size_t n_open;
        char *at_polkit; /* "ask a1, withdraw vfiod-1, ..." */
        char *heard;     /* by the askers: "yes a1, late a2, ..." */
} world;

/* Instead of the real one. */
uint64_t clock_now(clockid_t clock) {
        struct timespec now;

        (void)clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 + world.later;
}

static void tell(char **story, const char *what, const char *who) {
        ck_assert_int_ge(string_append(story, "%s%s %s", *story ? ", " : "", what, who), 0);
}

/* Since the last look. Which side sees something first is nobody's to say: each has its own. */
static void expect_story(char **story, const char *wanted) {
        time_t began = time(NULL);

        /* What is not to happen would happen at once; what is to happen may be put off. */
        do
                while (sd_event_run(world.event, 10000) > 0)
                        continue;
        while (!string_equal(string_or_empty(*story), wanted) && time(NULL) - began < 20);
        ck_assert_str_eq(string_or_empty(*story), wanted);
        free(*story);
        *story = NULL;
}

static void expect_at_polkit(const char *story) {
        expect_story(&world.at_polkit, story);
}

static void expect_heard(const char *story) {
        expect_story(&world.heard, story);
}

static int on_polkit(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_) {
        const char *word = "mark";

        if (!sd_bus_message_is_method_call(m, NULL, "Get"))
                ck_assert_int_gt(sd_bus_message_read(m, "s", &word), 0);
        if (sd_bus_message_is_method_call(m, NULL, "CancelCheckAuthorization")) {
                tell(&world.at_polkit, "withdraw", word);
                return sd_bus_reply_method_return(m, NULL);
        }
        if (strcmp(word, "mark") != 0)
                tell(&world.at_polkit, "ask", word);
        world.open[world.n_open++] = sd_bus_message_ref(m);
        return 1;
}

static const char *name_of(sd_bus_message *question) {
        const char *name;

        if (sd_bus_message_is_method_call(question, NULL, "Get"))
                return "mark";
        ck_assert_int_ge(sd_bus_message_rewind(question, true), 0);
        ck_assert_int_gt(sd_bus_message_read(question, "s", &name), 0);
        return name;
}

static size_t find_open(const char *name) {
        for (;;) {
                for (size_t i = 0; i < world.n_open; i++)
                        if (strcmp(name_of(world.open[i]), name) == 0)
                                return i;
                ck_assert_int_ge(sd_event_run(world.event, UINT64_MAX), 0);
        }
}

static void polkit_answers(const char *name) {
        size_t i = find_open(name);
        sd_bus_message *question = world.open[i];

        world.open[i] = world.open[--world.n_open];
        ck_assert_int_ge(sd_bus_reply_method_return(question, NULL), 0);
        sd_bus_message_unref(question);
}

static void on_turn(void *userdata) {
        Asker *asker = userdata;
        sd_bus_message *m = NULL;

        if (asker->shy) {
                tell(&world.heard, "shy", asker->name);
                asker->question = polkit_question_leave(asker->question);
                return;
        }
        (void)polkit_question_id(asker->question);
        ck_assert_int_ge(sd_bus_message_new_method_call(world.bus, &m, NULL, POLKIT_PATH,
                                                        POLKIT_INTERFACE, "CheckAuthorization"),
                         0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", asker->name), 0);
        ck_assert_int_ge(polkit_question_send(asker->question, world.bus, m, asker->usec), 0);
        sd_bus_message_unref(m);
}

static void on_answered(void *userdata, sd_bus_message *reply) {
        Asker *asker = userdata;

        asker->question = NULL;
        tell(&world.heard,
             !reply                                        ? "late"
             : sd_bus_message_is_method_error(reply, NULL) ? "error"
                                                           : "yes",
             asker->name);
}

static Asker *join(const char *name, bool interactive, uint64_t usec, bool shy) {
        Asker *asker = &world.askers[world.n_askers++];
        PolkitAsker how = {
                .uid = (uid_t)name[0],
                .interactive = interactive,
                .interactive_max = 2,
                .turn = on_turn,
                .answered = on_answered,
                .userdata = asker,
        };

        *asker = (Asker){.usec = usec, .shy = shy};
        (void)snprintf(asker->name, sizeof(asker->name), "%s", name);
        ck_assert_int_eq(polkit_line_join(&world.line, &how, &asker->question), 0);
        return asker;
}

static Asker *asks(const char *name) {
        return join(name, false, PATIENT_USEC, false);
}

static Asker *asks_with_a_person(const char *name) {
        return join(name, true, PATIENT_USEC, false);
}

static void leaves(Asker *asker) {
        asker->question = polkit_question_leave(asker->question);
}

static sd_bus *start(int end, bool server) {
        sd_id128_t id = {0};
        sd_bus *bus;

        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, end, end), 0);
        if (server)
                ck_assert_int_ge(sd_bus_set_server(bus, true, id), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        ck_assert_int_ge(sd_bus_attach_event(bus, world.event, SD_EVENT_PRIORITY_NORMAL), 0);
        return bus;
}

static void setup(void) {
        int ends[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                         0);
        ck_assert_int_ge(sd_event_new(&world.event), 0);
        world.polkit = start(ends[0], true);
        world.bus = start(ends[1], false);
        ck_assert_int_ge(sd_bus_add_object(world.polkit, NULL, POLKIT_PATH, on_polkit, NULL), 0);
        ck_assert_int_ge(polkit_line_init(&world.line, world.event), 0);
}

static void teardown(void) {
        polkit_line_done(&world.line);
        for (size_t i = 0; i < world.n_open; i++)
                sd_bus_message_unref(world.open[i]);
        sd_bus_close_unref(world.bus);
        sd_bus_close_unref(world.polkit);
        sd_event_unref(world.event);
        free(world.at_polkit);
        free(world.heard);
}

START_TEST(polkit_is_asked_one_question_of_a_uid_at_a_time_in_their_order) {
        asks("a1");
        asks("a2");
        asks("a3");
        expect_at_polkit("ask a1");
        polkit_answers("a1");
        expect_heard("yes a1");
        expect_at_polkit("ask a2");
        polkit_answers("a2");
        expect_heard("yes a2");
        expect_at_polkit("ask a3");
        polkit_answers("a3");
        expect_heard("yes a3");
}
END_TEST

START_TEST(one_question_of_another_uid_waits_for_none_of_a_uid_that_has_many) {
        asks("a1");
        asks("a2");
        asks("b1");
        expect_at_polkit("ask a1, ask b1");
}
END_TEST

START_TEST(polkit_has_four_questions_at_once_and_then_the_uids_take_turns) {
        static const char *const names[] = {"a1", "b1", "c1", "d1", "e1", "e2", "f1", "g1"};

        for (size_t i = 0; i < ELEMENTS(names); i++)
                asks(names[i]);
        expect_at_polkit("ask a1, ask b1, ask c1, ask d1");
        polkit_answers("a1");
        expect_at_polkit("ask e1");
        polkit_answers("e1");
        expect_at_polkit("ask f1");
        while (!list_is_empty(&world.line.resting))
                ck_assert_int_ge(sd_event_run(world.event, UINT64_MAX), 0);
        polkit_answers("b1");
        expect_at_polkit("ask g1");
        polkit_answers("c1");
        expect_at_polkit("ask e2");
        expect_heard("yes a1, yes e1, yes b1, yes c1");
}
END_TEST

START_TEST(who_has_more_to_ask_lets_others_have_polkit_meanwhile) {
        asks("a1");
        asks("a2");
        expect_at_polkit("ask a1");
        world.later += 600 * 1000000ULL;
        polkit_answers("a1");
        expect_heard("yes a1");
        expect_at_polkit("");
        asks("b1");
        expect_at_polkit("ask b1");
        expect_at_polkit("ask a2");
}
END_TEST

/* Of a1, from its answer to the next question of its uid. */
static uint64_t rest_after(uint64_t took) {
        uint64_t answered;

        world.later += took;
        answered = clock_now(CLOCK_MONOTONIC);
        polkit_answers("a1");
        expect_heard("yes a1");
        expect_at_polkit("ask a2");
        return clock_now(CLOCK_MONOTONIC) - answered;
}

START_TEST(who_has_more_to_ask_rests_as_long_as_polkit_took_where_nobody_else_asks) {
        uint64_t took = 1000 * 1000;

        asks("a1");
        asks("a2");
        expect_at_polkit("ask a1");
        ck_assert_uint_lt(rest_after(took), 3 * took);
}
END_TEST

static void two_uids_ask(void) {
        asks("b1");
        asks("a1");
        expect_at_polkit("ask b1, ask a1");
}

START_TEST(and_three_times_as_long_where_others_ask) {
        uint64_t took = 200 * 1000;

        two_uids_ask();
        asks("a2");
        ck_assert_uint_ge(rest_after(took), 3 * took);
}
END_TEST

START_TEST(and_not_where_that_is_long_ago) {
        uint64_t took = 1000 * 1000;

        two_uids_ask();
        world.later += 11 * took;
        asks("a2");
        ck_assert_uint_lt(rest_after(took), 3 * took);
}
END_TEST

START_TEST(who_asks_one_question_after_the_other_need_not_wait) {
        asks("a1");
        expect_at_polkit("ask a1");
        world.later += 600 * 1000000ULL;
        polkit_answers("a1");
        expect_heard("yes a1");
        ck_assert(list_is_empty(&world.line.resting));
        asks("a2");
        expect_at_polkit("ask a2");
}
END_TEST

START_TEST(who_leaves_the_line_is_never_asked_about) {
        Asker *second;

        asks("a1");
        second = asks("a2");
        asks("a3");
        leaves(second);
        polkit_answers("a1");
        expect_heard("yes a1");
        expect_at_polkit("ask a1, ask a3");
}
END_TEST

START_TEST(who_leaves_while_polkit_is_at_it_keeps_the_turn_of_its_uid_and_hears_nothing) {
        Asker *first = asks("a1");

        asks("a2");
        expect_at_polkit("ask a1");
        leaves(first);
        expect_at_polkit("withdraw vfiod-1");
        polkit_answers("a1");
        expect_at_polkit("ask a2");
}
END_TEST

START_TEST(who_leaves_in_its_turn_leaves_it_to_the_next) {
        asks("a1");
        join("a2", false, PATIENT_USEC, true);
        asks("a3");
        polkit_answers("a1");
        expect_heard("yes a1, shy a2");
        expect_at_polkit("ask a1, ask a3");
}
END_TEST

START_TEST(a_question_for_a_person_is_in_the_way_until_polkit_has_come_to_it) {
        asks_with_a_person("a1");
        asks("a2");
        asks("b1");
        expect_at_polkit("ask a1, ask b1");
        polkit_answers("mark");
        expect_at_polkit("ask a2");
        polkit_answers("a1");
        expect_heard("yes a1");
}
END_TEST

START_TEST(a_question_for_a_person_that_is_answered_at_once_is_in_the_way_no_more) {
        asks_with_a_person("a1");
        asks("a2");
        polkit_answers("a1");
        expect_heard("yes a1");
        expect_at_polkit("ask a1, ask a2");
}
END_TEST

START_TEST(a_person_is_asked_two_questions_at_once_and_more_wait_in_nobodys_way) {
        Asker *first = asks_with_a_person("a1");

        asks_with_a_person("a2");
        asks_with_a_person("a3");
        asks("a4");
        polkit_answers("mark");
        polkit_answers("mark");
        expect_at_polkit("ask a1, ask a2, ask a4");
        asks_with_a_person("b1");
        expect_at_polkit("ask b1");
        polkit_answers("a4");
        leaves(first);
        expect_heard("yes a4");
        expect_at_polkit("withdraw vfiod-1");
        polkit_answers("a1");
        expect_at_polkit("ask a3");
}
END_TEST

START_TEST(when_polkit_is_late_with_one_all_that_wait_are_told_and_not_those_after) {
        join("a1", false, 1000, false);
        asks("a2");
        asks("a3");
        expect_heard("late a1, late a2, late a3");
        expect_at_polkit("ask a1, withdraw vfiod-1");
        asks("a4");
        expect_at_polkit("ask a4");
}
END_TEST

START_TEST(a_person_who_is_late_keeps_nobody_from_being_asked) {
        join("a1", true, 1000, false);
        asks("a2");
        asks("a3");
        expect_heard("late a1");
        expect_at_polkit("ask a1, withdraw vfiod-1, ask a2");
        polkit_answers("a2");
        expect_heard("yes a2");
        expect_at_polkit("ask a3");
}
END_TEST

START_TEST(a_polkit_that_goes_away_is_not_late) {
        asks("a1");
        expect_at_polkit("ask a1");
        sd_bus_close(world.polkit);
        expect_heard("error a1");
}
END_TEST

START_TEST(who_has_left_is_not_counted) {
        Asker *first = asks("a1"), *second = asks("a2");

        asks("b1");
        ck_assert_uint_eq(polkit_line_count(&world.line, 'a'), 2);
        ck_assert_uint_eq(polkit_line_count_all(&world.line), 3);
        leaves(first);
        leaves(second);
        ck_assert_uint_eq(polkit_line_count(&world.line, 'a'), 0);
        ck_assert_uint_eq(polkit_line_count_all(&world.line), 1);
        expect_at_polkit("ask a1, ask b1, withdraw vfiod-1");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("polkit-line");
        TCase *tests = tcase_create("polkit-line");
        SRunner *runner;

        tcase_set_timeout(tests, 60);
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, polkit_is_asked_one_question_of_a_uid_at_a_time_in_their_order);
        tcase_add_test(tests, one_question_of_another_uid_waits_for_none_of_a_uid_that_has_many);
        tcase_add_test(tests, polkit_has_four_questions_at_once_and_then_the_uids_take_turns);
        tcase_add_test(tests, who_has_more_to_ask_lets_others_have_polkit_meanwhile);
        tcase_add_test(tests,
                       who_has_more_to_ask_rests_as_long_as_polkit_took_where_nobody_else_asks);
        tcase_add_test(tests, and_three_times_as_long_where_others_ask);
        tcase_add_test(tests, and_not_where_that_is_long_ago);
        tcase_add_test(tests, who_asks_one_question_after_the_other_need_not_wait);
        tcase_add_test(tests, who_leaves_the_line_is_never_asked_about);
        tcase_add_test(
                tests,
                who_leaves_while_polkit_is_at_it_keeps_the_turn_of_its_uid_and_hears_nothing);
        tcase_add_test(tests, who_leaves_in_its_turn_leaves_it_to_the_next);
        tcase_add_test(tests, a_question_for_a_person_is_in_the_way_until_polkit_has_come_to_it);
        tcase_add_test(tests,
                       a_question_for_a_person_that_is_answered_at_once_is_in_the_way_no_more);
        tcase_add_test(tests, a_person_is_asked_two_questions_at_once_and_more_wait_in_nobodys_way);
        tcase_add_test(tests,
                       when_polkit_is_late_with_one_all_that_wait_are_told_and_not_those_after);
        tcase_add_test(tests, a_person_who_is_late_keeps_nobody_from_being_asked);
        tcase_add_test(tests, a_polkit_that_goes_away_is_not_late);
        tcase_add_test(tests, who_has_left_is_not_counted);
        suite_add_tcase(suite, tests);
        runner = srunner_create(suite);
        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        srunner_free(runner);
        return EXIT_SUCCESS;
}
