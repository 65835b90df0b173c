/* What steps come to, as Python has it. */
#ifndef MMSTATS_NATIVE_SUMS_H
#define MMSTATS_NATIVE_SUMS_H

#include "_native_program.h"

static int
append_stolen(PyObject *list, PyObject *item)
{
    int failed = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return failed;
}

static PyObject *
exactly(__int128 sum)
{
    if (sum >= INT64_MIN && sum <= INT64_MAX) {
        return PyLong_FromLongLong((long long)sum);
    }
    PyObject *high = PyLong_FromLongLong((long long)(sum >> 64)), *shift = PyLong_FromLong(64);
    PyObject *low = PyLong_FromUnsignedLongLong((unsigned long long)sum);
    PyObject *shifted = high != NULL && shift != NULL ? PyNumber_Lshift(high, shift) : NULL;
    PyObject *whole = shifted != NULL && low != NULL ? PyNumber_Add(shifted, low) : NULL;
    Py_XDECREF(high);
    Py_XDECREF(shift);
    Py_XDECREF(low);
    Py_XDECREF(shifted);
    return whole;
}

static PyObject *
number_value(enum rule rule, const struct value *value)
{
    if (!value->is_there) {
        Py_RETURN_NONE;
    }
    switch (rule) {
    case SUM_U64:
    case SUM_I64:
        return exactly(value->sum);
    case MAX_U64:
    case MIN_U64:
        return PyLong_FromUnsignedLongLong(value->word.whole);
    case MAX_I64:
    case MIN_I64:
        return PyLong_FromLongLong((int64_t)value->word.whole);
    default:
        return PyFloat_FromDouble(value->word.real);
    }
}

static PyObject *
numbers_value(const struct shape *shape, const struct value *totals)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list != NULL && i < shape->size; i++) {
        if (append_stolen(list, number_value(shape->rules[i], &totals[i])) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static int
set_bucket(PyObject *buckets, int64_t index, uint64_t count)
{
    PyObject *key = PyLong_FromLongLong(index), *value = PyLong_FromUnsignedLongLong(count);
    int failed = key == NULL || value == NULL ? -1 : PyDict_SetItem(buckets, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return failed;
}

static PyObject *
buckets_value(const struct shape *shape, const struct spread *spread)
{
    uint64_t room = UINT64_C(1) << shape->scale;
    PyObject *buckets = PyDict_New();
    for (uint64_t k = 0; buckets != NULL && k < shape->octaves; k++) {
        for (uint64_t i = 0; buckets != NULL && spread->octaves[k] != NULL && i < room; i++) {
            uint64_t count = spread->octaves[k][i];
            if (count && set_bucket(buckets, shape->first + (int64_t)(k * room + i), count) < 0) {
                Py_CLEAR(buckets);
            }
        }
    }
    return buckets;
}

static PyObject *
spread_value(const struct shape *shape, const struct spread *spread)
{
    if (spread->n == 0) {
        Py_RETURN_NONE;
    }
    PyObject *counts = PyList_New(0), *buckets = buckets_value(shape, spread), *value = NULL;
    bool failed = counts == NULL || buckets == NULL;
    for (uint32_t i = 0; !failed && i < shape->counts; i++) {
        failed = append_stolen(counts, PyLong_FromUnsignedLongLong(spread->counts[i])) < 0;
    }
    if (!failed) {
        value = Py_BuildValue("(KdddKKKOO)", spread->n, spread->sum, spread->least, spread->most,
                              spread->zero, spread->overflow, spread->negative, counts, buckets);
    }
    Py_XDECREF(counts);
    Py_XDECREF(buckets);
    return value;
}

static PyObject *
latest_value(const struct latest *latest)
{
    if (!latest->is_there) {
        Py_RETURN_NONE;
    }
    PyObject *time = latest->has_time ? PyLong_FromLongLong(latest->time) : PyFloat_FromDouble(-INFINITY);
    return Py_BuildValue("(dKNd)", latest->sum, latest->count, time, latest->last);
}

static PyObject *
list_value(const struct list *list)
{
    PyObject *values = PyList_New(0);
    for (size_t i = 0; values != NULL && i < list->count; i++) {
        const struct stated *stated = &list->stated[i];
        PyObject *one = Py_BuildValue("(KK)", stated->word, stated->created);
        if (append_stolen(values, one) < 0) {
            Py_CLEAR(values);
        }
    }
    return values;
}

static PyObject *
total_value(const struct shape *shape, const union total *total)
{
    return shape->what == NUMBERS  ? number_value(shape->rules[0], total->numbers)
           : shape->what == SPREAD ? spread_value(shape, total->spread)
           : shape->what == LATEST ? latest_value(total->latest)
           : shape->what == LISTED ? list_value(total->list)
                                   : Py_NewRef(Py_None);
}

/* Who was added, and what each has; the last durations apart. */
static PyObject *
family_value(const struct step *family)
{
    PyObject *numbers = PyList_New(0), *values = PyList_New(0), *latest = PyList_New(0);
    bool failed = numbers == NULL || values == NULL || latest == NULL;
    bool has_latest = family->shapes_count > 1 && family->shapes[1].what == LATEST;
    for (size_t i = 0; !failed && i < family->entries_count; i++) {
        const struct entry *entry = &family->entries[i];
        if (!entry->is_added) {
            continue;
        }
        failed =
            append_stolen(numbers, PyLong_FromSize_t(i)) < 0
            || append_stolen(values, total_value(&family->shapes[0], &entry->totals[0])) < 0
            || (has_latest && append_stolen(latest, total_value(&family->shapes[1], &entry->totals[1])) < 0);
    }
    PyObject *all = failed ? NULL : PyTuple_Pack(3, numbers, values, latest);
    Py_XDECREF(numbers);
    Py_XDECREF(values);
    Py_XDECREF(latest);
    return all;
}

#endif
