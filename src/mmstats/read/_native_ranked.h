/* Short lists of places, sorted by a number. */
#ifndef MMSTATS_NATIVE_RANKED_H
#define MMSTATS_NATIVE_RANKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEW 128

/* A place in another list, and what it is sorted by. */
struct ranked {
    uint64_t rank;
    uint32_t at;
};

static inline bool
is_before(const struct ranked *one, const struct ranked *other)
{
    return one->rank < other->rank || (one->rank == other->rank && one->at < other->at);
}

/* Many: by one byte after the other, from the lowest on. `spare`: as long as the list. */
static struct ranked *
sort_by_bytes(struct ranked *list, struct ranked *spare, size_t count)
{
    for (int shift = 0; shift < 64; shift += 8) {
        size_t starts[257] = {0};
        for (size_t i = 0; i < count; i++) {
            starts[(list[i].rank >> shift & 0xFF) + 1]++;
        }
        if (starts[(list[0].rank >> shift & 0xFF) + 1] == count) {
            continue; /* all have the same */
        }
        for (int i = 0; i < 256; i++) {
            starts[i + 1] += starts[i];
        }
        for (size_t i = 0; i < count; i++) {
            spare[starts[list[i].rank >> shift & 0xFF]++] = list[i];
        }
        struct ranked *sorted = spare;
        spare = list;
        list = sorted;
    }
    return list;
}

static bool
is_sorted(const struct ranked *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (!is_before(&list[i - 1], &list[i])) {
            return false;
        }
    }
    return true;
}

/* Few: each to its place among those before it, with ever smaller steps. */
static void
sort_few(struct ranked *list, size_t count)
{
    static const size_t gaps[] = {57, 23, 10, 4, 1};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        for (size_t j = gaps[i]; j < count; j++) {
            struct ranked one = list[j];
            size_t at = j;
            for (; at >= gaps[i] && is_before(&one, &list[at - gaps[i]]); at -= gaps[i]) {
                list[at] = list[at - gaps[i]];
            }
            list[at] = one;
        }
    }
}

/* Those of one rank in the order of the file. */
static void
sort_ranked(struct ranked **list, struct ranked **spare, size_t count)
{
    if (is_sorted(*list, count)) {
        return;
    }
    if (count <= FEW) {
        sort_few(*list, count);
    }
    else if (sort_by_bytes(*list, *spare, count) == *spare) {
        struct ranked *sorted = *spare;
        *spare = *list;
        *list = sorted;
    }
}

/* The first one of that rank, or of the next higher one. */
static inline size_t
first_of(const struct ranked *list, size_t count, uint64_t rank)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (list[middle].rank < rank) {
            low = middle + 1;
        }
        else {
            count = middle;
        }
    }
    return low;
}

#endif
