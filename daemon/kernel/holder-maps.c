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

/* The first mapping from `address` on. `name`, of PATH_MAX bytes, may be NULL. */
static int ask_next(int fd, uint64_t address, char *name, HolderRange *ret) {
        struct procmap_query_v1 query = {
                .size = sizeof(query),
                .query_flags = QUERY_SHARED | QUERY_COVERING_OR_NEXT | QUERY_FILE_BACKED,
                .query_addr = address,
                .vma_name_size = name ? PATH_MAX : 0,
                .vma_name_addr = (uintptr_t)name,
        };

        if (ioctl(fd, PROCMAP_QUERY_V1, &query) < 0)
                return -errno;
        *ret = (HolderRange){
                .first = query.vma_start,
                .end = query.vma_end,
                .offset = query.vma_offset,
                .dev = makedev(query.dev_major, query.dev_minor),
                .inode = query.inode,
                .anonymous = name && is_anonymous(name),
        };
        return 0;
}

/*
 * The same, and whether it may be VFIO's. A path that is too long to be told is a node's, if any:
 * by its inode it is known without.
 */
static int ask_of_next(HolderSearch *search, int fd, uint64_t address, HolderRange *ret,
                       bool *ret_wanted) {
        char name[PATH_MAX] = "";
        Hold hold;
        int r = ask_next(fd, address, name, ret);

        if (r != -ENAMETOOLONG) {
                *ret_wanted = r >= 0 && strstr(name, "vfio");
                return r;
        }
        r = ask_next(fd, address, NULL, ret);
        *ret_wanted = r >= 0 && holder_target_by_node(search, ret->dev, ret->inode, &hold);
        return r;
}

/*
 * A device can only be mapped shared, and most processes have next to nothing that is: a question
 * or two instead of a line for each library. -ENOTTY before Linux 6.11.
 */
static int ask(HolderSearch *search, int fd) {
        HolderRange range = {.end = 0};

        for (;;) {
                bool wanted;
                int r = ask_of_next(search, fd, range.end, &range, &wanted);

                if (r >= 0 && wanted)
                        r = add_range(search, &range);
                if (r < 0)
                        return r == -ENOENT ? 0 : r;
        }
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

static int take_line(void *userdata, const char *line) {
        HolderRange range;

        return parse_line(line, &range) ? add_range(userdata, &range) : 0;
}

/* What was read before an error is kept: the rest may be what a process does not want us to see. */
int holder_maps_read(HolderProcess *process, const char *path) {
        _cleanup_close_ int fd = openat(process->dir, path, O_RDONLY | O_CLOEXEC);
        HolderSearch *search = process->search;
        int r;

        search->n_ranges = 0;
        if (fd < 0)
                return -errno;
        r = ask(search, fd);
        if (r >= 0 || r == -ESRCH || !holder_passes(r))
                return r;
        search->n_ranges = 0;
        r = holder_lines_read(search, fd, "vfio", take_line, search);
        return r == 0 ? -ESRCH : r; /* as the question is answered */
}
