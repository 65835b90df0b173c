/* What is done for the cells of one file, step by step: what `pattern` and `steps` say.
 *
 * What is found is noted with what it is to be added to, and added when all of the file was found fit. */
#ifndef MMSTATS_NATIVE_STEPS_H
#define MMSTATS_NATIVE_STEPS_H

#include <math.h>

#include "_native_found.h"

/* Where its cells are. `generation`: of a member, in front of them; 0: it is none. */
struct where {
    uint32_t segment, index;
    uint64_t generation;
};

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
