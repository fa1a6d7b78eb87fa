/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon/kernel/holders.h with real processes and the real /proc. A pipe is a lease; a memfd whose
 * name has "vfio" in it stands for a container, because both are told by comparing.
 */

#include "daemon/kernel/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/kernel/process.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"
#include "tests/unit/fixture-check.h"
#include "tests/unit/fixture-tree.h"

/* No process of ours has this parent. */
#define NO_VFIOD 0x7ffffffe
#define HELD 40

typedef struct Case {
        Roots roots;
        HolderSearch *search;
        int lease;     /* the write end */
        int child_end; /* the read end, which the child has as HELD */
        int container; /* the child has it as HELD + 1 */
        int ready;     /* tells that the child is */
        int child_ready;
        pid_t child;
} Case;

static void open_pipe(int *ret_read, int *ret_write) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        *ret_read = fds[0];
        *ret_write = fds[1];
}

/* `file` is told by comparing, as what `kind` says. */
static void start_with(Case *test, pid_t vfiod, HoldKind kind, int file,
                       void (*child)(Case *test)) {
        static const uint32_t group = 3;
        HolderReference references[2];

        *test = (Case){0};
        ck_assert_int_eq(roots_open(&test->roots), 0);
        open_pipe(&test->child_end, &test->lease);
        open_pipe(&test->ready, &test->child_ready);
        test->container = file;
        references[0] = (HolderReference){.kind = HOLD_LEASE, .group = 3, .fd = test->lease};
        references[1] = (HolderReference){.kind = kind, .group = 3, .fd = file};
        ck_assert_int_eq(
                holder_search_new(&test->roots, &group, 1, references, 2, vfiod, &test->search), 0);
        test->child = fork();
        if (test->child == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)prctl(PR_SET_NAME, "holder");
                child(test);
                _exit(99);
        }
        test->child_end = fd_close(test->child_end);
        test->child_ready = fd_close(test->child_ready);
        ck_assert_int_eq(read(test->ready, &(char){0}, 1), 1);
}

static void start(Case *test, pid_t vfiod, void (*child)(Case *test)) {
        start_with(test, vfiod, HOLD_CONTAINER, memfd_create("vfio", MFD_CLOEXEC), child);
}

static int reap(Case *test) {
        int status;

        ck_assert_int_eq(waitpid(test->child, &status, 0), test->child);
        test->child = 0;
        return status;
}

static void finish(Case *test) {
        if (test->child > 0) {
                (void)kill(test->child, SIGKILL);
                (void)reap(test);
        }
        test->search = holder_search_free(test->search);
        test->lease = fd_close(test->lease);
        test->ready = fd_close(test->ready);
        test->container = fd_close(test->container);
        roots_done(&test->roots);
}

#define _cleanup_case_ _cleanup_(finish)

static void take_files(const Case *test) {
        (void)dup3(test->child_end, HELD, O_CLOEXEC);
        (void)dup3(test->container, HELD + 1, O_CLOEXEC);
}

static void drop_originals(const Case *test) {
        (void)close(test->child_end);
        (void)close(test->lease);
        (void)close(test->container);
}

static _Noreturn void wait_for_ever(const Case *test) {
        (void)!write(test->child_ready, "", 1);
        for (;;)
                (void)pause();
}

static void hold(Case *test) {
        take_files(test);
        drop_originals(test);
        wait_for_ever(test);
}

static void hold_not(Case *test) {
        drop_originals(test);
        wait_for_ever(test);
}

static int take(void *userdata, const Hold *hold) {
        return holds_add(userdata, hold);
}

/* What the child has: of the others, this process and those of tests at the same time have some. */
static char *holds_of_child(const Holds *holds, const Case *test) {
        char *text = strdup("");

        for (size_t i = 0; i < holds->n_holds; i++)
                if (holds->holds[i].pid == test->child)
                        (void)string_append(&text, "%s%s %s%d", text[0] ? ", " : "",
                                            hold_kind_name(holds->holds[i].kind),
                                            holds->holds[i].tid == test->child ? "" : "thread ",
                                            holds->holds[i].fd);
        return text;
}

static void assert_child(Case *test, const char *expected) {
        _cleanup_holds_ Holds all = HOLDS_NULL, one = HOLDS_NULL;
        _cleanup_free_ char *of_all = NULL, *of_one = NULL;

        ck_assert_int_eq(holder_search_all(test->search, take, &all), 0);
        ck_assert_int_eq(holder_search_process(test->search, test->child, take, &one), 0);
        of_all = holds_of_child(&all, test);
        of_one = holds_of_child(&one, test);
        ck_assert_str_eq(of_all, expected);
        ck_assert_str_eq(of_one, expected);
}

static void find(Case *test, Hold *ret) {
        _cleanup_holds_ Holds holds = HOLDS_NULL;

        ck_assert_int_eq(holder_search_process(test->search, test->child, take, &holds), 0);
        ck_assert_uint_ge(holds.n_holds, 1);
        *ret = holds.holds[0];
}

static bool is_lease(HoldKind kind) {
        return kind == HOLD_LEASE;
}

START_TEST(a_process_is_found_by_its_files_and_lost_with_them) {
        _cleanup_case_ Case test;
        Hold hold_found;

        start(&test, NO_VFIOD, hold);
        assert_child(&test, "lease 40, container 41");
        find(&test, &hold_found);
        ck_assert_str_eq(hold_found.command, "holder");
        ck_assert_uint_eq(hold_found.uid, geteuid());
        ck_assert_uint_ne(hold_found.start_time, 0);
        (void)kill(test.child, SIGKILL);
        (void)reap(&test);
        assert_child(&test, "");
}
END_TEST

START_TEST(a_process_without_such_files_is_not_found) {
        _cleanup_case_ Case test;

        start(&test, NO_VFIOD, hold_not);
        assert_child(&test, "");
}
END_TEST

START_TEST(a_child_of_vfiod_is_neither_found_nor_signalled) {
        _cleanup_case_ Case test;
        Hold holder;

        start(&test, getpid(), hold);
        assert_child(&test, "");
        holder = (Hold){.kind = HOLD_LEASE, .pid = test.child};
        ck_assert_int_eq(holder_signal(test.search, &holder, is_lease, SIGKILL, NULL), -ESRCH);
        ck_assert_int_eq(kill(test.child, 0), 0);
}
END_TEST

/* A process that has ended and is not waited for is there, but has nothing. */
START_TEST(a_zombie_has_no_files) {
        _cleanup_case_ Case test;
        siginfo_t info;

        start(&test, NO_VFIOD, hold);
        (void)kill(test.child, SIGKILL);
        ck_assert_int_eq(waitid(P_PID, (id_t)test.child, &info, WEXITED | WNOWAIT), 0);
        assert_child(&test, "");
}
END_TEST

static void *hold_in_thread(void *userdata) {
        Case *test = userdata;

        (void)unshare(CLONE_FILES);
        take_files(test);
        wait_for_ever(test);
}

static void hold_in_own_table(Case *test) {
        pthread_t thread;

        (void)pthread_create(&thread, NULL, hold_in_thread, test);
        for (;;)
                (void)pause();
}

/* Until only its /proc entry is left, as long as there is another thread. */
static void await_end_of_first_thread(void) {
        char text[256] = "";
        ssize_t n;

        do {
                _cleanup_close_ int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

                n = read(fd, text, sizeof(text) - 1);
        } while (n < 0 || !(text[n] = '\0', strstr(text, ") Z ")));
}

/* The originals are closed in the table of the first thread only. */
static void *hold_after_the_first_thread(void *userdata) {
        Case *test = userdata;

        take_files(test);
        drop_originals(test);
        await_end_of_first_thread();
        wait_for_ever(test);
}

static void hold_with_first_thread_gone(Case *test) {
        pthread_t thread;

        (void)pthread_create(&thread, NULL, hold_after_the_first_thread, test);
        pthread_exit(NULL);
}

START_TEST(a_table_that_only_a_thread_has_is_found) {
        _cleanup_case_ Case test;
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        bool found = false;

        start(&test, NO_VFIOD, hold_in_own_table);
        ck_assert_int_eq(holder_search_process(test.search, test.child, take, &holds), 0);
        for (size_t i = 0; i < holds.n_holds; i++)
                if (holds.holds[i].tid != test.child && holds.holds[i].fd == HELD)
                        found = holds.holds[i].kind == HOLD_LEASE;
        ck_assert(found);
}
END_TEST

START_TEST(a_process_whose_first_thread_has_ended_is_found_and_signalled) {
        _cleanup_case_ Case test;
        Hold holder;

        start(&test, NO_VFIOD, hold_with_first_thread_gone);
        assert_child(&test, "lease thread 40, container thread 41");
        find(&test, &holder);
        ck_assert_int_eq(holder_signal(test.search, &holder, is_lease, SIGKILL, NULL), 0);
        ck_assert_int_eq(WTERMSIG(reap(&test)), SIGKILL);
}
END_TEST

START_TEST(a_signal_reaches_the_holder_and_the_pidfd_tells_its_end) {
        _cleanup_close_ int pidfd = -EBADF;
        _cleanup_case_ Case test;
        struct pollfd end;
        Hold holder;

        start(&test, NO_VFIOD, hold);
        find(&test, &holder);
        ck_assert_int_eq(holder_signal(test.search, &holder, is_lease, SIGUSR2, &pidfd), 0);
        end = (struct pollfd){.fd = pidfd, .events = POLLIN};
        ck_assert_int_eq(poll(&end, 1, 30000), 1);
        ck_assert_int_eq(WTERMSIG(reap(&test)), SIGUSR2);
        ck_assert_int_eq(holder_signal(test.search, &holder, is_lease, SIGUSR2, NULL), -ESRCH);
}
END_TEST

START_TEST(a_process_of_the_same_number_but_another_start_is_not_signalled) {
        _cleanup_case_ Case test;
        Hold holder;

        start(&test, NO_VFIOD, hold);
        find(&test, &holder);
        holder.start_time--;
        ck_assert_int_eq(holder_signal(test.search, &holder, is_lease, SIGKILL, NULL), -ESRCH);
        ck_assert_int_eq(kill(test.child, 0), 0);
}
END_TEST

static void let_go(int signal) {
        (void)close(HELD);
        (void)signal;
        (void)!write(HELD + 2, "", 1);
}

static void hold_until_asked(Case *test) {
        take_files(test);
        drop_originals(test);
        (void)dup3(test->child_ready, HELD + 2, O_CLOEXEC);
        (void)signal(SIGUSR1, let_go);
        wait_for_ever(test);
}

START_TEST(a_process_that_closed_the_file_since_is_not_signalled) {
        _cleanup_case_ Case test;
        Hold holder;

        start(&test, NO_VFIOD, hold_until_asked);
        find(&test, &holder);
        (void)kill(test.child, SIGUSR1);
        ck_assert_int_eq(read(test.ready, &(char){0}, 1), 1);
        ck_assert_int_eq(holder_signal(test.search, &holder, is_lease, SIGKILL, NULL), -ESRCH);
        assert_child(&test, "container 41");
}
END_TEST

/* A file that many directories deep, of which nothing remains but its long path. */
static int open_deep(int above, unsigned depth) {
        char name[201] = "vfio";
        int dir, file;

        memset(name + strlen(name), 'd', sizeof(name) - 1 - strlen(name));
        if (depth == 0) {
                file = openat(above, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
                ck_assert_int_ge(file, 0);
                (void)unlinkat(above, name, 0);
                return file;
        }
        ck_assert_int_eq(mkdirat(above, name, 0700), 0);
        dir = openat(above, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        file = open_deep(dir, depth - 1);
        (void)close(dir);
        (void)unlinkat(above, name, AT_REMOVEDIR);
        return file;
}

/* Any user can open one, and the kernel does not tell such a path. */
START_TEST(a_file_with_a_path_longer_than_a_page_is_found_and_does_not_end_the_search) {
        static const HoldKind kinds[] = {HOLD_CONTAINER, HOLD_IOMMUFD};

        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                _cleanup_free_ char *expected =
                        string_format("lease 40, %s 41", hold_kind_name(kinds[i]));
                _cleanup_close_ int dir = -EBADF;
                _cleanup_case_ Case test;
                _cleanup_tree_ Tree tree;
                char path[64], target[PATH_MAX];
                int file;

                tree_init(&tree);
                dir = tree_open(&tree, ".");
                file = open_deep(dir, 25);
                (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
                ck_assert_int_eq(readlink(path, target, sizeof(target)), -1);
                ck_assert_int_eq(errno, ENAMETOOLONG);
                start_with(&test, NO_VFIOD, kinds[i], file, hold);
                assert_child(&test, expected);
        }
}
END_TEST

/* Nobody may look into the others: those are passed over, and the search goes on. */
START_TEST(processes_that_we_may_not_look_into_are_passed_over) {
        _cleanup_case_ Case test;
        int status;
        pid_t pid;

        start(&test, NO_VFIOD, hold);
        pid = fork();
        if (pid == 0) {
                _cleanup_holds_ Holds holds = HOLDS_NULL;

                if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
                        _exit(2);
                _exit(holder_search_all(test.search, take, &holds) < 0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}
END_TEST

static void map_and_hold(Case *test) {
        (void)ftruncate(test->container, 8192);
        (void)mmap(NULL, 8192, PROT_READ, MAP_SHARED, test->container, 0);
        drop_originals(test);
        wait_for_ever(test);
}

static void *map_in_thread(void *userdata) {
        await_end_of_first_thread();
        map_and_hold(userdata);
        return NULL;
}

static void map_with_first_thread_gone(Case *test) {
        pthread_t thread;

        (void)pthread_create(&thread, NULL, map_in_thread, test);
        pthread_exit(NULL);
}

/* A tree of /sys and /dev in which the memfd of the case is the node of a device. */
static void init_node(Tree *tree, const Case *test) {
        char path[64];

        tree_init(tree);
        tree_mkdir(tree, "sys/devices/a");
        tree_link(tree, "sys/kernel/iommu_groups/3/devices/a", "../../../../devices/a");
        tree_write(tree, "sys/devices/a/vfio-dev/vfio0/dev", "1:2\n");
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), test->container);
        tree_link(tree, "dev/vfio/devices/vfio0", path);
        tree->roots.proc_fd = fd_close(tree->roots.proc_fd);
        tree->roots.proc_fd = fd_duplicate(test->roots.proc_fd);
}

START_TEST(a_mapping_is_found_in_the_memory_of_a_process_without_a_file) {
        static void (*const rows[])(Case *test) = {map_and_hold, map_with_first_thread_gone};

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                static const uint32_t group = 3;
                _cleanup_holds_ Holds holds = HOLDS_NULL;
                _cleanup_case_ Case test;
                _cleanup_tree_ Tree tree;

                start(&test, NO_VFIOD, rows[i]);
                init_node(&tree, &test);
                test.search = holder_search_free(test.search);
                ck_assert_int_eq(
                        holder_search_new(&tree.roots, &group, 1, NULL, 0, NO_VFIOD, &test.search),
                        0);
                ck_assert_int_eq(holder_search_process(test.search, test.child, take, &holds), 0);
                ck_assert_uint_eq(holds.n_holds, 1);
                ck_assert_int_eq(holds.holds[0].kind, HOLD_MAPPING);
                ck_assert_str_eq(holds.holds[0].device, "a");
                ck_assert_uint_eq(holds.holds[0].map_end - holds.holds[0].map_first, 8192);
        }
}
END_TEST

START_TEST(a_mapping_of_a_node_with_a_path_longer_than_a_page_is_found) {
        static const uint32_t group = 3;
        _cleanup_holds_ Holds holds = HOLDS_NULL;
        _cleanup_close_ int dir = -EBADF;
        _cleanup_case_ Case test;
        _cleanup_tree_ Tree deep, tree;

        tree_init(&deep);
        dir = tree_open(&deep, ".");
        start_with(&test, NO_VFIOD, HOLD_CONTAINER, open_deep(dir, 25), map_and_hold);
        init_node(&tree, &test);
        test.search = holder_search_free(test.search);
        ck_assert_int_eq(holder_search_new(&tree.roots, &group, 1, NULL, 0, NO_VFIOD, &test.search),
                         0);
        ck_assert_int_eq(holder_search_process(test.search, test.child, take, &holds), 0);
        ck_assert_uint_eq(holds.n_holds, 1);
        ck_assert_int_eq(holds.holds[0].kind, HOLD_MAPPING);
}
END_TEST

int main(void) {
        TCase *tests = tests_new("holders-live");
        int fd = dup(STDIN_FILENO);

        if (!process_same_file(getpid(), STDIN_FILENO, getpid(), fd)) {
                (void)puts("1..0 # SKIP kcmp(2) is not allowed here");
                return 0;
        }
        (void)close(fd);
        tcase_add_test(tests, a_process_is_found_by_its_files_and_lost_with_them);
        tcase_add_test(tests, a_process_without_such_files_is_not_found);
        tcase_add_test(tests, a_child_of_vfiod_is_neither_found_nor_signalled);
        tcase_add_test(tests, a_zombie_has_no_files);
        tcase_add_test(tests, a_table_that_only_a_thread_has_is_found);
        tcase_add_test(tests, a_process_whose_first_thread_has_ended_is_found_and_signalled);
        tcase_add_test(tests, a_signal_reaches_the_holder_and_the_pidfd_tells_its_end);
        tcase_add_test(tests, a_process_of_the_same_number_but_another_start_is_not_signalled);
        tcase_add_test(tests, a_process_that_closed_the_file_since_is_not_signalled);
        tcase_add_test(tests,
                       a_file_with_a_path_longer_than_a_page_is_found_and_does_not_end_the_search);
        tcase_add_test(tests, processes_that_we_may_not_look_into_are_passed_over);
        tcase_add_test(tests, a_mapping_is_found_in_the_memory_of_a_process_without_a_file);
        tcase_add_test(tests, a_mapping_of_a_node_with_a_path_longer_than_a_page_is_found);
        return tests_run(tests);
}
