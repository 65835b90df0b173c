/* Histogram and Timing: values that are counted by where they lie (FORMAT.md 5.2).
 *
 * Two segments are needed, of the first cells and of an octave; whichever has to be asked for may run
 * Python, so both are looked at after the last call.
 */
#ifndef MMSTATS_NATIVE_DISTRIBUTION_H
#define MMSTATS_NATIVE_DISTRIBUTION_H

#include "_native_compound.h"
#include "distribution.h"

#define TRIES 8 /* to have both segments at once, where each may open the other's file */

typedef struct {
    Compound value;
    struct distribution shape;
    PyObject *make;     /* gives the segment of an octave */
    PyObject **octaves; /* those that were made, high - low at most */
    double *bounds;
} Distributed;

/* The segment of the k-th octave, borrowed; NULL with an error set. May run Python. */
static Segment *
octave_segment(Distributed *self, uint32_t k)
{
    if (self->octaves == NULL || self->make == NULL) { /* the garbage collector was here */
        PyErr_SetString(PyExc_RuntimeError, "there are no octaves");
        return NULL;
    }
    if (self->octaves[k] == NULL) {
        PyTypeObject *segment_type = state_segment_type((PyObject *)self);
        PyObject *made = segment_type != NULL ? PyObject_CallFunction(self->make, "I", k) : NULL;
        if (made != NULL && !PyObject_TypeCheck(made, segment_type)) {
            PyErr_Format(PyExc_TypeError, "an octave is a Segment, not %s: %R", type_name(made), made);
            Py_CLEAR(made);
        }
        if (made == NULL) {
            return NULL;
        }
        if (self->octaves[k] == NULL) {
            self->octaves[k] = made;
        }
        else {
            Py_DECREF(made); /* somebody came in between */
        }
    }
    return (Segment *)self->octaves[k];
}

/* Where the calling thread has the first cells, and in `octave` that one's, where the number is in one.
 *
 * NULL with an error set, or with `later` set, as from slot_by_opener. */
static struct slot *
distributed_reach(Distributed *self, uint32_t number, uint64_t **octave, PyObject **later)
{
    Compound *value = &self->value;
    *octave = NULL;
    if (number < MMSTATS_BUCKET_FIRST) {
        struct slot *slot = slot_standing(*value->gid, value->last);
        return slot != NULL ? slot : slot_by_opener(value->segment, value->last, later);
    }
    uint32_t last = (1u << self->shape.scale) - 1;
    Segment *other = octave_segment(self, octave_of(&self->shape, number));
    if (other == NULL) {
        return NULL;
    }
    for (int i = 0; i < TRIES; i++) {
        struct slot *of_octave = slot_standing(other->gid, last);
        if (of_octave == NULL && slot_by_opener(other, last, later) == NULL) {
            return NULL;
        }
        struct slot *slot = slot_standing(*value->gid, value->last);
        if (slot == NULL) {
            slot = slot_by_opener(value->segment, value->last, later);
        }
        if (slot == NULL) {
            return NULL;
        }
        of_octave = slot_attached(other->gid); /* the slow path of the first cells may have closed it */
        if (of_octave != NULL && last < of_octave->count) {
            *octave = of_octave->cells;
            return slot;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "two segments are never attached at once");
    return NULL;
}

/* The usual case: both segments are attached. NULL: distributed_reach finds out. */
static inline struct slot *
distributed_standing(const Distributed *self, uint32_t number, uint64_t **octave)
{
    const Compound *value = &self->value;
    *octave = NULL;
    if (number >= MMSTATS_BUCKET_FIRST) {
        Segment *other =
            self->octaves != NULL ? (Segment *)self->octaves[octave_of(&self->shape, number)] : NULL;
        struct slot *of_octave =
            other != NULL ? slot_standing(other->gid, (1u << self->shape.scale) - 1) : NULL;
        if (of_octave == NULL) {
            return NULL;
        }
        *octave = of_octave->cells;
    }
    return slot_standing(*value->gid, value->last);
}

/* What an update is: how its method is called, and by what it is handed over. */
struct taken {
    double value;
    uint64_t time;   /* when it ended, by CLOCK_MONOTONIC in ns; 0: now */
    PyObject *given; /* the value as it came, NULL where it did not */
    PyMethodDef *method;
};

static bool
distributed_store(const Distributed *self, struct slot *slot, uint64_t *octave, uint32_t number,
                  const struct taken *taken)
{
    uint64_t time = taken->time != 0 || self->shape.ring == 0 ? taken->time : monotonic_ns();
    return distribution_store(&self->shape, &slot->cells[self->value.index], octave, number, taken->value,
                              time);
}

static int
distributed_hand_over(Distributed *self, PyObject *later, const struct taken *taken)
{
    PyObject *given = taken->given != NULL ? Py_NewRef(taken->given) : PyFloat_FromDouble(taken->value);
    if (given == NULL) {
        Py_DECREF(later);
        return -1;
    }
    int failed = hand_over(later, PyCFunction_New(taken->method, (PyObject *)self), given, NULL);
    Py_DECREF(given);
    return failed;
}

static int
distributed_take(Distributed *self, const struct taken *taken)
{
    bool stored = false;
    if (isfinite(taken->value)) {
        uint32_t number = number_of(&self->shape, taken->value);
        uint64_t *octave;
        struct slot *slot = distributed_standing(self, number, &octave);
        if (slot == NULL) {
            PyObject *later = NULL;
            slot = distributed_reach(self, number, &octave, &later);
            if (later != NULL) {
                return distributed_hand_over(self, later, taken);
            }
            if (slot == NULL) {
                return -1;
            }
        }
        stored = distributed_store(self, slot, octave, number, taken);
    }
    return stored ? 0 : compound_refuse(&self->value);
}

static PyObject *
distributed_observe(Distributed *self, PyObject *given, PyMethodDef *method)
{
    struct taken taken = {.given = given, .method = method};
    if (compound_ready(&self->value) < 0 || real_from(self->value.label, given, &taken.value) < 0
        || distributed_take(self, &taken) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* --- what both are made of ------------------------------------------------------------------------ */

static int
distributed_set_bounds(Distributed *self, PyObject *bounds)
{
    PyObject *items = PySequence_Tuple(bounds);
    if (items == NULL) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    if (count > MMSTATS_BOUNDS_MOST) {
        PyErr_Format(PyExc_ValueError, "%zd bounds are too many", count);
    }
    double *made = PyErr_Occurred() ? NULL : PyMem_Malloc((size_t)(count + 1) * sizeof *made);
    for (Py_ssize_t i = 0; made != NULL && i < count; i++) {
        made[i] = PyFloat_AsDouble(PyTuple_GET_ITEM(items, i));
    }
    Py_DECREF(items);
    if (made == NULL || PyErr_Occurred()) {
        PyMem_Free(made);
        return PyErr_Occurred() ? -1 : (PyErr_NoMemory(), -1);
    }
    PyMem_Free(self->bounds);
    self->bounds = made;
    self->shape.bounds = made;
    self->shape.bound_count = (uint32_t)count;
    return 0;
}

/* Takes the range; how many cells the distribution has, 0 with an error set. */
static uint32_t
distributed_range(Distributed *self, int scale, int low, int high, PyObject *bounds, PyObject *make)
{
    if (self->make != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%R is bound already", self->value.label);
        return 0;
    }
    if (scale < 0 || scale > MMSTATS_SCALE_MOST || low < -MMSTATS_OCTAVE_MOST || low >= high
        || high > MMSTATS_OCTAVE_MOST) {
        PyErr_Format(PyExc_ValueError, "no distribution of scale %d from 2**%d to 2**%d", scale, low, high);
        return 0;
    }
    if (distributed_set_bounds(self, bounds) < 0) {
        return 0;
    }
    self->octaves = PyMem_Calloc((size_t)(high - low), sizeof *self->octaves);
    if (self->octaves == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    self->shape.scale = scale;
    self->shape.low = low;
    self->shape.high = high;
    Py_INCREF(make);
    self->make = make;
    return distribution_cells(&self->shape);
}

static int
distributed_traverse(Distributed *self, visitproc visit, void *arg)
{
    Py_VISIT(self->make);
    for (int k = 0; self->octaves != NULL && k < self->shape.high - self->shape.low; k++) {
        Py_VISIT(self->octaves[k]);
    }
    return compound_traverse(&self->value, visit, arg);
}

static int
distributed_clear(Distributed *self)
{
    PyObject **octaves = self->octaves;
    self->octaves = NULL;
    for (int k = 0; octaves != NULL && k < self->shape.high - self->shape.low; k++) {
        Py_XDECREF(octaves[k]);
    }
    PyMem_Free(octaves);
    Py_CLEAR(self->make);
    return compound_clear(&self->value);
}

static void
distributed_dealloc(Distributed *self)
{
    PyObject_GC_UnTrack(self);
    if (self->value.weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    distributed_clear(self);
    PyMem_Free(self->bounds);
    compound_free(&self->value);
}

/* A method of the subclass's own, unless it has one: the interpreter (3.11 to 3.13) calls those without a
 * detour whose type is exactly that of the object. */
static PyObject *
own_method(PyObject *type, PyMethodDef *method)
{
    PyObject *own = PyObject_GetAttrString(type, "__dict__");
    int is_there = own != NULL ? PyMapping_HasKeyString(own, method->ml_name) : 0;
    PyObject *made = own != NULL && !is_there ? PyDescr_NewMethod((PyTypeObject *)type, method) : NULL;
    Py_XDECREF(own);
    if (made != NULL) {
        PyObject_SetAttrString(type, method->ml_name, made);
        Py_DECREF(made);
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(own_method_doc, "__init_subclass__()\n--\n\nGive the subclass a method of its own.");

/* --- Histogram ------------------------------------------------------------------------------------ */

static PyMethodDef histogram_methods[];

PyDoc_STRVAR(histogram_observe_doc, "observe(value)\n--\n\nOne more value.");

static PyObject *
histogram_observe(Distributed *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *value = the_argument("observe", "value", args, nargs, kwnames);
    return value != NULL ? distributed_observe(self, value, &histogram_methods[0]) : NULL;
}

static PyObject *
histogram_init_subclass(PyObject *type, PyObject *Py_UNUSED(ignored))
{
    return own_method(type, &histogram_methods[0]);
}

static int
histogram_init(Distributed *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index",  "scale", "low",    "high",
                            "bounds",  "octave", "label", "refuse", NULL};
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *bounds, *octave, *label, *refuse;
    unsigned index;
    int scale, low, high;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&iiiOOUO:Histogram", names, segment_type, &segment,
                                        u32_from, &index, &scale, &low, &high, &bounds, &octave, &label,
                                        &refuse)) {
        return -1;
    }
    uint32_t cells = distributed_range(self, scale, low, high, bounds, octave);
    if (cells == 0) {
        return -1;
    }
    self->shape.totals = MMSTATS_HISTOGRAM_TOTALS;
    self->shape.spread = MMSTATS_HISTOGRAM_DISTRIBUTION;
    return compound_bind(&self->value, segment, index, MMSTATS_HISTOGRAM_DISTRIBUTION + cells, label, refuse);
}

static PyMethodDef histogram_methods[] = {
    {"observe", (PyCFunction)(void (*)(void))histogram_observe, METH_FASTCALL | METH_KEYWORDS,
     histogram_observe_doc},
    {"__init_subclass__", histogram_init_subclass, METH_NOARGS | METH_CLASS, own_method_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(histogram_doc,
             "Histogram(segment, index, scale, low, high, bounds, octave, label, refuse)\n--\n\n"
             "A bound histogram.");

static PyType_Slot histogram_slots[] = {
    {Py_tp_doc, (void *)histogram_doc},     {Py_tp_new, compound_new},
    {Py_tp_init, histogram_init},           {Py_tp_repr, compound_repr},
    {Py_tp_traverse, distributed_traverse}, {Py_tp_clear, distributed_clear},
    {Py_tp_dealloc, distributed_dealloc},   {Py_tp_methods, histogram_methods},
    {Py_tp_members, compound_members},      {0, NULL},
};

static PyType_Spec histogram_spec = {
    .name = "mmstats.cells._native.Histogram",
    .basicsize = sizeof(Distributed),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = histogram_slots,
};

#endif
