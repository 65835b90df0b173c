/* Gauge: one value of the whole process. Threads share the cell; the last store wins, nothing is added. */
#ifndef MMSTATS_NATIVE_GAUGE_H
#define MMSTATS_NATIVE_GAUGE_H

#include "_native_compound.h"

typedef struct {
    Compound place; /* one cell of it */
    PyObject *track;
} Gauge;

static PyMethodDef gauge_methods[];

static PyObject *
gauge_store(Gauge *self, PyObject *value)
{
    double real;
    if (compound_ready(&self->place) < 0 || real_from(self->place.label, value, &real) < 0) {
        return NULL;
    }
    if (isnan(real)) { /* which is also what "never" looks like */
        if (compound_refuse(&self->place) < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    PyObject *later = NULL;
    struct slot *slot = slot_standing(*self->place.gid, self->place.index);
    if (slot == NULL) {
        slot = slot_by_opener(self->place.segment, self->place.index, &later);
    }
    if (slot != NULL) {
        store_relaxed(&slot->cells[self->place.index], whole_of(real));
        Py_RETURN_NONE;
    }
    if (later == NULL
        || hand_over(later, PyCFunction_New(&gauge_methods[0], (PyObject *)self), value, NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(gauge_set_doc, "set(value)\n--\n\nThe value from now on.");

static PyObject *
gauge_set(Gauge *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *value = the_argument("set", "value", args, nargs, kwnames);
    return value != NULL ? gauge_store(self, value) : NULL;
}

PyDoc_STRVAR(gauge_set_to_current_time_doc, "set_to_current_time()\n--\n\n"
                                            "Seconds since 1970, as time.time() gives them.");

static PyObject *
gauge_set_to_current_time(Gauge *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *module = PyImport_ImportModule("time");
    PyObject *now = module != NULL ? PyObject_CallMethod(module, "time", NULL) : NULL;
    PyObject *done = now != NULL ? gauge_store(self, now) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(now);
    return done;
}

PyDoc_STRVAR(gauge_track_doc, "track(callable)\n--\n\nLet the callable say the value, about once a second.");

static PyObject *
gauge_track(Gauge *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *callable = the_argument("track", "callable", args, nargs, kwnames);
    if (callable == NULL || compound_ready(&self->place) < 0) {
        return NULL;
    }
    return PyObject_CallFunctionObjArgs(self->track, (PyObject *)self, callable, NULL);
}

static PyObject *
gauge_get_value(Gauge *self, void *Py_UNUSED(closure))
{
    struct slot *slot = compound_slot(&self->place);
    if (slot == NULL && PyErr_Occurred()) {
        return NULL;
    }
    uint64_t whole = slot != NULL ? load_relaxed(&slot->cells[self->place.index]) : MMSTATS_NEVER_F64;
    return PyFloat_FromDouble(whole != MMSTATS_NEVER_F64 ? real_of(whole) : 0.0);
}

static int
gauge_init(Gauge *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index", "label", "refuse", "track", NULL};
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *label, *refuse, *track;
    unsigned index;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&UOO:Gauge", names, segment_type, &segment,
                                        u32_from, &index, &label, &refuse, &track)
        || compound_bind(&self->place, segment, index, 1, label, refuse) < 0) {
        return -1;
    }
    Py_INCREF(track);
    Py_XSETREF(self->track, track);
    return 0;
}

static int
gauge_traverse(Gauge *self, visitproc visit, void *arg)
{
    Py_VISIT(self->track);
    return compound_traverse(&self->place, visit, arg);
}

static int
gauge_clear(Gauge *self)
{
    compound_clear(&self->place);
    Py_CLEAR(self->track);
    return 0;
}

static void
gauge_dealloc(Gauge *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->track);
    compound_dealloc(&self->place);
}

static PyMethodDef gauge_methods[] = {
    {"set", (PyCFunction)(void (*)(void))gauge_set, METH_FASTCALL | METH_KEYWORDS, gauge_set_doc},
    {"set_to_current_time", (PyCFunction)gauge_set_to_current_time, METH_NOARGS,
     gauge_set_to_current_time_doc},
    {"track", (PyCFunction)(void (*)(void))gauge_track, METH_FASTCALL | METH_KEYWORDS, gauge_track_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef gauge_getset[] = {
    {"value", (getter)gauge_get_value, NULL, "What the process set last.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(gauge_doc, "Gauge(segment, index, label, refuse, track)\n--\n\nA bound gauge.");

static PyType_Slot gauge_slots[] = {
    {Py_tp_doc, (void *)gauge_doc},
    {Py_tp_new, compound_new},
    {Py_tp_init, gauge_init},
    {Py_tp_repr, compound_repr},
    {Py_tp_traverse, gauge_traverse},
    {Py_tp_clear, gauge_clear},
    {Py_tp_dealloc, gauge_dealloc},
    {Py_tp_methods, gauge_methods},
    {Py_tp_getset, gauge_getset},
    {Py_tp_members, compound_members},
    {0, NULL},
};

static PyType_Spec gauge_spec = {
    .name = "mmstats.cells._native.Gauge",
    .basicsize = sizeof(Gauge),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = gauge_slots,
};

#endif
