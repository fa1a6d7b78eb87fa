/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The world of one bus test, and the clients' side of the conversation. */

#include "tests/bus/fixture-bus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/bus/bus-path.h"
#include "daemon/bus/bus-private.h"
#include "daemon/util/clock.h"
#include "daemon/util/fd.h"
#include "tests/bus/fake-journal.h"

#define CLIENTS_MAX 16
#define TURN_USEC 10000
/* A machine that runs four sanitised builds at once is slow. */
#define PATIENCE_SECONDS 60
#define TEST_TIMEOUT 180

static struct {
        char *directory;
        char *config_directory;
        sd_event *event;
        Broker *broker;
        Bus *bus;
        Client clients[CLIENTS_MAX];
        size_t n_clients;
        size_t fds_before;
        time_t began;
} world;

static void ensure(int r, const char *what) {
        ck_assert_msg(r >= 0, "%s: %s", what, strerror(-r));
}

size_t count_open_fds(void) {
        DIR *dir = opendir("/proc/self/fd");
        size_t n = 0;

        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        (void)closedir(dir);
        return n;
}

static void start_daemon(const Config *config) {
        Roots roots;

        ensure(roots_open(&roots), "roots");
        ensure(broker_new(world.event, config, &roots, &world.broker), "broker");
        ensure(broker_start(world.broker), "start broker");
        broker_set_config_directory(world.broker, world.config_directory);
        (void)broker_read_assignments(world.broker);
        ensure(bus_new(world.event, world.broker, &world.bus), "bus");
}

static void stop_daemon(void) {
        world.bus = bus_free(world.bus);
        world.broker = broker_free(world.broker);
}

void fixture_stop(void) {
        for (size_t i = 0; i < world.n_clients; i++)
                client_close(&world.clients[i]);
        stop_daemon();
}

void fixture_start(int directory, char *const *names, int first_fd) {
        Config config;

        config_init(&config);
        start_daemon(&config);
        ensure(broker_recover(world.broker, directory, names, first_fd), "recover");
}

void fixture_setup(void) {
        Config config;
        sigset_t mask;

        (void)sigemptyset(&mask);
        (void)sigaddset(&mask, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &mask, NULL);
        world.began = time(NULL);
        world.fds_before = count_open_fds();
        world.directory = fake_machine_new();
        config_init(&config);
        ensure(sd_event_new(&world.event), "event loop");
        world.config_directory = fake_machine_path("etc");
        ensure(mkdir(world.config_directory, 0755), "directory of the configuration");
        start_daemon(&config);
}

static void client_done(Client *client) {
        client_close(client);
        client->signals = strv_free(client->signals);
}

void fixture_teardown(void) {
        for (size_t i = 0; i < world.n_clients; i++)
                client_done(&world.clients[i]);
        stop_daemon();
        world.event = sd_event_unref(world.event);
        fake_machine_erase(world.directory);
        free(world.directory);
        free(world.config_directory);
        fake_journal_forget();
        ck_assert_msg(count_open_fds() == world.fds_before, "%zu files were open, now %zu are",
                      world.fds_before, count_open_fds());
}

TCase *bus_tests_new(const char *name) {
        TCase *tests = tcase_create(name);

        tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
        tcase_set_timeout(tests, TEST_TIMEOUT);
        return tests;
}

int bus_tests_run(TCase *tests) {
        Suite *suite = suite_create("bus");
        SRunner *runner;

        if (geteuid() != 0) {
                (void)puts("1..0 # SKIP without root the clients cannot be of several users");
                tcase_set_timeout(tests, 0);
                suite_add_tcase(suite, tests);
                runner = srunner_create(suite);
                srunner_free(runner);
                return EXIT_SUCCESS;
        }
        suite_add_tcase(suite, tests);
        runner = srunner_create(suite);
        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        srunner_free(runner);
        return EXIT_SUCCESS;
}

Config *fixture_config(void) {
        return (Config *)&broker_world(world.broker)->config;
}

Bus *fixture_bus(void) {
        return world.bus;
}

Broker *fixture_broker(void) {
        return world.broker;
}

sd_event *fixture_event(void) {
        return world.event;
}

void turn(void) {
        ensure(sd_event_run(world.event, TURN_USEC), "event loop");
        ck_assert_msg(time(NULL) - world.began < PATIENCE_SECONDS,
                      "what was waited for did not happen in %u s", PATIENCE_SECONDS);
}

void settle(void) {
        int r;

        do
                r = sd_event_run(world.event, TURN_USEC);
        while (r > 0);
        ensure(r, "event loop");
}

void expect_open_fds(size_t n) {
        uint64_t end = clock_now(CLOCK_MONOTONIC) + 10 * 1000 * 1000;

        wait_until(count_open_fds() == n || clock_now(CLOCK_MONOTONIC) >= end);
        ck_assert_uint_eq(count_open_fds(), n);
}

void turn_for(uint64_t usec) {
        uint64_t end = clock_now(CLOCK_MONOTONIC) + usec;

        wait_until(clock_now(CLOCK_MONOTONIC) >= end);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Client *client = userdata;
        _cleanup_free_ char *contents = NULL;

        if (!sd_bus_message_is_signal(m, NULL, NULL) ||
            sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", NULL))
                return 0;
        contents = render(m);
        ck_assert_int_ge(strv_push_consume(&client->signals,
                                           string_format("%s %s %s", sd_bus_message_get_member(m),
                                                         sd_bus_message_get_path(m), contents)),
                         0);
        return 0;
}

/* The kernel notes who makes the pair. */
void make_pair(uid_t uid, int ends[2]) {
        ck_assert_int_eq(seteuid(uid), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                         0);
        ck_assert_int_eq(seteuid(0), 0);
}

static Client *start_client(int end, bool fds) {
        Client *client = &world.clients[world.n_clients++];

        ck_assert_uint_le(world.n_clients, CLIENTS_MAX);
        ensure(sd_bus_new(&client->bus), "client");
        ensure(sd_bus_set_fd(client->bus, end, end), "client");
        ensure(sd_bus_negotiate_fds(client->bus, fds), "client");
        ensure(sd_bus_start(client->bus), "client");
        ensure(sd_bus_add_filter(client->bus, NULL, on_message, client), "client");
        ensure(sd_bus_attach_event(client->bus, world.event, SD_EVENT_PRIORITY_NORMAL), "client");
        return client;
}

static Client *connect_client(uid_t uid, bool fds) {
        int ends[2];

        make_pair(uid, ends);
        ensure(bus_add_peer(world.bus, ends[0]), "add connection");
        return start_client(ends[1], fds);
}

static _Noreturn void pass_on_pair(uid_t uid, int way) {
        int ends[2];

        make_pair(uid, ends);
        for (size_t i = 0; i < ELEMENTS(ends); i++)
                ensure(fd_send(way, "", 1, ends[i]), "pass the connection on");
        _exit(EXIT_SUCCESS);
}

Client *client_new_of_ended_process(uid_t uid) {
        int way[2], ends[2];
        pid_t pid;
        char byte;

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, way), 0);
        pid = fork();
        if (pid == 0)
                pass_on_pair(uid, way[1]);
        for (size_t i = 0; i < ELEMENTS(ends); i++)
                ensure(fd_receive(way[0], &byte, 1, &ends[i]), "take the connection over");
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        for (size_t i = 0; i < ELEMENTS(way); i++)
                fd_close(way[i]);
        ensure(bus_add_peer(world.bus, ends[0]), "add connection");
        return start_client(ends[1], true);
}

/* vfiod has read the end of its authentication, or has turned it away. */
static bool is_settled(const Client *client) {
        const Bus *bus = world.bus;
        const Connection *last = container_of(bus->connections.previous, Connection, link);

        if (sd_bus_is_open(client->bus) <= 0 || list_is_empty(&bus->connections))
                return true;
        return sd_bus_is_ready(client->bus) > 0 && sd_bus_is_ready(last->sd) > 0;
}

/* Nothing is told to who authenticates: what the test does next is not to be missed. */
static Client *authenticate(Client *client) {
        while (!is_settled(client))
                turn();
        return client;
}

Client *client_new(void) {
        return authenticate(connect_client(0, true));
}

Client *client_new_as(uid_t uid) {
        return authenticate(connect_client(uid, true));
}

Client *client_new_without_fds(void) {
        return connect_client(0, false);
}

void client_close(Client *client) {
        if (client->bus) {
                (void)sd_bus_detach_event(client->bus);
                sd_bus_close(client->bus);
        }
        client->bus = sd_bus_unref(client->bus);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        *(Message **)userdata = sd_bus_message_ref(reply);
        return 0;
}

static void begin_at(Client *client, Message **reply, const char *path, const char *interface,
                     const char *member, const char *types, va_list arguments) {
        _cleanup_message_ Message *m = NULL;

        *reply = NULL;
        ensure(sd_bus_message_new_method_call(client->bus, &m, NULL, path, interface, member),
               member);
        if (types && types[0])
                ensure(sd_bus_message_appendv(m, types, arguments), member);
        ensure(sd_bus_call_async(client->bus, NULL, m, on_reply, reply, UINT64_MAX), member);
}

void begin(Client *client, Message **reply, const char *member, const char *types, ...) {
        va_list arguments;

        va_start(arguments, types);
        begin_at(client, reply, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, member, types, arguments);
        va_end(arguments);
}

void begin_at_object(Client *client, Message **reply, const char *path, const char *interface,
                     const char *member, const char *types, ...) {
        va_list arguments;

        va_start(arguments, types);
        begin_at(client, reply, path, interface, member, types, arguments);
        va_end(arguments);
}

#define ASK(client, path, interface, member, types)                                                \
        ({                                                                                         \
                va_list _arguments;                                                                \
                Message *_reply;                                                                   \
                va_start(_arguments, types);                                                       \
                begin_at(client, &_reply, path, interface, member, types, _arguments);             \
                va_end(_arguments);                                                                \
                wait_until(_reply);                                                                \
                _reply;                                                                            \
        })

Message *ask(Client *client, const char *path, const char *interface, const char *member,
             const char *types, ...) {
        return ASK(client, path, interface, member, types);
}

Message *manager(Client *client, const char *member, const char *types, ...) {
        return ASK(client, VFIOD_PATH, VFIOD_INTERFACE_MANAGER, member, types);
}

Message *lease(Client *client, const char *path, const char *member, const char *types, ...) {
        return ASK(client, path, VFIOD_INTERFACE_LEASE, member, types);
}

static void render_into(Message *m, char **text);

static void render_container(Message *m, char type, const char *contents, char **text) {
        static const char *const brackets[] = {['a'] = "[]", ['v'] = "<>", ['r'] = "()"};
        const char *bracket = type == 'e' ? NULL : brackets[(unsigned char)type];

        ensure(sd_bus_message_enter_container(m, type, contents), "enter");
        if (bracket)
                ck_assert_int_ge(string_append(text, "%c", bracket[0]), 0);
        render_into(m, text);
        if (bracket)
                ck_assert_int_ge(string_append(text, "%c", bracket[1]), 0);
        ensure(sd_bus_message_exit_container(m), "exit");
}

static void render_basic(Message *m, char type, char **text) {
        union {
                const char *s;
                uint64_t t;
                uint32_t u;
                int32_t i;
                uint16_t q;
                uint8_t y;
        } value = {.t = 0};
        int r = 0;

        ensure(sd_bus_message_read_basic(m, type, &value), "read");
        switch (type) {
        case 's':
        case 'o':
                r = string_append(text, "\"%s\"", value.s);
                break;
        case 'b':
                r = string_append(text, "%s", value.i ? "true" : "false");
                break;
        case 't':
                r = string_append(text, "%lu", (unsigned long)value.t);
                break;
        case 'u':
                r = string_append(text, "%u", value.u);
                break;
        case 'i':
                r = string_append(text, "%d", value.i);
                break;
        case 'q':
                r = string_append(text, "%u", value.q);
                break;
        case 'y':
                r = string_append(text, "%u", value.y);
                break;
        case 'h':
                r = string_append(text, "fd");
                break;
        default:
                ck_abort_msg("a value of type %c is not expected", type);
        }
        ck_assert_int_ge(r, 0);
}

static void render_into(Message *m, char **text) {
        const char *contents;
        bool first = true;
        char type;

        while (sd_bus_message_peek_type(m, &type, &contents) > 0) {
                if (!first)
                        ck_assert_int_ge(string_append(text, " "), 0);
                first = false;
                if (strchr("avre", type))
                        render_container(m, type, contents, text);
                else
                        render_basic(m, type, text);
        }
}

char *render(Message *m) {
        char *text = strdup("");

        ensure(sd_bus_message_rewind(m, true), "rewind");
        render_into(m, &text);
        ensure(sd_bus_message_rewind(m, true), "rewind");
        return text;
}

char *property(Client *client, const char *path, const char *interface, const char *name) {
        _cleanup_message_ Message *reply =
                ask(client, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, name);
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        return strndup(text + 1, strlen(text) - 2);
}

char *device_object(const char *name) {
        char *path = path_of_device(name);

        ck_assert_ptr_nonnull(path);
        return path;
}

char *device_property(Client *client, const char *device, const char *name) {
        _cleanup_free_ char *path = device_object(device);

        return property(client, path, VFIOD_INTERFACE_DEVICE, name);
}

char *group_property(Client *client, uint32_t group, const char *name) {
        _cleanup_free_ char *path = path_of_group(group);

        return property(client, path, VFIOD_INTERFACE_GROUP, name);
}

void expect_done(Message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        ck_assert_msg(!error, "refused: %s: %s", error ? error->name : "",
                      error ? error->message : "");
}

void expect_error(Message *reply, const char *name, const char *subject) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        ck_assert_msg(error, "%s was expected, but it was done", name);
        ck_assert_msg(strcmp(error->name, name) == 0, "%s was expected, not %s: %s", name,
                      error->name, error->message);
        ck_assert_msg(strstr(string_or_empty(error->message), subject),
                      "the sentence of %s does not say '%s': %s", name, subject, error->message);
}

void expect_refusal(Message *reply, const char *name, const char *subject) {
        _cleanup_free_ char *whole = string_format(VFIOD_ERROR_PREFIX "%s", name);

        expect_error(reply, whole, subject);
}

void expect_lease(Client *client, const char *path, const char *name, const char *value) {
        _cleanup_free_ char *now = property(client, path, VFIOD_INTERFACE_LEASE, name);

        ck_assert_msg(strcmp(now, value) == 0, "%s is %s, not %s", name, now, value);
}

void expect_driver(const char *device, const char *driver) {
        _cleanup_free_ char *now = fake_machine_driver(device);

        ck_assert_msg(strcmp(now, driver) == 0, "%s is on '%s', not on '%s'", device, now, driver);
}

void expect_part(const char *text, const char *part) {
        ck_assert_msg(strstr(text, part), "'%s' is not in: %s", part, text);
}

void expect_text(Message *reply, const char *part) {
        _cleanup_free_ char *text = NULL;

        expect_done(reply);
        text = render(reply);
        expect_part(text, part);
}

size_t count_signals(const Client *client, const char *member, const char *path, const char *part) {
        size_t n = 0;

        for (char **signal = client->signals; signal && *signal; signal++) {
                const char *rest = string_after(*signal, member);

                if (rest && (!path || strstr(rest, path)) && (!part || strstr(rest, part)))
                        n++;
        }
        return n;
}

static void read_files(Message *m, Grant *grant) {
        const char *kind, *name;
        int fd;

        ensure(sd_bus_message_enter_container(m, 'a', "(ssh)"), "files");
        while (sd_bus_message_read(m, "(ssh)", &kind, &name, &fd) > 0) {
                ck_assert_uint_lt(grant->n_files, ELEMENTS(grant->files));
                ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
                grant->files[grant->n_files].kind = strdup(kind);
                grant->files[grant->n_files].name = strdup(name);
                grant->files[grant->n_files++].fd = fd_duplicate(fd);
        }
        ensure(sd_bus_message_exit_container(m), "files");
}

Grant grant_of(Message *reply) {
        _cleanup_message_ Message *owned = reply;
        Grant grant = {.lease_fd = -EBADF};
        const char *path;
        int fd;

        expect_done(owned);
        ensure(sd_bus_message_read(owned, "oh", &path, &fd), "lease");
        grant.path = strdup(path);
        grant.lease_fd = fd_duplicate(fd);
        read_files(owned, &grant);
        return grant;
}

Grant grant_of_files(Message *reply) {
        _cleanup_message_ Message *owned = reply;
        Grant grant = {.lease_fd = -EBADF};

        expect_done(owned);
        read_files(owned, &grant);
        if (sd_bus_message_at_end(owned, true) == 0)
                ensure(sd_bus_message_read(owned, "u", &grant.total), "total");
        return grant;
}

char *grant_text(const Grant *grant) {
        char *text = strdup("");

        for (size_t i = 0; i < grant->n_files; i++)
                ck_assert_int_ge(string_append(&text, "%s%s:%s", i > 0 ? "," : "",
                                               grant->files[i].kind, grant->files[i].name),
                                 0);
        return text;
}

void expect_files(const Grant *grant, const char *files) {
        _cleanup_free_ char *text = grant_text(grant);

        ck_assert_str_eq(text, files);
}

int grant_file(const Grant *grant, const char *kind, const char *name) {
        for (size_t i = 0; i < grant->n_files; i++)
                if (strcmp(grant->files[i].kind, kind) == 0 &&
                    strcmp(grant->files[i].name, name) == 0)
                        return grant->files[i].fd;
        ck_abort_msg("no %s '%s' was granted", kind, name);
        return -EBADF;
}

void grant_done(Grant *grant) {
        for (size_t i = 0; i < grant->n_files; i++) {
                free(grant->files[i].kind);
                free(grant->files[i].name);
                fd_close(grant->files[i].fd);
        }
        grant->n_files = 0;
        free(TAKE_PTR(grant->path));
        grant->lease_fd = fd_close(grant->lease_fd);
}

bool same_file(int a, int b) {
        pid_t pid = getpid();

        return syscall(SYS_kcmp, pid, pid, KCMP_FILE, a, b) == 0;
}
