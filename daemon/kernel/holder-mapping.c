/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which device a mapping is of. /proc/PID/maps says so of a device that was opened by its node. Of
 * one that was got from a group it shows the same name, inode and device number for all; page
 * frames are no help either, because /proc/PID/pagemap leaves mappings of VM_PFNMAP out
 * (mm/pagewalk.c, walk_page_test()). What remains is to rule out every other device.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/kernel/holder-private.h"

/* A mapping may lose a part, and be two then. */
static bool is_within(const HolderRange *part, const HolderRange *whole) {
        return part->first >= whole->first && part->end <= whole->end &&
               part->first - whole->first == part->offset - whole->offset &&
               part->anonymous == whole->anonymous;
}

/* A device that was quiesced shows nothing any more that would tell it; the mapping is still it. */
static bool tell_by_memory(const HolderProcess *process, const HolderRange *range, Hold *hold) {
        for (size_t i = 0; i < process->search->n_mappings; i++) {
                const HolderMapping *mapping = &process->search->mappings[i];

                if (mapping->pid != process->who.pid ||
                    mapping->start_time != process->who.start_time ||
                    !is_within(range, &mapping->range))
                        continue;
                hold->group = mapping->group;
                memcpy(hold->device, mapping->device, sizeof(hold->device));
                return true;
        }
        return false;
}

static bool fits_any(const HolderSearch *search, const HolderRange *range) {
        for (size_t i = 0; i < search->n_devices; i++)
                if (search->devices[i].searched && holder_device_fits(&search->devices[i], range))
                        return true;
        return false;
}

/* Asked once a process, after its maps were read: what they show was open then. */
static bool is_open(const HolderSearch *search, HolderDevice *device) {
        if (!device->asked)
                device->open = holder_device_may_be_open(search, device);
        device->asked = true;
        return device->open;
}

/* One group remains that has a device open of which this can be. If it is two of the group, which
 * one stays unsaid. */
static bool tell_by_ruling_out(HolderSearch *search, const HolderRange *range, Hold *hold) {
        const HolderDevice *found = NULL;
        bool one = true;

        if (!fits_any(search, range))
                return false;
        for (size_t i = 0; i < search->n_devices; i++) {
                const HolderDevice *device = &search->devices[i];

                if (!holder_device_fits(device, range) || !is_open(search, &search->devices[i]))
                        continue;
                if (!device->searched || (found && found->group != device->group))
                        return false;
                one = !found;
                found = device;
        }
        if (!found)
                return false;
        hold->group = found->group;
        (void)snprintf(hold->device, sizeof(hold->device), "%s", one ? found->name : "");
        return true;
}

/* What a process maps whose device files are all of one device is of that one. */
static bool tell_by_files(const HolderProcess *process, const HolderRange *range, Hold *hold) {
        if (process->mixed || process->only.device[0] == '\0')
                return false;
        for (size_t i = 0; i < process->search->n_devices; i++) {
                const HolderDevice *device = &process->search->devices[i];

                if (device->group != process->only.group ||
                    strcmp(device->name, process->only.device) != 0)
                        continue;
                hold->group = device->group;
                (void)snprintf(hold->device, sizeof(hold->device), "%s", device->name);
                return holder_device_fits(device, range);
        }
        return false;
}

/*
 * The first way is proof, whatever the process did before. The other two would be wrong about one
 * that had another device, mapped it, and closed it before it was first looked at.
 */
static bool tell(HolderProcess *process, const HolderRange *range, Hold *hold) {
        Hold guess = {0};
        bool guessed;

        guessed = tell_by_memory(process, range, &guess) || tell_by_files(process, range, &guess);
        if (tell_by_ruling_out(process->search, range, hold)) {
                if (guessed && guess.group == hold->group && hold->device[0] == '\0')
                        memcpy(hold->device, guess.device, sizeof(hold->device));
                return true;
        }
        hold->group = guess.group;
        memcpy(hold->device, guess.device, sizeof(hold->device));
        return guessed;
}

static int remember(const HolderProcess *process, const HolderRange *range, const Hold *hold) {
        HolderSearch *search = process->search;
        HolderMapping *grown;

        grown = reallocarray(search->mappings, search->n_mappings + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        search->mappings = grown;
        grown[search->n_mappings] = (HolderMapping){
                .pid = process->who.pid,
                .start_time = process->who.start_time,
                .range = *range,
                .group = hold->group,
                .there = true,
        };
        memcpy(grown[search->n_mappings++].device, hold->device, sizeof(hold->device));
        return 0;
}

/* Those that were not there this time: another may come to the same place. */
static void forget(const HolderProcess *process) {
        HolderSearch *search = process->search;
        size_t kept = 0;

        for (size_t i = 0; i < search->n_mappings; i++)
                if (search->mappings[i].pid != process->who.pid || search->mappings[i].there)
                        search->mappings[kept++] = search->mappings[i];
        search->n_mappings = kept;
        for (size_t i = 0; i < kept; i++)
                search->mappings[i].there = false;
}

static int prepare(HolderProcess *process) {
        HolderSearch *search = process->search;
        int r = holder_process_know(process);

        if (r >= 0)
                r = holder_process_read_devices(process);
        for (size_t i = 0; r >= 0 && i < search->n_devices; i++)
                search->devices[i].asked = false;
        return r;
}

static int report_range(HolderProcess *process, const HolderRange *range) {
        Hold hold = {
                .kind = HOLD_MAPPING,
                .fd = -1,
                .map_first = range->first,
                .map_end = range->end,
        };
        int r;

        if (range->anonymous) {
                if (!tell(process, range, &hold))
                        return 0;
                r = remember(process, range, &hold);
                if (r < 0)
                        return r;
        } else if (!holder_target_by_node(process->search, range->dev, range->inode, &hold))
                return 0;
        return holder_process_report(process, &hold);
}

int holder_maps_report(HolderProcess *process) {
        const HolderSearch *search = process->search;
        bool prepared = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < search->n_ranges; i++) {
                if (search->ranges[i].anonymous && !prepared)
                        r = prepare(process);
                prepared = prepared || search->ranges[i].anonymous;
                if (r >= 0)
                        r = report_range(process, &search->ranges[i]);
        }
        forget(process);
        return r;
}
