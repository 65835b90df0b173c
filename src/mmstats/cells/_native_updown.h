/* UpDown: a Counter that goes down, too. */
#ifndef MMSTATS_NATIVE_UPDOWN_H
#define MMSTATS_NATIVE_UPDOWN_H

#include "_native_counter.h"

typedef struct {
    Counter counter;
    PyObject *held;
} UpDown;

static PyMethodDef updown_methods[];

static PyObject *
updown_incr(Counter *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return counter_add(self, 1, &updown_methods[0], "amount", args, nargs, kwnames);
}

static PyObject *
updown_inc(Counter *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return counter_add(self, 1, &updown_methods[1], "n", args, nargs, kwnames);
}

PyDoc_STRVAR(updown_decr_doc, "decr(amount=1)\n--\n\nTake `amount` away.");

static PyObject *
updown_decr(Counter *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return counter_add(self, -1, &updown_methods[2], "amount", args, nargs, kwnames);
}

PyDoc_STRVAR(updown_dec_doc, "dec(n=1)\n--\n\nThe short name of `decr`.");

static PyObject *
updown_dec(Counter *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return counter_add(self, -1, &updown_methods[3], "n", args, nargs, kwnames);
}

PyDoc_STRVAR(updown_held_doc, "held()\n--\n\nA context: one more inside of the `with`.");

static PyObject *
updown_held(UpDown *self, PyObject *Py_UNUSED(ignored))
{
    if (check_ready(&self->counter) < 0) {
        return NULL;
    }
    return PyObject_CallOneArg(self->held, (PyObject *)self);
}

static int
updown_init(UpDown *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index", "cell_type", "label", "total", "held", NULL};
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *label, *total, *held;
    unsigned index;
    int cell_type;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&iUOO:UpDown", names, segment_type, &segment,
                                        u32_from, &index, &cell_type, &label, &total, &held)) {
        return -1;
    }
    if (cell_type == MMSTATS_CELL_TYPE_U64) {
        PyErr_Format(PyExc_ValueError, "%R: nothing goes down in cells of type %d", label, cell_type);
        return -1;
    }
    if (counter_bind(&self->counter, segment, index, cell_type, label, total) < 0) {
        return -1;
    }
    Py_INCREF(held);
    Py_XSETREF(self->held, held);
    return 0;
}

static int
updown_traverse(UpDown *self, visitproc visit, void *arg)
{
    Py_VISIT(self->held);
    return counter_traverse(&self->counter, visit, arg);
}

static int
updown_clear(UpDown *self)
{
    counter_clear(&self->counter);
    Py_CLEAR(self->held);
    return 0;
}

static void
updown_dealloc(UpDown *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->held);
    counter_dealloc(&self->counter);
}

static PyMethodDef updown_methods[] = {
    {"incr", (PyCFunction)(void (*)(void))updown_incr, METH_FASTCALL | METH_KEYWORDS, counter_incr_doc},
    {"inc", (PyCFunction)(void (*)(void))updown_inc, METH_FASTCALL | METH_KEYWORDS, counter_inc_doc},
    {"decr", (PyCFunction)(void (*)(void))updown_decr, METH_FASTCALL | METH_KEYWORDS, updown_decr_doc},
    {"dec", (PyCFunction)(void (*)(void))updown_dec, METH_FASTCALL | METH_KEYWORDS, updown_dec_doc},
    {"held", (PyCFunction)updown_held, METH_NOARGS, updown_held_doc},
    {"count_exceptions", counter_exceptions, METH_VARARGS, counter_exceptions_doc},
    {"_store", (PyCFunction)counter_store, METH_O, counter_store_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(updown_doc, "UpDown(segment, index, cell_type, label, total, held)\n--\n\n"
                         "A bound number that goes up and down.");

static PyType_Slot updown_slots[] = {
    {Py_tp_doc, (void *)updown_doc},
    {Py_tp_new, counter_new},
    {Py_tp_init, updown_init},
    {Py_tp_repr, counter_repr},
    {Py_tp_traverse, updown_traverse},
    {Py_tp_clear, updown_clear},
    {Py_tp_dealloc, updown_dealloc},
    {Py_tp_methods, updown_methods},
    {Py_tp_getset, counter_getset},
    {Py_tp_members, counter_members},
    {0, NULL},
};

static PyType_Spec updown_spec = {
    .name = "mmstats.cells._native.UpDown",
    .basicsize = sizeof(UpDown),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = updown_slots,
};

#endif
