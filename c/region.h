/* One file while it is written: its memory, and the chain of blocks in it (FORMAT.md 3, 4 and 7).
 *
 * Whoever calls holds the publisher's lock. Where there can be no file, private memory stands in for it. */
#ifndef MMSTATS_REGION_H
#define MMSTATS_REGION_H

#include <stdbool.h>
#include <sys/types.h>

#include "mmstats_layout.h"
#include "places.h"

enum { MOST_STEPS = 128 };

struct settings {
    char *path, *filename, *group; /* path: NULL for the list of places */
    mode_t mode;
    bool disabled;
    void (*say)(const char *sentence);
};

struct step {
    uint64_t begin, end;
    char *memory;
};

struct region {
    const struct settings *settings;
    bool is_private;
    int fd, witness; /* -1: none */
    dev_t dev;
    ino_t ino;
    char file[PATH_ROOM];
    struct step steps[MOST_STEPS];
    uint32_t count;
    uint64_t end; /* of the chain */
    uint64_t layouts;
    uint64_t dropped[8];
};

/* A region of this process, from now on seen by readers if that can be. NULL: no memory at all. */
struct region *region_open(const struct settings *settings);

/* Says that its writer ended in order, and lets go of the memory. */
void region_close(struct region *region);

/* Lets go of what a parent had, and says nothing. */
void region_leave(struct region *region);

/* Memory for a block, taken and zero; NULL: no space. Its type and length are stored by region_publish. */
void *region_take(struct region *region, size_t length, size_t align);
void region_publish(void *block, uint32_t type);

/* Readers take the blocks again. */
void region_changed(struct region *region);

/* Counts what could not be published; the first of its reason is said. */
void region_drop(struct region *region, unsigned reason, const char *what);

#endif
