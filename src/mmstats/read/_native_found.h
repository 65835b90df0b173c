/* What was found in one file, each with what it is to be added to; added when all of the file was found fit.
 */
#ifndef MMSTATS_NATIVE_FOUND_H
#define MMSTATS_NATIVE_FOUND_H

#include "_native_walk.h"
#include "words.h"

enum what { NUMBERS, SPREAD, TOLD, STATED, FAMILY, LATEST, LISTED };
enum rule {
    SUM_U64,
    SUM_I64,
    SUM_F64,
    SUM_SET_F64,
    MAX_U64,
    MAX_I64,
    MAX_F64,
    MIN_U64,
    MIN_I64,
    MIN_F64,
    RULES
};

#define MOST_SCALE MMSTATS_SCALE_MOST
#define OCTAVES (2 * MMSTATS_OCTAVE_MOST)

/* What one cell comes to. `sum`: of integers, exactly. */
struct value {
    __int128 sum;
    union word word; /* of doubles, and of the greatest and the least */
    bool is_there;
};

/* What a distribution comes to. `octaves`: each with 2**scale buckets, NULL where there was nothing. */
struct spread {
    uint64_t n, zero, overflow, negative;
    double sum, least, most;
    uint64_t *counts, **octaves;
};

/* What the last durations of a timer come to. `time`: of the last one of them; there may be none. */
struct latest {
    double sum, last;
    uint64_t count;
    int64_t time;
    bool has_time, is_there;
};

/* How a step is done, wherever its cells are. `size`: cells of the value; of NUMBERS how many there are;
 * `besides`: cells in front of the last durations; `first`: index of the first bucket. */
struct shape {
    enum what what;
    uint32_t size, totals, distribution, scale, octaves, counts, besides;
    int64_t first;
    bool living, is_compound;
    uint8_t *rules;
};

/* What a step comes to. */
union total {
    struct value *numbers;
    struct spread *spread;
    struct latest *latest;
    struct list *list;
};

/* What was found in a file. A number: of all its lanes. */
struct number {
    struct value *total;
    union word word;
    enum rule rule;
};

/* A distribution's fixed part, of one lane. */
struct lane_sums {
    struct spread *total;
    const char *counts;
    uint32_t counts_count;
    uint64_t n, zero, overflow, negative;
    double sum, least, most;
};

/* The buckets of one octave, of one lane. */
struct buckets {
    struct spread *total;
    uint32_t octave, room;
    const char *cells;
};

/* The last durations, of all lanes. */
struct durations {
    struct latest *total, latest;
};

/* The number of a static. */
struct stated {
    uint64_t word, created;
};

struct list {
    struct stated *stated;
    size_t count, room;
};

struct listed {
    struct list *list;
    struct stated stated;
};

struct found {
    struct listed *listed;
    struct number *numbers;
    struct lane_sums *sums;
    struct buckets *buckets;
    struct durations *durations;
    size_t numbers_count, numbers_room, sums_count, sums_room, buckets_count, buckets_room;
    size_t durations_count, durations_room, listed_count, listed_room;
};

/* Room for one more; NULL where there is no memory. */
#define ONE_MORE(found, what) \
    more((void **)&(found)->what, &(found)->what##_count, &(found)->what##_room, sizeof *(found)->what)

static inline void *
more(void **list, size_t *count, size_t *room, size_t size)
{
    void *grown = room_for_one(*list, *count, room, size);
    if (grown == NULL) {
        return NULL;
    }
    *list = grown;
    return (char *)grown + size * (*count)++;
}

static void
free_found(struct found *found)
{
    PyMem_RawFree(found->listed);
    PyMem_RawFree(found->numbers);
    PyMem_RawFree(found->sums);
    PyMem_RawFree(found->buckets);
    PyMem_RawFree(found->durations);
}

/* Nothing yet. */
static void
clear_found(struct found *found)
{
    found->numbers_count = found->sums_count = found->buckets_count = 0;
    found->durations_count = found->listed_count = 0;
}

static inline bool
is_real(enum rule rule)
{
    return rule == SUM_F64 || rule == SUM_SET_F64 || rule == MAX_F64 || rule == MIN_F64;
}

/* One word on top of what there is: of the lanes of one file, or of files. */
static inline void
join(enum rule rule, union word word, struct value *value)
{
    union word before = value->word;
    bool was_there = value->is_there;
    value->is_there = true;
    switch (rule) {
    case SUM_U64:
    case SUM_I64:
        value->word.whole = (was_there ? before.whole : 0) + word.whole;
        return;
    case SUM_F64:
    case SUM_SET_F64:
        value->word.real = was_there ? before.real + word.real : word.real;
        return;
    case MAX_U64:
        was_there = was_there && before.whole >= word.whole;
        break;
    case MAX_I64:
        was_there = was_there && (int64_t)before.whole >= (int64_t)word.whole;
        break;
    case MAX_F64:
        was_there = was_there && before.real >= word.real;
        break;
    case MIN_U64:
        was_there = was_there && before.whole <= word.whole;
        break;
    case MIN_I64:
        was_there = was_there && (int64_t)before.whole <= (int64_t)word.whole;
        break;
    default:
        was_there = was_there && before.real <= word.real;
        break;
    }
    value->word = was_there ? before : word;
}

static inline void
add_number(const struct number *number)
{
    struct value *total = number->total;
    if (number->rule == SUM_U64) {
        total->sum += number->word.whole;
        total->is_there = true;
    }
    else if (number->rule == SUM_I64) {
        total->sum += (int64_t)number->word.whole;
        total->is_there = true;
    }
    else {
        join(number->rule, number->word, total);
    }
}

/* One on top of another; of those of one time the other is the last. */
static void
join_latest(struct latest *latest, const struct latest *other)
{
    if (!latest->is_there) {
        *latest = *other;
        return;
    }
    latest->sum += other->sum;
    latest->count += other->count;
    if (latest->has_time && (!other->has_time || latest->time > other->time)) {
        return;
    }
    latest->time = other->time;
    latest->last = other->last;
    latest->has_time = other->has_time;
}

static void
add_sums(const struct lane_sums *one)
{
    struct spread *total = one->total;
    total->sum = total->n ? total->sum + one->sum : one->sum;
    total->least = total->n && total->least <= one->least ? total->least : one->least;
    total->most = total->n && total->most >= one->most ? total->most : one->most;
    total->n += one->n;
    total->zero += one->zero;
    total->overflow += one->overflow;
    total->negative += one->negative;
    for (uint32_t i = 0; i < one->counts_count; i++) {
        total->counts[i] += u64_at(one->counts, 8 * i);
    }
}

/* false: there is no memory. */
static bool
add_buckets(const struct buckets *one)
{
    uint64_t **octave = &one->total->octaves[one->octave];
    if (*octave == NULL) {
        *octave = PyMem_RawCalloc(one->room, sizeof **octave);
    }
    for (uint32_t i = 0; *octave != NULL && i < one->room; i++) {
        (*octave)[i] += u64_at(one->cells, 8 * i);
    }
    return *octave != NULL;
}

/* Likewise. */
static bool
add_stated(struct list *list, const struct stated *stated)
{
    struct stated *room = room_for_one(list->stated, list->count, &list->room, sizeof *room);
    if (room == NULL) {
        return false;
    }
    list->stated = room;
    room[list->count++] = *stated;
    return true;
}

/* Likewise, all that was found in a file. */
static bool
add_found(const struct found *found)
{
    for (size_t i = 0; i < found->numbers_count; i++) {
        add_number(&found->numbers[i]);
    }
    for (size_t i = 0; i < found->sums_count; i++) {
        add_sums(&found->sums[i]);
    }
    for (size_t i = 0; i < found->durations_count; i++) {
        join_latest(found->durations[i].total, &found->durations[i].latest);
    }
    for (size_t i = 0; i < found->listed_count; i++) {
        if (!add_stated(found->listed[i].list, &found->listed[i].stated)) {
            return false;
        }
    }
    for (size_t i = 0; i < found->buckets_count; i++) {
        if (!add_buckets(&found->buckets[i])) {
            return false;
        }
    }
    return true;
}

#endif
