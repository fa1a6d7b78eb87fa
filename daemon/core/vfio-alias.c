/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/core/vfio-alias.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "daemon/util/string.h"

static const struct {
        const char *bus;
        VfioDriver plain;
} buses[] = {
        {"pci", {"vfio-pci", "vfio_pci"}},    {"platform", {"vfio-platform", "vfio_platform"}},
        {"amba", {"vfio-amba", "vfio_amba"}}, {"fsl-mc", {"vfio-fsl-mc", "vfio_fsl_mc"}},
        {"cdx", {"vfio-cdx", "vfio_cdx"}},
};

int vfio_aliases_add_line(VfioAliases *aliases, const char *line) {
        const char *pattern = string_after(line, "alias "), *module;
        VfioAlias alias = {0}, *grown;
        size_t length;

        if (!pattern || !string_after(pattern, "vfio_pci:"))
                return 0;
        module = strchr(pattern, ' ');
        length = module ? strcspn(module + 1, " \n") : 0;
        if (length == 0)
                return 0;

        alias.pattern = strndup(pattern, (size_t)(module - pattern));
        alias.module = strndup(module + 1, length);
        grown = reallocarray(aliases->aliases, aliases->n_aliases + 1, sizeof(VfioAlias));
        if (grown)
                aliases->aliases = grown;
        if (!alias.pattern || !alias.module || !grown) {
                free(alias.pattern);
                free(alias.module);
                return -ENOMEM;
        }
        for (const char *c = alias.pattern; *c; c++)
                alias.wildcards += *c == '*';
        grown[aliases->n_aliases++] = alias;
        return 1;
}

void vfio_aliases_done(VfioAliases *aliases) {
        for (size_t i = 0; i < aliases->n_aliases; i++) {
                free(aliases->aliases[i].pattern);
                free(aliases->aliases[i].module);
        }
        free(aliases->aliases);
        *aliases = (VfioAliases)VFIO_ALIASES_NULL;
}

int vfio_driver_plain(const DeviceFacts *facts, VfioDriver *ret) {
        for (size_t i = 0; i < ELEMENTS(buses); i++)
                if (string_equal(facts->bus, buses[i].bus)) {
                        *ret = buses[i].plain;
                        return 0;
                }
        return -EOPNOTSUPP;
}

/* Equal matches are told apart by name, so that the order of modules.alias does not decide. */
static bool alias_is_better(const VfioAlias *alias, const VfioAlias *best) {
        if (!best || alias->wildcards != best->wildcards)
                return !best || alias->wildcards < best->wildcards;
        return strcmp(alias->module, best->module) < 0;
}

/* The device's modalias in the words of the vfio aliases; NULL off PCI and when memory ran out. */
static char *vfio_modalias(const DeviceFacts *facts) {
        const char *ids = device_facts_is_pci(facts) && facts->modalias
                                  ? string_after(facts->modalias, "pci:")
                                  : NULL;

        return ids ? string_format("vfio_pci:%s", ids) : NULL;
}

/* Variant drivers are named after their module (KBUILD_MODNAME); vfio-pci alone is not. */
static bool alias_is_variant(const VfioAlias *alias) {
        return strcmp(alias->module, "vfio_pci") != 0;
}

int vfio_driver_best(const VfioAliases *aliases, const DeviceFacts *facts, VfioDriver *ret) {
        _cleanup_free_ char *modalias = vfio_modalias(facts);
        const VfioAlias *best = NULL;

        for (size_t i = 0; modalias && i < aliases->n_aliases; i++)
                if (fnmatch(aliases->aliases[i].pattern, modalias, 0) == 0 &&
                    alias_is_better(&aliases->aliases[i], best))
                        best = &aliases->aliases[i];

        if (!best || !alias_is_variant(best))
                return vfio_driver_plain(facts, ret);
        *ret = (VfioDriver){.driver = best->module, .module = best->module};
        return 0;
}

static bool names_equal(const char *a, const char *b) {
        for (; *a && *b; a++, b++)
                if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
                        return false;
        return *a == *b;
}

int vfio_driver_named(const VfioAliases *aliases, const DeviceFacts *facts, const char *name,
                      VfioDriver *ret) {
        _cleanup_free_ char *modalias = vfio_modalias(facts);
        VfioDriver plain;

        if (vfio_driver_plain(facts, &plain) >= 0 && names_equal(plain.driver, name)) {
                *ret = plain;
                return 0;
        }
        for (size_t i = 0; modalias && i < aliases->n_aliases; i++) {
                const VfioAlias *alias = &aliases->aliases[i];

                if (alias_is_variant(alias) && names_equal(alias->module, name) &&
                    fnmatch(alias->pattern, modalias, 0) == 0) {
                        *ret = (VfioDriver){.driver = alias->module, .module = alias->module};
                        return 0;
                }
        }
        return -ENOENT;
}
