/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * monitor: every change that vfiod announces, one line each, until interrupted.
 *
 *     group/3 Bound=yes Viable=yes
 *     lease/7 added Id=7 Owner=1000 ...
 *     lease/7 removed
 *
 * The daemon is started if need be: without it there would be nothing to see. A line on stderr
 * says when watching has begun. Over the bus it goes on when the daemon stops, and shows when it
 * starts again; through the socket it ends with it.
 */

#include <errno.h>
#include <stdlib.h>

#include "client/manager.h"
#include "client/report.h"
#include "client/verb.h"
#include "daemon/util/string.h"
#include "protocol/names.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

#define BUS_DRIVER "org.freedesktop.DBus"

typedef struct Watch {
        const Arguments *a;
        /* The unique name that vfiod has now, "" for none; NULL where no bus is in between. Anybody
         * may send us a signal, at whose sender a match does not look. */
        char *vfiod;
} Watch;

/* "group/3" for "/org/vfiod1/group/3"; of a device the name, which the path has encoded. */
static char *subject_text(const char *path) {
        _cleanup_free_ char *device = NULL;
        const char *rest = string_after(path, VFIOD_PATH "/");

        if (sd_bus_path_decode(path, VFIOD_PATH_DEVICE, &device) > 0)
                return string_format("device/%s", device);
        return strdup(rest ? rest : path);
}

static int print_properties(json_object *properties) {
        json_object_object_foreach(properties, name, value) {
                _cleanup_free_ char *text = json_to_text(value);

                if (!text)
                        return -ENOMEM;
                printf(" %s=%s", name, text);
        }
        return 0;
}

/* `event` is a JSON object with Event, Path and what belongs to that event. */
static int print_event(const Arguments *a, json_object *event, const char *word) {
        _cleanup_free_ char *subject = NULL;
        json_object *properties = json_object_object_get(event, "Properties");
        int r = 0;

        if (a->json) {
                json_write_line(stdout, event);
                return 0;
        }
        subject = subject_text(json_get_string(event, "Path"));
        if (!subject)
                return -ENOMEM;
        printf("%s%s", subject, word);
        if (properties)
                r = print_properties(properties);
        putchar('\n');
        fflush(stdout);
        return r;
}

static int new_event(const char *name, const char *path, json_object **ret) {
        _cleanup_json_ json_object *event = json_object_new_object();
        int r;

        if (!event)
                return -ENOMEM;
        r = json_add(event, "Event", json_object_new_string(name));
        if (r >= 0)
                r = json_add(event, "Path", json_object_new_string(path));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(event);
        return 0;
}

static int add_value(sd_bus_message *m, json_object *event, const char *key) {
        json_object *value = NULL;
        int r;

        r = json_from_message(m, &value);
        return r < 0 ? r : json_add(event, key, value);
}

/* PropertiesChanged(s interface, a{sv} changed, as invalidated) */
static int on_properties_changed(const Arguments *a, sd_bus_message *m) {
        _cleanup_json_ json_object *event = NULL;
        int r;

        r = new_event("PropertiesChanged", sd_bus_message_get_path(m), &event);
        if (r >= 0)
                r = add_value(m, event, "Interface");
        if (r >= 0)
                r = add_value(m, event, "Properties");
        if (r >= 0)
                r = add_value(m, event, "Invalidated");
        return r < 0 ? r : print_event(a, event, "");
}

/* The interfaces that every object has, and that say nothing about it. */
static bool is_standard(const char *interface) {
        return string_after(interface, "org.freedesktop.DBus.") != NULL;
}

/* InterfacesAdded(o path, a{sa{sv}} interfaces): one event for each interface of ours. */
static int on_interfaces_added(const Arguments *a, sd_bus_message *m) {
        _cleanup_json_ json_object *interfaces = NULL;
        const char *path;
        int r;

        r = sd_bus_message_read(m, "o", &path);
        if (r < 0)
                return r;
        r = json_from_message(m, &interfaces);
        if (r < 0)
                return r;
        json_object_object_foreach(interfaces, interface, properties) {
                _cleanup_json_ json_object *event = NULL;

                if (is_standard(interface))
                        continue;
                r = new_event("InterfacesAdded", path, &event);
                if (r >= 0)
                        r = json_add(event, "Interface", json_object_new_string(interface));
                if (r >= 0)
                        r = json_add(event, "Properties", json_object_get(properties));
                if (r >= 0)
                        r = print_event(a, event, " added");
                if (r < 0)
                        return r;
        }
        return 0;
}

/* InterfacesRemoved(o path, as interfaces) */
static int on_interfaces_removed(const Arguments *a, sd_bus_message *m) {
        _cleanup_json_ json_object *event = NULL;
        const char *path;
        int r;

        r = sd_bus_message_read(m, "o", &path);
        if (r >= 0)
                r = new_event("InterfacesRemoved", path, &event);
        if (r >= 0)
                r = add_value(m, event, "Interfaces");
        return r < 0 ? r : print_event(a, event, " removed");
}

static int on_signal(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        const Watch *watch = userdata;
        const Arguments *a = watch->a;
        int r = 0;

        if (watch->vfiod && !string_equal(sd_bus_message_get_sender(m), watch->vfiod))
                return 0;
        if (sd_bus_message_is_signal(m, PROPERTIES, "PropertiesChanged"))
                r = on_properties_changed(a, m);
        else if (sd_bus_message_is_signal(m, OBJECT_MANAGER, "InterfacesAdded"))
                r = on_interfaces_added(a, m);
        else if (sd_bus_message_is_signal(m, OBJECT_MANAGER, "InterfacesRemoved"))
                r = on_interfaces_removed(a, m);
        if (r < 0)
                report_errno(r, "a signal cannot be shown, ignoring");
        return 0;
}

/* The daemon came or went. */
static int print_daemon(const Arguments *a, bool started) {
        _cleanup_json_ json_object *event = NULL;
        int r;

        r = new_event(started ? "Started" : "Stopped", VFIOD_PATH, &event);
        return r < 0 ? r : print_event(a, event, started ? " started" : " stopped");
}

/* NameOwnerChanged(s name, s old, s new) */
static int on_owner(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *reterr) {
        const char *name, *before, *after;
        Watch *watch = userdata;
        int r;

        if (!string_equal(sd_bus_message_get_sender(m), BUS_DRIVER))
                return 0;
        r = sd_bus_message_read(m, "sss", &name, &before, &after);
        if (r >= 0)
                r = string_set(&watch->vfiod, after);
        if (r >= 0)
                r = print_daemon(watch->a, after[0] != '\0');
        if (r < 0)
                report_errno(r, "a signal cannot be shown, ignoring");
        return 0;
}

/* Through the socket everything comes unasked, and the daemon's end is the connection's. */
static int watch_peer(vfiod_connection *c, const Watch *watch) {
        int r;

        r = connection_match(c, "type='signal',path_namespace='" VFIOD_PATH "'", on_signal, watch);
        if (r < 0)
                return r;
        report_note("watching " VFIOD_BUS_NAME);
        r = connection_run(c);
        (void)print_daemon(watch->a, false);
        return r;
}

static int find_vfiod(vfiod_connection *c, Watch *watch) {
        sd_bus_message *reply = NULL;
        const char *name;
        int r;

        r = sd_bus_call_method(c->bus, BUS_DRIVER, "/org/freedesktop/DBus", BUS_DRIVER,
                               "GetNameOwner", &c->error, &reply, "s", VFIOD_BUS_NAME);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &name);
        if (r >= 0)
                r = string_set(&watch->vfiod, name);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 0;
}

/* Whose name it is is asked when its changes are told already. */
static int watch_bus(vfiod_connection *c, Watch *watch) {
        int r;

        r = string_set(&watch->vfiod, "");
        if (r >= 0)
                r = connection_match(c,
                                     "type='signal',sender='" VFIOD_BUS_NAME
                                     "',path_namespace='" VFIOD_PATH "'",
                                     on_signal, watch);
        if (r >= 0)
                r = connection_match(c,
                                     "type='signal',sender='" BUS_DRIVER "',"
                                     "interface='" BUS_DRIVER "',member='NameOwnerChanged',"
                                     "arg0='" VFIOD_BUS_NAME "'",
                                     on_owner, watch);
        if (r >= 0)
                r = find_vfiod(c, watch);
        if (r < 0)
                return r;
        report_note("watching " VFIOD_BUS_NAME);
        return connection_run(c);
}

int verb_monitor(const Arguments *a) {
        _cleanup_connection_ vfiod_connection *c = NULL;
        Watch watch = {.a = a};
        int r;

        r = verb_connect(a, &c);
        if (r >= 0)
                r = manager_ping(c);
        if (r >= 0)
                r = connection_is_peer(c) ? watch_peer(c, &watch) : watch_bus(c, &watch);
        free(watch.vfiod);
        return r < 0 ? connection_report(c, r) : STATUS_OK;
}
