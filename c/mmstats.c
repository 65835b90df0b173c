/* The C writer: what is published, and the threads that count (mmstats.h says what each function does).
 *
 *   mmstats.c        declarations, lanes of threads, updates
 *   region.c         the file: its memory, its blocks, its name
 *   places.c         which directory
 *   machine.c        what the header says of machine and process
 *   threads.h        where the calling thread's cells are, after a fork as well
 *   words.h values.h distribution.h   what an update stores
 *
 * An update finds the calling thread's cells in its table, or takes the lock and asks for them. Lists are
 * only ever appended to, and linked last: so an update reads them without the lock, and a child that was
 * forked in the middle finds them whole. */
#define _GNU_SOURCE
#include "mmstats.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "distribution.h"
#include "machine.h"
#include "region.h"
#include "threads.h"
#include "values.h"

enum {
    MOST_BESIDE = 64, /* cells of metrics that share a segment; members of a family side by side */
    SMALL = 3,        /* cells of a value that shares its segment */
    ENOUGH = 512,     /* cells: of large values there are fewer */
    BUCKETS = 1024,   /* of a family's table */
    SENTENCE = 512,
    LAST_VALUES = 100, /* of a moving average, or a timer */
    TEXT_BYTES = 255,
    SLICES = 20, /* of a window of time */
    SERIES = 1000,
    GROUP_ROOM = 64,
};

_Static_assert((int)MMSTATS_SET == MMSTATS_AGGREGATE_SET && (int)MMSTATS_LAST == MMSTATS_AGGREGATE_LAST,
               "codes");

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

static _Thread_local char error[SENTENCE];

const char *
mmstats_error(void)
{
    return error;
}

__attribute__((format(printf, 1, 2))) static void *
wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, sizeof error, format, arguments);
    va_end(arguments);
    errno = EINVAL;
    return NULL;
}

static void *
no_memory(void)
{
    snprintf(error, sizeof error, "no memory");
    errno = ENOMEM;
    return NULL;
}

static void
say_on_stderr(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
}

/* --- blocks ------------------------------------------------------------------------------------------ */

static bool
is_family(const mmstats_stat *stat)
{
    return stat->members != NULL;
}

static void *
put_text(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

static void
declare(struct region *region, const mmstats_stat *stat)
{
    const char *texts[] = {stat->label, stat->unit, stat->help, stat->value, stat->tags, stat->extra};
    size_t lengths[] = {strlen(stat->label), strlen(stat->unit), strlen(stat->help),
                        stat->value_length,  stat->tags_length,  stat->extra_length};
    size_t length = sizeof(struct mmstats_metric);
    for (size_t i = 0; i < 6; i++) {
        length += lengths[i];
    }
    struct mmstats_metric *block = region_take(region, length, MMSTATS_BLOCK_ALIGN);
    if (block == NULL) {
        region_drop(region, MMSTATS_DROP_REASON_SPACE, "no space to publish a metric, it counts unseen");
        return;
    }
    block->metric = stat->number;
    block->kind = stat->kind;
    block->cell_type = stat->cell_type;
    block->aggregate = stat->aggregate;
    block->flags = stat->flags;
    block->segment = stat->segment != NULL && !is_family(stat) ? stat->segment->number : 0;
    block->index = stat->index;
    block->cells = stat->cells;
    block->state = MMSTATS_METRIC_STATE_LIVE;
    block->initial = stat->initial;
    block->label_length = (uint32_t)lengths[0];
    block->unit_length = (uint32_t)lengths[1];
    block->help_length = (uint32_t)lengths[2];
    block->value_length = (uint32_t)lengths[3];
    block->tags_length = (uint32_t)lengths[4];
    block->extra_length = (uint32_t)lengths[5];
    char *at = (char *)(block + 1);
    for (size_t i = 0; i < 6; i++) {
        at = put_text(at, texts[i], lengths[i]);
    }
    region_publish(region, block, MMSTATS_BLOCK_TYPE_METRIC);
    region_changed(region);
}

static void
declare_member(mmstats_publisher *publisher, mmstats_stat *member)
{
    struct region *region = publisher->region;
    struct mmstats_member *block =
        region_take(region, sizeof *block + member->values_length, MMSTATS_BLOCK_ALIGN);
    member->block_of = publisher->process;
    member->block = NULL;
    if (block == NULL) {
        region_drop(region, MMSTATS_DROP_REASON_SPACE, "no space to publish a member, it counts unseen");
        return;
    }
    block->generation = member->generation;
    block->metric = member->family->number;
    block->segment = member->segment->number;
    block->index = member->index - 1;
    block->tags_length = (uint32_t)member->values_length;
    block->ttl = member->family->ttl;
    memcpy(block + 1, member->value, member->values_length);
    member->block = &block->generation;
    region_publish(region, block, MMSTATS_BLOCK_TYPE_MEMBER);
    region_changed(region);
}

/* --- lanes ------------------------------------------------------------------------------------------- */

/* What becomes of a value as its lane changes hands; what stays and is summed is the next owner's base. */
static void
hand_over(const mmstats_stat *stat, uint64_t *cells, struct base *base)
{
    uint64_t n = load_relaxed(cells);
    switch (stat->kind) {
    case MMSTATS_KIND_NUMBER:
        if (stat->aggregate == MMSTATS_AGGREGATE_SUM) {
            base->whole = n;
            base->real = real_of(n);
            break;
        } /* fall through */
    case MMSTATS_KIND_BOOL:
        store_relaxed(cells, stat->first_word);
        break;
    case MMSTATS_KIND_MOVING:
        if (stat->width == 0) {
            store_relaxed(&cells[MMSTATS_MOVING_STARTED], n);
        }
        else if (n > 0) {
            uint64_t slice = slice_now(stat->width, now_at(cells, n).slice);
            uint64_t *now = &cells[MMSTATS_WINDOW_NOW + NOW_CELLS * ((n + 1) & 1)];
            store_relaxed(&now[0], slice);
            store_relaxed(&now[1], slice);
            store_relaxed(&now[2], 0);
            store_relaxed(&now[3], 0);
            store_release(cells, n + 1);
        }
        break;
    case MMSTATS_KIND_TIMER:
        store_relaxed(&cells[MMSTATS_TIMER_STARTED], n);
        break;
    case MMSTATS_KIND_TEXT:
        if (n > 0) {
            uint64_t *slot = &cells[MMSTATS_TEXT_SLOTS + stat->room * ((n + 1) & 1)];
            store_relaxed(&slot[MMSTATS_SLOT_LENGTH], 0);
            store_relaxed(&slot[MMSTATS_SLOT_TIME], 0);
            store_release(cells, n + 1);
        }
        break;
    default: /* all stays, and nobody asks for a thread's own part of it */
        break;
    }
}

static void
adopt(struct lane *lane, uint64_t thread)
{
    for (struct piece *piece = lane->pieces; piece != NULL; piece = piece->next) {
        for (const mmstats_stat *stat = piece->segment->stats; stat != NULL; stat = stat->beside) {
            struct base unused, *base = piece->base != NULL ? &piece->base[stat->index] : &unused;
            uint64_t *cells = &piece->cells[stat->index];
            if (stat->generation == 0 || load_relaxed(cells - 1) == stat->generation) {
                hand_over(stat, cells, base);
            }
        }
    }
    store_release(lane->state, (uint64_t)++lane->owners << 32 | thread);
}

static struct lane *
lane_new(mmstats_publisher *publisher, uint64_t thread)
{
    struct lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL) {
        return NULL;
    }
    lane->number = ++publisher->lane_numbers;
    lane->owners = 1;
    lane->state = &lane->own_state;
    lane->own_state = UINT64_C(1) << 32 | thread;
    struct mmstats_lane *block = region_take(publisher->region, sizeof *block, MMSTATS_BLOCK_ALIGN);
    if (block != NULL) {
        block->lane = lane->number;
        block->state = lane->own_state;
        lane->state = &block->state;
        region_publish(publisher->region, block, MMSTATS_BLOCK_TYPE_LANE);
        region_changed(publisher->region);
    }
    lane->next = publisher->lanes;
    publisher->lanes = lane;
    return lane;
}

/* The calling thread's lane: its own, one that is free, or a new one. NULL: no memory. */
static struct lane *
lane_here(mmstats_publisher *publisher)
{
    uint64_t thread = (uint64_t)syscall(SYS_gettid);
    struct lane *free_one = NULL;
    for (struct lane *lane = publisher->lanes; lane != NULL; lane = lane->next) {
        uint64_t state = load_acquire(lane->state);
        if ((state & 0xFFFFFFFF) == thread) {
            return lane;
        }
        free_one = state == 0 ? lane : free_one;
    }
    if (free_one != NULL) {
        adopt(free_one, thread);
    }
    struct lane *lane = free_one != NULL ? free_one : lane_new(publisher, thread);
    struct slot *slot = lane != NULL ? slot_make(publisher->state_gid) : NULL;
    if (slot != NULL) { /* the end of the thread gives the lane back */
        slot_fill(slot,
                  &(struct slot){
                      .cells = lane->state, .count = 1, .release = 1, .owner = load_relaxed(lane->state)});
    }
    return lane;
}

static void
first_words(const struct segment *segment, uint64_t *cells)
{
    for (const mmstats_stat *stat = segment->stats; stat != NULL; stat = stat->beside) {
        if (stat->generation == 0) {
            cells[stat->index] = stat->first_word;
        }
    }
}

static struct piece *
piece_new(mmstats_publisher *publisher, struct lane *lane, const struct segment *segment)
{
    struct region *region = publisher->region;
    struct piece *piece = calloc(1, sizeof *piece);
    struct base *base = calloc(segment->cells, sizeof *base);
    size_t length = sizeof(struct mmstats_cells) + 8 * (size_t)segment->cells;
    struct mmstats_cells *block = NULL;
    if (piece != NULL && base != NULL) {
        block = region_take(region, length, MMSTATS_LANE_ALIGN);
    }
    if (block != NULL) {
        block->lane = lane->number;
        block->segment = segment->number;
        block->count = segment->cells;
        piece->cells = (uint64_t *)(block + 1);
        first_words(segment, piece->cells);
        region_publish(region, block, MMSTATS_BLOCK_TYPE_CELLS);
        region_changed(region);
    }
    else if (piece != NULL) {
        region_drop(region, MMSTATS_DROP_REASON_SPACE, "no space for a thread's cells, it counts unseen");
        piece->cells = calloc(segment->cells, sizeof *piece->cells);
    }
    if (piece == NULL || base == NULL || piece->cells == NULL) {
        free(base);
        free(piece);
        return NULL;
    }
    if (block == NULL) {
        first_words(segment, piece->cells);
    }
    piece->base = base;
    piece->segment = segment;
    piece->next = lane->pieces;
    lane->pieces = piece;
    return piece;
}

static struct piece *
piece_of(mmstats_publisher *publisher, struct lane *lane, const struct segment *segment)
{
    for (struct piece *piece = lane->pieces; piece != NULL; piece = piece->next) {
        if (piece->segment == segment) {
            return piece;
        }
    }
    return piece_new(publisher, lane, segment);
}

/* --- regions ----------------------------------------------------------------------------------------- */

static void
free_lane(struct lane *lane)
{
    while (lane->pieces != NULL) {
        struct piece *next = lane->pieces->next;
        free(lane->pieces->base);
        free(lane->pieces); /* cells that the file had no space for stay: a thread may store into them */
        lane->pieces = next;
    }
}

static void
free_lanes(mmstats_publisher *publisher)
{
    for (struct lane *lane = publisher->lanes, *next; lane != NULL; lane = next) {
        next = lane->next;
        free_lane(lane);
        free(lane);
    }
    free_lane(&publisher->process_lane);
    publisher->lanes = NULL;
    publisher->process_lane = (struct lane){0};
    publisher->lane_numbers = 0;
}

/* This process's own region, new after a fork, with all that was declared. False: no memory. */
static bool
has_region(mmstats_publisher *publisher)
{
    if (publisher->region != NULL && publisher->process == process_number()) {
        return true;
    }
    struct region *inherited = publisher->region;
    publisher->region = NULL;
    if (inherited != NULL) {
        region_leave(inherited);
        free_lanes(publisher);
    }
    publisher->region = region_open(&publisher->settings);
    if (publisher->region == NULL) {
        return false;
    }
    publisher->process = process_number();
    for (mmstats_stat *stat = publisher->stats; stat != NULL; stat = stat->next) {
        if (stat->family == NULL) {
            declare(publisher->region, stat);
        }
        else if (!stat->is_forgotten) {
            declare_member(publisher, stat);
        }
    }
    token_renew();
    return true;
}

/* --- the calling thread's cells ---------------------------------------------------------------------- */

static uint64_t *
octave_cells(const mmstats_stat *stat, uint64_t *cells)
{
    return &cells[(size_t)stat->place << stat->shape.scale];
}

/* Lets a lane count for a member from now on: its owner does, or whoever holds the lock for all. */
static void
begin_member(const mmstats_stat *stat, struct lane *lane, uint64_t *cells)
{
    store_relaxed(&cells[-1], 0);
    fence_release();
    for (struct piece *piece = lane->pieces; stat->segment->octaves != NULL && piece != NULL;
         piece = piece->next) {
        for (int k = 0; k < stat->shape.high - stat->shape.low; k++) {
            if (piece->segment == stat->segment->octaves[k]) {
                uint64_t *row = octave_cells(stat, piece->cells);
                for (uint32_t i = 0; i < 1u << stat->shape.scale; i++) {
                    store_relaxed(&row[i], 0);
                }
            }
        }
    }
    for (uint32_t i = 0; i < stat->cells; i++) {
        store_relaxed(&cells[i], i == 0 ? stat->first_word : 0);
    }
    store_release(&cells[-1], stat->generation);
}

/* With the lock held. NULL: no memory, or the member was forgotten. */
static uint64_t *
attach(const mmstats_stat *stat, const struct segment *segment)
{
    mmstats_publisher *publisher = stat->publisher;
    if (!has_region(publisher)) {
        return NULL;
    }
    if (stat->is_forgotten) {
        region_drop(publisher->region, MMSTATS_DROP_REASON_REMOVED, NULL);
        return NULL;
    }
    struct lane *lane = segment->of_process ? &publisher->process_lane : lane_here(publisher);
    struct piece *piece = lane != NULL ? piece_of(publisher, lane, segment) : NULL;
    if (piece == NULL) {
        return NULL;
    }
    struct slot *slot = slot_make(segment->gid);
    if (slot != NULL) {
        slot_fill(slot, &(struct slot){.cells = piece->cells, .base = piece->base, .count = segment->cells});
        token_renew();
    }
    uint64_t *cells = &piece->cells[segment == stat->segment ? stat->index : 0];
    if (segment == stat->segment && stat->generation != 0 && load_relaxed(&cells[-1]) != stat->generation) {
        begin_member(stat, lane, cells);
    }
    return cells;
}

static uint64_t *
cells_slowly(const mmstats_stat *stat, const struct segment *segment)
{
    pthread_mutex_lock(&page->slow);
    uint64_t *cells = attach(stat, segment);
    pthread_mutex_unlock(&page->slow);
    return cells;
}

/* The calling thread's cells of the value; NULL: it cannot count. */
static inline uint64_t *
cells_of(const mmstats_stat *stat)
{
    struct slot *slot = slot_standing(stat->segment->gid, stat->last);
    uint64_t *cells = slot != NULL ? &slot->cells[stat->index] : NULL;
    if (cells == NULL || (stat->generation != 0 && load_relaxed(&cells[-1]) != stat->generation)) {
        return cells_slowly(stat, stat->segment);
    }
    return cells;
}

/* --- what is declared -------------------------------------------------------------------------------- */

static struct segment *
segment_new(mmstats_publisher *publisher, uint32_t cells, bool of_process)
{
    struct segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL || !gid_take_locked(&segment->gid)) {
        free(segment);
        return no_memory();
    }
    segment->cells = cells;
    segment->of_process = of_process;
    segment->next = publisher->segments;
    publisher->segments = segment;
    return segment;
}

static bool
is_of_process(uint8_t kind)
{
    return kind == MMSTATS_KIND_GAUGE || kind == MMSTATS_KIND_ENUM;
}

static bool
is_distributed(const mmstats_stat *stat)
{
    return stat->kind == MMSTATS_KIND_HISTOGRAM || stat->kind == MMSTATS_KIND_TIMER;
}

/* A segment with room for values of that many cells each. NULL: no memory. */
static struct segment *
segment_for(mmstats_publisher *publisher, const mmstats_stat *stat, uint32_t cells)
{
    struct segment *segment = segment_new(publisher, cells, is_of_process(stat->kind));
    if (segment == NULL) {
        return NULL;
    }
    segment->number = ++publisher->segment_numbers;
    if (is_distributed(stat)) {
        segment->octaves = calloc((size_t)(stat->shape.high - stat->shape.low), sizeof *segment->octaves);
        if (segment->octaves == NULL) {
            return no_memory();
        }
    }
    return segment;
}

/* Lanes that have the segment already begin the value in it, before anybody can store there. */
static void
begin_in_lanes(const mmstats_publisher *publisher, const mmstats_stat *stat)
{
    const struct lane *process = &publisher->process_lane;
    for (const struct lane *lane = process; lane != NULL;
         lane = lane == process ? publisher->lanes : lane->next) {
        for (const struct piece *piece = lane->pieces; piece != NULL; piece = piece->next) {
            if (piece->segment == stat->segment) {
                store_relaxed(&piece->cells[stat->index], stat->first_word);
            }
        }
    }
}

/* Gives a value its cells, one behind the other. `head`: 1 for the generation of a member. */
static bool
place(mmstats_publisher *publisher, mmstats_stat *stat, struct segment **open, uint32_t head)
{
    uint32_t step = head + stat->cells, room = step;
    if (head != 0) {
        uint32_t most = ENOUGH / step;
        room = step * (most < 1 ? 1 : most < MOST_BESIDE ? most : MOST_BESIDE);
    }
    else if (stat->cells <= SMALL) {
        room = MOST_BESIDE;
    }
    struct segment *segment = *open;
    if (segment == NULL || segment->used + step > segment->cells) {
        segment = segment_for(publisher, stat, room);
        if (segment == NULL) {
            return false;
        }
        segment->places = room / step;
        if (head != 0 || room > step) {
            *open = segment;
        }
    }
    stat->segment = segment;
    stat->index = segment->used + head;
    stat->last = stat->index + stat->cells - 1;
    stat->place = segment->used / step;
    segment->used += step;
    stat->beside = segment->stats;
    segment->stats = stat;
    if (head == 0 && publisher->process == process_number()) {
        begin_in_lanes(publisher, stat);
    }
    return true;
}

static void
append(mmstats_publisher *publisher, mmstats_stat *stat)
{
    mmstats_stat **link = publisher->last_stat != NULL ? &publisher->last_stat->next : &publisher->stats;
    __atomic_store_n(link, stat, __ATOMIC_RELEASE);
    publisher->last_stat = stat;
}

static void
free_stat(mmstats_stat *stat)
{
    if (stat->family == NULL) {
        free(stat->label);
        free(stat->unit);
        free(stat->help);
        free(stat->tags);
        free(stat->extra);
        free((void *)stat->shape.bounds);
    }
    free(stat->value);
    free(stat->members);
    free(stat);
}

static char *
copied(const char *text)
{
    return strdup(text != NULL ? text : "");
}

/* Bytes of the character that begins there; 0: no UTF-8. */
static size_t
character(const unsigned char *at)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t length = 1; length <= 4; length++) {
        if ((*at & forms[length - 1].mask) == forms[length - 1].lead) {
            uint32_t code = *at & (unsigned char)~forms[length - 1].mask;
            for (size_t i = 1; i < length; i++) {
                if ((at[i] & 0xC0) != 0x80) {
                    return 0;
                }
                code = code << 6 | (at[i] & 0x3F);
            }
            bool is_one =
                code >= forms[length - 1].least && code <= 0x10FFFF && (code & 0xFFFFF800) != 0xD800;
            return is_one ? length : 0;
        }
    }
    return 0;
}

/* Lawful: UTF-8 without control characters, and not too long. */
static bool
is_text(const char *what, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; at != NULL && *at != '\0';
         at += character(at)) {
        if (character(at) == 0) {
            wrong("%s is no UTF-8", what);
            return false;
        }
    }
    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            wrong("%s holds a control character: '%.40s'", what, text);
            return false;
        }
    }
    if (text != NULL && strlen(text) > MMSTATS_TEXT_LIMIT) {
        wrong("%s has %zu bytes, at most %d fit", what, strlen(text), MMSTATS_TEXT_LIMIT);
        return false;
    }
    return true;
}

static bool
is_name(const char *name)
{
    if (name == NULL || !(isalpha((unsigned char)*name) || *name == '_')) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_') {
            return false;
        }
    }
    return true;
}

/* Each text with a NUL behind it. */
static bool
join(const char *const *texts, size_t count, char **joined, size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < count; i++) {
        *length += strlen(texts[i]) + 1;
    }
    *joined = malloc(*length + 1);
    if (*joined == NULL) {
        no_memory();
        return false;
    }
    char *at = *joined;
    for (size_t i = 0; i < count; i++) {
        at = put_text(at, texts[i], strlen(texts[i]) + 1);
    }
    return true;
}

static bool
take_tags(mmstats_stat *stat, const struct mmstats_about *about)
{
    for (size_t i = 0; i < about->tag_count; i++) {
        bool twice = false;
        for (size_t j = 0; j < i; j++) {
            twice = twice || strcmp(about->tags[i], about->tags[j]) == 0;
        }
        if (!is_name(about->tags[i]) || twice || strcmp(about->tags[i], "overflow") == 0) {
            wrong("tags of '%s': letters, digits and _, each once, and no 'overflow': '%.40s'", stat->label,
                  about->tags[i] != NULL ? about->tags[i] : "");
            return false;
        }
    }
    if (about->tag_count == 0) {
        return true;
    }
    stat->tag_count = (uint32_t)about->tag_count;
    stat->most = about->max_series != 0 ? about->max_series : SERIES;
    stat->members = calloc(BUCKETS, sizeof *stat->members);
    stat->ttl = about->ttl > 0 ? (uint64_t)(about->ttl * 1e9) : 0;
    if (stat->members == NULL) {
        no_memory();
        return false;
    }
    return join(about->tags, about->tag_count, &stat->tags, &stat->tags_length);
}

static int32_t
power_above(double value)
{
    int exponent;
    return frexp(value, &exponent) == 0.5 ? exponent - 1 : exponent;
}

static bool
take_range(mmstats_stat *stat, const struct mmstats_about *about)
{
    bool is_time = strcmp(stat->unit, "seconds") == 0;
    bool is_count = strcmp(stat->unit, "bytes") == 0 || strcmp(stat->unit, "items") == 0;
    double low = about->low != 0 ? about->low : is_time ? 1e-6 : is_count ? 1.0 : 1e-9;
    double high = about->high != 0 ? about->high : is_time ? 3600.0 : is_count ? 0x1p40 : 1e9;
    bool is_range = low > 0 && low < high && isfinite(high) && about->scale <= MMSTATS_SCALE_MOST
                    && about->bound_count <= MMSTATS_BOUNDS_MOST;
    for (size_t i = 0; is_range && i < about->bound_count; i++) {
        is_range = isfinite(about->bounds[i]) && (i == 0 || about->bounds[i - 1] < about->bounds[i]);
    }
    struct distribution *shape = &stat->shape;
    shape->scale = (int32_t)about->scale;
    shape->low = is_range ? power_above(low) - 1 : 0;
    shape->high = is_range ? power_above(high) : 0;
    if (!is_range || shape->low < -MMSTATS_OCTAVE_MOST || shape->high > MMSTATS_OCTAVE_MOST) {
        wrong(
            "'%s': scale=%u low=%g high=%g and %zu bounds: expected 0 to %d, 0 < low < high, and bounds that "
            "ascend, at most %d",
            stat->label, about->scale, low, high, about->bound_count, MMSTATS_SCALE_MOST,
            MMSTATS_BOUNDS_MOST);
        return false;
    }
    double *bounds = malloc((about->bound_count + 1) * sizeof *bounds);
    stat->extra_length = sizeof(struct mmstats_range) + 8 * about->bound_count;
    free(stat->extra);
    stat->extra = calloc(1, stat->extra_length);
    shape->bounds = bounds;
    shape->bound_count = (uint32_t)about->bound_count;
    if (bounds == NULL || stat->extra == NULL) {
        no_memory();
        return false;
    }
    struct mmstats_range range = {about->scale, shape->low, shape->high, shape->bound_count};
    memcpy(stat->extra, &range, sizeof range);
    if (about->bound_count > 0) {
        memcpy(bounds, about->bounds, 8 * about->bound_count);
        memcpy(stat->extra + sizeof range, bounds, 8 * about->bound_count);
    }
    return true;
}

static bool
take_window(mmstats_stat *stat, const struct mmstats_about *about)
{
    if (!(about->window >= 1e-3 && about->window <= 1e9)) {
        wrong("'%s': a window of %g seconds: expected 0.001 to 1e9", stat->label, about->window);
        return false;
    }
    stat->width = (uint64_t)(about->window * 1e9) / SLICES;
    stat->room = SLICES;
    stat->cells = MMSTATS_WINDOW_SIZE + SLICE_CELLS * SLICES;
    stat->extra_length = sizeof stat->width;
    free(stat->extra);
    stat->extra = malloc(stat->extra_length);
    if (stat->extra == NULL) {
        no_memory();
        return false;
    }
    memcpy(stat->extra, &stat->width, stat->extra_length);
    return true;
}

/* Cells, first word and the rest that follows from the kind. */
static bool
take_kind(mmstats_stat *stat, const struct mmstats_about *about)
{
    uint32_t last = about->size != 0 ? about->size : LAST_VALUES;
    stat->cells = 1;
    switch (stat->kind) {
    case MMSTATS_KIND_AVERAGE:
        stat->cells = MMSTATS_AVERAGE_SIZE;
        break;
    case MMSTATS_KIND_MOVING:
        if (about->window != 0) {
            return take_window(stat, about);
        }
        stat->room = last + 1;
        stat->cells = MMSTATS_MOVING_SIZE + stat->room;
        break;
    case MMSTATS_KIND_TEXT:
        stat->size = about->size != 0 ? about->size : TEXT_BYTES;
        stat->room = slot_cells(stat->size);
        stat->cells = MMSTATS_TEXT_SIZE + 2 * stat->room;
        break;
    case MMSTATS_KIND_TIMER:
        stat->shape.totals = MMSTATS_TIMER_TOTALS;
        stat->shape.spread = MMSTATS_TIMER_DISTRIBUTION;
        stat->shape.room = last + 1;
        if (!take_range(stat, about)) {
            return false;
        }
        stat->shape.ring = MMSTATS_TIMER_DISTRIBUTION + distribution_cells(&stat->shape);
        stat->cells = stat->shape.ring + stat->shape.room;
        break;
    case MMSTATS_KIND_HISTOGRAM:
        stat->shape.totals = MMSTATS_HISTOGRAM_TOTALS;
        stat->shape.spread = MMSTATS_HISTOGRAM_DISTRIBUTION;
        if (!take_range(stat, about)) {
            return false;
        }
        stat->cells = MMSTATS_HISTOGRAM_DISTRIBUTION + distribution_cells(&stat->shape);
        break;
    case MMSTATS_KIND_STATIC:
    case MMSTATS_KIND_INFO:
        stat->cells = 0;
        break;
    default:
        break;
    }
    uint64_t limit = stat->kind == MMSTATS_KIND_TEXT ? MMSTATS_TEXT_LIMIT : MMSTATS_VALUE_CELLS / 2;
    if (about->size > limit) {
        wrong("'%s': size=%u: expected at most %llu", stat->label, about->size, (unsigned long long)limit);
        return false;
    }
    bool begins_as_never = is_of_process(stat->kind)
                           || (stat->kind == MMSTATS_KIND_NUMBER && stat->aggregate != MMSTATS_AGGREGATE_SUM);
    if (begins_as_never) {
        stat->first_word = stat->cell_type == MMSTATS_CELL_TYPE_F64   ? MMSTATS_NEVER_F64
                           : stat->cell_type == MMSTATS_CELL_TYPE_I64 ? MMSTATS_NEVER_I64
                                                                      : MMSTATS_NEVER_U64;
    }
    return true;
}

/* As Python's fields of these kinds have it. */
static uint8_t
aggregate_of(uint8_t kind, uint8_t cell_type)
{
    switch (kind) {
    case MMSTATS_KIND_NUMBER:
        return cell_type == MMSTATS_CELL_TYPE_F64 ? MMSTATS_AGGREGATE_MAX : MMSTATS_AGGREGATE_SUM;
    case MMSTATS_KIND_BOOL:
        return MMSTATS_AGGREGATE_ANY;
    case MMSTATS_KIND_TEXT:
        return MMSTATS_AGGREGATE_LAST;
    case MMSTATS_KIND_STATIC:
    case MMSTATS_KIND_INFO:
    case MMSTATS_KIND_ENUM:
        return MMSTATS_AGGREGATE_SET;
    default:
        return MMSTATS_AGGREGATE_SUM;
    }
}

static bool
is_same(const mmstats_stat *one, const mmstats_stat *other)
{
    return one->kind == other->kind && one->cell_type == other->cell_type && one->cells == other->cells
           && one->aggregate == other->aggregate && strcmp(one->unit, other->unit) == 0
           && one->tags_length == other->tags_length && one->extra_length == other->extra_length
           && memcmp(one->tags, other->tags, one->tags_length) == 0
           && memcmp(one->extra, other->extra, one->extra_length) == 0;
}

static mmstats_stat *
find(const mmstats_publisher *publisher, const char *label)
{
    for (mmstats_stat *stat = publisher->stats; stat != NULL; stat = stat->next) {
        if (stat->family == NULL && strcmp(stat->label, label) == 0) {
            return stat;
        }
    }
    return NULL;
}

/* What is declared, alone by itself; NULL: a wrong argument, or no memory. */
static mmstats_stat *
stat_new(uint8_t kind, uint8_t cell_type, const char *label, const struct mmstats_about *about)
{
    if (label == NULL || *label == '\0') {
        return wrong("a label is empty");
    }
    if (!is_text("label", label) || !is_text("unit", about->unit) || !is_text("help", about->help)) {
        return NULL;
    }
    if ((unsigned)about->aggregate > MMSTATS_SET) {
        return wrong("'%s': aggregate=%d is none", label, (int)about->aggregate);
    }
    mmstats_stat *stat = calloc(1, sizeof *stat);
    if (stat == NULL) {
        return no_memory();
    }
    stat->kind = kind;
    stat->cell_type = cell_type;
    stat->aggregate = about->aggregate != 0 ? (uint8_t)about->aggregate : aggregate_of(kind, cell_type);
    stat->flags = about->keep ? MMSTATS_METRIC_FLAG_KEEP : 0;
    stat->label = copied(label);
    stat->unit = copied(about->unit != NULL ? about->unit : kind == MMSTATS_KIND_TIMER ? "seconds" : "");
    stat->help = copied(about->help);
    stat->value = copied("");
    stat->extra = copied("");
    stat->tags = NULL;
    bool is_right = stat->label && stat->unit && stat->help && stat->value && stat->extra;
    is_right = is_right && take_tags(stat, about) && take_kind(stat, about);
    if (stat->tags == NULL) {
        stat->tags = copied("");
    }
    if (!is_right || stat->tags == NULL) {
        free_stat(stat);
        return NULL;
    }
    return stat;
}

/* Takes `stat`. */
static mmstats_stat *
publish(mmstats_publisher *publisher, mmstats_stat *stat)
{
    pthread_mutex_lock(&page->slow);
    mmstats_stat *known = find(publisher, stat->label);
    bool is_made = known == NULL && has_region(publisher);
    if (known != NULL && !is_same(known, stat)) {
        wrong("'%s' is declared already, as something else", stat->label);
        known = NULL;
    }
    else if (is_made) {
        bool has_cells = stat->cells > 0 && !is_family(stat);
        struct segment *alone = NULL, **open = &publisher->open[is_of_process(stat->kind)];
        is_made = !has_cells || place(publisher, stat, stat->cells > SMALL ? &alone : open, 0);
        if (is_made) {
            stat->publisher = publisher;
            stat->number = ++publisher->numbers;
            append(publisher, stat);
            declare(publisher->region, stat);
            known = stat;
        }
    }
    else if (known == NULL) {
        no_memory();
    }
    pthread_mutex_unlock(&page->slow);
    if (known != stat) {
        free_stat(stat);
    }
    return known;
}

static mmstats_stat *
made(mmstats_publisher *publisher, uint8_t kind, uint8_t cell_type, const char *label,
     const struct mmstats_about *about)
{
    if (publisher == NULL) {
        return wrong("'%s': there is no publisher", label != NULL ? label : "");
    }
    mmstats_stat *stat =
        stat_new(kind, cell_type, label, about != NULL ? about : &(struct mmstats_about){MMSTATS_DEFAULTS});
    return stat != NULL ? publish(publisher, stat) : NULL;
}

#define DECLARES(name, kind, type) \
    mmstats_stat *mmstats_##name(mmstats_publisher *publisher, const char *label, \
                                 const struct mmstats_about *about) \
    { \
        return made(publisher, MMSTATS_KIND_##kind, MMSTATS_CELL_TYPE_##type, label, about); \
    }
DECLARES(counter, COUNTER, U64)
DECLARES(updown, UPDOWN, I64)
DECLARES(number, NUMBER, F64)
DECLARES(integer, NUMBER, I64)
DECLARES(bool, BOOL, BOOL)
DECLARES(gauge, GAUGE, F64)
DECLARES(average, AVERAGE, F64)
DECLARES(moving, MOVING, F64)
DECLARES(timer, TIMER, F64)
DECLARES(histogram, HISTOGRAM, F64)
DECLARES(text, TEXT, TEXT)

static mmstats_stat *
made_constant(mmstats_publisher *publisher, uint8_t kind, uint8_t cell_type, const char *label,
              const struct mmstats_about *about, char *value, char *extra, size_t extra_length, uint32_t size)
{
    const struct mmstats_about defaults = {MMSTATS_DEFAULTS};
    mmstats_stat *stat = publisher == NULL ? wrong("there is no publisher")
                                           : stat_new(kind, cell_type, label, about ? about : &defaults);
    if (stat != NULL && is_family(stat)) {
        wrong("'%s' takes no tags", label);
        free_stat(stat);
        stat = NULL;
    }
    if (stat == NULL || value == NULL || extra == NULL) {
        free(value);
        free(extra);
        if (stat != NULL) {
            free_stat(stat);
        }
        return NULL;
    }
    free(stat->value);
    free(stat->extra);
    stat->value = value;
    stat->value_length = strlen(value);
    stat->extra = extra;
    stat->extra_length = extra_length;
    stat->size = size;
    return publish(publisher, stat);
}

mmstats_stat *
mmstats_enum(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
             const char *const *states, size_t count)
{
    char *joined;
    size_t length;
    for (size_t i = 0; i < count; i++) {
        if (states[i] == NULL || *states[i] == '\0' || !is_text("a state", states[i])) {
            return wrong("'%s': state %zu is empty, or holds a control character", label != NULL ? label : "",
                         i);
        }
    }
    if (count == 0) {
        return wrong("'%s' has no states", label != NULL ? label : "");
    }
    if (!join(states, count, &joined, &length)) {
        return NULL;
    }
    return made_constant(publisher, MMSTATS_KIND_ENUM, MMSTATS_CELL_TYPE_U64, label, about, copied(""),
                         joined, length, (uint32_t)count);
}

mmstats_stat *
mmstats_static(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
               const char *text)
{
    if (!is_text("a static text", text)) {
        return NULL;
    }
    return made_constant(publisher, MMSTATS_KIND_STATIC, MMSTATS_CELL_TYPE_TEXT, label, about, copied(text),
                         copied(""), 0, 0);
}

mmstats_stat *
mmstats_static_number(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
                      double number)
{
    const struct mmstats_about defaults = {MMSTATS_DEFAULTS};
    mmstats_stat *stat = publisher == NULL ? wrong("there is no publisher")
                                           : stat_new(MMSTATS_KIND_STATIC, MMSTATS_CELL_TYPE_F64, label,
                                                      about != NULL ? about : &defaults);
    if (stat == NULL) {
        return NULL;
    }
    if (is_family(stat)) {
        wrong("'%s' takes no tags", label);
        free_stat(stat);
        return NULL;
    }
    stat->initial = whole_of(number);
    return publish(publisher, stat);
}

mmstats_stat *
mmstats_info(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
             const char *const *names, const char *const *texts, size_t count)
{
    size_t length = 1;
    for (size_t i = 0; i < count; i++) {
        if (!is_name(names[i]) || !is_text(names[i], texts[i])) {
            return wrong("'%s': pair %zu is no name with a text", label != NULL ? label : "", i);
        }
        length += strlen(names[i]) + 2 * strlen(texts[i]) + 4;
    }
    char *value = malloc(length), *at = value;
    bool *done = calloc(count + 1, sizeof *done);
    for (size_t i = 0; value != NULL && done != NULL && i < count; i++) {
        size_t next = count; /* in the order of their names */
        for (size_t j = 0; j < count; j++) {
            if (!done[j] && (next == count || strcmp(names[j], names[next]) < 0)) {
                next = j;
            }
        }
        done[next] = true;
        at += sprintf(at, "%s%s=\"", i > 0 ? "," : "", names[next]);
        for (const char *c = texts[next]; *c != '\0'; c++) {
            if (*c == '\\' || *c == '"') {
                *at++ = '\\';
            }
            *at++ = *c;
        }
        *at++ = '"';
    }
    if (value != NULL) {
        *at = '\0';
    }
    free(done);
    return made_constant(publisher, MMSTATS_KIND_INFO, MMSTATS_CELL_TYPE_TEXT, label, about, value,
                         copied(""), 0, 0);
}

/* --- families ---------------------------------------------------------------------------------------- */

static uint32_t
hash_of(const char *bytes, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    }
    return hash % BUCKETS;
}

static mmstats_stat *
member_known(const mmstats_stat *family, const char *values, size_t length, uint32_t hash)
{
    mmstats_stat *member = __atomic_load_n(&family->members[hash], __ATOMIC_ACQUIRE);
    for (; member != NULL; member = member->chain) {
        if (!load_relaxed(&member->is_forgotten) && member->values_length == length
            && memcmp(member->value, values, length) == 0) {
            return member;
        }
    }
    return NULL;
}

/* A slot that a forgotten member left, and whose block has room for the values. NULL: there is none. */
static mmstats_stat *
slot_left(mmstats_stat *family, size_t length)
{
    for (mmstats_stat **link = &family->left; *link != NULL; link = &(*link)->left) {
        mmstats_stat *old = *link;
        size_t room =
            (old->values_length + MMSTATS_BLOCK_ALIGN - 1) / MMSTATS_BLOCK_ALIGN * MMSTATS_BLOCK_ALIGN;
        if (length <= room) {
            *link = old->left;
            old->left = NULL;
            return old;
        }
    }
    return NULL;
}

/* Gives a member the cells, and the block if it is of this process's file, of one that was forgotten. */
static void
take_over(mmstats_stat *member, const mmstats_stat *old)
{
    member->segment = old->segment;
    member->index = old->index;
    member->last = old->last;
    member->place = old->place;
    member->generation = old->generation + 1;
    member->beside = member->segment->stats;
    member->segment->stats = member;
    if (old->block == NULL || old->block_of != member->publisher->process) {
        declare_member(member->publisher, member);
        return;
    }
    struct mmstats_member *block = (struct mmstats_member *)(void *)(old->block - 1);
    uint64_t *words = (uint64_t *)(block + 1);
    member->block = old->block;
    member->block_of = old->block_of;
    store_relaxed(member->block, 0);
    fence_release();
    store_bytes(words, member->value, (uint32_t)member->values_length);
    store_relaxed((uint64_t *)(void *)&block->index, block->index | (uint64_t)member->values_length << 32);
    store_release(member->block, member->generation);
    region_changed(member->publisher->region);
}

/* With the lock held. NULL: no memory. */
static mmstats_stat *
member_new(mmstats_stat *family, const char *values, size_t length)
{
    mmstats_publisher *publisher = family->publisher;
    mmstats_stat *member = malloc(sizeof *member);
    char *copy = malloc(length + 1);
    if (member == NULL || copy == NULL || !has_region(publisher)) {
        free(member);
        free(copy);
        return no_memory();
    }
    *member = *family;
    memcpy(copy, values, length);
    member->value = copy;
    member->values_length = length;
    member->family = family;
    member->members = NULL;
    member->next = member->beside = member->chain = member->many = member->left = NULL;
    member->block = NULL;
    member->generation = 1;
    mmstats_stat *old = slot_left(family, length);
    if (old == NULL && !place(publisher, member, &family->open, 1)) {
        free(copy);
        free(member);
        return NULL;
    }
    if (old != NULL) {
        take_over(member, old);
    }
    else {
        declare_member(publisher, member);
    }
    append(publisher, member);
    return member;
}

/* The member for all that are too many. */
static mmstats_stat *
member_many(mmstats_stat *family)
{
    if (family->many == NULL) {
        family->many = member_new(family, "", 0);
    }
    if (family->many != NULL) {
        region_drop(family->publisher->region, MMSTATS_DROP_REASON_SERIES,
                    "a family has as many members as it may have; what is more is counted as one");
    }
    return family->many;
}

/* The values, each with a NUL behind it; 0: one of them is none. */
static size_t
values_of(const mmstats_stat *family, const char *const *values, char *joined, size_t room)
{
    size_t length = 0;
    for (uint32_t i = 0; i < family->tag_count; i++) {
        size_t each = values[i] != NULL ? strlen(values[i]) + 1 : room;
        if (length + each > room || !is_text("a tag's value", values[i])) {
            return 0;
        }
        memcpy(joined + length, values[i], each);
        length += each;
    }
    return length;
}

mmstats_stat *
mmstats_tagged(mmstats_stat *family, const char *const *values)
{
    char joined[4096];
    if (family == NULL) {
        return NULL;
    }
    if (!is_family(family)) {
        return wrong("'%s' has no tags", family->label);
    }
    size_t length = values_of(family, values, joined, sizeof joined);
    uint32_t hash = hash_of(joined, length);
    mmstats_stat *member = length > 0 ? member_known(family, joined, length, hash) : NULL;
    if (member != NULL) {
        return member;
    }
    pthread_mutex_lock(&page->slow);
    member = length > 0 ? member_known(family, joined, length, hash) : NULL;
    if (member == NULL && (length == 0 || family->member_count >= family->most)) {
        member = member_many(family);
    }
    else if (member == NULL) {
        member = member_new(family, joined, length);
        if (member != NULL) {
            family->member_count++;
            member->chain = family->members[hash];
            __atomic_store_n(&family->members[hash], member, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&page->slow);
    return member;
}

void
mmstats_forget(mmstats_stat *family, const char *const *values)
{
    char joined[4096];
    if (family == NULL || !is_family(family)) {
        return;
    }
    size_t length = values_of(family, values, joined, sizeof joined);
    pthread_mutex_lock(&page->slow);
    mmstats_stat *member = length > 0 ? member_known(family, joined, length, hash_of(joined, length)) : NULL;
    if (member != NULL) {
        store_relaxed(&member->is_forgotten, 1);
        family->member_count--;
        member->left = family->left;
        family->left = member;
        if (member->block != NULL && member->block_of == family->publisher->process) {
            store_release(member->block, 0);
            region_changed(family->publisher->region);
        }
    }
    pthread_mutex_unlock(&page->slow);
}

/* --- updates ----------------------------------------------------------------------------------------- */

static void
misused(const mmstats_stat *stat, const char *function)
{
    char sentence[SENTENCE];
    if (!__atomic_exchange_n(&stat->publisher->said_misuse, true, __ATOMIC_RELAXED)) {
        snprintf(sentence, sizeof sentence, "mmstats: '%.200s' takes no %s()", stat->label, function);
        stat->publisher->settings.say(sentence);
    }
}

/* A value that cannot be kept. */
static void
refused(const mmstats_stat *stat)
{
    pthread_mutex_lock(&page->slow);
    if (has_region(stat->publisher)) {
        region_drop(stat->publisher->region, MMSTATS_DROP_REASON_VALUE, NULL);
    }
    pthread_mutex_unlock(&page->slow);
}

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

void
mmstats_incr(mmstats_stat *stat, uint64_t amount)
{
    if (takes(stat, MMSTATS_KIND_COUNTER, MMSTATS_CELL_TYPE_U64, "mmstats_incr")) {
        uint64_t *cell = cells_of(stat);
        if (cell != NULL) {
            cell_add_whole(cell, amount);
        }
    }
}

void
mmstats_move(mmstats_stat *stat, int64_t amount)
{
    if (takes(stat, MMSTATS_KIND_UPDOWN, MMSTATS_CELL_TYPE_I64, "mmstats_move")) {
        uint64_t *cell = cells_of(stat);
        if (cell != NULL) {
            cell_add_whole(cell, (uint64_t)amount);
        }
    }
}

/* The own value, on top of what earlier owners of the lane left. */
static void
store_number(const mmstats_stat *stat, union word word)
{
    uint64_t *cell = cells_of(stat);
    if (cell == NULL) {
        return;
    }
    if (stat->aggregate != MMSTATS_AGGREGATE_SUM) {
        store_relaxed(cell, not_never(stat->cell_type, word.whole));
        return;
    }
    const struct slot *slot = slot_standing(stat->segment->gid, stat->last);
    if (slot != NULL && slot->base != NULL) {
        const struct base *base = &slot->base[stat->index];
        if (stat->cell_type == MMSTATS_CELL_TYPE_F64) {
            word.real += base->real;
        }
        else {
            word.whole += base->whole;
        }
    }
    store_relaxed(cell, word.whole);
}

void
mmstats_set(mmstats_stat *stat, double value)
{
    if (stat != NULL && stat->kind == MMSTATS_KIND_NUMBER && stat->cell_type == MMSTATS_CELL_TYPE_F64
        && !is_family(stat)) {
        store_number(stat, (union word){.real = value});
    }
    else if (takes(stat, MMSTATS_KIND_GAUGE, MMSTATS_CELL_TYPE_F64, "mmstats_set")) {
        uint64_t *cell = isnan(value) ? NULL : cells_of(stat);
        if (cell != NULL) {
            store_relaxed(cell, whole_of(value));
        }
        else if (isnan(value)) { /* which is also what "never" looks like */
            refused(stat);
        }
    }
}

void
mmstats_set_integer(mmstats_stat *stat, int64_t value)
{
    if (takes(stat, MMSTATS_KIND_NUMBER, MMSTATS_CELL_TYPE_I64, "mmstats_set_integer")) {
        store_number(stat, (union word){.whole = (uint64_t)value});
    }
}

void
mmstats_set_bool(mmstats_stat *stat, bool value)
{
    if (takes(stat, MMSTATS_KIND_BOOL, MMSTATS_CELL_TYPE_BOOL, "mmstats_set_bool")) {
        uint64_t *cell = cells_of(stat);
        if (cell != NULL) {
            store_relaxed(cell, value ? 2 : 1);
        }
    }
}

void
mmstats_set_state(mmstats_stat *stat, size_t state)
{
    if (takes(stat, MMSTATS_KIND_ENUM, MMSTATS_CELL_TYPE_U64, "mmstats_set_state")) {
        uint64_t *cell = state < stat->size ? cells_of(stat) : NULL;
        if (cell != NULL) {
            store_relaxed(cell, state);
        }
        else if (state >= stat->size) {
            refused(stat);
        }
    }
}

void
mmstats_add(mmstats_stat *stat, double value)
{
    bool is_average = stat != NULL && stat->kind == MMSTATS_KIND_AVERAGE && !is_family(stat);
    if (!is_average && !takes(stat, MMSTATS_KIND_MOVING, MMSTATS_CELL_TYPE_F64, "mmstats_add")) {
        return;
    }
    uint64_t *cells = isfinite(value) ? cells_of(stat) : NULL;
    bool stored = isfinite(value);
    if (cells != NULL && is_average) {
        stored = average_store(cells, value);
    }
    else if (cells != NULL && stat->width != 0) {
        stored = window_store(cells, stat->room, stat->width, value);
    }
    else if (cells != NULL) {
        moving_store(cells, stat->room, value);
    }
    if (!stored) {
        refused(stat);
    }
}

/* The segment of an octave, with the lock held. NULL: no memory. */
static struct segment *
octave_new(mmstats_publisher *publisher, const mmstats_stat *stat, uint32_t k)
{
    struct segment *values = stat->segment, *made_before = values->octaves[k];
    if (made_before != NULL) {
        return made_before;
    }
    struct segment *octave = segment_new(publisher, values->places << stat->shape.scale, false);
    if (octave != NULL) {
        octave->number = values->number + MMSTATS_OCTAVE_STEP * (k + 1);
        __atomic_store_n(&values->octaves[k], octave, __ATOMIC_RELEASE);
    }
    return octave;
}

/* The value's buckets in the calling thread's lane. NULL: no memory. */
static uint64_t *
octave_here(const mmstats_stat *stat, uint32_t k)
{
    struct segment *octave = __atomic_load_n(&stat->segment->octaves[k], __ATOMIC_ACQUIRE);
    if (octave == NULL) {
        pthread_mutex_lock(&page->slow);
        octave = octave_new(stat->publisher, stat, k);
        pthread_mutex_unlock(&page->slow);
    }
    if (octave == NULL) {
        return NULL;
    }
    struct slot *slot = slot_standing(octave->gid, octave->cells - 1);
    uint64_t *cells = slot != NULL ? slot->cells : cells_slowly(stat, octave);
    return cells != NULL ? octave_cells(stat, cells) : NULL;
}

/* An update that a handler left by a jump was never there: what it counted is put back. */
static void
put_back(const mmstats_stat *stat, uint64_t *cells)
{
    uint64_t *spread = &cells[stat->shape.spread], begun = load_relaxed(&spread[MMSTATS_DISTRIBUTION_BEGUN]);
    if (begun >> WITNESS_SHIFT != ((load_relaxed(cells) + 1) & 0xFFFFFFFF)) {
        return;
    }
    uint32_t number = begun & ((1u << BOUND_SHIFT) - 1), bound = begun >> BOUND_SHIFT & 0xFFF;
    uint64_t *octave =
        number >= MMSTATS_BUCKET_FIRST ? octave_here(stat, octave_of(&stat->shape, number)) : NULL;
    if (number < MMSTATS_BUCKET_FIRST || octave != NULL) {
        store_relaxed(bucket_of(&stat->shape, spread, octave, number),
                      load_relaxed(&spread[MMSTATS_DISTRIBUTION_WAS]));
    }
    if (bound > 0) {
        store_relaxed(&spread[MMSTATS_DISTRIBUTION_BOUNDS + bound - 1],
                      load_relaxed(&spread[MMSTATS_DISTRIBUTION_WAS_BOUND]));
    }
}

static void
observe(mmstats_stat *stat, double value, uint64_t time)
{
    if (!isfinite(value)) {
        refused(stat);
        return;
    }
    uint32_t number = number_of(&stat->shape, value);
    uint64_t *octave = NULL;
    uint64_t *cells = cells_of(stat); /* first: a member's octaves begin with it */
    if (cells != NULL && number >= MMSTATS_BUCKET_FIRST) {
        octave = octave_here(stat, octave_of(&stat->shape, number));
        cells = octave != NULL ? cells : NULL;
    }
    if (cells == NULL) {
        return;
    }
    put_back(stat, cells);
    if (!distribution_store(&stat->shape, cells, octave, number, value, time)) {
        refused(stat);
    }
}

void
mmstats_observe(mmstats_stat *stat, double value)
{
    if (stat != NULL && stat->kind == MMSTATS_KIND_TIMER && !is_family(stat)) {
        observe(stat, value, monotonic_ns());
    }
    else if (takes(stat, MMSTATS_KIND_HISTOGRAM, MMSTATS_CELL_TYPE_F64, "mmstats_observe")) {
        observe(stat, value, 0);
    }
}

uint64_t
mmstats_now(void)
{
    return monotonic_ns();
}

void
mmstats_since(mmstats_stat *stat, uint64_t begin)
{
    if (takes(stat, MMSTATS_KIND_TIMER, MMSTATS_CELL_TYPE_F64, "mmstats_since")) {
        uint64_t now = monotonic_ns();
        observe(stat, (double)(int64_t)(now - begin) / 1e9, now);
    }
}

void
mmstats_set_text(mmstats_stat *stat, const char *utf8)
{
    if (takes(stat, MMSTATS_KIND_TEXT, MMSTATS_CELL_TYPE_TEXT, "mmstats_set_text") && utf8 != NULL) {
        uint64_t *cells = cells_of(stat);
        if (cells != NULL) {
            text_store(cells, stat->room, utf8, cut_at(utf8, strlen(utf8), stat->size));
        }
    }
}

/* --- beginning and end ------------------------------------------------------------------------------- */

static bool
mode_from(const char *text, mode_t *mode)
{
    char *end;
    *mode = 0600;
    if (text == NULL || *text == '\0') {
        return true;
    }
    unsigned long given = strtoul(text, &end, 8);
    if (*end != '\0' || given & ~0644ul || !(given & 0200)) {
        wrong("MMSTATS_MODE='%.40s': expected 0600, 0640, 0604 or 0644; nobody else writes", text);
        return false;
    }
    *mode = (mode_t)given | 0600;
    return true;
}

static char *
setting(const char *given, const char *variable, const char *otherwise)
{
    const char *told = given != NULL && *given != '\0' ? given : getenv(variable);
    told = told != NULL && *told != '\0' ? told : otherwise;
    return told != NULL ? strdup(told) : NULL;
}

static void
free_publisher(mmstats_publisher *publisher)
{
    free(publisher->settings.path);
    free(publisher->settings.filename);
    free(publisher->settings.group);
    free(publisher);
}

static bool
take_settings(struct settings *settings, const struct mmstats_options *options)
{
    char command[GROUP_ROOM + 1], expanded[PATH_ROOM];
    const char *disabled = getenv("MMSTATS_DISABLE");
    machine_command(command, sizeof command);
    settings->path = setting(options->path, "MMSTATS_PATH", NULL);
    settings->filename = setting(options->filename, "MMSTATS_FILES", "{CMD}-{PID}-{ID}.mmstats");
    settings->group = setting(options->group, "MMSTATS_GROUP", command);
    settings->disabled = disabled != NULL && *disabled != '\0' && strcmp(disabled, "0") != 0;
    settings->say = options->say != NULL ? options->say : say_on_stderr;
    if (settings->filename == NULL || settings->group == NULL) {
        no_memory();
        return false;
    }
    if (!is_text("group", settings->group) || !mode_from(getenv("MMSTATS_MODE"), &settings->mode)) {
        return false;
    }
    if (strlen(settings->group) > GROUP_ROOM) {
        wrong("group has %zu bytes, at most %d fit", strlen(settings->group), GROUP_ROOM);
        return false;
    }
    errno = EINVAL;
    return places_expand(settings->filename, "00000000", expanded, sizeof expanded, error, sizeof error)
           && (settings->path == NULL
               || places_expand(settings->path, "00000000", expanded, sizeof expanded, error, sizeof error));
}

static bool
start(mmstats_publisher *publisher)
{
    if (!threads_start()) {
        return false;
    }
    pthread_mutex_lock(&page->slow);
    bool started = gid_take_locked(&publisher->state_gid) && has_region(publisher);
    pthread_mutex_unlock(&page->slow);
    return started;
}

mmstats_publisher *
mmstats_open(const struct mmstats_options *options)
{
    mmstats_publisher *publisher = calloc(1, sizeof *publisher);
    if (publisher == NULL) {
        return no_memory();
    }
    bool is_right =
        take_settings(&publisher->settings, options != NULL ? options : &(struct mmstats_options){0});
    if (is_right && start(publisher)) {
        return publisher;
    }
    if (is_right) {
        no_memory();
    }
    free_publisher(publisher);
    return NULL;
}

const char *
mmstats_file(mmstats_publisher *publisher)
{
    if (publisher == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&page->slow);
    const char *file =
        has_region(publisher) && !publisher->region->is_private ? publisher->region->file : NULL;
    pthread_mutex_unlock(&page->slow);
    return file;
}

static void
close_segments(mmstats_publisher *publisher)
{
    for (struct segment *segment = publisher->segments, *next; segment != NULL; segment = next) {
        next = segment->next;
        slots_forget(segment->gid);
        gid_give_locked(segment->gid);
        free(segment->octaves);
        free(segment);
    }
    slots_forget(publisher->state_gid);
    gid_give_locked(publisher->state_gid);
}

void
mmstats_close(mmstats_publisher *publisher)
{
    if (publisher == NULL) {
        return;
    }
    pthread_mutex_lock(&page->slow);
    close_segments(publisher);
    if (publisher->region != NULL && publisher->process == process_number()) {
        region_close(publisher->region);
    }
    else if (publisher->region != NULL) {
        region_leave(publisher->region); /* it is our parent's */
    }
    free_lanes(publisher);
    for (mmstats_stat *stat = publisher->stats, *next; stat != NULL; stat = next) {
        next = stat->next;
        free_stat(stat);
    }
    pthread_mutex_unlock(&page->slow);
    free_publisher(publisher);
}
