/* Text: a data descriptor, two slots that take turns (FORMAT.md 5.1). */
#ifndef MMSTATS_NATIVE_TEXT_H
#define MMSTATS_NATIVE_TEXT_H

#include "_native_compound.h"
#include "_native_number.h"

typedef struct {
    Number place;  /* what finds an instance's cells; its cell type and bits say nothing here */
    uint32_t size; /* bytes of a text */
    uint32_t slot; /* cells of each slot */
} Text;

/* The bytes of a text, cut; `owner` keeps them. */
struct utf8 {
    PyObject *owner;
    const char *bytes;
    uint32_t length;
};

static uint32_t
text_last(const Text *self, uint32_t index)
{
    uint64_t last = (uint64_t)index + MMSTATS_TEXT_SIZE + 2 * self->slot - 1;
    return last < UINT32_MAX ? (uint32_t)last : UINT32_MAX; /* no memory has that many cells */
}

static int
text_utf8(const Text *self, PyObject *value, struct utf8 *text)
{
    if (!PyUnicode_Check(value)) {
        PyErr_SetNone(PyExc_TypeError);
        return wrong_type(self->place.name, "a text", value);
    }
    Py_ssize_t length;
    text->owner = value;
    text->bytes = PyUnicode_AsUTF8AndSize(value, &length);
    if (text->bytes != NULL) {
        Py_INCREF(value);
    }
    else { /* a lone surrogate */
        PyErr_Clear();
        text->owner = PyUnicode_AsEncodedString(value, "utf-8", "replace");
        if (text->owner == NULL) {
            return -1;
        }
        text->bytes = PyBytes_AS_STRING(text->owner);
        length = PyBytes_GET_SIZE(text->owner);
    }
    text->length = cut_at(text->bytes, (size_t)length, self->size);
    return 0;
}

/* The calling thread's slot for the place; NULL with an error set, or with `later` set. */
static struct slot *
text_slot(const Text *self, const struct place *place, PyObject **later)
{
    uint32_t last = text_last(self, place->index);
    struct slot *slot = slot_standing(place->segment->gid, last);
    return slot != NULL ? slot : slot_by_opener(place->segment, last, later);
}

static int
text_write(Text *self, PyObject *instance, PyObject *value, const struct utf8 *text)
{
    struct place place;
    if (number_place(&self->place, instance, &place) < 0) {
        return -1;
    }
    PyObject *later = NULL;
    struct slot *slot = text_slot(self, &place, &later);
    bool found = slot != NULL;
    if (found) {
        text_store(&slot->cells[place.index], self->slot, text->bytes, text->length);
    }
    place_clear(&place);
    if (found) {
        return 0;
    }
    return later != NULL ? number_hand_over(&self->place, later, instance, value) : -1;
}

static int
text_set(Text *self, PyObject *instance, PyObject *value)
{
    struct utf8 text;
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "%R cannot be deleted", self->place.name);
        return -1;
    }
    if (text_utf8(self, value, &text) < 0) {
        return -1;
    }
    int failed = text_write(self, instance, value, &text);
    Py_DECREF(text.owner);
    return failed;
}

/* The text that the witness names, or `initial`, borrowed. */
static PyObject *
text_read(const Text *self, const uint64_t *cells, PyObject *initial)
{
    uint64_t n = load_relaxed(&cells[MMSTATS_TEXT_WITNESS]);
    const uint64_t *slot = &cells[MMSTATS_TEXT_SLOTS + self->slot * (n & 1)];
    uint64_t length = load_relaxed(&slot[MMSTATS_SLOT_LENGTH]);
    if (n == 0 || load_relaxed(&slot[MMSTATS_SLOT_TIME]) == 0 || length > self->size) {
        Py_INCREF(initial);
        return initial;
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)&slot[MMSTATS_SLOT_BYTES], (Py_ssize_t)length);
    PyObject *text = NULL;
    if (bytes != NULL) {
        text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), (Py_ssize_t)length, "replace");
        Py_DECREF(bytes);
    }
    return text;
}

static PyObject *
text_get(Text *self, PyObject *instance, PyObject *type)
{
    if (instance == NULL || instance == Py_None) {
        return number_of_class(&self->place, type);
    }
    struct place place;
    if (number_place(&self->place, instance, &place) < 0) {
        return NULL;
    }
    PyObject *later = NULL, *value = NULL;
    struct slot *slot = text_slot(self, &place, &later);
    if (slot != NULL) {
        value = text_read(self, &slot->cells[place.index], place.initial);
    }
    else if (later != NULL && !was_removed(later, self->place.name)) {
        value = place.initial;
        Py_INCREF(value);
    }
    place_clear(&place);
    return value;
}

static int
text_init(Text *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "size", NULL};
    PyObject *name;
    int size;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Ui:Text", names, &name, &size)) {
        return -1;
    }
    if (size < 1 || size > INT32_MAX / 2) {
        PyErr_Format(PyExc_ValueError, "%R: no text has %d bytes", name, size);
        return -1;
    }
    number_uncache(&self->place);
    self->size = (uint32_t)size;
    self->slot = slot_cells((uint32_t)size);
    Py_INCREF(name);
    Py_XSETREF(self->place.name, name);
    return 0;
}

static PyObject *
text_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Text *self = (Text *)number_new(type, args, kwargs);
    if (self != NULL) {
        self->slot = MMSTATS_SLOT_SIZE;
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(text_doc, "Text(name, size)\n--\n\nA data descriptor for a text.");

static PyType_Slot text_slots[] = {
    {Py_tp_doc, (void *)text_doc},
    {Py_tp_new, text_new},
    {Py_tp_init, text_init},
    {Py_tp_repr, number_repr},
    {Py_tp_descr_get, text_get},
    {Py_tp_descr_set, text_set},
    {Py_tp_traverse, number_traverse},
    {Py_tp_clear, number_clear},
    {Py_tp_dealloc, number_dealloc},
    {Py_tp_members, number_members},
    {0, NULL},
};

static PyType_Spec text_spec = {
    .name = "mmstats.cells._native.Text",
    .basicsize = sizeof(Text),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = text_slots,
};

#endif
