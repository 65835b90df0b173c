/* Updates of histograms and timers, whose octaves get their cells as values come (FORMAT.md 5.2). */
#define _GNU_SOURCE
#include "writer.h"

#include <math.h>

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
    uint64_t *cells = slot != NULL ? slot->cells : cells_attach(stat, octave);
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
