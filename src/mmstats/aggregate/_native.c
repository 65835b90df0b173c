/* Accumulator: the cells of many lanes and files of one schema, as one value each. `accumulate` says what it
 * does.
 *
 * It is a module of its own: who reads loads nothing of what writes. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>

#include "words.h"

enum rule { SKIP, SUM_U64, SUM_I64, SUM_F64, MAX_U64, MAX_I64, MAX_F64, MIN_U64, MIN_I64, MIN_F64, RULES };

/* What one cell comes to. `sum`: of integers, exactly; 2**63 files of 2**64 each would be needed to overflow.
 */
struct value {
    __int128 sum;
    union word word; /* of doubles, and of the greatest and the least */
    bool is_there;
};

typedef struct {
    PyObject_HEAD
    uint8_t *rules;
    struct value *values;
    union word *file; /* what the lanes of one file come to */
    bool *in_file;
    Py_ssize_t count;
} Accumulator;

static inline union word
word_at(const char *data, Py_ssize_t index)
{
    union word word;
    memcpy(&word, data + 8 * index, sizeof word);
    return word;
}

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
        return word.whole == MMSTATS_NEVER_F64;
    default:
        return false;
    }
}

/* Whether the word is to stand instead of the one before. NaN stands only where there is no number. */
static bool
is_beyond(enum rule rule, union word word, union word before)
{
    switch (rule) {
    case MAX_U64:
        return word.whole > before.whole;
    case MAX_I64:
        return (int64_t)word.whole > (int64_t)before.whole;
    case MAX_F64:
        return word.real > before.real || isnan(before.real);
    case MIN_U64:
        return word.whole < before.whole;
    case MIN_I64:
        return (int64_t)word.whole < (int64_t)before.whole;
    default:
        return word.real < before.real || isnan(before.real);
    }
}

/* One lane's words on top of the file's. */
static void
add_lane(Accumulator *self, const char *data)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        enum rule rule = self->rules[i];
        union word word = word_at(data, i), *file = &self->file[i];
        if (rule == SUM_U64 || rule == SUM_I64) {
            file->whole = (self->in_file[i] ? file->whole : 0) + word.whole;
        }
        else if (rule == SUM_F64) {
            file->real = self->in_file[i] ? file->real + word.real : word.real;
        }
        else if (rule == SKIP || is_never(rule, word)) {
            continue;
        }
        else if (!self->in_file[i] || is_beyond(rule, word, *file)) {
            *file = word;
        }
        self->in_file[i] = true;
    }
}

static void
add_file(Accumulator *self)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        struct value *value = &self->values[i];
        union word word = self->file[i];
        if (!self->in_file[i]) {
            continue;
        }
        switch (self->rules[i]) {
        case SUM_U64:
            value->sum += word.whole;
            break;
        case SUM_I64:
            value->sum += (int64_t)word.whole;
            break;
        case SUM_F64:
            value->word.real = value->is_there ? value->word.real + word.real : word.real;
            break;
        default:
            if (!value->is_there || is_beyond(self->rules[i], word, value->word)) {
                value->word = word;
            }
        }
        value->is_there = true;
    }
}

static int
check_places(const Accumulator *self, const Py_buffer *data, PyObject *offsets)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(offsets); i++) {
        Py_ssize_t offset = PyNumber_AsSsize_t(PyTuple_GET_ITEM(offsets, i), PyExc_OverflowError);
        if (offset == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (offset < 0 || offset > data->len || data->len - offset < 8 * self->count) {
            PyErr_Format(PyExc_ValueError, "%zd cells at %zd, of %zd bytes", self->count, offset, data->len);
            return -1;
        }
    }
    return 0;
}

PyDoc_STRVAR(add_doc,
             "add(data, offsets)\n--\n\nOne file: its lanes have their cells at these offsets of `data`.");

static PyObject *
accumulator_add(Accumulator *self, PyObject *args)
{
    Py_buffer data;
    PyObject *offsets;
    if (!PyArg_ParseTuple(args, "y*O!:add", &data, &PyTuple_Type, &offsets)) {
        return NULL;
    }
    int failed = check_places(self, &data, offsets);
    if (failed == 0) {
        memset(self->in_file, 0, (size_t)self->count * sizeof *self->in_file);
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(offsets); i++) {
            add_lane(self, (const char *)data.buf + PyLong_AsSsize_t(PyTuple_GET_ITEM(offsets, i)));
        }
        add_file(self);
    }
    PyBuffer_Release(&data);
    if (failed < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
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
python_of(enum rule rule, const struct value *value)
{
    switch (rule) {
    case SUM_U64:
    case SUM_I64:
        return exactly(value->sum);
    case SUM_F64:
    case MAX_F64:
    case MIN_F64:
        return PyFloat_FromDouble(value->word.real);
    case MAX_U64:
    case MIN_U64:
        return PyLong_FromUnsignedLongLong(value->word.whole);
    default:
        return PyLong_FromLongLong((int64_t)value->word.whole);
    }
}

PyDoc_STRVAR(values_doc,
             "values()\n--\n\nWhat each cell comes to; None where no lane wrote, or where it is skipped.");

static PyObject *
accumulator_values(Accumulator *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(self->count);
    for (Py_ssize_t i = 0; list != NULL && i < self->count; i++) {
        PyObject *value;
        if (self->values[i].is_there) {
            value = python_of(self->rules[i], &self->values[i]);
        }
        else {
            Py_INCREF(Py_None);
            value = Py_None;
        }
        if (value == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, value);
    }
    return list;
}

static PyObject *
accumulator_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"rules", NULL};
    const char *rules;
    Py_ssize_t count;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y#:Accumulator", names, &rules, &count)) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if ((uint8_t)rules[i] >= RULES) {
            PyErr_Format(PyExc_ValueError, "no rule %d", (uint8_t)rules[i]);
            return NULL;
        }
    }
    Accumulator *self = (Accumulator *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    size_t room = (size_t)count + 1; /* of nothing there is none */
    self->count = count;
    self->rules = PyMem_Malloc(room);
    self->values = PyMem_Calloc(room, sizeof *self->values);
    self->file = PyMem_Calloc(room, sizeof *self->file);
    self->in_file = PyMem_Calloc(room, sizeof *self->in_file);
    if (self->rules == NULL || self->values == NULL || self->file == NULL || self->in_file == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    memcpy(self->rules, rules, (size_t)count);
    return (PyObject *)self;
}

static void
accumulator_dealloc(Accumulator *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(self->rules);
    PyMem_Free(self->values);
    PyMem_Free(self->file);
    PyMem_Free(self->in_file);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef accumulator_methods[] = {
    {"add", (PyCFunction)accumulator_add, METH_VARARGS, add_doc},
    {"values", (PyCFunction)accumulator_values, METH_NOARGS, values_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(accumulator_doc,
             "Accumulator(rules)\n--\n\nMany lanes and files of one schema; a rule for each cell.");

static PyType_Slot accumulator_slots[] = {
    {Py_tp_doc, (void *)accumulator_doc},
    {Py_tp_new, accumulator_new},
    {Py_tp_dealloc, accumulator_dealloc},
    {Py_tp_methods, accumulator_methods},
    {0, NULL},
};

static PyType_Spec accumulator_spec = {
    .name = "mmstats.aggregate._native.Accumulator",
    .basicsize = sizeof(Accumulator),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = accumulator_slots,
};

static int
native_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &accumulator_spec, NULL);
    int failed = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return failed;
}

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mmstats.aggregate._native",
    .m_doc = "Cells of many lanes and files, accumulated.",
    .m_size = 0,
    .m_slots = native_slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
