/* Counter: incr(), and what the calling thread has counted. */
#ifndef MMSTATS_NATIVE_COUNTER_H
#define MMSTATS_NATIVE_COUNTER_H

#include "_native_segment.h"

typedef struct {
    PyObject_HEAD
    Segment *segment; /* NULL before __init__: `gid` leads nowhere then */
    const uint32_t *gid;
    uint32_t index;
    int cell_type;
    PyObject *label;
    PyObject *total;
    PyObject *weakrefs;
} Counter;

static const uint32_t gid_none = GID_NONE;

static PyTypeObject *state_segment_type(PyObject *self);

static void
add_word(const Counter *self, uint64_t *cell, union word amount)
{
    if (self->cell_type == MMSTATS_CELL_TYPE_F64) {
        cell_add_real(cell, amount.real);
    }
    else {
        cell_add_whole(cell, amount.whole);
    }
}

static int
warn_of_wrap(Counter *self)
{
    static bool warned; /* in the process */
    if (__atomic_exchange_n(&warned, true, __ATOMIC_RELAXED)) {
        return 0;
    }
    return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                            "%R: a negative amount wraps modulo 2**64; what goes down is an UpDownField",
                            self->label);
}

/* May run Python: call it before the cell is looked for. */
static int
counter_amount(Counter *self, PyObject *value, union word *amount)
{
    if (self->cell_type == MMSTATS_CELL_TYPE_F64) {
        return real_from(self->label, value, &amount->real);
    }
    bool negative;
    if (whole_from(self->label, value, &amount->whole, &negative) < 0) {
        return -1;
    }
    return negative && self->cell_type == MMSTATS_CELL_TYPE_U64 ? warn_of_wrap(self) : 0;
}

static int
check_ready(Counter *self)
{
    if (self->segment == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Counter.__init__ was not called");
        return -1;
    }
    return 0;
}

/* The cell's slot by way of the opener. The segment lives as long as the counter: it is bound once. */
static struct slot *
counter_open(Counter *self, PyObject **later)
{
    return slot_by_opener(self->segment, self->index, later);
}

/* `method`: what the update is handed over as, where there is nobody to do it now. */
static int
add_slowly(Counter *self, PyObject *value, union word amount, PyMethodDef *method)
{
    PyObject *later = NULL;
    struct slot *slot = check_ready(self) < 0 ? NULL : counter_open(self, &later);
    if (slot != NULL) {
        add_word(self, &slot->cells[self->index], amount);
        return 0;
    }
    if (later == NULL) {
        return -1;
    }
    return hand_over(later, PyCFunction_New(method, (PyObject *)self), value, NULL);
}

static inline int
add_amount(Counter *self, PyObject *value, union word amount, PyMethodDef *method)
{
    struct slot *slot = slot_standing(*self->gid, self->index);
    if (slot == NULL) {
        return add_slowly(self, value, amount, method);
    }
    add_word(self, &slot->cells[self->index], amount);
    return 0;
}

/* What taking the amount away adds. */
static union word
negated(const Counter *self, union word amount)
{
    if (self->cell_type == MMSTATS_CELL_TYPE_F64) {
        return (union word){.real = -amount.real};
    }
    return (union word){.whole = -amount.whole};
}

static int
add_value(Counter *self, PyObject *value, int sign, PyMethodDef *method)
{
    union word amount;
    if (check_ready(self) < 0 || counter_amount(self, value, &amount) < 0) {
        return -1;
    }
    return add_amount(self, value, sign < 0 ? negated(self, amount) : amount, method);
}

static int
add_one_slowly(Counter *self, int sign, PyMethodDef *method)
{
    PyObject *one = PyLong_FromLong(1);
    int failed = one == NULL ? -1 : add_value(self, one, sign, method);
    Py_XDECREF(one);
    return failed;
}

/* The one argument of a method called `name(keyword=1)`. NULL: an error. */
static PyObject *
only_argument(const char *name, const char *keyword, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames)
{
    Py_ssize_t given = nargs + (kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0);
    if (given > 1) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most 1 argument (%zd given)", name, given);
        return NULL;
    }
    if (nargs == 0 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), keyword) != 0) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument %R", name,
                     PyTuple_GET_ITEM(kwnames, 0));
        return NULL;
    }
    return args[0];
}

/* Adds `sign` times the argument, or `sign` itself; `method`: the one that was called. */
static inline PyObject *
counter_add(Counter *self, int sign, PyMethodDef *method, const char *keyword, PyObject *const *args,
            Py_ssize_t nargs, PyObject *kwnames)
{
    if (nargs == 0 && kwnames == NULL) {
        struct slot *slot = slot_standing(*self->gid, self->index);
        if (slot != NULL && self->cell_type != MMSTATS_CELL_TYPE_F64) {
            cell_add_whole(&slot->cells[self->index], (uint64_t)(int64_t)sign);
            Py_RETURN_NONE;
        }
        if (add_one_slowly(self, sign, method) < 0) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    PyObject *value = only_argument(method->ml_name, keyword, args, nargs, kwnames);
    if (value == NULL || add_value(self, value, sign, method) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef counter_methods[];

PyDoc_STRVAR(counter_incr_doc, "incr(amount=1)\n--\n\nAdd `amount`. A u64 cell wraps modulo 2**64.");

static PyObject *
counter_incr(Counter *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return counter_add(self, 1, &counter_methods[0], "amount", args, nargs, kwnames);
}

PyDoc_STRVAR(counter_inc_doc, "inc(n=1)\n--\n\nThe first name of `incr`.");

static PyObject *
counter_inc(Counter *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return counter_add(self, 1, &counter_methods[1], "n", args, nargs, kwnames);
}

/* What is to be added to the thread's own value to give the cell. */
static union word
base_at(const struct slot *slot, uint32_t index, int cell_type)
{
    union word base = {.whole = 0}; /* which is 0.0, too */
    if (slot->base != NULL && cell_type == MMSTATS_CELL_TYPE_F64) {
        base.real = slot->base[index].real;
    }
    else if (slot->base != NULL) {
        base.whole = slot->base[index].whole;
    }
    return base;
}

static union word
own_word(const struct slot *slot, uint32_t index, int cell_type)
{
    union word own = {.whole = load_relaxed(&slot->cells[index])};
    union word base = base_at(slot, index, cell_type);
    if (cell_type == MMSTATS_CELL_TYPE_F64) {
        own.real -= base.real;
    }
    else {
        own.whole -= base.whole;
    }
    return own;
}

static void
store_own_word(const struct slot *slot, uint32_t index, int cell_type, union word own)
{
    union word base = base_at(slot, index, cell_type);
    if (cell_type == MMSTATS_CELL_TYPE_F64) {
        own.real = slot->base != NULL ? own.real + base.real : own.real; /* -0.0 stays what it is */
    }
    else {
        own.whole += base.whole;
    }
    store_relaxed(&slot->cells[index], own.whole);
}

static PyObject *
counter_get_value(Counter *self, void *Py_UNUSED(closure))
{
    union word own = {.whole = 0};
    struct slot *slot = slot_standing(*self->gid, self->index);
    if (slot == NULL) {
        PyObject *later = NULL;
        slot = check_ready(self) < 0 ? NULL : counter_open(self, &later);
        if (slot == NULL && (later == NULL || was_removed(later, self->label))) {
            return NULL;
        }
    }
    if (slot != NULL) {
        own = own_word(slot, self->index, self->cell_type);
    }
    return python_from(self->cell_type, self->cell_type == MMSTATS_CELL_TYPE_I64, own);
}

static int
set_value(Counter *self, PyObject *value)
{
    union word own;
    if (check_ready(self) < 0 || counter_amount(self, value, &own) < 0) {
        return -1;
    }
    struct slot *slot = slot_standing(*self->gid, self->index);
    PyObject *later = NULL;
    if (slot == NULL) {
        slot = counter_open(self, &later);
    }
    if (slot != NULL) {
        store_own_word(slot, self->index, self->cell_type, own);
        return 0;
    }
    if (later == NULL) {
        return -1;
    }
    return hand_over(later, PyObject_GetAttrString((PyObject *)self, "_store"), value, NULL);
}

static int
counter_set_value(Counter *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "%R cannot be deleted", self->label);
        return -1;
    }
    return set_value(self, value);
}

PyDoc_STRVAR(counter_store_doc, "_store(value)\n--\n\nThe setter of `value`, for whom it is handed to.");

static PyObject *
counter_store(Counter *self, PyObject *value)
{
    if (set_value(self, value) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
counter_get_total(Counter *self, void *Py_UNUSED(closure))
{
    if (check_ready(self) < 0) {
        return NULL;
    }
    return PyObject_CallFunction(self->total, "Ii", (unsigned)self->index, self->cell_type);
}

PyDoc_STRVAR(counter_exceptions_doc, "count_exceptions(*types)\n--\n\n"
                                     "A context, and a decorator: counts what is raised, and lets it pass.");

static PyObject *
counter_exceptions(PyObject *self, PyObject *types)
{
    if (check_ready((Counter *)self) < 0) {
        return NULL;
    }
    PyObject *module = PyImport_ImportModule("mmstats.cells.exceptions");
    PyObject *made = module != NULL ? PyObject_CallMethod(module, "Exceptions", "OO", self, types) : NULL;
    Py_XDECREF(module);
    return made;
}

static PyObject *
counter_repr(Counter *self)
{
    const char *name = type_name((PyObject *)self);
    return self->label != NULL ? PyUnicode_FromFormat("<%s %R>", name, self->label)
                               : PyUnicode_FromFormat("<%s>", name);
}

static PyObject *
counter_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    Counter *self = (Counter *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->gid = &gid_none;
    }
    return (PyObject *)self;
}

/* Binds it; the arguments are borrowed. */
static int
counter_bind(Counter *self, PyObject *segment, unsigned index, int cell_type, PyObject *label,
             PyObject *total)
{
    if (self->segment != NULL) {
        PyErr_Format(PyExc_RuntimeError, "%R is bound already", self->label);
        return -1;
    }
    if (cell_type < MMSTATS_CELL_TYPE_U64 || cell_type > MMSTATS_CELL_TYPE_F64) {
        PyErr_Format(PyExc_ValueError, "%R: nothing counts in cells of type %d", label, cell_type);
        return -1;
    }
    Py_INCREF(segment);
    Py_INCREF(label);
    Py_INCREF(total);
    self->gid = &((Segment *)segment)->gid;
    self->index = index;
    self->cell_type = cell_type;
    self->segment = (Segment *)segment;
    Py_XSETREF(self->label, label);
    Py_XSETREF(self->total, total);
    return 0;
}

static int
counter_init(Counter *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index", "cell_type", "label", "total", NULL};
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *label, *total;
    unsigned index;
    int cell_type;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&iUO:Counter", names, segment_type, &segment,
                                        u32_from, &index, &cell_type, &label, &total)) {
        return -1;
    }
    return counter_bind(self, segment, index, cell_type, label, total);
}

static int
counter_traverse(Counter *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->segment);
    Py_VISIT(self->total);
    return 0;
}

static int
counter_clear(Counter *self)
{
    self->gid = &gid_none;
    Py_CLEAR(self->segment);
    Py_CLEAR(self->total);
    return 0;
}

static void
counter_dealloc(Counter *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    counter_clear(self);
    Py_CLEAR(self->label);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef counter_methods[] = {
    {"incr", (PyCFunction)(void (*)(void))counter_incr, METH_FASTCALL | METH_KEYWORDS, counter_incr_doc},
    {"inc", (PyCFunction)(void (*)(void))counter_inc, METH_FASTCALL | METH_KEYWORDS, counter_inc_doc},
    {"count_exceptions", counter_exceptions, METH_VARARGS, counter_exceptions_doc},
    {"_store", (PyCFunction)counter_store, METH_O, counter_store_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef counter_getset[] = {
    {"value", (getter)counter_get_value, (setter)counter_set_value, "What the calling thread has counted.",
     NULL},
    {"total", (getter)counter_get_total, NULL, "What the whole process has counted.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef counter_members[] = {
    {"label", T_OBJECT_EX, offsetof(Counter, label), READONLY, "The stat's name."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Counter, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(counter_doc, "Counter(segment, index, cell_type, label, total)\n--\n\nA bound counter.");

static PyType_Slot counter_slots[] = {
    {Py_tp_doc, (void *)counter_doc},
    {Py_tp_new, counter_new},
    {Py_tp_init, counter_init},
    {Py_tp_repr, counter_repr},
    {Py_tp_traverse, counter_traverse},
    {Py_tp_clear, counter_clear},
    {Py_tp_dealloc, counter_dealloc},
    {Py_tp_methods, counter_methods},
    {Py_tp_getset, counter_getset},
    {Py_tp_members, counter_members},
    {0, NULL},
};

static PyType_Spec counter_spec = {
    .name = "mmstats.cells._native.Counter",
    .basicsize = sizeof(Counter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = counter_slots,
};

#endif
