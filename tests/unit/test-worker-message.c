/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/broker/worker-message.h: what a worker sends is taken whole, and nothing else is taken. */

#include "daemon/broker/worker-message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"

typedef struct Taken {
        Handles opened;
        Results results;
} Taken;

static int open_file(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

/* Counts what was taken of the message. */
static size_t take(const WorkerMessage *message, size_t size, bool with_file, int expected) {
        Taken taken = {.results = RESULTS_NULL};
        size_t n;

        ck_assert_int_eq(worker_message_take(message, size, with_file ? open_file() : -EBADF,
                                             &taken.opened, &taken.results),
                         expected);
        n = taken.opened.n_handles + taken.results.holds.n_holds +
            taken.results.findings.n_findings;
        handles_done(&taken.opened);
        results_done(&taken.results);
        return n;
}

static void assert_taken(const WorkerMessage *message, bool with_file) {
        ck_assert_uint_eq(take(message, sizeof(*message), with_file, 0), 1);
}

static void assert_refused(const WorkerMessage *message, bool with_file) {
        ck_assert_uint_eq(take(message, sizeof(*message), with_file, -EBADMSG), 0);
}

static WorkerMessage file_message(HandleKind kind, const char *device) {
        WorkerMessage message = {.kind = WORKER_MESSAGE_FILE, .file = {.kind = kind, .group = 3}};

        (void)strncpy(message.file.device, device, ADDRESS_MAX);
        return message;
}

START_TEST(each_kind_of_file_is_taken_with_its_name) {
        static const struct {
                HandleKind kind;
                const char *device;
        } rows[] = {
                {HANDLE_CONTAINER, ""},          {HANDLE_GROUP, ""},
                {HANDLE_DEVICE, "0000:03:01.0"}, {HANDLE_IOMMUFD, ""},
                {HANDLE_CDEV, "0000:03:01.0"},
        };

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                WorkerMessage message = file_message(rows[i].kind, rows[i].device);
                Taken taken = {.results = RESULTS_NULL};

                ck_assert_int_eq(worker_message_take(&message, sizeof(message), open_file(),
                                                     &taken.opened, &taken.results),
                                 0);
                ck_assert_int_ge(handles_find(&taken.opened, rows[i].kind, 3,
                                              rows[i].device[0] ? rows[i].device : NULL),
                                 0);
                handles_done(&taken.opened);
        }
}
END_TEST

START_TEST(a_file_that_no_worker_sends_is_closed_and_not_taken) {
        WorkerMessage message = file_message(HANDLE_LEASE, "");

        assert_refused(&message, true);
        message = file_message(HANDLE_CLAIM, "");
        assert_refused(&message, true);
        message = file_message((HandleKind)1000, "");
        assert_refused(&message, true);
}
END_TEST

START_TEST(only_a_device_has_a_name_and_it_has_one) {
        WorkerMessage message = file_message(HANDLE_GROUP, "0000:03:01.0");

        assert_refused(&message, true);
        message = file_message(HANDLE_DEVICE, "");
        assert_refused(&message, true);
}
END_TEST

START_TEST(a_name_that_does_not_end_is_not_read) {
        WorkerMessage message = file_message(HANDLE_DEVICE, "");

        memset(message.file.device, 'a', sizeof(message.file.device));
        assert_refused(&message, true);
        message = (WorkerMessage){.kind = WORKER_MESSAGE_HOLD};
        memset(message.hold.unit, 'a', sizeof(message.hold.unit));
        assert_refused(&message, false);
        message = (WorkerMessage){.kind = WORKER_MESSAGE_HOLD};
        memset(message.hold.command, 'a', sizeof(message.hold.command));
        assert_refused(&message, false);
        message = (WorkerMessage){.kind = WORKER_MESSAGE_HOLD};
        memset(message.hold.device, 'a', sizeof(message.hold.device));
        assert_refused(&message, false);
        message = (WorkerMessage){.kind = WORKER_MESSAGE_FINDING};
        memset(message.finding.device, 'a', sizeof(message.finding.device));
        assert_refused(&message, false);
        message =
                (WorkerMessage){.kind = WORKER_MESSAGE_FINDING, .finding = {.kind = FINDING_RESET}};
        memset(message.finding.bytes, 'a', sizeof(message.finding.bytes));
        assert_refused(&message, false);
}
END_TEST

START_TEST(a_hold_or_a_finding_of_an_unknown_kind_is_not_taken) {
        WorkerMessage message = {.kind = WORKER_MESSAGE_HOLD, .hold = {.kind = _HOLD_KIND_MAX}};

        assert_refused(&message, false);
        message = (WorkerMessage){.kind = WORKER_MESSAGE_FINDING,
                                  .finding = {.kind = _FINDING_KIND_MAX}};
        assert_refused(&message, false);
        message = (WorkerMessage){.kind = (WorkerMessageKind)7};
        assert_refused(&message, false);
}
END_TEST

START_TEST(what_is_not_told_of_is_taken_with_its_numbers) {
        WorkerMessage message = {.kind = WORKER_MESSAGE_UNTOLD,
                                 .untold = {.holds = {.group = 3, .kinds = 1U << HOLD_CDEV},
                                            .n_more = 7,
                                            .n_more_keepers = 5}};
        Taken taken = {.results = RESULTS_NULL};

        for (int i = 0; i < 2; i++)
                ck_assert_int_eq(worker_message_take(&message, sizeof(message), -EBADF,
                                                     &taken.opened, &taken.results),
                                 0);
        ck_assert(holds_any(&taken.results.holds, 3, hold_keeps_device));
        ck_assert(!holds_any(&taken.results.holds, 4, hold_keeps_device));
        ck_assert_uint_eq(taken.results.holds.n_more, 7);
        ck_assert_uint_eq(taken.results.holds.n_more_keepers, 5);
        ck_assert_uint_eq(taken.results.holds.n_untold, 1);
        results_done(&taken.results);
        assert_refused(&message, true);
        message.untold.holds.kinds = 1U << _HOLD_KIND_MAX;
        assert_refused(&message, false);
}
END_TEST

START_TEST(data_that_is_longer_than_its_field_is_not_taken) {
        WorkerMessage message = {.kind = WORKER_MESSAGE_FINDING,
                                 .finding = {.kind = FINDING_HW_DATA, .values = {FINDING_BYTES}}};

        assert_taken(&message, false);
        message.finding.values[0]++;
        assert_refused(&message, false);
        message.finding = (Finding){.kind = FINDING_MDEV_TEXT, .values = {0, FINDING_BYTES}};
        assert_taken(&message, false);
        message.finding.values[1]++;
        assert_refused(&message, false);
}
END_TEST

START_TEST(a_file_comes_with_a_file_message_and_with_no_other) {
        WorkerMessage message = file_message(HANDLE_GROUP, "");

        assert_refused(&message, false);
        message = (WorkerMessage){.kind = WORKER_MESSAGE_HOLD};
        assert_refused(&message, true);
        assert_taken(&message, false);
        message = (WorkerMessage){.kind = WORKER_MESSAGE_FINDING};
        assert_refused(&message, true);
        assert_taken(&message, false);
}
END_TEST

START_TEST(a_message_that_is_cut_off_is_not_taken) {
        WorkerMessage message = file_message(HANDLE_GROUP, "");

        ck_assert_uint_eq(take(&message, sizeof(message) - 1, true, -EBADMSG), 0);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("worker-message");

        tcase_add_test(tests, each_kind_of_file_is_taken_with_its_name);
        tcase_add_test(tests, a_file_that_no_worker_sends_is_closed_and_not_taken);
        tcase_add_test(tests, only_a_device_has_a_name_and_it_has_one);
        tcase_add_test(tests, a_name_that_does_not_end_is_not_read);
        tcase_add_test(tests, a_hold_or_a_finding_of_an_unknown_kind_is_not_taken);
        tcase_add_test(tests, what_is_not_told_of_is_taken_with_its_numbers);
        tcase_add_test(tests, data_that_is_longer_than_its_field_is_not_taken);
        tcase_add_test(tests, a_file_comes_with_a_file_message_and_with_no_other);
        tcase_add_test(tests, a_message_that_is_cut_off_is_not_taken);
        return tests_run(tests);
}
