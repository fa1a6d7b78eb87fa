/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The conversation on the socket pair, SOCK_SEQPACKET:
 *   1. The daemon closes what it has given away and sends one byte; only then does the worker
 * begin, so that a last close, which resets a device, never happens in the daemon.
 *   2. The worker runs the plan. How far it is stands in shared memory (Progress). Before each step
 *      it looks whether the daemon has shut the socket down, which calls the plan off.
 *   3. What was seen is sent, one message a hold or finding; then what was opened, one message a
 *      file. When the plan has failed, so is what the worker was given and has not closed.
 * Nothing is sent before the whole plan is done: a file in flight would keep undo from closing it.
 *   4. The worker exits. End-of-file on the socket is the end of the plan for the daemon.
 */

#include "daemon/broker/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/broker/worker-message.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* By so much nicer than vfiod, a process gets a tenth of what vfiod would (sched(7)). */
#define NICER 10

struct Worker {
        WorkerClient client;
        pid_t pid;
        int socket;
        volatile Progress *progress; /* shared with the process */
        Handles opened;
        Results results;
        sd_event_source *io;
        sd_event_source *deadline;
        sd_event_source *child;
        bool closed; /* end-of-file was seen */
        bool exited;
        bool failed; /* it did not exit as it should, or what it said could not be taken */
};

/* Inside the worker process. */

static int compare_fds(const void *a, const void *b) {
        return *(const int *)a - *(const int *)b;
}

/* Closes everything above the standard streams but `keep`: bus connections, lease pipes, other
 * leases. */
static void close_all_but(int *keep, size_t n_keep) {
        unsigned from = 3;

        qsort(keep, n_keep, sizeof(int), compare_fds);
        for (size_t i = 0; i < n_keep; i++) {
                unsigned fd = (unsigned)keep[i];

                if (keep[i] < (int)from)
                        continue;
                if (fd > from)
                        (void)close_range(from, fd - 1, 0);
                from = fd + 1;
        }
        (void)close_range(from, ~0U, 0);
}

static int keep_only(const Roots *roots, int socket, int kept_fd, const Handles *files) {
        const int base[] = {roots->sys_fd, roots->dev_fd, roots->proc_fd, roots->modules_fd,
                            roots->run_fd, socket,        kept_fd};
        _cleanup_free_ int *keep = calloc(ELEMENTS(base) + files->n_handles, sizeof(int));
        size_t n = 0;

        if (!keep)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTS(base); i++)
                keep[n++] = base[i];
        for (size_t i = 0; i < files->n_handles; i++)
                keep[n++] = files->handles[i].fd;
        close_all_but(keep, n);
        return 0;
}

static bool is_cancelled(void *userdata) {
        char byte;

        return recv(*(int *)userdata, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static int send_file(int socket, const Handle *handle) {
        WorkerMessage message = {.kind = WORKER_MESSAGE_FILE,
                                 .file = {.kind = handle->kind, .group = handle->group}};

        if (handle->device)
                (void)strncpy(message.file.device, handle->device, ADDRESS_MAX);
        return fd_send(socket, &message, sizeof(message), handle->fd);
}

static int send_holds(int socket, const Holds *holds) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < holds->n_holds; i++) {
                const WorkerMessage message = {.kind = WORKER_MESSAGE_HOLD,
                                               .hold = holds->holds[i]};

                r = fd_send(socket, &message, sizeof(message), -EBADF);
        }
        for (size_t i = 0; r >= 0 && i < holds->n_untold; i++) {
                const WorkerMessage message = {.kind = WORKER_MESSAGE_UNTOLD,
                                               .untold = {.holds = holds->untold[i],
                                                          .n_more = holds->n_more,
                                                          .n_more_keepers = holds->n_more_keepers}};

                r = fd_send(socket, &message, sizeof(message), -EBADF);
        }
        return r;
}

static int send_results(int socket, const Handles *files, const Results *results, bool failed) {
        int r = send_holds(socket, &results->holds);

        for (size_t i = 0; r >= 0 && i < results->findings.n_findings; i++) {
                const WorkerMessage message = {.kind = WORKER_MESSAGE_FINDING,
                                               .finding = results->findings.findings[i]};

                r = fd_send(socket, &message, sizeof(message), -EBADF);
        }
        for (size_t i = 0; r >= 0 && i < files->n_handles; i++)
                if (files->handles[i].fresh || (failed && files->handles[i].given))
                        r = send_file(socket, &files->handles[i]);
        return r;
}

static _Noreturn void worker_main(const Roots *roots, const Plan *plan, Handles *files, int socket,
                                  const WorkerClient *client, volatile Progress *progress) {
        const ExecuteHost host = {
                .cancelled = is_cancelled, .userdata = &socket, .vfiod = getppid()};
        Results results = RESULTS_NULL;
        char byte;
        int r;

        /* The daemon has made the socket.
         * NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions) */
        if (keep_only(roots, socket, client->kept_fd, files) < 0 || recv(socket, &byte, 1, 0) != 1)
                _exit(EXIT_FAILURE);
        /* Where that is forbidden, it is a worker like others. */
        if (client->yields)
                (void)!nice(NICER);
        execute_plan(roots, plan, files, &results, progress, &host);
        r = send_results(socket, files, &results, progress->error < 0);
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Inside the daemon. */

static void worker_end_if_over(Worker *worker) {
        WorkerClient client = worker->client;
        Handles opened = worker->opened;
        Results results = worker->results;
        Progress progress = *worker->progress;

        if (!worker->closed || !worker->exited)
                return;
        /* What it has done without telling all of what came of it is broken off as well. */
        if (progress.error == 0 && (!progress.finished || worker->failed)) {
                progress.finished = false;
                progress.error = -EPIPE;
        } else if (!progress.finished && progress.undo_error == 0) {
                /* It died while undoing: undo_step is the one that was under way. */
                progress.undo_error = -EPIPE;
        }
        worker->opened = (Handles)HANDLES_NULL;
        worker->results = (Results)RESULTS_NULL;
        worker_free(worker);
        client.done(client.userdata, &progress, &opened, &results);
        handles_done(&opened);
        results_done(&results);
}

static int on_socket(sd_event_source *source _unused_, int fd, uint32_t events _unused_,
                     void *userdata) {
        Worker *worker = userdata;
        WorkerMessage message;
        int file, r;

        for (;;) {
                r = fd_receive(fd, &message, sizeof(message), &file);
                if (r == -EAGAIN || r == -EINTR)
                        return 0;
                if (r <= 0)
                        break;
                if (worker_message_take(&message, (size_t)r, file, &worker->opened,
                                        &worker->results) < 0)
                        worker->failed = true;
        }
        worker->closed = true;
        (void)sd_event_source_set_enabled(worker->io, SD_EVENT_OFF);
        worker_end_if_over(worker);
        return 0;
}

static int on_exit_of_child(sd_event_source *source _unused_, const siginfo_t *info,
                            void *userdata) {
        Worker *worker = userdata;

        worker->exited = true;
        if (info->si_code != CLD_EXITED || info->si_status != EXIT_SUCCESS)
                worker->failed = true;
        worker_end_if_over(worker);
        return 0;
}

static int on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Worker *worker = userdata;

        worker_cancel(worker);
        worker->client.late(worker->client.userdata, worker->progress->step);
        return 0;
}

void worker_cancel(Worker *worker) {
        (void)shutdown(worker->socket, SHUT_WR);
}

Worker *worker_free(Worker *worker) {
        if (!worker)
                return NULL;
        sd_event_source_disable_unref(worker->io);
        sd_event_source_disable_unref(worker->deadline);
        sd_event_source_disable_unref(worker->child);
        if (worker->progress)
                (void)munmap((void *)worker->progress, sizeof(Progress));
        fd_close(worker->socket);
        handles_done(&worker->opened);
        results_done(&worker->results);
        free(worker);
        return NULL;
}

DEFINE_TRIVIAL_CLEANUP(Worker *, worker_free, NULL);

static int worker_prepare(Worker *worker, int *ret_peer) {
        int sockets[2];
        void *shared;

        shared = mmap(NULL, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0);
        if (shared == MAP_FAILED)
                return -errno;
        worker->progress = shared;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
                return -errno;
        worker->socket = sockets[0];
        *ret_peer = sockets[1];
        return fcntl(worker->socket, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int worker_watch(Worker *worker, sd_event *event, uint64_t deadline_usec) {
        int r;

        r = sd_event_add_io(event, &worker->io, worker->socket, EPOLLIN, on_socket, worker);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &worker->deadline, CLOCK_MONOTONIC,
                                               deadline_usec, 0, on_deadline, worker);
        if (r >= 0)
                r = sd_event_add_child(event, &worker->child, worker->pid, WEXITED,
                                       on_exit_of_child, worker);
        return r;
}

/* All files of the worker. The fds and names stay borrowed: only the array is to be freed. */
static int join_files(const Handles *lent, const Handles *given, Handles *ret) {
        size_t n_lent = lent ? lent->n_handles : 0, n_given = given ? given->n_handles : 0;

        ret->handles = calloc(n_lent + n_given + 1, sizeof(Handle));
        if (!ret->handles)
                return -ENOMEM;
        for (size_t i = 0; i < n_lent + n_given; i++) {
                ret->handles[i] = i < n_lent ? lent->handles[i] : given->handles[i - n_lent];
                ret->handles[i].fresh = false;
                ret->handles[i].given = i >= n_lent;
        }
        ret->n_handles = n_lent + n_given;
        return 0;
}

int worker_start(sd_event *event, const Roots *roots, const Plan *plan, const Handles *lent,
                 Handles *given, uint64_t deadline_usec, const WorkerClient *client, Worker **ret) {
        _cleanup_(worker_freep) Worker *worker = calloc(1, sizeof(Worker));
        _cleanup_close_ int peer = -EBADF;
        Handles files = HANDLES_NULL;
        int r;

        if (!worker)
                return -ENOMEM;
        *worker = (Worker){.client = *client, .socket = -EBADF};
        r = worker_prepare(worker, &peer);
        if (r >= 0)
                r = join_files(lent, given, &files);
        if (r < 0)
                return r;

        worker->pid = fork();
        if (worker->pid == 0)
                worker_main(roots, plan, &files, peer, client, worker->progress);
        r = worker->pid < 0 ? -errno : 0;
        free(files.handles);
        if (r < 0)
                return r;

        r = worker_watch(worker, event, deadline_usec);
        if (r < 0) {
                (void)kill(worker->pid, SIGKILL);
                (void)waitpid(worker->pid, NULL, 0);
                return r;
        }
        if (given)
                handles_done(given);
        if (send(worker->socket, "", 1, MSG_NOSIGNAL) < 0)
                worker_cancel(worker);
        *ret = TAKE_PTR(worker);
        return 0;
}
