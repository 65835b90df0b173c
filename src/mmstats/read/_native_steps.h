/* What is done for the cells of one file, step by step: what `pattern` and `steps` say.
 *
 * What is found is noted with what it is to be added to, and added when all of the file was found fit. */
#ifndef MMSTATS_NATIVE_STEPS_H
#define MMSTATS_NATIVE_STEPS_H

#include <math.h>

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

#define LARGE (UINT64_C(1) << 44) /* a count that great is none; sums of smaller ones cannot overflow */
#define MOST_OCTAVE_CELLS (1 << 20)
#define MOST_SCALE MMSTATS_SCALE_MOST
#define MOST_TIME ((__int128)1 << 62) /* ns since 1970, or before */
#define OCTAVES (2 * MMSTATS_OCTAVE_MOST)
#define MOST_OCTAVE 4095 /* of what a segment's number has room for */

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

/* Where its cells are. `generation`: of a member, in front of them; 0: it is none. */
struct where {
    uint32_t segment, index;
    uint64_t generation;
};

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

static inline bool
is_real(enum rule rule)
{
    return rule == SUM_F64 || rule == SUM_SET_F64 || rule == MAX_F64 || rule == MIN_F64;
}

/* Whether nobody wrote the cell, which then has a pattern of its own; of sums of integers each word counts.
 */
static bool
is_never(enum rule rule, union word word)
{
    switch (rule) {
    case MAX_U64:
    case MIN_U64:
        return word.whole == MMSTATS_NEVER_U64;
    case MAX_I64:
    case MIN_I64:
        return word.whole == MMSTATS_NEVER_I64;
    case MAX_F64:
    case MIN_F64:
    case SUM_SET_F64:
        return word.whole == MMSTATS_NEVER_F64;
    default:
        return false;
    }
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

static inline bool
is_quiet(const struct walked *file, size_t at)
{
    uint64_t word = u64_at(file->first, at);
    return word == u64_at(file->middle, at) && word == u64_at(file->last, at);
}

/* Where a lane has the value behind its generation; 0: not there, as `answer` says, or none of its. `head`:
 * whether a witness begins it. */
static inline size_t
value_at(struct walked *file, const struct spot *spot, const struct where *where, uint32_t cells, bool head,
         enum answer *answer)
{
    size_t front = where->generation ? 1 : 0, at = place_of(file, spot, where->index, cells + front);
    if (at == 0 || (front && !is_quiet(file, at)) || (head && !is_quiet(file, at + 8 * front))) {
        *answer = ANSWER_BUSY;
        return 0;
    }
    if (front && u64_at(file->first, at) != where->generation) {
        return 0;
    }
    return at + 8 * front;
}

/* The numbers of one lane, on top of those of the others. */
static enum answer
join_lane(const struct walked *file, const struct shape *shape, size_t at, struct value *values)
{
    for (uint32_t cell = 0; cell < shape->size; cell++) {
        enum rule rule = shape->rules[cell];
        union word word = {.whole = u64_at(file->middle, at + 8 * cell)};
        if (is_never(rule, word)) {
            continue;
        }
        if (is_real(rule) && isnan(word.real)) {
            return ANSWER_BUSY;
        }
        join(rule, word, &values[cell]);
    }
    return ANSWER_READ;
}

static enum answer
read_numbers(struct walked *file, const struct shape *shape, const struct where *where, struct value *scratch,
             struct value *totals, struct found *found)
{
    enum answer answer = ANSWER_READ;
    memset(scratch, 0, shape->size * sizeof *scratch);
    size_t i = spots_of(file, where->segment);
    for (const struct spot *spot; (spot = spot_of(file, i, where->segment)) != NULL; i++) {
        size_t at = value_at(file, spot, where, shape->size, false, &answer);
        if (at != 0 && (spot->lives || !shape->living)) {
            answer = join_lane(file, shape, at, scratch);
        }
        if (answer != ANSWER_READ) {
            return answer;
        }
    }
    for (uint32_t cell = 0; cell < shape->size; cell++) {
        if (!scratch[cell].is_there) {
            continue;
        }
        struct number *number = ONE_MORE(found, numbers);
        if (number == NULL) {
            return ANSWER_NO_MEMORY;
        }
        *number =
            (struct number){.total = &totals[cell], .word = scratch[cell].word, .rule = shape->rules[cell]};
    }
    return ANSWER_READ;
}

/* One octave of one lane, whose buckets begin at `at`. `total`: NULL where they do not count. */
static enum answer
read_octave(const struct walked *file, size_t at, uint32_t octave, uint32_t room, struct spread *total,
            uint64_t *sum, struct found *found)
{
    uint64_t any = 0;
    const char *cells = file->middle + at;
    for (uint32_t i = 0; i < room; i++) {
        uint64_t count = u64_at(cells, 8 * i);
        any |= count;
        *sum += count;
    }
    if (any >= LARGE) {
        return ANSWER_BUSY;
    }
    if (total == NULL || any == 0) {
        return ANSWER_READ;
    }
    struct buckets *buckets = ONE_MORE(found, buckets);
    if (buckets == NULL) {
        return ANSWER_NO_MEMORY;
    }
    *buckets = (struct buckets){.total = total, .octave = octave, .room = room, .cells = cells};
    return ANSWER_READ;
}

/* The buckets of one lane: how many values are in them. */
static enum answer
read_octaves(struct walked *file, const struct shape *shape, const struct where *where, uint32_t lane,
             struct spread *total, uint64_t *sum, struct found *found)
{
    uint32_t room = UINT32_C(1) << shape->scale, step = shape->size + (where->generation ? 1 : 0);
    uint64_t begin = (uint64_t)(where->index / step) * room, cells = 0;
    uint64_t rank = rank_of(where->segment, lane, 1), end = rank_of(where->segment, lane, MOST_OCTAVE);
    enum answer answer = ANSWER_READ;
    for (size_t i = first_of(file->octaves, file->spots_count, rank);
         answer == ANSWER_READ && i < file->spots_count && file->octaves[i].rank <= end; i++) {
        uint32_t octave = (uint32_t)(file->octaves[i].rank - rank);
        if (where->index % step) {
            return ANSWER_BUSY;
        }
        if (octave >= shape->octaves) {
            break;
        }
        size_t at = place_of(file, &file->spots[file->octaves[i].at], begin, room);
        cells += room;
        if (at == 0 || cells > MOST_OCTAVE_CELLS) {
            return ANSWER_BUSY;
        }
        answer = read_octave(file, at, octave, room, total, sum, found);
    }
    return answer;
}

/* One lane that counts, at `at`. */
static enum answer
read_lane(struct walked *file, const struct shape *shape, const struct where *where, size_t at, uint32_t lane,
          struct spread *total, struct found *found)
{
    uint64_t n = u64_at(file->first, at), sum = 0, of_bounds = 0;
    const char *words = file->middle + at + 8 * shape->distribution;
    uint64_t begun = u64_at(file->last, at + 8 * (shape->distribution + MMSTATS_DISTRIBUTION_BEGUN));
    uint64_t zero = u64_at(words, 8 * MMSTATS_DISTRIBUTION_ZERO);
    uint64_t overflow = u64_at(words, 8 * MMSTATS_DISTRIBUTION_OVERFLOW);
    uint64_t negative = u64_at(words, 8 * MMSTATS_DISTRIBUTION_NEGATIVE);
    const char *counts = words + 8 * MMSTATS_DISTRIBUTION_BOUNDS;
    if (n != 0 && (n >= LARGE || begun >> 32 == ((n + 1) & UINT32_MAX))) {
        return ANSWER_BUSY;
    }
    enum answer answer = read_octaves(file, shape, where, lane, n ? total : NULL, &sum, found);
    if (answer != ANSWER_READ || n == 0) {
        return answer;
    }
    uint64_t any = zero | overflow | negative;
    for (uint32_t i = 0; i < shape->counts; i++) {
        any |= u64_at(counts, 8 * i);
        of_bounds += u64_at(counts, 8 * i);
    }
    size_t sums = at + 8 * (shape->totals + 3 * (n & 1));
    double mine = real_of(u64_at(file->middle, sums)), least = real_of(u64_at(file->middle, sums + 8));
    double most = real_of(u64_at(file->middle, sums + 16));
    bool is_whole = sum + zero + overflow + negative == n && (!shape->counts || of_bounds == n);
    if (any >= LARGE || !is_whole || isnan(mine) || isnan(least) || isnan(most)) {
        return ANSWER_BUSY;
    }
    struct lane_sums *one = ONE_MORE(found, sums);
    if (one == NULL) {
        return ANSWER_NO_MEMORY;
    }
    *one = (struct lane_sums){
        .total = total,
        .counts = counts,
        .counts_count = shape->counts,
        .n = n,
        .zero = zero,
        .overflow = overflow,
        .negative = negative,
        .sum = mine,
        .least = least,
        .most = most,
    };
    return ANSWER_READ;
}

static enum answer
read_spread(struct walked *file, const struct shape *shape, const struct where *where, struct spread *total,
            struct found *found)
{
    enum answer answer = ANSWER_READ;
    size_t i = spots_of(file, where->segment);
    for (const struct spot *spot; (spot = spot_of(file, i, where->segment)) != NULL; i++) {
        size_t at = value_at(file, spot, where, shape->size, true, &answer);
        if (answer == ANSWER_READ && at != 0) {
            answer = read_lane(file, shape, where, at, spot->lane, total, found);
        }
        if (answer != ANSWER_READ) {
            return answer;
        }
    }
    return ANSWER_READ;
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

/* The sum of doubles, rounded once, by Shewchuk's expansions; false where it is not finite.
 * `slot` of the first and `room` are those of a ring. */
static bool
exact_sum(const char *ring, uint64_t slot, uint64_t room, uint64_t count, double *sum)
{
    double parts[64]; /* that do not overlap, the smallest first: 41 hold any sum of doubles */
    size_t kept = 0;
    for (uint64_t i = 0; i < count; i++) {
        double one = real_of(u64_at(ring, 8 * ((slot + i) % room)));
        size_t left = 0;
        for (size_t j = 0; j < kept; j++) {
            double large = fabs(one) < fabs(parts[j]) ? parts[j] : one;
            double small = fabs(one) < fabs(parts[j]) ? one : parts[j];
            one = large + small;
            double rest = small - (one - large);
            if (rest != 0.0) {
                parts[left++] = rest;
            }
        }
        if (!isfinite(one) || left == sizeof parts / sizeof *parts - 1) {
            return false;
        }
        parts[left++] = one;
        kept = left;
    }
    double high = kept > 0 ? parts[--kept] : 0.0, low = 0.0;
    while (kept > 0 && low == 0.0) {
        double before = high, next = parts[--kept];
        high = before + next;
        low = next - (high - before);
    }
    if (kept > 0 && (low < 0.0) == (parts[kept - 1] < 0.0) && low != 0.0) {
        double twice = 2.0 * low, further = high + twice; /* half-way, and something beyond it */
        high = further - high == twice ? further : high;
    }
    *sum = high;
    return true;
}

/* One lane that counts, at `at`. */
static enum answer
latest_of(const struct walked *file, const struct shape *shape, size_t at, bool lives, struct latest *latest)
{
    const char *value = file->middle + at;
    uint64_t n = u64_at(file->first, at), started = u64_at(value, 8 * MMSTATS_TIMER_STARTED);
    uint64_t room = shape->size - shape->besides, since = n >= room ? n - room + 1 : 0;
    *latest = (struct latest){.is_there = true};
    if (started > n) {
        return ANSWER_BUSY;
    }
    if (!lives || started == n) {
        return ANSWER_READ;
    }
    since = started > since ? started : since;
    const char *ring = value + 8 * (size_t)shape->besides;
    const struct mmstats_header *header = (const struct mmstats_header *)file->first;
    __int128 time =
        (__int128)u64_at(value, 8 * MMSTATS_TIMER_TIME) + header->created - header->created_monotonic;
    latest->count = n - since;
    latest->last = real_of(u64_at(ring, 8 * ((n - 1) % room)));
    latest->time = (int64_t)time;
    latest->has_time = true;
    bool is_sound = time < MOST_TIME && time > -MOST_TIME && isfinite(latest->last)
                    && exact_sum(ring, since % room, room, n - since, &latest->sum);
    return is_sound ? ANSWER_READ : ANSWER_BUSY;
}

static enum answer
read_latest(struct walked *file, const struct shape *shape, const struct where *where, struct latest *total,
            struct found *found)
{
    enum answer answer = ANSWER_READ;
    struct latest all = {.is_there = false}, one;
    size_t i = spots_of(file, where->segment);
    for (const struct spot *spot; (spot = spot_of(file, i, where->segment)) != NULL; i++) {
        size_t at = value_at(file, spot, where, shape->size, true, &answer);
        if (answer == ANSWER_READ && at != 0 && u64_at(file->first, at) != 0) {
            answer = latest_of(file, shape, at, spot->lives, &one);
            join_latest(&all, &one);
        }
        if (answer != ANSWER_READ) {
            return answer;
        }
    }
    struct durations *durations = all.is_there ? ONE_MORE(found, durations) : NULL;
    if (durations != NULL) {
        *durations = (struct durations){.total = total, .latest = all};
    }
    return durations == NULL && all.is_there ? ANSWER_NO_MEMORY : ANSWER_READ;
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

/* What is handed out: (bytes, whether the thread lives) of each lane that counts. NULL: as `answer` says. */
static PyObject *
told(struct walked *file, const struct shape *shape, const struct where *where, enum answer *answer)
{
    PyObject *lanes = PyList_New(0);
    *answer = lanes == NULL ? ANSWER_NO_MEMORY : ANSWER_READ;
    size_t i = spots_of(file, where->segment);
    for (const struct spot *spot; *answer == ANSWER_READ && (spot = spot_of(file, i, where->segment)) != NULL;
         i++) {
        size_t at = value_at(file, spot, where, shape->size, shape->is_compound, answer);
        if (at == 0) {
            continue;
        }
        PyObject *lane = Py_BuildValue("(y#O)", file->middle + at, (Py_ssize_t)(8 * shape->size),
                                       spot->lives ? Py_True : Py_False);
        if (lane == NULL || PyList_Append(lanes, lane) < 0) {
            *answer = ANSWER_NO_MEMORY;
        }
        Py_XDECREF(lane);
    }
    if (*answer != ANSWER_READ) {
        Py_CLEAR(lanes);
    }
    return lanes;
}

#endif
