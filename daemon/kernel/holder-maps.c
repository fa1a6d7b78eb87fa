/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of a process's memory has VFIO in its name: /proc/PID/maps, asked or read. */

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/kernel/holder-private.h"
#include "daemon/util/fd.h"
#include "daemon/util/string.h"

/* The kernel hands out about a page a read, whatever it is asked for. */
#define MAPS_STEP 65536

/* Linux 6.11, include/uapi/linux/fs.h, which the headers of older releases do not have. */
struct procmap_query_v1 {
        uint64_t size;
        uint64_t query_flags;
        uint64_t query_addr;
        uint64_t vma_start;
        uint64_t vma_end;
        uint64_t vma_flags;
        uint64_t vma_page_size;
        uint64_t vma_offset;
        uint64_t inode;
        uint32_t dev_major;
        uint32_t dev_minor;
        uint32_t vma_name_size;
        uint32_t build_id_size;
        uint64_t vma_name_addr;
        uint64_t build_id_addr;
};
#define PROCMAP_QUERY_V1 _IOWR('f', 17, struct procmap_query_v1)
#define QUERY_SHARED 0x08
#define QUERY_COVERING_OR_NEXT 0x10
#define QUERY_FILE_BACKED 0x20

static bool is_anonymous(const char *name) {
        return string_after(name, HOLDER_DEVICE_LINK) != NULL;
}

static int add_range(HolderSearch *search, const HolderRange *range) {
        HolderRange *grown = reallocarray(search->ranges, search->n_ranges + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        search->ranges = grown;
        grown[search->n_ranges++] = *range;
        return 0;
}

/*
 * A device can only be mapped shared, and most processes have next to nothing that is: a question
 * or two instead of a line for each library. -ENOTTY before Linux 6.11.
 */
static int ask(HolderSearch *search, int fd) {
        char name[PATH_MAX] = "";
        uint64_t next = 0;

        for (;;) {
                struct procmap_query_v1 query = {
                        .size = sizeof(query),
                        .query_flags = QUERY_SHARED | QUERY_COVERING_OR_NEXT | QUERY_FILE_BACKED,
                        .query_addr = next,
                        .vma_name_size = sizeof(name),
                        .vma_name_addr = (uintptr_t)name,
                };
                HolderRange range;
                int r;

                if (ioctl(fd, PROCMAP_QUERY_V1, &query) < 0)
                        return errno == ENOENT ? 0 : -errno;
                next = query.vma_end;
                if (!strstr(name, "vfio"))
                        continue;
                range = (HolderRange){
                        .first = query.vma_start,
                        .end = query.vma_end,
                        .offset = query.vma_offset,
                        .dev = makedev(query.dev_major, query.dev_minor),
                        .inode = query.inode,
                        .anonymous = is_anonymous(name),
                };
                r = add_range(search, &range);
                if (r < 0)
                        return r;
        }
}

static int make_room(HolderSearch *search, size_t used) {
        char *grown;

        if (search->maps_size - used > MAPS_STEP / 2)
                return 0;
        grown = realloc(search->maps, search->maps_size + MAPS_STEP);
        if (!grown)
                return -ENOMEM;
        search->maps = grown;
        search->maps_size += MAPS_STEP;
        return 0;
}

static int read_text(HolderSearch *search, int fd, size_t *ret_size) {
        size_t used = 0;

        for (;;) {
                ssize_t n;

                if (make_room(search, used) < 0)
                        return -ENOMEM;
                n = read(fd, search->maps + used, search->maps_size - used - 1);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                used += (size_t)n;
        }
        search->maps[used] = '\0';
        *ret_size = used;
        return 0;
}

/* "7f2c4000-7f2c5000 rw-s 10000000000 00:0e 1042     anon_inode:[vfio-device]" */
static bool parse_line(const char *line, HolderRange *ret) {
        unsigned major, minor;
        uint64_t inode;
        int name = 0;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64 " %n",
                   &ret->first, &ret->end, &ret->offset, &major, &minor, &inode, &name) != 6 ||
            name == 0)
                return false;
        ret->dev = makedev(major, minor);
        ret->inode = (ino_t)inode;
        ret->anonymous = is_anonymous(line + name);
        return true;
}

static int parse_text(HolderSearch *search, size_t size) {
        const char *maps = search->maps, *end = maps + size, *line, *hit = maps;
        int r = 0;

        while (r >= 0 && (hit = memmem(hit, (size_t)(end - hit), "vfio", strlen("vfio")))) {
                HolderRange range;

                line = memrchr(maps, '\n', (size_t)(hit - maps));
                hit += strcspn(hit, "\n");
                if (parse_line(line ? line + 1 : maps, &range))
                        r = add_range(search, &range);
        }
        return r;
}

int holder_maps_read(HolderProcess *process, const char *path) {
        _cleanup_close_ int fd = openat(process->dir, path, O_RDONLY | O_CLOEXEC);
        HolderSearch *search = process->search;
        size_t size = 0;
        int r;

        search->n_ranges = 0;
        if (fd < 0)
                return -errno;
        r = ask(search, fd);
        if (r != -ENOTTY && r != -ENAMETOOLONG)
                return r;
        search->n_ranges = 0;
        r = read_text(search, fd, &size);
        if (r >= 0 && size == 0)
                return -ESRCH; /* as the question is answered */
        return r < 0 ? r : parse_text(search, size);
}
