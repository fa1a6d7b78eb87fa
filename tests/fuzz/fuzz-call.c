/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls of every method, by callers of every kind, on a machine where things happen. The input is
 * lines of words:
 *
 * - [+][@PATH] METHOD VALUE...: a call, with values as fuzz_append() has them; '+': the next line
 *   does not wait for its end. A word that is no method stands for one all the same.
 * - peer N, sender N: who calls from now on, a client of its own socket, or one on the bus; N
 *   chooses the user
 * - polkit WORD: what polkit answers from now on: yes, no, challenge, error, nonsense, silence
 * - drop: all replies so far are thrown away, with the files in them
 * - leave: whoever calls hangs up, or leaves the bus
 * - hold KIND GROUP PID DEVICE: somebody has that open
 * - fault WHAT ERRNO: the kernel refuses (fake_machine_fault())
 * - unplug N, plug N, move N: a device goes, comes, loses its driver
 *
 * With FUZZ_SHOW in the environment, each call and what came of it is printed.
 */

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "protocol/names.h"
#include "tests/bus/fake-machine.h"
#include "tests/fuzz/fuzz-bus.h"
#include "tests/fuzz/fuzz-world.h"
#include "tests/fuzz/fuzz.h"

#define LINES_MAX 40
#define USERS 4
#define REPLIES_MAX 64

typedef struct Method {
        const char *interface, *member, *types;
} Method;

static const Method methods[] = {
#include "tests/fuzz/methods.h"
        {"org.freedesktop.DBus.Properties", "Get", "ss"},
        {"org.freedesktop.DBus.Properties", "GetAll", "s"},
        {"org.freedesktop.DBus.Properties", "Set", "ssv"},
        {"org.freedesktop.DBus.Introspectable", "Introspect", ""},
        {"org.freedesktop.DBus.ObjectManager", "GetManagedObjects", ""},
        {"org.freedesktop.DBus.Peer", "Ping", ""},
};

static const uid_t users[USERS] = {0, 1000, 1001, 65534};

/* Of those of fake_machine_build(). */
static const char *const devices[] = {"0000:03:00.0", "0000:04:00.0", "0000:01:00.0",
                                      "0000:07:00.0"};

static const char *const faults[] = {
        "module",     "override",     "bind",          "unbind",     "probe",
        "open-group", "viable",       "set-container", "set-iommu",  "unset-container",
        "get-device", "open-iommufd", "alloc-ioas",    "read-iovas", "open-cdev",
        "bind-cdev",  "attach-cdev",  "detach-cdev",   "look",       "request",
        "quiesce",    "restore",      "reset",         "inspect",    "vfs",
        "autoprobe",  "create-mdev",  "remove-mdev",
};

typedef struct Scene {
        FuzzWorld world;
        sd_bus *peers[USERS];
        sd_bus *driver; /* the bus's end of vfiod's connection to it */
        unsigned user;
        bool on_bus;
        char polkit[16];
        sd_bus_message *replies[REPLIES_MAX];
        size_t n_replies;
} Scene;

/* What a reply is to. */
typedef struct Question {
        Scene *scene;
        const Method *method;
} Question;

static bool shows(void) {
        return getenv("FUZZ_SHOW") != NULL;
}

static unsigned number_of(const char *word) {
        return word ? (unsigned)strtoul(word, NULL, 10) : 0;
}

/* --- the bus, played */

static int reply_to_credentials(sd_bus_message *m) {
        const char *name = "";
        unsigned user;

        (void)sd_bus_message_read(m, "s", &name);
        user = string_after(name, ":1.") ? number_of(name + strlen(":1.")) % USERS : 0;
        return sd_bus_reply_method_return(m, "a{sv}", 2, "UnixUserID", "u", users[user],
                                          "ProcessID", "u", (uint32_t)getpid());
}

static int reply_as_polkit(const Scene *scene, sd_bus_message *m) {
        const char *word = scene->polkit;

        if (strcmp(word, "silence") == 0)
                return 0;
        if (strcmp(word, "error") == 0)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_SERVICE_UNKNOWN, "no polkit");
        if (strcmp(word, "nonsense") == 0)
                return sd_bus_reply_method_return(m, "s", "what?");
        return sd_bus_reply_method_return(m, "(bba{ss})", strcmp(word, "yes") == 0,
                                          strcmp(word, "challenge") == 0, 0);
}

static int on_message_to_bus(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        if (sd_bus_message_is_method_call(m, NULL, "Hello"))
                return sd_bus_reply_method_return(m, "s", ":1.99") < 0 ? 0 : 1;
        if (sd_bus_message_is_method_call(m, NULL, "GetConnectionCredentials"))
                return reply_to_credentials(m) < 0 ? 0 : 1;
        if (sd_bus_message_is_method_call(m, NULL, "NameHasOwner"))
                return sd_bus_reply_method_return(m, "b", true) < 0 ? 0 : 1;
        if (sd_bus_message_is_method_call(m, NULL, "CheckAuthorization"))
                return reply_as_polkit(userdata, m) < 0 ? 0 : 1;
        if (sd_bus_message_is_method_call(m, NULL, NULL))
                return sd_bus_reply_method_return(m, NULL) < 0 ? 0 : 1;
        return 0;
}

static void add_connection(Scene *scene, int fd, bool is_bus) {
        sd_bus *bus;
        sd_id128_t id;

        MUST(sd_bus_new(&bus) >= 0);
        MUST(sd_bus_set_fd(bus, fd, fd) >= 0);
        if (is_bus)
                MUST(sd_bus_set_bus_client(bus, true) >= 0);
        else
                MUST(sd_id128_randomize(&id) >= 0 && sd_bus_set_server(bus, true, id) >= 0);
        MUST(sd_bus_negotiate_fds(bus, true) >= 0);
        MUST(sd_bus_start(bus) >= 0);
        MUST(bus_add_connection(scene->world.bus, bus, is_bus) >= 0);
        sd_bus_unref(bus);
}

static sd_bus *begin_end(const Scene *scene, int fd, bool is_server) {
        sd_bus *bus;
        sd_id128_t id;

        MUST(sd_bus_new(&bus) >= 0);
        MUST(sd_bus_set_fd(bus, fd, fd) >= 0);
        if (is_server)
                MUST(sd_id128_randomize(&id) >= 0 && sd_bus_set_server(bus, true, id) >= 0);
        MUST(sd_bus_negotiate_fds(bus, true) >= 0);
        MUST(sd_bus_start(bus) >= 0);
        MUST(sd_bus_attach_event(bus, scene->world.event, SD_EVENT_PRIORITY_NORMAL) >= 0);
        return bus;
}

static sd_bus *end_connection(sd_bus *bus) {
        if (bus) {
                (void)sd_bus_detach_event(bus);
                sd_bus_close(bus);
        }
        return sd_bus_unref(bus);
}

static sd_bus *need_driver(Scene *scene) {
        int ends[2];

        if (scene->driver)
                return scene->driver;
        fuzz_socket_pair(0, ends);
        scene->driver = begin_end(scene, ends[1], true);
        MUST(sd_bus_add_filter(scene->driver, NULL, on_message_to_bus, scene) >= 0);
        add_connection(scene, ends[0], true);
        fuzz_world_settle(&scene->world);
        return scene->driver;
}

static sd_bus *need_peer(Scene *scene) {
        sd_bus **peer = &scene->peers[scene->user];
        int ends[2];

        if (*peer)
                return *peer;
        fuzz_socket_pair(users[scene->user], ends);
        add_connection(scene, ends[0], false);
        *peer = begin_end(scene, ends[1], false);
        return *peer;
}

/* --- calls */

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error _unused_) {
        const Question *question = userdata;
        Scene *scene = question->scene;
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        if (shows())
                (void)printf("%s.%s: %s%s%s\n", question->method->interface,
                             question->method->member, error ? error->name : "done",
                             error ? ": " : "", error ? string_or_empty(error->message) : "");
        if (scene->n_replies < REPLIES_MAX)
                scene->replies[scene->n_replies++] = sd_bus_message_ref(reply);
        return 0;
}

static void drop_replies(Scene *scene) {
        while (scene->n_replies > 0)
                sd_bus_message_unref(scene->replies[--scene->n_replies]);
}

static const char *usual_path(const Method *method) {
        if (strcmp(method->interface, VFIOD_INTERFACE_GROUP) == 0)
                return VFIOD_PATH_GROUP "/4";
        if (strcmp(method->interface, VFIOD_INTERFACE_DEVICE) == 0)
                return VFIOD_PATH_DEVICE "/0000_3a03_3a00_2e0";
        return strcmp(method->interface, VFIOD_INTERFACE_LEASE) == 0 ? VFIOD_PATH_LEASE "/1"
                                                                     : VFIOD_PATH;
}

/* What a dropped reply held may be what another call waits for, whose reply then comes. */
static void settle_and_drop(Scene *scene) {
        fuzz_world_settle(&scene->world);
        while (scene->n_replies > 0) {
                drop_replies(scene);
                fuzz_world_settle(&scene->world);
        }
}

/* "Group.ListHolders" or "ListGroups". */
static const Method *find_method(const char *word) {
        const char *dot = strrchr(word, '.'), *member = dot ? dot + 1 : word;
        unsigned sum = 0;

        for (size_t i = 0; i < ELEMENTS(methods); i++) {
                const char *interface = strrchr(methods[i].interface, '.') + 1;

                if (strcmp(methods[i].member, member) != 0)
                        continue;
                if (!dot || strncmp(interface, word, (size_t)(dot - word)) == 0)
                        return &methods[i];
        }
        for (; *word; word++)
                sum += (unsigned char)*word;
        return &methods[sum % ELEMENTS(methods)];
}

/* A pair of quotes is an empty word. */
static const char *next_word(FuzzValues *values) {
        const char *word = string_or_empty(fuzz_word(&values->rest));

        return strcmp(word, "''") == 0 ? "" : word;
}

static sd_bus_message *make_call(sd_bus *bus, const Scene *scene, const char *path,
                                 const Method *method, FuzzValues *values) {
        sd_bus_message *m = NULL;

        if (sd_bus_message_new_method_call(bus, &m, scene->on_bus ? VFIOD_BUS_NAME : NULL, path,
                                           method->interface, method->member) < 0)
                return NULL;
        if (scene->on_bus) {
                char sender[16];

                (void)snprintf(sender, sizeof(sender), ":1.%u", scene->user);
                MUST(sd_bus_message_set_sender(m, sender) >= 0);
        }
        if (!fuzz_append(m, method->types, values))
                return sd_bus_message_unref(m);
        return m;
}

static void call(Scene *scene, const char *path, const char *word, char *rest) {
        const Method *method = find_method(word);
        FuzzValues values = {.next = next_word, .rest = rest};
        sd_bus *bus = scene->on_bus ? need_driver(scene) : need_peer(scene);
        sd_bus_message *m = make_call(bus, scene, path ?: usual_path(method), method, &values);
        Question *question = calloc(1, sizeof(Question));
        sd_bus_slot *slot = NULL;

        MUST(question);
        *question = (Question){.scene = scene, .method = method};
        if (m && sd_bus_call_async(bus, &slot, m, on_reply, question, UINT64_MAX) >= 0) {
                MUST(sd_bus_slot_set_destroy_callback(slot, free) >= 0);
                MUST(sd_bus_slot_set_floating(slot, true) >= 0);
                sd_bus_slot_unref(slot);
        } else
                free(question);
        sd_bus_message_unref(m);
}

/* --- what happens meanwhile */

static void leave(Scene *scene) {
        sd_bus_message *m = NULL;
        char name[16];

        if (!scene->on_bus) {
                scene->peers[scene->user] = end_connection(scene->peers[scene->user]);
                return;
        }
        (void)snprintf(name, sizeof(name), ":1.%u", scene->user);
        MUST(sd_bus_message_new_signal(need_driver(scene), &m, "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "NameOwnerChanged") >= 0);
        MUST(sd_bus_message_set_sender(m, "org.freedesktop.DBus") >= 0);
        MUST(sd_bus_message_append(m, "sss", name, name, "") >= 0);
        (void)sd_bus_send(scene->driver, m, NULL);
        sd_bus_message_unref(m);
}

static void add_holder(char *rest) {
        const char *kind = fuzz_word(&rest), *group = fuzz_word(&rest), *pid = fuzz_word(&rest);
        const char *device = fuzz_word(&rest);
        Hold hold = {.kind = (HoldKind)(number_of(kind) % _HOLD_KIND_MAX),
                     .group = number_of(group),
                     /* No kernel gives out such a number. */
                     .pid = (pid_t)(5000000 + number_of(pid) % 1000),
                     .command = "holder"};

        hold.tid = hold.pid;
        if (hold_keeps_device(hold.kind))
                (void)snprintf(hold.device, sizeof(hold.device), "%s", string_or_empty(device));
        if (string_is_printable_utf8(hold.device))
                listed_holders_add(&hold);
}

static bool is_there(const char *device) {
        _cleanup_free_ char *path = fake_machine_path("sys/devices/%s", device);

        return access(path, F_OK) == 0;
}

static void change_machine(const char *what, unsigned n) {
        const char *device = devices[n % ELEMENTS(devices)];
        bool there = is_there(device);

        fuzz_world_spoil();
        if (strcmp(what, "unplug") == 0 && there) {
                fake_machine_remove(device);
                fake_machine_announce("remove", device);
        } else if (strcmp(what, "plug") == 0 && !there) {
                fake_machine_add(&(FakeDevice){.name = device,
                                               .group = n % 16,
                                               .vendor = 0x8086,
                                               .device = 0x100e,
                                               .class_code = 0x020000});
                fake_machine_announce("add", device);
        } else if (strcmp(what, "move") == 0 && there && !fake_machine_device_is_open(device)) {
                /* While it is open, whoever unbinds it would wait: here, in the only process. */
                _cleanup_free_ char *driver = fake_machine_driver(device);

                if (driver[0])
                        (void)fake_machine_unbind(device, driver);
                fake_machine_announce("unbind", device);
        }
}

static void add_fault(char *rest) {
        const char *what = string_or_empty(fuzz_word(&rest)), *error = fuzz_word(&rest);

        for (size_t i = 0; i < ELEMENTS(faults); i++)
                if (strcmp(what, faults[i]) == 0) {
                        fuzz_world_spoil();
                        /* 0 would wait for ever. */
                        fake_machine_fault(what, "any", 1 + (int)(number_of(error) % 130));
                }
}

static bool is_command(Scene *scene, const char *word, char *rest) {
        if (strcmp(word, "peer") == 0 || strcmp(word, "sender") == 0) {
                scene->on_bus = word[0] == 's';
                scene->user = number_of(fuzz_word(&rest)) % USERS;
        } else if (strcmp(word, "polkit") == 0)
                (void)snprintf(scene->polkit, sizeof(scene->polkit), "%s",
                               string_or_empty(fuzz_word(&rest)));
        else if (strcmp(word, "drop") == 0)
                drop_replies(scene);
        else if (strcmp(word, "leave") == 0)
                leave(scene);
        else if (strcmp(word, "hold") == 0)
                add_holder(rest);
        else if (strcmp(word, "fault") == 0)
                add_fault(rest);
        else if (strcmp(word, "plug") == 0 || strcmp(word, "unplug") == 0 ||
                 strcmp(word, "move") == 0)
                change_machine(word, number_of(fuzz_word(&rest)));
        else
                return false;
        return true;
}

static void run_line(Scene *scene, char *line) {
        bool goes_on = line[0] == '+';
        char *rest = line + goes_on, *word = fuzz_word(&rest), *path = NULL;

        if (word && word[0] == '@') {
                path = word + 1;
                word = fuzz_word(&rest);
        }
        if (word && !is_command(scene, word, rest))
                call(scene, path, word, rest);
        if (!goes_on)
                fuzz_world_settle(&scene->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        char *rest = text, *line;
        Scene scene = {.polkit = "yes"};

        fuzz_world_init(&scene.world);
        for (size_t i = 0; i < LINES_MAX && (line = fuzz_line(&rest)); i++)
                run_line(&scene, line);
        settle_and_drop(&scene);
        for (size_t i = 0; i < USERS; i++)
                scene.peers[i] = end_connection(scene.peers[i]);
        scene.driver = end_connection(scene.driver);
        fuzz_world_done(&scene.world);
        return 0;
}
