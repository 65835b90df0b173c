/* Steps, made of the tuples that `pattern` tells. */
#ifndef MMSTATS_NATIVE_PROGRAM_H
#define MMSTATS_NATIVE_PROGRAM_H

#include "_native_members.h"

#define MOST_INDEX ((int64_t)1 << 32) /* of a bucket */

static int
word_of(PyObject *tuple, Py_ssize_t at, uint32_t *word)
{
    PyObject *item = at < PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, at) : NULL;
    unsigned long found = item == NULL ? 0 : PyLong_AsUnsignedLong(item);
    if (item == NULL || PyErr_Occurred() || found > UINT32_MAX) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "a step without a number that it needs");
        }
        return -1;
    }
    *word = (uint32_t)found;
    return 0;
}

static int
words_of(PyObject *tuple, Py_ssize_t at, uint32_t **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (word_of(tuple, at + (Py_ssize_t)i, words[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
numbers_shape(PyObject *tuple, Py_ssize_t at, struct shape *shape)
{
    char *rules;
    Py_ssize_t count;
    if (PyTuple_GET_SIZE(tuple) < at + 2
        || PyBytes_AsStringAndSize(PyTuple_GET_ITEM(tuple, at), &rules, &count) < 0) {
        PyErr_SetString(PyExc_ValueError, "numbers without rules");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if ((uint8_t)rules[i] >= RULES) {
            PyErr_Format(PyExc_ValueError, "no rule %d", (uint8_t)rules[i]);
            return -1;
        }
    }
    int living = PyObject_IsTrue(PyTuple_GET_ITEM(tuple, at + 1));
    shape->rules = living < 0 ? NULL : PyMem_RawMalloc((size_t)count + 1);
    if (shape->rules == NULL) {
        return -1;
    }
    memcpy(shape->rules, rules, (size_t)count);
    shape->size = (uint32_t)count;
    shape->living = living;
    return 0;
}

/* One step's shape, whose own words begin at `at`. */
static int
read_shape(PyObject *tuple, uint32_t what, Py_ssize_t at, struct shape *shape)
{
    shape->what = (enum what)what;
    if (what == NUMBERS) {
        return numbers_shape(tuple, at, shape);
    }
    if (what == TOLD) {
        uint32_t is_compound;
        uint32_t *words[] = {&shape->size, &is_compound};
        if (words_of(tuple, at, words, 2) < 0) {
            return -1;
        }
        shape->is_compound = is_compound != 0;
        return 0;
    }
    if (what == LATEST) {
        uint32_t *words[] = {&shape->size, &shape->besides};
        if (words_of(tuple, at, words, 2) < 0) {
            return -1;
        }
        if (shape->besides <= MMSTATS_TIMER_TIME || shape->besides >= shape->size) {
            PyErr_SetString(PyExc_ValueError, "durations beyond their cells");
            return -1;
        }
        return 0;
    }
    uint32_t *words[] = {&shape->size,  &shape->totals,  &shape->distribution,
                         &shape->scale, &shape->octaves, &shape->counts};
    if (what != SPREAD || words_of(tuple, at, words, 6) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "no step %u", what);
        }
        return -1;
    }
    PyObject *first = at + 6 < PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, at + 6) : NULL;
    shape->first = first == NULL ? INT64_MAX : PyLong_AsLongLong(first);
    if (PyErr_Occurred() || shape->first > MOST_INDEX || shape->first < -MOST_INDEX) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "a distribution without a first bucket");
        }
        return -1;
    }
    uint64_t end = (uint64_t)shape->distribution + MMSTATS_DISTRIBUTION_SIZE + shape->counts;
    if (shape->scale > MOST_SCALE || shape->octaves > OCTAVES || end > shape->size
        || (uint64_t)shape->totals + 6 > shape->size) {
        PyErr_SetString(PyExc_ValueError, "a distribution beyond its cells");
        return -1;
    }
    return 0;
}

static int
read_family(PyObject *tuple, struct step *step)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple) - 2;
    step->is_family = true;
    if (word_of(tuple, 1, &step->metric) < 0) {
        return -1;
    }
    if (count < 1 || count > MOST_SHAPES) {
        PyErr_SetString(PyExc_ValueError, "a family without steps, or with too many");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *inner = PyTuple_GET_ITEM(tuple, 2 + i);
        uint32_t what;
        if (!PyTuple_Check(inner) || word_of(inner, 0, &what) < 0
            || read_shape(inner, what, 1, &step->shapes[i]) < 0) {
            return -1;
        }
        step->shapes_count++;
    }
    return 0;
}

static int
read_step(PyObject *tuple, struct step *step)
{
    uint32_t what;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "steps are tuples");
        return -1;
    }
    if (word_of(tuple, 0, &what) < 0) {
        return -1;
    }
    step->shapes[0].what = (enum what)what;
    if (what == FAMILY) {
        return read_family(tuple, step);
    }
    if (what == STATED || what == LISTED) {
        uint32_t *words[] = {&step->span, &step->offset};
        step->shapes_count = what == LISTED ? 1 : 0;
        if (words_of(tuple, 1, words, 2) < 0) {
            return -1;
        }
        if (new_total(&step->shapes[0], &step->total) < 0) {
            PyErr_NoMemory();
            return -1;
        }
        return 0;
    }
    uint32_t *words[] = {&step->where.segment, &step->where.index};
    if (words_of(tuple, 1, words, 2) < 0 || read_shape(tuple, what, 3, &step->shapes[0]) < 0) {
        return -1;
    }
    step->shapes_count = 1;
    if (new_total(&step->shapes[0], &step->total) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static void
clear_step(struct step *step)
{
    for (size_t i = 0; i < step->entries_count; i++) {
        step->entries[i].is_added = false;
        for (uint32_t j = 0; j < step->shapes_count; j++) {
            clear_total(&step->shapes[j], &step->entries[i].totals[j]);
        }
    }
    if (!step->is_family && step->shapes_count > 0) {
        clear_total(&step->shapes[0], &step->total);
    }
}

static void
free_step(struct step *step)
{
    for (size_t i = 0; i < step->entries_count; i++) {
        for (uint32_t j = 0; j < step->shapes_count; j++) {
            free_total(&step->shapes[j], &step->entries[i].totals[j]);
        }
        Py_XDECREF(step->entries[i].key);
    }
    PyMem_RawFree(step->entries);
    if (!step->is_family && step->shapes_count > 0) {
        free_total(&step->shapes[0], &step->total);
    }
    for (uint32_t j = 0; j < MOST_SHAPES; j++) {
        PyMem_RawFree(step->shapes[j].rules);
    }
    PyMem_RawFree(step->places);
}

#endif
