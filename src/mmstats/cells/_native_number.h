/* Number: a data descriptor whose assignment is one store. */
#ifndef MMSTATS_NATIVE_NUMBER_H
#define MMSTATS_NATIVE_NUMBER_H

#include "_native_counter.h"

typedef struct {
    PyObject_HEAD
    PyObject *name;
    int cell_type;
    int bits;
    bool is_signed;
    bool never;
    bool summed;    /* an adopter's own value is the cell less its base */
    PyObject *last; /* weak reference to the instance that the next three belong to */
    Segment *segment;
    uint32_t index;
    PyObject *initial;
} Number;

/* Where an instance's cell is. Both objects are owned. */
struct place {
    Segment *segment;
    PyObject *initial;
    uint32_t index;
};

static void
number_uncache(Number *self)
{
    Segment *segment = self->segment;
    PyObject *last = self->last, *initial = self->initial;
    self->last = NULL;
    self->segment = NULL;
    self->initial = NULL;
    Py_XDECREF(last);
    Py_XDECREF(segment);
    Py_XDECREF(initial);
}

/* Called when the instance dies: a class outlives its instances, and must not keep their memory. */
static PyObject *
number_instance_died(PyObject *self, PyObject *reference)
{
    if (((Number *)self)->last == reference) {
        number_uncache((Number *)self);
    }
    Py_RETURN_NONE;
}

static PyMethodDef instance_died = {"instance_died", number_instance_died, METH_O, NULL};

static inline bool
number_knows(const Number *self, PyObject *instance)
{
    return self->last != NULL && ((PyWeakReference *)self->last)->wr_object == instance;
}

/* The entry of the instance's _mm_cells; owned. */
static PyObject *
number_entry(Number *self, PyObject *instance)
{
    PyObject *cells = PyObject_GetAttrString(instance, "_mm_cells");
    if (cells == NULL) {
        return NULL;
    }
    PyObject *entry = PyObject_GetItem(cells, self->name);
    Py_DECREF(cells);
    if (entry == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        PyErr_SetObject(PyExc_AttributeError, self->name);
    }
    return entry;
}

static int
place_from(Number *self, PyObject *entry, struct place *place)
{
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    unsigned index;
    if (segment_type == NULL) {
        return -1;
    }
    if (!PyTuple_Check(entry)) {
        PyErr_Format(PyExc_TypeError, "_mm_cells[%R] is no tuple", self->name);
        return -1;
    }
    if (!PyArg_ParseTuple(entry, "O!O&O:_mm_cells", segment_type, &place->segment, u32_from, &index,
                          &place->initial)) {
        return -1;
    }
    place->index = index;
    Py_INCREF(place->segment);
    Py_INCREF(place->initial);
    return 0;
}

static void
place_clear(struct place *place)
{
    Py_DECREF(place->segment);
    Py_DECREF(place->initial);
}

static void
number_cache(Number *self, PyObject *instance, const struct place *place)
{
    PyObject *callback = PyCFunction_New(&instance_died, (PyObject *)self);
    PyObject *reference = callback != NULL ? PyWeakref_NewRef(instance, callback) : NULL;
    Py_XDECREF(callback);
    if (reference == NULL) {
        PyErr_Clear(); /* an instance without weak references is looked up each time */
        return;
    }
    number_uncache(self);
    Py_INCREF(place->segment);
    Py_INCREF(place->initial);
    self->last = reference;
    self->segment = place->segment;
    self->index = place->index;
    self->initial = place->initial;
}

static int
number_place(Number *self, PyObject *instance, struct place *place)
{
    if (number_knows(self, instance)) {
        *place = (struct place){self->segment, self->initial, self->index};
        Py_INCREF(place->segment);
        Py_INCREF(place->initial);
        return 0;
    }
    PyObject *entry = number_entry(self, instance);
    if (entry == NULL) {
        return -1;
    }
    int failed = place_from(self, entry, place);
    Py_DECREF(entry);
    if (failed == 0) {
        number_cache(self, instance, place);
    }
    return failed;
}

static struct slot *
number_slot_standing(const Number *self, PyObject *instance)
{
    if (!number_knows(self, instance)) {
        return NULL;
    }
    return slot_standing(self->segment->gid, self->index);
}

static int
number_real(const Number *self, PyObject *value, union word *word)
{
    if (PyFloat_CheckExact(value)) {
        word->real = PyFloat_AS_DOUBLE(value);
    }
    else if (real_from(self->name, value, &word->real) < 0) {
        return -1;
    }
    if (self->bits == 32) {
        word->real = (double)(float)word->real;
    }
    return 0;
}

static int
number_whole(const Number *self, PyObject *value, union word *word)
{
    bool negative;
    if (whole_from(self->name, value, &word->whole, &negative) < 0) {
        return -1;
    }
    word->whole = wrapped(word->whole, self->bits, self->is_signed);
    return 0;
}

/* What the value is in a cell, without a base. May run Python: call it before the cell is sought. */
static int
number_word(const Number *self, PyObject *value, union word *word)
{
    if (self->cell_type == MMSTATS_CELL_TYPE_BOOL) {
        int truth = PyObject_IsTrue(value);
        word->whole = 1 + (uint64_t)truth;
        return truth < 0 ? -1 : 0;
    }
    int failed = self->cell_type == MMSTATS_CELL_TYPE_F64 ? number_real(self, value, word)
                                                          : number_whole(self, value, word);
    if (failed == 0 && self->never) {
        word->whole = not_never(self->cell_type, word->whole);
    }
    return failed;
}

static inline void
number_store(const Number *self, struct slot *slot, uint32_t index, union word word)
{
    if (self->summed) {
        store_own_word(slot, index, self->cell_type, word);
    }
    else {
        store_relaxed(&slot->cells[index], word.whole);
    }
}

static int
number_hand_over(Number *self, PyObject *later, PyObject *instance, PyObject *value)
{
    return hand_over(later, PyObject_GetAttrString((PyObject *)self, "__set__"), instance, value);
}

static int
number_set_slowly(Number *self, PyObject *instance, PyObject *value, union word word)
{
    struct place place;
    if (number_place(self, instance, &place) < 0) {
        return -1;
    }
    PyObject *later = NULL;
    struct slot *slot = slot_standing(place.segment->gid, place.index);
    if (slot == NULL) {
        slot = slot_by_opener(place.segment, place.index, &later);
    }
    bool found = slot != NULL;
    if (found) {
        number_store(self, slot, place.index, word);
    }
    place_clear(&place);
    if (found) {
        return 0;
    }
    return later != NULL ? number_hand_over(self, later, instance, value) : -1;
}

static int
number_set(Number *self, PyObject *instance, PyObject *value)
{
    union word word;
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "%R cannot be deleted", self->name);
        return -1;
    }
    if (number_word(self, value, &word) < 0) {
        return -1;
    }
    struct slot *slot = number_slot_standing(self, instance);
    if (slot == NULL) {
        return number_set_slowly(self, instance, value, word);
    }
    number_store(self, slot, self->index, word);
    return 0;
}

static bool
is_never(const Number *self, union word word)
{
    switch (self->cell_type) {
    case MMSTATS_CELL_TYPE_BOOL:
        return word.whole == 0;
    case MMSTATS_CELL_TYPE_F64:
        return self->never && word.whole == MMSTATS_NEVER_F64;
    case MMSTATS_CELL_TYPE_U64:
        return self->never && word.whole == MMSTATS_NEVER_U64;
    default:
        return self->never && word.whole == MMSTATS_NEVER_I64;
    }
}

/* The thread's own value; `initial` is borrowed. */
static PyObject *
number_read(const Number *self, const struct slot *slot, uint32_t index, PyObject *initial)
{
    union word word = {.whole = load_relaxed(&slot->cells[index])};
    if (is_never(self, word)) {
        Py_INCREF(initial);
        return initial;
    }
    if (self->summed) {
        word = own_word(slot, index, self->cell_type);
        if (self->bits == 32 && self->cell_type == MMSTATS_CELL_TYPE_F64) {
            word.real = (double)(float)word.real; /* what the sum with the base blurred */
        }
    }
    return python_from(self->cell_type, self->is_signed, word);
}

static PyObject *
number_get_slowly(Number *self, PyObject *instance)
{
    struct place place;
    PyObject *later = NULL, *value = NULL;
    if (number_place(self, instance, &place) < 0) {
        return NULL;
    }
    struct slot *slot = slot_standing(place.segment->gid, place.index);
    if (slot == NULL) {
        slot = slot_by_opener(place.segment, place.index, &later);
    }
    if (slot != NULL) {
        value = number_read(self, slot, place.index, place.initial);
    }
    else if (later != NULL && !was_removed(later, self->name)) {
        value = place.initial;
        Py_INCREF(value);
    }
    place_clear(&place);
    return value;
}

static PyObject *
number_of_class(Number *self, PyObject *type)
{
    PyObject *field = NULL;
    if (type != NULL && PyType_Check(type)) {
        field = declared_field(state_of(Py_TYPE(self)), (PyTypeObject *)type, self->name);
    }
    if (field == NULL && !PyErr_Occurred()) {
        field = (PyObject *)self;
        Py_INCREF(field);
    }
    return field;
}

static PyObject *
number_get(Number *self, PyObject *instance, PyObject *type)
{
    if (instance == NULL || instance == Py_None) {
        return number_of_class(self, type);
    }
    struct slot *slot = number_slot_standing(self, instance);
    if (slot == NULL) {
        return number_get_slowly(self, instance);
    }
    return number_read(self, slot, self->index, self->initial);
}

static PyObject *
number_repr(Number *self)
{
    const char *name = type_name((PyObject *)self);
    return self->name != NULL ? PyUnicode_FromFormat("<%s %R>", name, self->name)
                              : PyUnicode_FromFormat("<%s>", name);
}

static int
check_width(PyObject *name, int cell_type, int bits)
{
    bool whole = cell_type == MMSTATS_CELL_TYPE_U64 || cell_type == MMSTATS_CELL_TYPE_I64
                 || cell_type == MMSTATS_CELL_TYPE_BOOL;
    if ((whole && (bits == 8 || bits == 16)) || bits == 32 || bits == 64) {
        if (whole || cell_type == MMSTATS_CELL_TYPE_F64) {
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "%R: no number of %d bits in cells of type %d", name, bits, cell_type);
    return -1;
}

static int
number_init(Number *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "cell_type", "bits", "signed", "never", NULL};
    PyObject *name;
    int cell_type, bits, is_signed, never;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Uiipp:Number", names, &name, &cell_type, &bits,
                                     &is_signed, &never)
        || check_width(name, cell_type, bits) < 0) {
        return -1;
    }
    number_uncache(self);
    self->cell_type = cell_type;
    self->bits = bits;
    self->is_signed = is_signed;
    self->never = never;
    self->summed = !never && cell_type != MMSTATS_CELL_TYPE_BOOL;
    Py_INCREF(name);
    Py_XSETREF(self->name, name);
    return 0;
}

static PyObject *
number_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    Number *self = (Number *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->name = PyUnicode_FromString("?");
        self->cell_type = MMSTATS_CELL_TYPE_U64;
        self->bits = 64;
    }
    return (PyObject *)self;
}

static int
number_traverse(Number *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->last);
    Py_VISIT(self->segment);
    Py_VISIT(self->initial);
    return 0;
}

static int
number_clear(Number *self)
{
    number_uncache(self);
    return 0;
}

static void
number_dealloc(Number *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    number_uncache(self);
    Py_CLEAR(self->name);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef number_members[] = {
    {"name", T_OBJECT_EX, offsetof(Number, name), READONLY, "The field's name in its class."},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(number_doc, "Number(name, cell_type, bits, signed, never)\n--\n\n"
                         "A data descriptor for a plain number or a bool.");

static PyType_Slot number_slots[] = {
    {Py_tp_doc, (void *)number_doc},
    {Py_tp_new, number_new},
    {Py_tp_init, number_init},
    {Py_tp_repr, number_repr},
    {Py_tp_descr_get, number_get},
    {Py_tp_descr_set, number_set},
    {Py_tp_traverse, number_traverse},
    {Py_tp_clear, number_clear},
    {Py_tp_dealloc, number_dealloc},
    {Py_tp_members, number_members},
    {0, NULL},
};

static PyType_Spec number_spec = {
    .name = "mmstats.cells._native.Number",
    .basicsize = sizeof(Number),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = number_slots,
};

#endif
