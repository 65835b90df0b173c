/* The eight bytes of a cell, as a whole number and as a double (FORMAT.md 5). */
#ifndef MMSTATS_WORDS_H
#define MMSTATS_WORDS_H

#include <stdint.h>

#include "barrier.h"
#include "mmstats_layout.h"

#define QUIET_NAN UINT64_C(0x7FF8000000000000)

union word {
    uint64_t whole;
    double real;
};

static inline double
real_of(uint64_t whole)
{
    return (union word){.whole = whole}.real;
}

static inline uint64_t
whole_of(double real)
{
    return (union word){.real = real}.whole;
}

/* Plain load, add, store: the cell has one writer. */
static inline void
cell_add_whole(uint64_t *cell, uint64_t amount)
{
    store_relaxed(cell, load_relaxed(cell) + amount);
}

static inline void
cell_add_real(uint64_t *cell, double amount)
{
    store_relaxed(cell, whole_of(real_of(load_relaxed(cell)) + amount));
}

/* Where value n stands in a ring with so much room. A division of 64 bits is dear, and hardly ever needed. */
static inline uint32_t
ring_place(uint64_t n, uint32_t room)
{
    return n <= UINT32_MAX ? (uint32_t)n % room : (uint32_t)(n % room);
}

/* The pattern that says "never" is stored for no value: its neighbour is. */
static inline uint64_t
not_never(int cell_type, uint64_t whole)
{
    switch (cell_type) {
    case MMSTATS_CELL_TYPE_F64:
        return real_of(whole) != real_of(whole) ? QUIET_NAN : whole;
    case MMSTATS_CELL_TYPE_U64:
        return whole - (whole == MMSTATS_NEVER_U64);
    default:
        return whole + (whole == MMSTATS_NEVER_I64);
    }
}

#endif
