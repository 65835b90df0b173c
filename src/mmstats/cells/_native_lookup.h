/* Lookup: which object stands for some values. */
#ifndef MMSTATS_NATIVE_LOOKUP_H
#define MMSTATS_NATIVE_LOOKUP_H

#include <Python.h>
#include <stdbool.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD
    PyObject *names;   /* a tuple of texts; NULL before __init__ */
    PyObject *handles; /* a dict: tuple of texts → object */
    PyObject *weakrefs;
} Lookup;

/* The text of a value whose type says all by itself. NULL without an error: it does not. */
static PyObject *
simple_text(PyObject *value)
{
    if (PyUnicode_CheckExact(value)) {
        Py_INCREF(value);
        return value;
    }
    if (PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyBool_Check(value)) {
        return PyObject_Str(value);
    }
    return NULL;
}

/* The value that was given for the i-th name; borrowed, NULL where there is none. */
static PyObject *
given_for(PyObject *name, PyObject *const *args, PyObject *kwnames)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *given = PyTuple_GET_ITEM(kwnames, i);
        if (given == name || PyUnicode_Compare(given, name) == 0) {
            return args[i];
        }
    }
    return NULL;
}

/* The values as texts, in the order of the names. NULL without an error: that takes a closer look. */
static PyObject *
simple_key(const Lookup *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->names), named = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    if (nargs + named != count || (nargs != 0 && named != 0)) {
        return NULL;
    }
    PyObject *key = PyTuple_New(count);
    for (Py_ssize_t i = 0; key != NULL && i < count; i++) {
        PyObject *value = named != 0 ? given_for(PyTuple_GET_ITEM(self->names, i), args, kwnames) : args[i];
        PyObject *text = value != NULL ? simple_text(value) : NULL;
        if (text == NULL) {
            Py_CLEAR(key);
            break;
        }
        PyTuple_SET_ITEM(key, i, text);
    }
    return key;
}

/* What `_find(values, named)` makes of them. */
static PyObject *
find_slowly(Lookup *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *values = PyTuple_New(nargs), *named = PyDict_New(), *found = NULL;
    for (Py_ssize_t i = 0; values != NULL && i < nargs; i++) {
        Py_INCREF(args[i]);
        PyTuple_SET_ITEM(values, i, args[i]);
    }
    bool whole = values != NULL && named != NULL;
    for (Py_ssize_t i = 0; whole && kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        whole = PyDict_SetItem(named, PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) == 0;
    }
    if (whole) {
        found = PyObject_CallMethod((PyObject *)self, "_find", "OO", values, named);
    }
    Py_XDECREF(values);
    Py_XDECREF(named);
    return found;
}

PyDoc_STRVAR(lookup_tagged_doc, "tagged($self, /, *values, **named)\n--\n\n"
                                "What stands for these values, by position or by name.");

static PyObject *
lookup_tagged(Lookup *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    if (self->names == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Lookup.__init__ was not called");
        return NULL;
    }
    PyObject *key = simple_key(self, args, nargs, kwnames);
    if (key == NULL) {
        return PyErr_Occurred() ? NULL : find_slowly(self, args, nargs, kwnames);
    }
    PyObject *found = PyDict_GetItemWithError(self->handles, key);
    Py_XINCREF(found);
    Py_DECREF(key);
    if (found != NULL || PyErr_Occurred()) {
        return found;
    }
    return find_slowly(self, args, nargs, kwnames);
}

static int
lookup_init(Lookup *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"names", NULL};
    PyObject *names;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Lookup", keywords, &PyTuple_Type, &names)) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        if (!PyUnicode_Check(PyTuple_GET_ITEM(names, i))) {
            PyErr_SetString(PyExc_TypeError, "names of tags are texts");
            return -1;
        }
    }
    PyObject *handles = PyDict_New();
    if (handles == NULL) {
        return -1;
    }
    Py_INCREF(names);
    Py_XSETREF(self->names, names);
    Py_XSETREF(self->handles, handles);
    return 0;
}

static int
lookup_traverse(Lookup *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->names);
    Py_VISIT(self->handles);
    return 0;
}

static int
lookup_clear(Lookup *self)
{
    Py_CLEAR(self->names);
    Py_CLEAR(self->handles);
    return 0;
}

static void
lookup_dealloc(Lookup *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    lookup_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef lookup_methods[] = {
    {"tagged", (PyCFunction)(void (*)(void))lookup_tagged, METH_FASTCALL | METH_KEYWORDS, lookup_tagged_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef lookup_members[] = {
    {"_names", T_OBJECT_EX, offsetof(Lookup, names), READONLY, "In the order of the values."},
    {"_handles", T_OBJECT_EX, offsetof(Lookup, handles), READONLY, "By the texts of the values."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Lookup, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(lookup_doc, "Lookup(names)\n--\n\nWhich object stands for some values.");

static PyType_Slot lookup_slots[] = {
    {Py_tp_doc, (void *)lookup_doc},   {Py_tp_init, lookup_init},
    {Py_tp_traverse, lookup_traverse}, {Py_tp_clear, lookup_clear},
    {Py_tp_dealloc, lookup_dealloc},   {Py_tp_methods, lookup_methods},
    {Py_tp_members, lookup_members},   {0, NULL},
};

static PyType_Spec lookup_spec = {
    .name = "mmstats.cells._native.Lookup",
    .basicsize = sizeof(Lookup),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = lookup_slots,
};

#endif
