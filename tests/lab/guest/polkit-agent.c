/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An authentication agent of polkit for one process, that does as a person would: it gives the
 * password ("yes"), presses cancel ("no"), or takes no notice ("never"). As root, since it tells
 * polkit itself that the password was right (AuthenticationAgentResponse), instead of polkit's
 * helper. A line each on standard output: ready asked ACTION MESSAGE
 *
 *      polkit-agent PID yes|no|never
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define AUTHORITY                                                                                  \
        "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",                     \
                "org.freedesktop.PolicyKit1.Authority"
#define AGENT_PATH "/org/vfiod1/test/agent"
#define AGENT_INTERFACE "org.freedesktop.PolicyKit1.AuthenticationAgent"

typedef struct Agent {
        sd_bus *bus;
        const char *answer;
} Agent;

static void check(int r, const char *what) {
        if (r >= 0)
                return;
        (void)fprintf(stderr, "polkit-agent: %s: %s\n", what, strerror(-r));
        exit(EXIT_FAILURE);
}

/* Field 22 of stat, counted behind the name, which may have anything in it (proc(5)). */
static uint64_t start_time(const char *pid) {
        char path[64], text[1024] = "", *field;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
        file = fopen(path, "re");
        if (!file || !fgets(text, sizeof(text), file) || !(field = strrchr(text, ')')))
                check(-ESRCH, pid);
        (void)fclose(file);
        for (int i = 2; i < 22; i++)
                field = strchr(field + 1, ' ');
        return strtoull(field + 1, NULL, 10);
}

static int on_confirmed(sd_bus_message *reply, void *userdata,
                        sd_bus_error *error __attribute__((unused))) {
        sd_bus_message *question = userdata;

        const sd_bus_error *refused = sd_bus_message_get_error(reply);

        check(refused ? -EPERM : 0, refused ? refused->message : "");
        check(sd_bus_reply_method_return(question, NULL), "reply");
        sd_bus_message_unref(question);
        return 0;
}

/* Of the first one who may authenticate: a(sa{sv}), "unix-user" with "uid". */
static uint32_t read_identity(sd_bus_message *m) {
        const char *kind, *key;
        uint32_t uid;

        check(sd_bus_message_enter_container(m, 'a', "(sa{sv})"), "identities");
        check(sd_bus_message_enter_container(m, 'r', "sa{sv}"), "identity");
        check(sd_bus_message_read(m, "s", &kind), "kind of identity");
        check(sd_bus_message_enter_container(m, 'a', "{sv}"), "identity");
        check(sd_bus_message_read(m, "{sv}", &key, "u", &uid), "uid");
        return uid;
}

static int on_begin(sd_bus_message *m, void *userdata,
                    sd_bus_error *error __attribute__((unused))) {
        const Agent *agent = userdata;
        const char *action, *message, *icon, *cookie;
        uint32_t uid;

        check(sd_bus_message_read(m, "sss", &action, &message, &icon), "question");
        check(sd_bus_message_skip(m, "a{ss}"), "details");
        check(sd_bus_message_read(m, "s", &cookie), "cookie");
        uid = read_identity(m);
        (void)printf("asked %s %s\n", action, message);
        (void)fflush(stdout);
        if (strcmp(agent->answer, "no") == 0)
                return sd_bus_reply_method_errorf(m, "org.freedesktop.PolicyKit1.Error.Cancelled",
                                                  "dismissed");
        if (strcmp(agent->answer, "never") == 0)
                return 1;
        check(sd_bus_call_method_async(agent->bus, NULL, AUTHORITY, "AuthenticationAgentResponse",
                                       on_confirmed, sd_bus_message_ref(m), "s(sa{sv})", cookie,
                                       "unix-user", 1, "uid", "u", uid),
              "answer to polkit");
        return 1;
}

static int on_cancel(sd_bus_message *m, void *userdata __attribute__((unused)),
                     sd_bus_error *error __attribute__((unused))) {
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("BeginAuthentication", "sssa{ss}sa(sa{sv})", "", on_begin,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelAuthentication", "s", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int main(int argc, char **argv) {
        Agent agent = {.answer = argc == 3 ? argv[2] : NULL};
        int r;

        if (!agent.answer)
                check(-EINVAL, "usage: polkit-agent PID yes|no|never");
        check(sd_bus_open_system(&agent.bus), "system bus");
        check(sd_bus_add_object_vtable(agent.bus, NULL, AGENT_PATH, AGENT_INTERFACE, vtable,
                                       &agent),
              "object");
        check(sd_bus_call_method(agent.bus, AUTHORITY, "RegisterAuthenticationAgent", NULL, NULL,
                                 "(sa{sv})ss", "unix-process", 2, "pid", "u",
                                 (uint32_t)strtoul(argv[1], NULL, 10), "start-time", "t",
                                 start_time(argv[1]), "C", AGENT_PATH),
              "register with polkit");
        (void)puts("ready");
        (void)fflush(stdout);
        while ((r = sd_bus_process(agent.bus, NULL)) >= 0)
                if (r == 0)
                        check(sd_bus_wait(agent.bus, UINT64_MAX), "wait");
        sd_bus_unref(agent.bus);
        return EXIT_SUCCESS;
}
