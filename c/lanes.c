/* Lanes: the cells that one thread after the other stores into. */
#define _GNU_SOURCE
#include "writer.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

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
        region_publish(block, MMSTATS_BLOCK_TYPE_LANE);
        region_changed(publisher->region);
    }
    lane->next = publisher->lanes;
    publisher->lanes = lane;
    return lane;
}

struct lane *
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
        region_publish(block, MMSTATS_BLOCK_TYPE_CELLS);
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

struct piece *
lane_piece(mmstats_publisher *publisher, struct lane *lane, const struct segment *segment)
{
    for (struct piece *piece = lane->pieces; piece != NULL; piece = piece->next) {
        if (piece->segment == segment) {
            return piece;
        }
    }
    return piece_new(publisher, lane, segment);
}

static void
lane_free(struct lane *lane)
{
    while (lane->pieces != NULL) {
        struct piece *next = lane->pieces->next;
        free(lane->pieces->base);
        free(lane->pieces); /* cells that the file had no space for stay: a thread may store into them */
        lane->pieces = next;
    }
}

void
lanes_free(mmstats_publisher *publisher)
{
    for (struct lane *lane = publisher->lanes, *next; lane != NULL; lane = next) {
        next = lane->next;
        lane_free(lane);
        free(lane);
    }
    lane_free(&publisher->process_lane);
    publisher->lanes = NULL;
    publisher->process_lane = (struct lane){0};
    publisher->lane_numbers = 0;
}
