/* What an update of a compound value stores, told whole by its witness (FORMAT.md 5.1). Knows no Python.
 *
 * An update has the lane to itself. Readers come in between: so what is stored first is what the witness
 * does not point at, and the witness comes last. The fence keeps those stores behind the witness of the
 * update before. A function that gives `bool` gives false where nothing was stored: the sum would be no
 * finite number.
 */
#ifndef MMSTATS_VALUES_H
#define MMSTATS_VALUES_H

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"
#include "words.h"

static inline bool
average_store(uint64_t *cells, double value)
{
    uint64_t n = load_relaxed(&cells[MMSTATS_AVERAGE_WITNESS]);
    double sum = real_of(load_relaxed(&cells[MMSTATS_AVERAGE_SUM + (n & 1)])) + value;
    if (!isfinite(sum)) {
        return false;
    }
    fence_release();
    store_relaxed(&cells[MMSTATS_AVERAGE_SUM + ((n + 1) & 1)], whole_of(sum));
    store_release(&cells[MMSTATS_AVERAGE_WITNESS], n + 1);
    return true;
}

/* `room`: values in the ring, one more than count. */
static inline void
moving_store(uint64_t *cells, uint32_t room, double value)
{
    uint64_t n = load_relaxed(&cells[MMSTATS_MOVING_WITNESS]);
    fence_release();
    store_relaxed(&cells[MMSTATS_MOVING_RING + ring_place(n, room)], whole_of(value));
    store_release(&cells[MMSTATS_MOVING_WITNESS], n + 1);
}

/* --- a window of time ----------------------------------------------------------------------------- */

struct now {
    uint64_t started, slice, count, sum;
};

struct slice {
    uint64_t slice, count, sum;
};

enum { NOW_CELLS = sizeof(struct now) / 8, SLICE_CELLS = sizeof(struct slice) / 8 };

/* The slice of time that it is, of that width in ns; never before the newest that was seen. */
static inline uint64_t
slice_now(uint64_t width, uint64_t newest)
{
    uint64_t slice = monotonic_ns() / width;
    return slice > newest ? slice : newest;
}

static inline struct now
now_at(const uint64_t *cells, uint64_t n)
{
    const uint64_t *at = &cells[MMSTATS_WINDOW_NOW + NOW_CELLS * (n & 1)];
    return (struct now){load_relaxed(&at[0]), load_relaxed(&at[1]), load_relaxed(&at[2]),
                        load_relaxed(&at[3])};
}

static inline bool
window_store(uint64_t *cells, uint32_t slices, uint64_t width, double value)
{
    uint64_t n = load_relaxed(&cells[MMSTATS_WINDOW_WITNESS]);
    struct now old = now_at(cells, n);
    uint64_t coming = slice_now(width, old.slice);
    bool goes_on = coming == old.slice;
    double sum = (goes_on ? real_of(old.sum) : 0.0) + value;
    if (!isfinite(sum)) {
        return false;
    }
    fence_release();
    if (!goes_on && old.count > 0) {
        uint64_t *kept = &cells[MMSTATS_WINDOW_RING + SLICE_CELLS * (old.slice % slices)];
        store_relaxed(&kept[0], old.slice);
        store_relaxed(&kept[1], old.count);
        store_relaxed(&kept[2], old.sum);
    }
    uint64_t *new = &cells[MMSTATS_WINDOW_NOW + NOW_CELLS * ((n + 1) & 1)];
    store_relaxed(&new[0], old.started);
    store_relaxed(&new[1], coming);
    store_relaxed(&new[2], goes_on ? old.count + 1 : 1);
    store_relaxed(&new[3], whole_of(sum));
    store_release(&cells[MMSTATS_WINDOW_WITNESS], n + 1);
    return true;
}

/* --- texts ---------------------------------------------------------------------------------------- */

/* Cells of a slot for texts of that many bytes. */
static inline uint32_t
slot_cells(uint32_t size)
{
    return MMSTATS_SLOT_SIZE + (size + 7) / 8;
}

/* Where the last whole character ends that fits: no byte 10xxxxxx begins one. */
static inline uint32_t
cut_at(const char *bytes, size_t length, uint32_t size)
{
    if (length <= size) {
        return (uint32_t)length;
    }
    while (size > 0 && ((unsigned char)bytes[size] & 0xC0) == 0x80) {
        size--;
    }
    return size;
}

/* Whole words, the last one filled up with zeros. */
static inline void
store_bytes(uint64_t *cells, const char *bytes, uint32_t length)
{
    for (uint32_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, length - at < 8 ? length - at : 8);
        store_relaxed(&cells[at / 8], word);
    }
}

/* `slot`: cells of each of the two. */
static inline void
text_store(uint64_t *cells, uint32_t slot, const char *bytes, uint32_t length)
{
    uint64_t n = load_relaxed(&cells[MMSTATS_TEXT_WITNESS]), now = monotonic_ns();
    uint64_t *next = &cells[MMSTATS_TEXT_SLOTS + slot * ((n + 1) & 1)];
    fence_release();
    store_bytes(&next[MMSTATS_SLOT_BYTES], bytes, length);
    store_relaxed(&next[MMSTATS_SLOT_LENGTH], length);
    store_relaxed(&next[MMSTATS_SLOT_TIME], now);
    store_release(&cells[MMSTATS_TEXT_WITNESS], n + 1);
}

#endif
