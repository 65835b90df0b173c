/* Average and Moving: values of several cells, told whole by a witness (FORMAT.md 5.1).
 *
 * An update is one C call with the GIL held, so nobody of this process comes in between. Readers do: so
 * what is stored first is what the witness does not point at, and the witness comes last. The fence keeps
 * those stores behind the witness of the update before.
 */
#ifndef MMSTATS_NATIVE_COMPOUND_H
#define MMSTATS_NATIVE_COMPOUND_H

#include "_native_counter.h"
#include "values.h"

typedef struct {
    PyObject_HEAD
    Segment *segment; /* NULL before __init__ */
    const uint32_t *gid;
    uint32_t index;
    uint32_t last; /* index of the last cell */
    uint32_t size; /* how many of the last values count */
    uint32_t room; /* values in the ring: the next one has a place of its own */
    PyObject *label;
    PyObject *refuse;
    PyObject *weakrefs;
} Compound;

/* Stores one value; false: the sum would be no finite number, and nothing was stored. */
typedef bool (*store_function)(const Compound *self, uint64_t *cells, double value);

static int
compound_ready(const Compound *self)
{
    if (self->segment == NULL) {
        PyErr_Format(PyExc_RuntimeError, "%s.__init__ was not called", type_name((PyObject *)self));
        return -1;
    }
    return 0;
}

static int
compound_refuse(const Compound *self)
{
    PyObject *refuse = self->refuse;
    if (refuse == NULL) { /* the garbage collector was here */
        return compound_ready(self);
    }
    Py_INCREF(refuse);
    PyObject *done = PyObject_CallNoArgs(refuse);
    Py_DECREF(refuse);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

/* The one argument, by position or by name. */
static PyObject *
the_argument(const char *name, const char *keyword, PyObject *const *args, Py_ssize_t nargs,
             PyObject *kwnames)
{
    if (nargs == 0 && kwnames == NULL) {
        PyErr_Format(PyExc_TypeError, "%s() takes exactly one argument (0 given)", name);
        return NULL;
    }
    return only_argument(name, keyword, args, nargs, kwnames);
}

static PyObject *
compound_add(Compound *self, PyObject *value, store_function store, PyMethodDef *method)
{
    double real;
    if (compound_ready(self) < 0 || real_from(self->label, value, &real) < 0) {
        return NULL;
    }
    bool stored = false;
    if (isfinite(real)) {
        PyObject *later = NULL;
        struct slot *slot = slot_standing(*self->gid, self->last);
        if (slot == NULL) {
            slot = slot_by_opener(self->segment, self->last, &later);
        }
        if (later != NULL) {
            if (hand_over(later, PyCFunction_New(method, (PyObject *)self), value, NULL) < 0) {
                return NULL;
            }
            Py_RETURN_NONE;
        }
        if (slot == NULL) {
            return NULL;
        }
        stored = store(self, &slot->cells[self->index], real);
    }
    if (!stored && compound_refuse(self) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* The slot to read from; NULL with an error set, or without: there is nothing to be read. */
static struct slot *
compound_slot(const Compound *self)
{
    if (compound_ready(self) < 0) {
        return NULL;
    }
    struct slot *slot = slot_standing(*self->gid, self->last);
    if (slot == NULL) {
        PyObject *later = NULL;
        slot = slot_by_opener(self->segment, self->last, &later);
        if (later != NULL) {
            was_removed(later, self->label);
        }
    }
    return slot;
}

static PyObject *
compound_repr(Compound *self)
{
    const char *name = type_name((PyObject *)self);
    return self->label != NULL ? PyUnicode_FromFormat("<%s %R>", name, self->label)
                               : PyUnicode_FromFormat("<%s>", name);
}

static PyObject *
compound_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    Compound *self = (Compound *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->gid = &gid_none;
    }
    return (PyObject *)self;
}

/* Binds it; the arguments are borrowed. */
static int
compound_bind(Compound *self, PyObject *segment, unsigned index, uint32_t cells, PyObject *label,
              PyObject *refuse)
{
    if (self->segment != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%R is bound already", self->label);
        return -1;
    }
    if (index > UINT32_MAX - cells) {
        PyErr_Format(PyExc_ValueError, "%R: no segment has a cell %u", label, index);
        return -1;
    }
    Py_INCREF(segment);
    Py_INCREF(label);
    Py_INCREF(refuse);
    self->gid = &((Segment *)segment)->gid;
    self->index = index;
    self->last = index + cells - 1;
    self->segment = (Segment *)segment;
    Py_XSETREF(self->label, label);
    Py_XSETREF(self->refuse, refuse);
    return 0;
}

static int
ring_check(PyObject *label, unsigned size)
{
    if (size == 0 || size > INT32_MAX / 2) {
        PyErr_Format(PyExc_ValueError, "%R: no ring of %u values", label, size);
        return -1;
    }
    return 0;
}

/* Binds a value that ends with a ring; `besides`: how many cells it has before that. */
static int
ring_bind(Compound *self, PyObject *segment, unsigned index, uint32_t besides, uint32_t size, PyObject *label,
          PyObject *refuse)
{
    if (compound_bind(self, segment, index, besides + size + 1, label, refuse) < 0) {
        return -1;
    }
    self->size = size;
    self->room = size + 1;
    return 0;
}

static int
compound_traverse(Compound *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->segment);
    Py_VISIT(self->refuse);
    return 0;
}

static int
compound_clear(Compound *self)
{
    self->gid = &gid_none;
    Py_CLEAR(self->segment);
    Py_CLEAR(self->refuse);
    return 0;
}

/* The garbage collector does not know of it any more. */
static void
compound_free(Compound *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    compound_clear(self);
    Py_CLEAR(self->label);
    type->tp_free(self);
    Py_DECREF(type);
}

static void
compound_dealloc(Compound *self)
{
    PyObject_GC_UnTrack(self);
    compound_free(self);
}

static PyMemberDef compound_members[] = {
    {"label", T_OBJECT_EX, offsetof(Compound, label), READONLY, "The stat's name."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Compound, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* --- means ---------------------------------------------------------------------------------------- */

/* math.fsum, which rounds once; as the values come where no double holds a sum on the way. */
static PyObject *
exact_sum(PyObject *values)
{
    PyObject *math = PyImport_ImportModule("math");
    PyObject *sum = math != NULL ? PyObject_CallMethod(math, "fsum", "O", values) : NULL;
    Py_XDECREF(math);
    if (sum == NULL && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        double total = 0;
        PyErr_Clear();
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(values); i++) {
            total += PyFloat_AS_DOUBLE(PyList_GET_ITEM(values, i));
        }
        sum = PyFloat_FromDouble(total);
    }
    return sum;
}

static PyObject *
list_of(const double *values, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *value = PyFloat_FromDouble(values[i]);
        if (value == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, value);
    }
    return list;
}

/* The sum of some numbers, by how many values they are of. */
static PyObject *
mean_of(const double *values, Py_ssize_t count, uint64_t of)
{
    PyObject *list = list_of(values, count);
    PyObject *sum = list != NULL ? exact_sum(list) : NULL;
    Py_XDECREF(list);
    if (sum == NULL) {
        return NULL;
    }
    double mean = PyFloat_AS_DOUBLE(sum) / (double)of;
    Py_DECREF(sum);
    return PyFloat_FromDouble(mean);
}

/* How many values of the ring are the thread's own, and from which on. */
static uint64_t
window_of(const Compound *self, const uint64_t *cells, uint64_t *first)
{
    uint64_t n = load_relaxed(&cells[MMSTATS_MOVING_WITNESS]); /* a timer has both in the same places */
    uint64_t started = load_relaxed(&cells[MMSTATS_MOVING_STARTED]);
    *first = n > self->size ? n - self->size : 0;
    *first = started > *first ? started : *first;
    return n > *first ? n - *first : 0;
}

static PyObject *
ring_mean(Compound *self, uint32_t ring)
{
    struct slot *slot = compound_slot(self);
    if (slot == NULL) {
        return PyErr_Occurred() ? NULL : PyFloat_FromDouble(0.0);
    }
    uint64_t first, count = window_of(self, &slot->cells[self->index], &first);
    if (count == 0) {
        return PyFloat_FromDouble(0.0);
    }
    double *values = PyMem_Malloc(count * sizeof *values); /* the slot is not ours once Python runs */
    if (values == NULL) {
        return PyErr_NoMemory();
    }
    for (uint64_t i = 0; i < count; i++) {
        values[i] = real_of(load_relaxed(&slot->cells[self->index + ring + (first + i) % self->room]));
    }
    PyObject *mean = mean_of(values, (Py_ssize_t)count, count);
    PyMem_Free(values);
    return mean;
}

/* --- Average -------------------------------------------------------------------------------------- */

static bool
average_take(const Compound *Py_UNUSED(self), uint64_t *cells, double value)
{
    return average_store(cells, value);
}

static PyMethodDef average_methods[];

PyDoc_STRVAR(add_doc, "add(value)\n--\n\nOne more value.");

static PyObject *
average_add(Compound *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *value = the_argument("add", "value", args, nargs, kwnames);
    return value != NULL ? compound_add(self, value, average_take, &average_methods[0]) : NULL;
}

static PyObject *
average_get_value(Compound *self, void *Py_UNUSED(closure))
{
    struct slot *slot = compound_slot(self);
    if (slot == NULL) {
        return PyErr_Occurred() ? NULL : PyFloat_FromDouble(0.0);
    }
    uint32_t witness = self->index + MMSTATS_AVERAGE_WITNESS;
    uint32_t sum = self->index + MMSTATS_AVERAGE_SUM + (load_relaxed(&slot->cells[witness]) & 1);
    uint64_t own = own_word(slot, witness, MMSTATS_CELL_TYPE_U64).whole;
    double total = own_word(slot, sum, MMSTATS_CELL_TYPE_F64).real;
    return PyFloat_FromDouble(own != 0 ? total / (double)own : 0.0);
}

static int
average_init(Compound *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index", "label", "refuse", NULL};
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *label, *refuse;
    unsigned index;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&UO:Average", names, segment_type, &segment,
                                        u32_from, &index, &label, &refuse)) {
        return -1;
    }
    return compound_bind(self, segment, index, MMSTATS_AVERAGE_SIZE, label, refuse);
}

static PyMethodDef average_methods[] = {
    {"add", (PyCFunction)(void (*)(void))average_add, METH_FASTCALL | METH_KEYWORDS, add_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef average_getset[] = {
    {"value", (getter)average_get_value, NULL, "The mean of the calling thread's values.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(average_doc, "Average(segment, index, label, refuse)\n--\n\nA bound average.");

static PyType_Slot average_slots[] = {
    {Py_tp_doc, (void *)average_doc},
    {Py_tp_new, compound_new},
    {Py_tp_init, average_init},
    {Py_tp_repr, compound_repr},
    {Py_tp_traverse, compound_traverse},
    {Py_tp_clear, compound_clear},
    {Py_tp_dealloc, compound_dealloc},
    {Py_tp_methods, average_methods},
    {Py_tp_getset, average_getset},
    {Py_tp_members, compound_members},
    {0, NULL},
};

static PyType_Spec average_spec = {
    .name = "mmstats.cells._native.Average",
    .basicsize = sizeof(Compound),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = average_slots,
};

/* --- Moving --------------------------------------------------------------------------------------- */

static bool
moving_take(const Compound *self, uint64_t *cells, double value)
{
    moving_store(cells, self->room, value);
    return true;
}

static PyMethodDef moving_methods[];

static PyObject *
moving_add(Compound *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *value = the_argument("add", "value", args, nargs, kwnames);
    return value != NULL ? compound_add(self, value, moving_take, &moving_methods[0]) : NULL;
}

static PyObject *
moving_get_value(Compound *self, void *Py_UNUSED(closure))
{
    return ring_mean(self, MMSTATS_MOVING_RING);
}

static int
moving_init(Compound *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index", "size", "label", "refuse", NULL};
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *label, *refuse;
    unsigned index, size;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&O&UO:Moving", names, segment_type, &segment,
                                        u32_from, &index, u32_from, &size, &label, &refuse)
        || ring_check(label, size) < 0) {
        return -1;
    }
    return ring_bind(self, segment, index, MMSTATS_MOVING_SIZE, size, label, refuse);
}

static PyMethodDef moving_methods[] = {
    {"add", (PyCFunction)(void (*)(void))moving_add, METH_FASTCALL | METH_KEYWORDS, add_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef moving_getset[] = {
    {"value", (getter)moving_get_value, NULL, "The mean of the calling thread's last values.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(moving_doc, "Moving(segment, index, size, label, refuse)\n--\n\nA bound moving average.");

static PyType_Slot moving_slots[] = {
    {Py_tp_doc, (void *)moving_doc},
    {Py_tp_new, compound_new},
    {Py_tp_init, moving_init},
    {Py_tp_repr, compound_repr},
    {Py_tp_traverse, compound_traverse},
    {Py_tp_clear, compound_clear},
    {Py_tp_dealloc, compound_dealloc},
    {Py_tp_methods, moving_methods},
    {Py_tp_getset, moving_getset},
    {Py_tp_members, compound_members},
    {0, NULL},
};

static PyType_Spec moving_spec = {
    .name = "mmstats.cells._native.Moving",
    .basicsize = sizeof(Compound),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = moving_slots,
};

#endif
