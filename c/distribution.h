/* Values that are counted by where they lie (FORMAT.md 5.2). Knows no Python.
 *
 * A bucket is counted in its place, so an update first stores what was, and whose it is: a reader in the
 * middle, or after a kill, counts that one cell as it was.
 */
#ifndef MMSTATS_DISTRIBUTION_H
#define MMSTATS_DISTRIBUTION_H

#include <math.h>
#include <stdbool.h>

#include "mmstats_edges.h"
#include "words.h"

enum { TOTALS = 3 /* cells of {sum, min, max} */, BOUND_SHIFT = 20, WITNESS_SHIFT = 32 };

/* How the values of a metric are laid out. */
struct distribution {
    const double *bounds;
    uint32_t bound_count;
    int32_t scale, low, high;
    uint32_t totals; /* where they begin in the value's cells */
    uint32_t spread; /* and the distribution */
    uint32_t ring;   /* and the ring; 0: there is none */
    uint32_t room;   /* values in the ring, one more than count */
};

static inline uint32_t
distribution_cells(const struct distribution *self)
{
    return MMSTATS_DISTRIBUTION_SIZE + (self->bound_count > 0 ? self->bound_count + 1 : 0);
}

/* value = fraction * 2**octave, and 1 <= fraction < 2 */
static inline double
fraction_of(double value, int *octave)
{
    uint64_t bits = whole_of(value);
    int exponent = (int)(bits >> 52);
    if (exponent == 0) { /* subnormal */
        double half = frexp(value, octave);
        --*octave;
        return 2 * half;
    }
    *octave = exponent - 1023;
    return real_of((bits & UINT64_C(0xFFFFFFFFFFFFF)) | UINT64_C(0x3FF0000000000000));
}

/* Which cell counts the value, as `begun` names it. */
static inline uint32_t
number_of(const struct distribution *self, double value)
{
    if (value <= 0) {
        return value < 0 ? MMSTATS_BUCKET_NEGATIVE : MMSTATS_BUCKET_ZERO;
    }
    int octave;
    double fraction = fraction_of(value, &octave);
    uint32_t finer = MMSTATS_SCALE_MOST - (uint32_t)self->scale, sub = 0;
    if (fraction == 1.0) { /* the upper edge of its bucket */
        octave--;
        sub = (1u << self->scale) - 1;
    }
    else {
        for (uint32_t step = 1u << self->scale >> 1; step > 0; step >>= 1) {
            sub += mmstats_edges[((sub + step) << finer) - 1] < fraction ? step : 0;
        }
    }
    if (octave < self->low) {
        return MMSTATS_BUCKET_ZERO;
    }
    if (octave >= self->high) {
        return MMSTATS_BUCKET_OVERFLOW;
    }
    return MMSTATS_BUCKET_FIRST + ((uint32_t)(octave - self->low) << self->scale) + sub;
}

/* Which octave, from `low` on, has that cell; only of those from BUCKET_FIRST on. */
static inline uint32_t
octave_of(const struct distribution *self, uint32_t number)
{
    return (number - MMSTATS_BUCKET_FIRST) >> self->scale;
}

/* The place of the value's bound, from 1 on; 0 where there are no bounds. */
static inline uint32_t
bound_of(const struct distribution *self, double value)
{
    uint32_t bound = 0;
    if (self->bound_count > 0) {
        for (bound = 1; bound <= self->bound_count && self->bounds[bound - 1] < value; bound++) {
        }
    }
    return bound;
}

/* The cell of that number: among the first ones, or in the octave, whose cells are this value's own. */
static inline uint64_t *
bucket_of(const struct distribution *self, uint64_t *spread, uint64_t *octave, uint32_t number)
{
    if (number < MMSTATS_BUCKET_FIRST) {
        return &spread[MMSTATS_DISTRIBUTION_ZERO + number];
    }
    return &octave[(number - MMSTATS_BUCKET_FIRST) & ((1u << self->scale) - 1)];
}

struct totals {
    double sum, min, max;
};

static inline struct totals
totals_with(const uint64_t *totals, uint64_t n, double value)
{
    if (n == 0) {
        return (struct totals){value, value, value};
    }
    const uint64_t *old = &totals[TOTALS * (n & 1)];
    double min = real_of(load_relaxed(&old[1])), max = real_of(load_relaxed(&old[2]));
    return (struct totals){
        .sum = real_of(load_relaxed(&old[0])) + value,
        .min = value < min ? value : min,
        .max = value > max ? value : max,
    };
}

/* One more in that cell, by the update that makes the witness n + 1. */
static inline void
distribution_count(const struct distribution *self, uint64_t *spread, uint64_t *bucket, uint64_t n,
                   uint32_t number, double value)
{
    uint32_t bound = bound_of(self, value);
    uint64_t *of_bound = bound > 0 ? &spread[MMSTATS_DISTRIBUTION_BOUNDS + bound - 1] : NULL;
    uint64_t was = load_relaxed(bucket), was_bound = of_bound != NULL ? load_relaxed(of_bound) : 0;
    fence_release();
    store_relaxed(&spread[MMSTATS_DISTRIBUTION_WAS], was);
    if (of_bound != NULL) {
        store_relaxed(&spread[MMSTATS_DISTRIBUTION_WAS_BOUND], was_bound);
    }
    store_release(&spread[MMSTATS_DISTRIBUTION_BEGUN],
                  number | (uint64_t)bound << BOUND_SHIFT | (n + 1) << WITNESS_SHIFT);
    fence_release();
    store_relaxed(bucket, was + 1);
    if (of_bound != NULL) {
        store_relaxed(of_bound, was_bound + 1);
    }
}

/* One more value, at that time (CLOCK_MONOTONIC in ns, of a timer). false: nothing was stored. */
static inline bool
distribution_store(const struct distribution *self, uint64_t *cells, uint64_t *octave, uint32_t number,
                   double value, uint64_t time)
{
    uint64_t n = load_relaxed(&cells[MMSTATS_HISTOGRAM_WITNESS]); /* a timer has it in the same place */
    struct totals totals = totals_with(&cells[self->totals], n, value);
    if (!isfinite(totals.sum)) {
        return false;
    }
    uint64_t *new = &cells[self->totals + TOTALS * ((n + 1) & 1)], *spread = &cells[self->spread];
    distribution_count(self, spread, bucket_of(self, spread, octave, number), n, number, value);
    store_relaxed(&new[0], whole_of(totals.sum));
    store_relaxed(&new[1], whole_of(totals.min));
    store_relaxed(&new[2], whole_of(totals.max));
    if (self->ring > 0) {
        store_relaxed(&cells[self->ring + ring_place(n, self->room)], whole_of(value));
        store_relaxed(&cells[MMSTATS_TIMER_TIME], time);
    }
    store_release(&cells[MMSTATS_HISTOGRAM_WITNESS], n + 1);
    return true;
}

#endif
