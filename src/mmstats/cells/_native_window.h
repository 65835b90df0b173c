/* Window: a moving average of the last seconds, by slices of time (FORMAT.md 5.1). */
#ifndef MMSTATS_NATIVE_WINDOW_H
#define MMSTATS_NATIVE_WINDOW_H

#include "_native_compound.h"

typedef struct {
    Compound value;
    uint64_t width; /* of a slice, ns */
    uint32_t slices;
} Windowed;

static bool
window_take(const Compound *value, uint64_t *cells, double real)
{
    const Windowed *self = (const Windowed *)value;
    return window_store(cells, self->slices, self->width, real);
}

static PyMethodDef window_methods[];

static PyObject *
window_add(Windowed *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *value = the_argument("add", "value", args, nargs, kwnames);
    return value != NULL ? compound_add(&self->value, value, window_take, &window_methods[0]) : NULL;
}

/* The sums of the slices that are in the window, and how many values they are of. */
static Py_ssize_t
window_sums(const Windowed *self, const uint64_t *cells, double *sums, uint64_t *count)
{
    struct now now = now_at(cells, load_relaxed(&cells[MMSTATS_WINDOW_WITNESS]));
    uint64_t last = slice_now(self->width, now.slice);
    Py_ssize_t found = 0;
    *count = 0;
    for (uint32_t i = 0; i < self->slices; i++) {
        const uint64_t *at = &cells[MMSTATS_WINDOW_RING + SLICE_CELLS * i];
        uint64_t slice = load_relaxed(&at[0]);
        if (slice >= now.started && slice < now.slice && last - slice < self->slices) {
            *count += load_relaxed(&at[1]);
            sums[found++] = real_of(load_relaxed(&at[2]));
        }
    }
    if (last - now.slice < self->slices) {
        *count += now.count;
        sums[found++] = real_of(now.sum);
    }
    return found;
}

static PyObject *
window_get_value(Windowed *self, void *Py_UNUSED(closure))
{
    struct slot *slot = compound_slot(&self->value);
    if (slot == NULL) {
        return PyErr_Occurred() ? NULL : PyFloat_FromDouble(0.0);
    }
    double *sums =
        PyMem_Malloc((self->slices + 1) * sizeof *sums); /* the slot is not ours once Python runs */
    if (sums == NULL) {
        return PyErr_NoMemory();
    }
    uint64_t count;
    Py_ssize_t found = window_sums(self, &slot->cells[self->value.index], sums, &count);
    PyObject *mean = count > 0 ? mean_of(sums, found, count) : PyFloat_FromDouble(0.0);
    PyMem_Free(sums);
    return mean;
}

static int
window_init(Windowed *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index", "slices", "width", "label", "refuse", NULL};
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *label, *refuse;
    unsigned index, slices;
    long long width;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&O&LUO:Window", names, segment_type, &segment,
                                        u32_from, &index, u32_from, &slices, &width, &label, &refuse)) {
        return -1;
    }
    if (slices < 2 || slices > MMSTATS_VALUE_CELLS / SLICE_CELLS || width < 1) {
        PyErr_Format(PyExc_ValueError, "%R: no window of %u slices of %lld ns", label, slices, width);
        return -1;
    }
    if (compound_bind(&self->value, segment, index, MMSTATS_WINDOW_SIZE + SLICE_CELLS * slices, label, refuse)
        < 0) {
        return -1;
    }
    self->slices = slices;
    self->width = (uint64_t)width;
    return 0;
}

static PyMethodDef window_methods[] = {
    {"add", (PyCFunction)(void (*)(void))window_add, METH_FASTCALL | METH_KEYWORDS, add_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef window_getset[] = {
    {"value", (getter)window_get_value, NULL, "The mean of what the calling thread added in the window.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(window_doc, "Window(segment, index, slices, width, label, refuse)\n--\n\n"
                         "A bound moving average of a window of time.");

static PyType_Slot window_slots[] = {
    {Py_tp_doc, (void *)window_doc},
    {Py_tp_new, compound_new},
    {Py_tp_init, window_init},
    {Py_tp_repr, compound_repr},
    {Py_tp_traverse, compound_traverse},
    {Py_tp_clear, compound_clear},
    {Py_tp_dealloc, compound_dealloc},
    {Py_tp_methods, window_methods},
    {Py_tp_getset, window_getset},
    {Py_tp_members, compound_members},
    {0, NULL},
};

static PyType_Spec window_spec = {
    .name = "mmstats.cells._native.Window",
    .basicsize = sizeof(Windowed),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = window_slots,
};

#endif
