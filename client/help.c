/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "client/help.h"

#include "client/options.h"
#include "client/output.h"
#include "client/status.h"
#include "daemon/util/string.h"

#define HELP_COLUMN 26

static void print_entry(FILE *f, const char *left, const char *right) {
        static const Style style = {.width = OUTPUT_WIDTH_DEFAULT};

        fprintf(f, "  %s", left);
        output_wrapped_behind(f, &style, 2 + text_width(left), HELP_COLUMN, right);
}

/* What an option means to one verb alone; NULL: what it means to all. */
static const char *help_for(const Option *option, const Verb *verb) {
        static const struct {
                const char *verb;
                OptionBit bit;
                const char *help;
        } own[] = {
                {"qemu-args", OPTION_BIND,
                 "for exec with --bind, too: what would be on a vfio driver counts; moves nothing"},
                {"exec", OPTION_MEMLOCK,
                 "raise the limit of locked memory to at least that, for PROGRAM too: 4G, 512M"},
                {"auth", OPTION_MEMLOCK, "the limit of locked memory that would be asked for: 4G"},
        };

        for (size_t i = 0; verb && i < ELEMENTS(own); i++)
                if (own[i].bit == option->bit && string_equal(own[i].verb, verb->name))
                        return own[i].help;
        return option->help;
}

static void print_options(FILE *f, unsigned wanted, const Verb *verb) {
        for (const Option *option = all_options; option->name; option++) {
                char letter[] = {'-', option->letter, ',', ' ', '\0'};
                _cleanup_free_ char *left = NULL;

                if (!(wanted & option->bit))
                        continue;
                left = string_format("%s--%s%s%s%s", option->letter ? letter : "    ", option->name,
                                     option->optional ? "[="
                                     : option->value  ? " "
                                                      : "",
                                     string_or_empty(option->value), option->optional ? "]" : "");
                print_entry(f, string_or_empty(left), help_for(option, verb));
        }
}

static void print_statuses(FILE *f) {
        fputs("\nExit status:\n", f);
        for (int status = 0; status <= STATUS_INTERRUPTED; status++) {
                char number[16];

                if (!status_meaning((ExitStatus)status))
                        continue;
                snprintf(number, sizeof(number), "%d", status);
                print_entry(f, number, status_meaning((ExitStatus)status));
        }
}

void help_print(FILE *f, const Verb *verbs) {
        fputs("Usage: vfioctl [OPTION...] VERB [ARGUMENT...]\n\n"
              "Who may use which device through VFIO: asks vfiod(8).\n\nVerbs:\n",
              f);
        for (const Verb *verb = verbs; verb->name; verb++)
                print_entry(f, verb->name, verb->summary);
        fputs("\nOptions of every verb ('vfioctl VERB --help' has the others):\n", f);
        print_options(f, OPTIONS_GLOBAL, NULL);
        fputs("\nA TARGET is a PCI address with or without domain (0000:01:00.0, 01:00.0), a\n"
              "group (group/42), a network interface (eth0), an mdev UUID or a platform device.\n"
              "A device stands for its whole IOMMU group.\n",
              f);
        print_statuses(f);
}

void help_print_verb(FILE *f, const Verb *verb) {
        fprintf(f, "Usage: vfioctl %s%s%s\n\n%s.\n", verb->name, verb->synopsis[0] ? " " : "",
                verb->synopsis, verb->summary);
        if (verb->details)
                fprintf(f, "\n%s", verb->details);
        fputs("\nOptions:\n", f);
        print_options(f, verb->options | OPTIONS_GLOBAL, verb);
        print_statuses(f);
}
