/* Python's numbers and the eight bytes of a cell. Knows nothing of threads, segments or memory. */
#ifndef MMSTATS_NATIVE_VALUES_H
#define MMSTATS_NATIVE_VALUES_H

#include <Python.h>
#include <math.h>
#include <stdbool.h>

#include "_python.h"
#include "words.h"

/* The type's own name, without the module that C types carry in theirs. */
static const char *
type_name(PyObject *value)
{
    const char *name = Py_TYPE(value)->tp_name;
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

/* Replaces a TypeError that speaks of no field by one that does; other errors stay as they are. */
static int
wrong_type(PyObject *label, const char *wanted, PyObject *value)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "%R takes %s, not %s: %R", label, wanted, type_name(value), value);
    }
    return -1;
}

/* The usual case: an int of one digit, read without a call. */
static inline bool
small_from(PyObject *value, int64_t *small)
{
    if (!PyLong_CheckExact(value)) {
        return false;
    }
#if PY_VERSION_HEX >= 0x030C0000
    if (!PyUnstable_Long_IsCompact((PyLongObject *)value)) {
        return false;
    }
    *small = PyUnstable_Long_CompactValue((PyLongObject *)value);
#else
    Py_ssize_t digits = Py_SIZE(value);
    if (digits < -1 || digits > 1) {
        return false;
    }
    *small = digits * (int64_t)((PyLongObject *)value)->ob_digit[0];
#endif
    return true;
}

/* The value modulo 2**64, and whether it is negative. For anything with __index__, of any size. */
static int
whole_from(PyObject *label, PyObject *value, uint64_t *whole, bool *negative)
{
    int64_t small;
    if (small_from(value, &small)) {
        *negative = small < 0;
        *whole = (uint64_t)small;
        return 0;
    }
    PyObject *number = PyNumber_Index(value);
    if (number == NULL) {
        return wrong_type(label, "an int", value);
    }
    int overflow;
    long long narrow = PyLong_AsLongLongAndOverflow(number, &overflow);
    *negative = overflow ? overflow < 0 : narrow < 0;
    *whole = overflow ? PyLong_AsUnsignedLongLongMask(number) : (uint64_t)narrow;
    Py_DECREF(number);
    return 0;
}

static inline int
real_from(PyObject *label, PyObject *value, double *real)
{
    if (PyFloat_CheckExact(value)) {
        *real = PyFloat_AS_DOUBLE(value);
        return 0;
    }
    *real = PyFloat_AsDouble(value);
    if (*real == -1.0 && PyErr_Occurred()) {
        return wrong_type(label, "a number", value);
    }
    return 0;
}

/* A converter for PyArg_Parse: unlike "I", it refuses what 32 bits do not hold. */
static int
u32_from(PyObject *value, void *number)
{
    unsigned long long whole = PyLong_AsUnsignedLongLong(value);
    if (whole == (unsigned long long)-1 && PyErr_Occurred()) {
        return 0;
    }
    if (whole > UINT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "%R is more than 32 bits hold", value);
        return 0;
    }
    *(unsigned *)number = (unsigned)whole;
    return 1;
}

static PyObject *
python_from(int cell_type, bool is_signed, union word word)
{
    switch (cell_type) {
    case MMSTATS_CELL_TYPE_F64:
        return PyFloat_FromDouble(word.real);
    case MMSTATS_CELL_TYPE_BOOL:
        return PyBool_FromLong(word.whole == 2);
    default:
        return is_signed ? PyLong_FromLongLong((int64_t)word.whole) : PyLong_FromUnsignedLongLong(word.whole);
    }
}

/* The lowest bits of an integer, as the field shows them: sign-extended or zero-extended. */
static uint64_t
wrapped(uint64_t whole, int bits, bool is_signed)
{
    int spare = 64 - bits;
    return is_signed ? (uint64_t)((int64_t)(whole << spare) >> spare) : (whole << spare) >> spare;
}

/* What a module of ours keeps, one in each interpreter. */
struct state {
    PyTypeObject *segment, *timing, *durations;
    PyObject *fields_name, *verb_name, *set_name; /* interned */
};

/* Of the module that has the type, or a base of it; NULL with an error set. */
static struct state *state_of(PyTypeObject *type);

/* The declared field of that name, owned; NULL without an error: there is none. */
static PyObject *
declared_field(const struct state *state, PyTypeObject *type, PyObject *name)
{
    PyObject *fields = _PyType_Lookup(type, state->fields_name);
    if (fields == NULL) {
        return NULL;
    }
    Py_INCREF(fields);
    PyObject *field = PyObject_GetItem(fields, name);
    Py_DECREF(fields);
    if (field == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
    }
    return field;
}

#endif
