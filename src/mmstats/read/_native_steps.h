/* What is done for the cells of one file, step by step: what `pattern` and `steps` say.
 *
 * Each function is called twice: first with `adding` false, when it changes nothing but what it hands out,
 * and tells whether the file can be added; then with true, when all of it was found fit. */
#ifndef MMSTATS_NATIVE_STEPS_H
#define MMSTATS_NATIVE_STEPS_H

#include <math.h>

#include "_native_walk.h"
#include "words.h"

enum what { NUMBERS, SPREAD, TOLD, STATED, FAMILY };
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

/* How a step is done, wherever its cells are. `size`: cells of the value; of NUMBERS how many there are. */
struct shape {
    enum what what;
    uint32_t size, totals, distribution, scale, octaves, counts;
    bool living, is_compound;
    uint8_t *rules;
};

/* What a step comes to. */
union total {
    struct value *numbers;
    struct spread *spread;
};

/* Where its cells are. `generation`: of a member, in front of them; 0: it is none. */
struct where {
    uint32_t segment, index;
    uint64_t generation;
};

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

static void
add_number(enum rule rule, const struct value *found, struct value *total)
{
    if (!found->is_there) {
        return;
    }
    if (rule == SUM_U64) {
        total->sum += found->word.whole;
        total->is_there = true;
    }
    else if (rule == SUM_I64) {
        total->sum += (int64_t)found->word.whole;
        total->is_there = true;
    }
    else {
        join(rule, found->word, total);
    }
}

/* Where a lane has the value behind its generation; 0: not there, as `answer` says, or none of its. */
static size_t
value_at(struct walked *file, const struct spot *spot, const struct where *where, uint32_t cells, bool head,
         enum answer *answer)
{
    size_t front = where->generation ? 1 : 0, at = place_of(file, spot, where->index, cells + front);
    size_t told = 8 * (front + head);
    if (at == 0 || memcmp(file->first + at, file->middle + at, told) != 0
        || memcmp(file->first + at, file->last + at, told) != 0) {
        *answer = ANSWER_BUSY;
        return 0;
    }
    if (front && u64_at(file->first, at) != where->generation) {
        return 0;
    }
    return at + 8 * front;
}

static enum answer
read_numbers(struct walked *file, const struct shape *shape, const struct where *where, struct value *scratch,
             struct value *totals, bool adding)
{
    enum answer answer = ANSWER_READ;
    memset(scratch, 0, shape->size * sizeof *scratch);
    for (size_t i = spots_of(file, where->segment);
         i < file->spots_count && file->spots[i].segment == where->segment; i++) {
        const struct spot *spot = &file->spots[i];
        size_t at = value_at(file, spot, where, shape->size, false, &answer);
        if (answer != ANSWER_READ) {
            return answer;
        }
        if (at == 0 || (shape->living && !spot->lives)) {
            continue;
        }
        for (uint32_t cell = 0; cell < shape->size; cell++) {
            enum rule rule = shape->rules[cell];
            union word word = {.whole = u64_at(file->middle, at + 8 * cell)};
            if (is_never(rule, word)) {
                continue;
            }
            if (is_real(rule) && isnan(word.real)) {
                return ANSWER_BUSY;
            }
            join(rule, word, &scratch[cell]);
        }
    }
    for (uint32_t cell = 0; adding && cell < shape->size; cell++) {
        add_number(shape->rules[cell], &scratch[cell], &totals[cell]);
    }
    return ANSWER_READ;
}

static enum answer
add_octave(struct spread *total, uint32_t octave, const char *cells, uint32_t room)
{
    uint64_t *buckets = total->octaves[octave];
    if (buckets == NULL) {
        buckets = total->octaves[octave] = PyMem_Calloc(room, sizeof *buckets);
        if (buckets == NULL) {
            return ANSWER_NO_MEMORY;
        }
    }
    for (uint32_t i = 0; i < room; i++) {
        buckets[i] += u64_at(cells, 8 * i);
    }
    return ANSWER_READ;
}

/* The buckets of one lane: how many values are in them. */
static enum answer
read_octaves(struct walked *file, const struct shape *shape, const struct where *where, uint32_t lane,
             struct spread *total, uint64_t *sum)
{
    uint32_t room = UINT32_C(1) << shape->scale, step = shape->size + (where->generation ? 1 : 0);
    uint64_t begin = (uint64_t)(where->index / step) * room, cells = 0;
    const struct spot *spot = octave_from(file, where->segment, 0, lane);
    for (; spot != NULL;
         spot = octave_from(file, where->segment, spot->segment / MMSTATS_OCTAVE_STEP, lane)) {
        uint32_t octave = spot->segment / MMSTATS_OCTAVE_STEP - 1;
        if (where->index % step) {
            return ANSWER_BUSY;
        }
        if (octave >= shape->octaves) {
            break;
        }
        size_t at = place_of(file, spot, begin, room);
        cells += room;
        if (at == 0 || cells > MOST_OCTAVE_CELLS) {
            return ANSWER_BUSY;
        }
        uint64_t any = 0, of_octave = 0;
        for (uint32_t i = 0; i < room; i++) {
            uint64_t count = u64_at(file->middle, at + 8 * i);
            any |= count;
            of_octave += count;
        }
        if (any >= LARGE) {
            return ANSWER_BUSY;
        }
        *sum += of_octave;
        if (total != NULL && any && add_octave(total, octave, file->middle + at, room) != ANSWER_READ) {
            return ANSWER_NO_MEMORY;
        }
    }
    return ANSWER_READ;
}

/* One lane that counts, at `at`. `total`: NULL where nothing is to be added. */
static enum answer
read_lane(struct walked *file, const struct shape *shape, const struct where *where, size_t at, uint32_t lane,
          struct spread *total)
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
    enum answer answer = read_octaves(file, shape, where, lane, n ? total : NULL, &sum);
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
    if (total == NULL) {
        return ANSWER_READ;
    }
    total->sum = total->n ? total->sum + mine : mine;
    total->least = total->n && total->least <= least ? total->least : least;
    total->most = total->n && total->most >= most ? total->most : most;
    total->n += n;
    total->zero += zero;
    total->overflow += overflow;
    total->negative += negative;
    for (uint32_t i = 0; i < shape->counts; i++) {
        total->counts[i] += u64_at(counts, 8 * i);
    }
    return ANSWER_READ;
}

static enum answer
read_spread(struct walked *file, const struct shape *shape, const struct where *where, struct spread *total)
{
    enum answer answer = ANSWER_READ;
    for (size_t i = spots_of(file, where->segment);
         i < file->spots_count && file->spots[i].segment == where->segment; i++) {
        const struct spot *spot = &file->spots[i];
        size_t at = value_at(file, spot, where, shape->size, true, &answer);
        if (answer == ANSWER_READ && at != 0) {
            answer = read_lane(file, shape, where, at, spot->lane, total);
        }
        if (answer != ANSWER_READ) {
            return answer;
        }
    }
    return ANSWER_READ;
}

/* What is handed out: (bytes, whether the thread lives) of each lane that counts. NULL: as `answer` says. */
static PyObject *
told(struct walked *file, const struct shape *shape, const struct where *where, enum answer *answer)
{
    PyObject *lanes = PyList_New(0);
    *answer = lanes == NULL ? ANSWER_NO_MEMORY : ANSWER_READ;
    for (size_t i = spots_of(file, where->segment);
         *answer == ANSWER_READ && i < file->spots_count && file->spots[i].segment == where->segment; i++) {
        const struct spot *spot = &file->spots[i];
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
