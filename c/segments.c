/* Segments: which values stand side by side. */
#define _GNU_SOURCE
#include "writer.h"

#include <stdlib.h>

enum {
    ENOUGH = 512, /* cells: of large values there are fewer side by side */
    FEW = 8,      /* members in a family's first segment */
};

struct segment *
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

bool
segment_place(mmstats_publisher *publisher, mmstats_stat *stat, struct segment **open, uint32_t head)
{
    uint32_t step = head + stat->cells, room = step;
    if (head != 0) { /* as many as the family has already: it doubles */
        uint32_t most = ENOUGH / step, members = stat->family->member_count;
        members = members < FEW ? FEW : members < MOST_BESIDE ? members : MOST_BESIDE;
        room = step * (most < 1 ? 1 : most < members ? most : members);
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
