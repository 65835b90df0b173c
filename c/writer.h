/* The C writer from inside: what its rooms share (mmstats.h says what each function of it does).
 *
 *   publisher.c      settings, beginning and end
 *   declare.c        stats, one for each label
 *   stats.c          a stat by itself: what was asked for is checked
 *   texts.c          texts from outside
 *   families.c       members, by their tags' values
 *   blocks.c         what the file says of stats and members
 *   segments.c       which values stand side by side
 *   lanes.c          the cells that one thread after the other stores into
 *   attach.c         a thread's way to its cells, after a fork as well
 *   updates.c        updates of every kind
 *   observe.c        but of histograms and timers
 *   errors.c         what was wrong with the last call
 *   region.c         the file: its memory, its blocks, its name
 *   places.c         which directory
 *   machine.c        what the header says of machine and process
 *   threads.c        where the calling thread's cells are
 *   words.h values.h distribution.h   what an update stores
 *
 * An update finds the calling thread's cells in its table, or takes the lock and asks for them. Lists are
 * only ever appended to, and linked last: so an update reads them without the lock, and a child that was
 * forked in the middle finds them whole. */
#ifndef MMSTATS_WRITER_H
#define MMSTATS_WRITER_H

#include "mmstats.h"

#include "distribution.h"
#include "machine.h"
#include "region.h"
#include "threads.h"
#include "values.h"

enum {
    MOST_BESIDE = 64, /* cells of metrics that share a segment; members of a family side by side */
    SMALL = 3,        /* cells of a value that shares its segment */
    BUCKETS = 1024,   /* of a family's table */
    SENTENCE = 512,
};

/* Cells that stand side by side in one CELLS block of each lane. */
struct segment {
    struct segment *next;
    mmstats_stat *stats; /* whose cells these are; of an octave none */
    uint32_t number, gid, cells, used;
    bool of_process;
    struct segment **octaves; /* of a distribution: those that were made */
    uint32_t places;          /* and how many values stand side by side */
};

struct mmstats_stat {
    mmstats_publisher *publisher;
    mmstats_stat *next;   /* of the publisher's */
    mmstats_stat *beside; /* in the same segment */
    struct segment *segment;
    uint32_t index, last; /* the first cell of the value, and the last */
    uint32_t cells, place;
    uint64_t generation; /* of a member: the word before the value says it */
    uint32_t number;
    uint8_t kind, cell_type, aggregate, flags;
    uint64_t first_word;
    struct distribution shape;
    uint32_t room;    /* of a ring, or a text's slot, in cells; slices of a window */
    uint32_t size;    /* bytes of a text; states of an enum */
    uint64_t width;   /* of a slice, ns */
    uint64_t ttl;     /* of a family's members, ns */
    uint64_t initial; /* of a static number */
    char *label, *unit, *help, *value, *tags, *extra;
    size_t value_length, tags_length, extra_length;
    /* families and members */
    mmstats_stat *family, *chain, *many;
    mmstats_stat *left; /* of a family: members that were forgotten; of one of those: the next */
    mmstats_stat **members;
    struct segment *open; /* where the next member may stand */
    uint32_t member_count, most, tag_count;
    size_t values_length;
    uint64_t is_forgotten;
    uint64_t *block;   /* of a member, in the file: its generation */
    uint64_t block_of; /* process number that it was published by */
};

/* One thread's cells of one segment. */
struct piece {
    struct piece *next;
    const struct segment *segment;
    uint64_t *cells;
    struct base *base; /* what earlier owners left, which counts on; NULL: nothing */
};

struct lane {
    struct lane *next;
    uint32_t number, owners;
    uint64_t *state;
    uint64_t own_state; /* where the file has no space for a block */
    struct piece *pieces;
};

struct mmstats_publisher {
    struct settings settings;
    struct region *region;
    uint64_t process; /* whose region that is */
    struct lane *lanes, process_lane;
    mmstats_stat *stats, *last_stat;
    struct segment *segments,
        *open[2]; /* where the next small value may stand, of threads and of the process */
    uint32_t numbers, segment_numbers, lane_numbers, state_gid;
    bool said_misuse;
};

/* --- errors.c ---------------------------------------------------------------------------------------- */

/* Each says what mmstats_error() gives, and returns NULL. */
__attribute__((format(printf, 1, 2))) void *wrong(const char *format, ...);
void *no_memory(void);

/* --- texts.c ----------------------------------------------------------------------------------------- */

/* UTF-8 without control characters, and not too long; else it was said what is wrong. NULL is lawful. */
bool text_is_lawful(const char *what, const char *text);
/* Letters, digits and _, no digit first. */
bool text_is_name(const char *name);
/* Of NULL an empty one. NULL: no memory. */
char *text_copy(const char *text);
/* Copies the bytes there; the place behind them. */
void *text_put(char *at, const char *text, size_t length);
/* Each text with a NUL behind it. False: no memory. */
bool texts_join(const char *const *texts, size_t count, char **joined, size_t *length);

/* --- stats.c ----------------------------------------------------------------------------------------- */

/* What is declared, alone by itself; NULL: a wrong argument, or no memory. */
mmstats_stat *stat_new(uint8_t kind, uint8_t cell_type, const char *label, const struct mmstats_about *about);
void stat_free(mmstats_stat *stat);

static inline bool
is_family(const mmstats_stat *stat)
{
    return stat->members != NULL;
}

static inline bool
is_of_process(uint8_t kind)
{
    return kind == MMSTATS_KIND_GAUGE || kind == MMSTATS_KIND_ENUM;
}

static inline bool
is_distributed(const mmstats_stat *stat)
{
    return stat->kind == MMSTATS_KIND_HISTOGRAM || stat->kind == MMSTATS_KIND_TIMER;
}

/* --- blocks.c ---------------------------------------------------------------------------------------- */

/* With the lock held, as all that follows. Where the file has no space it is counted, and goes unseen. */
void blocks_declare(struct region *region, const mmstats_stat *stat);
void blocks_declare_member(mmstats_publisher *publisher, mmstats_stat *member);

/* --- lanes.c ----------------------------------------------------------------------------------------- */

/* The calling thread's lane: its own, one that is free, or a new one. NULL: no memory. */
struct lane *lane_here(mmstats_publisher *publisher);
/* The lane's cells of the segment, made where there are none. NULL: no memory. */
struct piece *lane_piece(mmstats_publisher *publisher, struct lane *lane, const struct segment *segment);
void lanes_free(mmstats_publisher *publisher);

/* --- segments.c -------------------------------------------------------------------------------------- */

/* One without a number in the file yet. NULL: no memory. */
struct segment *segment_new(mmstats_publisher *publisher, uint32_t cells, bool of_process);
/* Gives a value its cells, one behind the other. `head`: 1 for the generation of a member. */
bool segment_place(mmstats_publisher *publisher, mmstats_stat *stat, struct segment **open, uint32_t head);

/* --- declare.c --------------------------------------------------------------------------------------- */

/* The last of the publisher's stats, from now on. */
void publisher_append(mmstats_publisher *publisher, mmstats_stat *stat);

/* --- attach.c ---------------------------------------------------------------------------------------- */

/* This process's own region, new after a fork, with all that was declared. False: no memory. */
bool publisher_has_region(mmstats_publisher *publisher);
/* Takes the lock, and leads the calling thread to the value's cells. NULL: it cannot count. */
uint64_t *cells_attach(const mmstats_stat *stat, const struct segment *segment);

static inline uint64_t *
octave_cells(const mmstats_stat *stat, uint64_t *cells)
{
    return &cells[(size_t)stat->place << stat->shape.scale];
}

/* The calling thread's cells of the value; NULL: it cannot count. */
static inline uint64_t *
cells_of(const mmstats_stat *stat)
{
    struct slot *slot = slot_standing(stat->segment->gid, stat->last);
    uint64_t *cells = slot != NULL ? &slot->cells[stat->index] : NULL;
    if (cells == NULL || (stat->generation != 0 && load_relaxed(&cells[-1]) != stat->generation)) {
        return cells_attach(stat, stat->segment);
    }
    return cells;
}

/* --- updates.c --------------------------------------------------------------------------------------- */

/* Says, once, that the stat takes no such update. */
void misused(const mmstats_stat *stat, const char *function);
/* Counts a value that cannot be kept. */
void refused(const mmstats_stat *stat);

/* Whether the update is one of these kinds; else it is said, once. */
static inline bool
takes(const mmstats_stat *stat, uint8_t kind, uint8_t cell_type, const char *function)
{
    if (stat == NULL) {
        return false;
    }
    if (stat->kind != kind || stat->cell_type != cell_type || is_family(stat)) {
        misused(stat, function);
        return false;
    }
    return true;
}

#endif
