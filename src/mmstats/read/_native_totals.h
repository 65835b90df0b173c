/* What shapes come to: made, cleared, put together, let go. */
#ifndef MMSTATS_NATIVE_TOTALS_H
#define MMSTATS_NATIVE_TOTALS_H

#include "_native_spreads.h"

static void
free_spread(const struct shape *shape, struct spread *spread)
{
    for (uint32_t i = 0; spread != NULL && spread->octaves != NULL && i < shape->octaves; i++) {
        PyMem_RawFree(spread->octaves[i]);
    }
    if (spread != NULL) {
        PyMem_RawFree(spread->octaves);
        PyMem_RawFree(spread->counts);
    }
    PyMem_RawFree(spread);
}

static void
free_total(const struct shape *shape, union total *total)
{
    if (shape->what == SPREAD) {
        free_spread(shape, total->spread);
    }
    else if (shape->what == NUMBERS) {
        PyMem_RawFree(total->numbers);
    }
    else if (shape->what == LATEST) {
        PyMem_RawFree(total->latest);
    }
    else if (shape->what == LISTED && total->list != NULL) {
        PyMem_RawFree(total->list->stated);
        PyMem_RawFree(total->list);
    }
}

static int
new_total(const struct shape *shape, union total *total)
{
    memset(total, 0, sizeof *total);
    if (shape->what == NUMBERS) {
        total->numbers = PyMem_RawCalloc(shape->size, sizeof *total->numbers);
        return total->numbers == NULL ? -1 : 0;
    }
    if (shape->what == LATEST) {
        total->latest = PyMem_RawCalloc(1, sizeof *total->latest);
        return total->latest == NULL ? -1 : 0;
    }
    if (shape->what == LISTED) {
        total->list = PyMem_RawCalloc(1, sizeof *total->list);
        return total->list == NULL ? -1 : 0;
    }
    if (shape->what != SPREAD) {
        return 0;
    }
    struct spread *spread = total->spread = PyMem_RawCalloc(1, sizeof *spread);
    if (spread == NULL) {
        return -1;
    }
    spread->counts = PyMem_RawCalloc(shape->counts + 1, sizeof *spread->counts);
    spread->octaves = PyMem_RawCalloc(shape->octaves + 1, sizeof *spread->octaves);
    return spread->counts == NULL || spread->octaves == NULL ? -1 : 0;
}

/* Back to nothing. */
static void
clear_total(const struct shape *shape, union total *total)
{
    if (shape->what == NUMBERS) {
        memset(total->numbers, 0, shape->size * sizeof *total->numbers);
        return;
    }
    if (shape->what == LATEST) {
        *total->latest = (struct latest){.is_there = false};
    }
    if (shape->what == LISTED) {
        total->list->count = 0;
    }
    if (shape->what != SPREAD || total->spread->n == 0) {
        return;
    }
    struct spread *spread = total->spread;
    uint64_t *counts = spread->counts, **octaves = spread->octaves;
    for (uint32_t i = 0; i < shape->octaves; i++) {
        if (octaves[i] != NULL) {
            memset(octaves[i], 0, sizeof *octaves[i] << shape->scale);
        }
    }
    memset(counts, 0, shape->counts * sizeof *counts);
    *spread = (struct spread){.counts = counts, .octaves = octaves};
}

static bool
merge_spread(const struct shape *shape, struct spread *spread, const struct spread *other)
{
    const struct lane_sums sums = {
        .total = spread,
        .counts = (const char *)other->counts,
        .counts_count = shape->counts,
        .n = other->n,
        .zero = other->zero,
        .overflow = other->overflow,
        .negative = other->negative,
        .sum = other->sum,
        .least = other->least,
        .most = other->most,
    };
    if (other->n == 0) {
        return true;
    }
    add_sums(&sums);
    for (uint32_t i = 0; i < shape->octaves; i++) {
        const struct buckets buckets = {.total = spread,
                                        .octave = i,
                                        .room = UINT32_C(1) << shape->scale,
                                        .cells = (const char *)other->octaves[i]};
        if (other->octaves[i] != NULL && !add_buckets(&buckets)) {
            return false;
        }
    }
    return true;
}

/* false: there is no memory. */
static bool
merge_total(const struct shape *shape, union total *total, const union total *other)
{
    if (shape->what == SPREAD) {
        return merge_spread(shape, total->spread, other->spread);
    }
    if (shape->what == LATEST && other->latest->is_there) {
        join_latest(total->latest, other->latest);
    }
    for (size_t i = 0; shape->what == LISTED && i < other->list->count; i++) {
        if (!add_stated(total->list, &other->list->stated[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; shape->what == NUMBERS && i < shape->size; i++) {
        struct value *value = &total->numbers[i];
        const struct value *more = &other->numbers[i];
        if (!more->is_there) {
            continue;
        }
        if (shape->rules[i] == SUM_U64 || shape->rules[i] == SUM_I64) {
            value->sum += more->sum;
            value->is_there = true;
        }
        else {
            join(shape->rules[i], more->word, value);
        }
    }
    return true;
}

#endif
