/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* daemon/util/list.h */

#include "daemon/util/list.h"

#include "tests/unit/fixture-check.h"

typedef struct Element {
        int value;
        List link;
} Element;

/* The values as the digits of one number. */
static int digits(const List *list) {
        int n = 0;

        list_for_each(link, (List *)list)
                n = n * 10 + container_of(link, Element, link)->value;
        return n;
}

START_TEST(elements_stay_in_the_order_of_their_insertion) {
        List list;
        Element a = {.value = 1}, b = {.value = 2}, c = {.value = 3};

        list_init(&list);
        ck_assert(list_is_empty(&list));
        list_insert(&list, &a.link);
        list_insert(&list, &c.link);
        list_insert(&c.link, &b.link);
        ck_assert_int_eq(digits(&list), 123);
        ck_assert(!list_is_empty(&list));
}
END_TEST

START_TEST(an_element_leaves_from_anywhere_and_twice) {
        List list;
        Element a = {.value = 1}, b = {.value = 2}, c = {.value = 3};

        list_init(&list);
        list_insert(&list, &a.link);
        list_insert(&list, &b.link);
        list_insert(&list, &c.link);
        list_remove(&b.link);
        list_remove(&b.link);
        ck_assert_int_eq(digits(&list), 13);
        list_remove(&c.link);
        list_remove(&a.link);
        ck_assert(list_is_empty(&list));
}
END_TEST

START_TEST(the_safe_loop_survives_the_removal_of_each_element) {
        List list;
        Element elements[5];
        int seen = 0;

        list_init(&list);
        for (int i = 0; i < 5; i++) {
                elements[i].value = i + 1;
                list_insert(&list, &elements[i].link);
        }
        list_for_each_safe(link, &list) {
                Element *element = container_of(link, Element, link);

                seen = seen * 10 + element->value;
                list_remove(link);
                element->link = (List){0};
        }
        ck_assert_int_eq(seen, 12345);
        ck_assert(list_is_empty(&list));
}
END_TEST

int main(void) {
        TCase *tests = tests_new("list");

        tcase_add_test(tests, elements_stay_in_the_order_of_their_insertion);
        tcase_add_test(tests, an_element_leaves_from_anywhere_and_twice);
        tcase_add_test(tests, the_safe_loop_survives_the_removal_of_each_element);
        return tests_run(tests);
}
