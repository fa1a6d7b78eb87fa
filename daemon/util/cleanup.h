/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Scope-bound cleanup and explicit transfer of ownership. A cleanup variable only ever holds what
 * its own scope created; what is borrowed goes into a plain variable.
 */

#include <stdlib.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _unused_ __attribute__((unused))
#define _printf_(string, first) __attribute__((format(printf, string, first)))

/* func##p() for use with _cleanup_(); runs func on the variable unless it holds `empty`. */
#define DEFINE_TRIVIAL_CLEANUP(type, func, empty)                                                  \
        static inline _unused_ void func##p(type *p) {                                             \
                if (*p != (empty))                                                                 \
                        (void)func(*p);                                                            \
        }                                                                                          \
        struct cleanup_needs_a_semicolon_##func

static inline void cleanup_free(void *p) {
        free(*(void **)p);
}

#define _cleanup_free_ _cleanup_(cleanup_free)

/* Hands the value on and leaves the variable empty. */
#define TAKE_PTR(p)                                                                                \
        ({                                                                                         \
                __typeof__(p) _taken = (p);                                                        \
                (p) = NULL;                                                                        \
                _taken;                                                                            \
        })

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
