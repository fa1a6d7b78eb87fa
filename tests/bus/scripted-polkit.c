/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A polkit that does what it is told, on standard input, and tells what it is asked, on standard
 * output; for test-authorise.py.
 *
 *   default ANSWER      for every question that no other rule is for; allow at first
 *   on WORD ANSWER      for questions about this device, or else of this action
 *   answer ANSWER       answers every question that hangs
 *   forget              takes all rules back
 *   sync                nothing, so that its "ok" comes after all that was written before
 * ANSWER is allow, kept (by an earlier authentication), deny, challenge, ask (challenge, until a
 * person may be asked, who hangs), fail (an error), gone (the error that polkit has for a
 * caller who left the bus), nonsense (a reply of another signature), hang, or die (leave the bus
 * without a word). Each line is answered by "ok". What hangs and is cancelled is answered by an
 * error, as polkit does.
 *
 *   check ID ACTION SUBJECT FLAGS KEY=VALUE...    the details in the order of their keys
 *   cancel ID
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "daemon/util/string.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ERROR "org.freedesktop.PolicyKit1.Error."

#define ALLOW_INTERACTION 1U

#define MAX 64

typedef struct Rule {
        char *word;
        char *answer;
} Rule;

static struct {
        char fallback[16];
        Rule rules[MAX];
        size_t n_rules;
        struct {
                sd_bus_message *question;
                char *id;
        } hanging[MAX];
        size_t n_hanging;
        char line[256];
        size_t n_line;
} polkit = {.fallback = "allow"};

static void check(int r, const char *what) {
        if (r >= 0)
                return;
        (void)fprintf(stderr, "scripted-polkit: %s: %s\n", what, strerror(-r));
        exit(EXIT_FAILURE);
}

static const char *answer_for(const char *word) {
        for (size_t i = 0; i < polkit.n_rules; i++)
                if (string_equal(polkit.rules[i].word, word))
                        return polkit.rules[i].answer;
        return NULL;
}

static void hang(sd_bus_message *m, const char *id) {
        if (polkit.n_hanging == MAX)
                check(-E2BIG, "questions that hang");
        polkit.hanging[polkit.n_hanging].question = sd_bus_message_ref(m);
        polkit.hanging[polkit.n_hanging++].id = strdup(id);
}

static sd_bus_message *take_hanging(size_t i) {
        sd_bus_message *m = polkit.hanging[i].question;

        free(polkit.hanging[i].id);
        polkit.hanging[i] = polkit.hanging[--polkit.n_hanging];
        return m;
}

static void answer(sd_bus_message *m, const char *how) {
        if (strcmp(how, "die") == 0)
                _exit(EXIT_SUCCESS);
        if (strcmp(how, "fail") == 0)
                check(sd_bus_reply_method_errorf(m, POLKIT_ERROR "Failed", "out of sorts"), how);
        else if (strcmp(how, "gone") == 0)
                check(sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                                 "Could not get UID of name ':1.7'"),
                      how);
        else if (strcmp(how, "nonsense") == 0)
                check(sd_bus_reply_method_return(m, "s", "yes"), how);
        else if (strcmp(how, "kept") == 0)
                check(sd_bus_reply_method_return(m, "(bba{ss})", true, false, 1,
                                                 "polkit.temporary_authorization_id", "tmpauthz1"),
                      how);
        else
                check(sd_bus_reply_method_return(m, "(bba{ss})", strcmp(how, "allow") == 0,
                                                 strcmp(how, "challenge") == 0, 0),
                      how);
}

static void read_details(sd_bus_message *m, char ***details) {
        const char *key, *value;

        check(sd_bus_message_enter_container(m, 'a', "{ss}"), "details");
        while (sd_bus_message_read(m, "{ss}", &key, &value) > 0)
                check(strv_push_consume(details, string_format("%s=%s", key, value)), "memory");
        check(sd_bus_message_exit_container(m), "details");
        strv_sort(*details);
}

/* The number of the process that a pidfd is of (proc(5), fdinfo); 0 for another file. */
static unsigned process_of(int pidfd) {
        _cleanup_free_ char *path = string_format("/proc/self/fdinfo/%d", pidfd);
        FILE *file = fopen(path, "re");
        unsigned pid = 0;
        char line[128];

        while (file && fgets(line, sizeof(line), file))
                (void)sscanf(line, "Pid: %u", &pid);
        if (file)
                (void)fclose(file);
        return pid;
}

static char *read_value(sd_bus_message *m) {
        const char *contents;
        union {
                const char *s;
                uint32_t u;
                int32_t i;
                uint64_t t;
                int h;
        } value;
        char *text = NULL;

        check(sd_bus_message_peek_type(m, NULL, &contents), "subject");
        check(sd_bus_message_enter_container(m, 'v', contents), "subject");
        check(sd_bus_message_read_basic(m, contents[0], &value), "subject");
        switch (contents[0]) {
        case 's':
                text = strdup(value.s);
                break;
        case 'u':
                text = string_format("%u", value.u);
                break;
        case 'i':
                text = string_format("%d", value.i);
                break;
        case 't':
                text = string_format("%lu", (unsigned long)value.t);
                break;
        case 'h':
                text = string_format("%u", process_of(value.h));
                break;
        default:
                check(-EINVAL, contents);
        }
        check(text ? sd_bus_message_exit_container(m) : -ENOMEM, "subject");
        return text;
}

/* "system-bus-name,name=:1.5": kind, and all its keys with their values; a pidfd's is the number of
 * its process. */
static char *read_subject(sd_bus_message *m) {
        const char *kind, *key;
        char *text = NULL;

        check(sd_bus_message_enter_container(m, 'r', "sa{sv}"), "subject");
        check(sd_bus_message_read(m, "s", &kind), "subject");
        check(string_append(&text, "%s", kind), "memory");
        check(sd_bus_message_enter_container(m, 'a', "{sv}"), "subject");
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                _cleanup_free_ char *value = NULL;

                check(sd_bus_message_read(m, "s", &key), "subject");
                value = read_value(m);
                check(string_append(&text, ",%s=%s", key, value), "memory");
                check(sd_bus_message_exit_container(m), "subject");
        }
        check(sd_bus_message_exit_container(m), "subject");
        check(sd_bus_message_exit_container(m), "subject");
        return text;
}

static int on_check(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_) {
        _cleanup_free_ char *subject = read_subject(m), *joined = NULL;
        _cleanup_strv_ char **details = NULL;
        const char *action, *id, *how = NULL;
        uint32_t flags;

        check(sd_bus_message_read(m, "s", &action), "action");
        read_details(m, &details);
        check(sd_bus_message_read(m, "us", &flags, &id), "flags");
        joined = strv_join(details, "|");
        (void)printf("check %s %s %s %u %s\n", id, action, subject, flags, string_or_empty(joined));
        (void)fflush(stdout);
        for (char **detail = details; detail && *detail && !how; detail++)
                if (string_after(*detail, "device="))
                        how = answer_for(string_after(*detail, "device="));
        how = how ?: answer_for(action) ?: polkit.fallback;
        if (strcmp(how, "ask") == 0)
                how = flags & ALLOW_INTERACTION ? "hang" : "challenge";
        if (strcmp(how, "hang") == 0)
                hang(m, id);
        else
                answer(m, how);
        return 1;
}

static int on_cancel(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_) {
        const char *id;

        check(sd_bus_message_read(m, "s", &id), "cancel");
        (void)printf("cancel %s\n", id);
        (void)fflush(stdout);
        for (size_t i = 0; i < polkit.n_hanging; i++)
                if (strcmp(polkit.hanging[i].id, id) == 0) {
                        sd_bus_message *question = take_hanging(i);

                        check(sd_bus_reply_method_errorf(question, POLKIT_ERROR "Cancelled",
                                                         "cancelled"),
                              id);
                        sd_bus_message_unref(question);
                        break;
                }
        return sd_bus_reply_method_return(m, NULL);
}

/* No vtable: that would not let a nonsensical reply pass. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        if (sd_bus_message_is_method_call(m, POLKIT_INTERFACE, "CheckAuthorization"))
                return on_check(m, userdata, error);
        if (sd_bus_message_is_method_call(m, POLKIT_INTERFACE, "CancelCheckAuthorization"))
                return on_cancel(m, userdata, error);
        return 0;
}

static void forget_rules(void) {
        for (size_t i = 0; i < polkit.n_rules; i++) {
                free(polkit.rules[i].word);
                free(polkit.rules[i].answer);
        }
        polkit.n_rules = 0;
        (void)strcpy(polkit.fallback, "allow");
}

static void obey(char *line) {
        const char *verb = strtok(line, " "), *first = strtok(NULL, " "),
                   *second = strtok(NULL, " ");

        if (string_equal(verb, "default") && first)
                (void)snprintf(polkit.fallback, sizeof(polkit.fallback), "%s", first);
        else if (string_equal(verb, "on") && second && polkit.n_rules < MAX)
                polkit.rules[polkit.n_rules++] =
                        (Rule){.word = strdup(first), .answer = strdup(second)};
        else if (string_equal(verb, "answer") && first) {
                for (size_t n = polkit.n_hanging; n > 0; n--) {
                        sd_bus_message *question = take_hanging(0);

                        answer(question, first);
                        sd_bus_message_unref(question);
                }
        } else if (string_equal(verb, "forget"))
                forget_rules();
        else if (!string_equal(verb, "sync"))
                check(-EINVAL, string_or_empty(verb));
        (void)puts("ok");
        (void)fflush(stdout);
}

static int on_input(sd_event_source *source, int fd, uint32_t events _unused_,
                    void *userdata _unused_) {
        ssize_t n;

        while ((n = read(fd, polkit.line + polkit.n_line, 1)) == 1) {
                if (polkit.line[polkit.n_line] != '\n') {
                        polkit.n_line = (polkit.n_line + 1) % (sizeof(polkit.line) - 1);
                        continue;
                }
                polkit.line[polkit.n_line] = '\0';
                polkit.n_line = 0;
                obey(polkit.line);
        }
        if (n == 0)
                (void)sd_event_exit(sd_event_source_get_event(source), 0);
        return 0;
}

int main(void) {
        sd_event *event = NULL;
        sd_bus *bus = NULL;

        check(sd_event_new(&event), "event loop");
        check(sd_bus_open_system(&bus), "system bus");
        check(sd_bus_add_object(bus, NULL, POLKIT_PATH, on_message, NULL), "object");
        check(sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL), "event loop");
        check(sd_bus_request_name(bus, POLKIT_NAME, 0), "name");
        check(fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK), "standard input");
        check(sd_event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, on_input, NULL), "event loop");
        (void)puts("ok");
        (void)fflush(stdout);
        check(sd_event_loop(event), "event loop");
        forget_rules();
        while (polkit.n_hanging > 0)
                sd_bus_message_unref(take_hanging(0));
        sd_bus_flush_close_unref(bus);
        sd_event_unref(event);
        return EXIT_SUCCESS;
}
