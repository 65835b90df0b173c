/* The way to the cells for a thread that has none yet, or no longer since a fork. */
#define _GNU_SOURCE
#include "writer.h"

bool
publisher_has_region(mmstats_publisher *publisher)
{
    if (publisher->region != NULL && publisher->process == process_number()) {
        return true;
    }
    struct region *inherited = publisher->region;
    publisher->region = NULL;
    if (inherited != NULL) {
        region_leave(inherited);
        lanes_free(publisher);
    }
    publisher->region = region_open(&publisher->settings);
    if (publisher->region == NULL) {
        return false;
    }
    publisher->process = process_number();
    for (mmstats_stat *stat = publisher->stats; stat != NULL; stat = stat->next) {
        if (stat->family == NULL) {
            blocks_declare(publisher->region, stat);
        }
        else if (!stat->is_forgotten) {
            blocks_declare_member(publisher, stat);
        }
    }
    token_renew();
    return true;
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
    if (!publisher_has_region(publisher)) {
        return NULL;
    }
    if (stat->is_forgotten) {
        region_drop(publisher->region, MMSTATS_DROP_REASON_REMOVED, NULL);
        return NULL;
    }
    struct lane *lane = segment->of_process ? &publisher->process_lane : lane_here(publisher);
    struct piece *piece = lane != NULL ? lane_piece(publisher, lane, segment) : NULL;
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

uint64_t *
cells_attach(const mmstats_stat *stat, const struct segment *segment)
{
    pthread_mutex_lock(&page->slow);
    uint64_t *cells = attach(stat, segment);
    pthread_mutex_unlock(&page->slow);
    return cells;
}
