/* Instance: the base of a model's instances. The object header only, so that 3.13 keeps inline values.
 *
 * Loading an attribute is the interpreter's own business, and specialised by it. Assigning goes through
 * here: a data descriptor is called at once; a bound handle is not to be replaced. Where the handle's verb
 * is `set`, assigning is another way to call it.
 */
#ifndef MMSTATS_NATIVE_INSTANCE_H
#define MMSTATS_NATIVE_INSTANCE_H

#include "_native_values.h"

/* The word that shows how the field is used: its `_mm_verb`, or incr. None: it has no methods. */
static PyObject *
field_verb(const struct state *state, PyObject *field)
{
    PyObject *verb = PyObject_GetAttr(field, state->verb_name);
    if (verb == NULL) {
        PyErr_Clear();
        verb = PyUnicode_FromString("incr");
    }
    return verb;
}

/* `verb` is NULL where there is no value: the name is to be deleted. */
static void
refuse(PyObject *self, PyObject *name, PyObject *field, PyObject *verb)
{
    const char *kind = type_name(field), *model = type_name(self);
    if (verb == NULL) {
        PyErr_Format(PyExc_TypeError, "%R is declared as %s of %s: it cannot be deleted", name, kind, model);
    }
    else if (verb == Py_None) {
        PyErr_Format(PyExc_TypeError, "%R is declared as %s of %s: it cannot be assigned", name, kind, model);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "%R is declared as %s of %s: call its methods, as %S(); it cannot be assigned", name,
                     kind, model, verb);
    }
}

static int
set_handle(const struct state *state, PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *handle = PyObject_GenericGetAttr(self, name);
    PyObject *done = handle != NULL ? PyObject_CallMethodOneArg(handle, state->set_name, value) : NULL;
    Py_XDECREF(handle);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

static bool
is_set(const struct state *state, PyObject *verb)
{
    return verb == state->set_name
           || (verb != NULL && PyUnicode_Check(verb) && PyUnicode_Compare(verb, state->set_name) == 0);
}

/* What assigning to a declared field comes to, where nothing in the class takes it. */
static int
set_declared(const struct state *state, PyObject *self, PyObject *name, PyObject *field, PyObject *value)
{
    PyObject *verb = value != NULL ? field_verb(state, field) : NULL;
    int failed = -1;
    if (value != NULL && verb == NULL) {
        return -1;
    }
    if (is_set(state, verb)) {
        failed = set_handle(state, self, name, value);
    }
    else {
        refuse(self, name, field, verb);
    }
    Py_XDECREF(verb);
    return failed;
}

static int
set_undescribed(PyObject *self, PyObject *name, PyObject *value)
{
    const struct state *state = state_of(Py_TYPE(self));
    PyObject *field = state != NULL ? declared_field(state, Py_TYPE(self), name) : NULL;
    if (field == NULL) {
        return PyErr_Occurred() ? -1 : PyObject_GenericSetAttr(self, name, value);
    }
    int failed = set_declared(state, self, name, field, value);
    Py_DECREF(field);
    return failed;
}

static int
instance_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *descriptor = _PyType_Lookup(Py_TYPE(self), name);
    descrsetfunc set = descriptor != NULL ? Py_TYPE(descriptor)->tp_descr_set : NULL;
    if (set == NULL) {
        return set_undescribed(self, name, value);
    }
    Py_INCREF(descriptor);
    int failed = set(descriptor, self, value);
    Py_DECREF(descriptor);
    return failed;
}

PyDoc_STRVAR(instance_bind_doc, "_mm_bind(name, handle)\n--\n\n"
                                "Make `handle` a plain attribute, as only the model itself may.");

static PyObject *
instance_bind(PyObject *self, PyObject *args)
{
    PyObject *name, *handle;
    if (!PyArg_ParseTuple(args, "UO:_mm_bind", &name, &handle)) {
        return NULL;
    }
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    int failed = PyObject_GenericSetAttr(self, name, handle);
    Py_DECREF(name);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef instance_methods[] = {
    {"_mm_bind", instance_bind, METH_VARARGS, instance_bind_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(instance_doc,
             "The base of a model's instances: fields that are no plain numbers cannot be assigned.");

static PyType_Slot instance_slots[] = {
    {Py_tp_doc, (void *)instance_doc},
    {Py_tp_setattro, instance_setattr},
    {Py_tp_methods, instance_methods},
    {0, NULL},
};

static PyType_Spec instance_spec = {
    .name = "mmstats.cells._native.Instance",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = instance_slots,
};

#endif
