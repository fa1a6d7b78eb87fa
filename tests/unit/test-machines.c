/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Recorded machines (tests/data/machines): what kernel/ reads of each, and what core/ makes of it,
 * compared line by line with NAME/expected. A new recording needs nothing but its two files; with
 * VFIOD_RECORD set, what is read is printed, to be checked by eye and kept as `expected`.
 *
 * Arguments: the directory with the machines.
 */

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/core/topology.h"
#include "daemon/kernel/enumerate.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

static glob_t machines;

static void read_group(const Tree *tree, Topology *topology, uint32_t number) {
        _cleanup_strv_ char **members = NULL;
        GroupFacts facts;

        ck_assert_int_eq(read_group_facts(&tree->roots, number, &facts), 0);
        ck_assert_int_eq(topology_put_group(topology, &facts), TOPOLOGY_ADDED);
        ck_assert_int_eq(enumerate_members(&tree->roots, number, &members), 0);
        for (char **member = members; member && *member; member++) {
                DeviceFacts device;

                ck_assert_int_eq(
                        read_device_facts(&tree->roots, number, *member, NULL, false, &device), 0);
                ck_assert_int_eq(topology_put_device(topology, &device), TOPOLOGY_ADDED);
        }
}

static void read_machine(const Tree *tree, Topology *topology) {
        _cleanup_free_ uint32_t *numbers = NULL;
        size_t n = 0;

        ck_assert_int_eq(enumerate_groups(&tree->roots, &numbers, &n), 0);
        for (size_t i = 0; i < n; i++)
                read_group(tree, topology, numbers[i]);
}

static void describe_device(const Topology *topology, const Device *device, char **text) {
        const DeviceFacts *facts = &device->facts;
        _cleanup_free_ char *interfaces = strv_join(facts->interfaces, ",");

        (void)string_append(text,
                            "  %s %s %04x:%04x %04x:%04x class %06x header %u driver '%s' module "
                            "'%s' override '%s' cdev '%s' net '%s' numa %d: %s\n",
                            facts->bus, facts->name, facts->vendor, facts->device,
                            facts->subsystem_vendor, facts->subsystem_device, facts->class_code,
                            facts->header_type, facts->driver, facts->driver_module,
                            facts->driver_override ?: "none", facts->cdev, interfaces,
                            facts->numa_node, verdict_name(device_verdict(topology, device)));
}

static char *describe_machine(const Topology *topology) {
        char *text = strdup("");

        for (size_t i = 0; i < topology->n_groups; i++) {
                const Group *group = topology->groups[i];

                (void)string_append(&text, "group %u%s%s %s, %s\n", group->facts.number,
                                    string_is_empty(group->facts.name) ? "" : " ",
                                    group->facts.name, group->facts.type,
                                    group_is_bound(topology, group)    ? "bound"
                                    : group_is_viable(topology, group) ? "viable"
                                                                       : "not viable");
                for (size_t j = 0; j < group->facts.n_regions; j++)
                        (void)string_append(&text, "  reserved %#" PRIx64 "-%#" PRIx64 " %s\n",
                                            group->facts.regions[j].first,
                                            group->facts.regions[j].last,
                                            group->facts.regions[j].kind);
                for (size_t j = 0; j < group->n_members; j++)
                        describe_device(topology, group->members[j], &text);
        }
        return text;
}

/* Line by line, so that a difference is named and no more. */
static void assert_same_lines(const char *name, const char *text, const char *expected_file) {
        FILE *file = fopen(expected_file, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        ck_assert_msg(file, "%s", expected_file);
        while (getline(&line, &size, file) >= 0) {
                size_t n = strcspn(text, "\n");

                line[strcspn(line, "\n")] = '\0';
                ck_assert_msg(strlen(line) == n && strncmp(line, text, n) == 0,
                              "%s: read '%.*s', expected '%s'", name, (int)n, text, line);
                text += n + (text[n] == '\n');
        }
        ck_assert_msg(*text == '\0', "%s: read more than expected", name);
        (void)fclose(file);
}

START_TEST(a_recorded_machine_is_read_as_expected) {
        const char *directory = machines.gl_pathv[_i];
        _cleanup_free_ char *recording = string_format("%s/sysfs", directory);
        _cleanup_free_ char *expected = string_format("%s/expected", directory);
        _cleanup_free_ char *text = NULL;
        _cleanup_tree_ Tree tree;
        Topology topology;

        tree_init(&tree);
        tree_load(&tree, recording);
        topology_init(&topology, VIABILITY_BY_OWNER);
        read_machine(&tree, &topology);
        text = describe_machine(&topology);
        topology_done(&topology);
        if (getenv("VFIOD_RECORD"))
                (void)fprintf(stderr, "%s", text);
        assert_same_lines(directory, text, expected);
}
END_TEST

int main(int argc, char **argv) {
        TCase *tests = tests_new("machines");
        _cleanup_free_ char *pattern = string_format("%s/*", argc > 1 ? argv[1] : ".");
        int r;

        if (glob(pattern, GLOB_ONLYDIR, NULL, &machines) != 0)
                return EXIT_FAILURE;
        tcase_add_loop_test(tests, a_recorded_machine_is_read_as_expected, 0,
                            (int)machines.gl_pathc);
        r = tests_run(tests);
        globfree(&machines);
        return r;
}
