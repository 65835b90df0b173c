/* Tally: the cells of many files of one pattern. `tally` says what it does. */
#ifndef MMSTATS_NATIVE_TALLY_H
#define MMSTATS_NATIVE_TALLY_H

#include "_native_sums.h"

/* A member of the file at hand, and who it is. */
struct present {
    struct step *family;
    size_t entry;
    struct where where;
};

typedef struct {
    PyObject_HEAD
    struct step *steps;
    struct span *spans;
    PyObject *raw; /* what the spans point into */
    size_t steps_count, spans_count, present_count, present_room, scratch_room;
    struct present *present;
    struct value *scratch;
    struct walked file;
    Py_buffer copies[3];
    uint64_t files;
    bool holds, is_read;
} Tally;

static int
read_spans(Tally *self, PyObject *spans)
{
    for (size_t i = 0; i < self->spans_count; i++) {
        PyObject *pair = PySequence_Fast_GET_ITEM(spans, (Py_ssize_t)i);
        struct span *span = &self->spans[i];
        if (!PyTuple_Check(pair) || !PyArg_ParseTuple(pair, "y#n", &span->raw, &span->size, &span->hole)) {
            return -1;
        }
        if (span->size < (Py_ssize_t)sizeof(uint64_t) || span->hole > span->size - 8) {
            PyErr_SetString(PyExc_ValueError, "a span without its hole");
            return -1;
        }
    }
    return 0;
}

static PyObject *
tally_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"spans", "steps", NULL};
    PyObject *spans, *steps;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:Tally", names, &spans, &steps)) {
        return NULL;
    }
    PyObject *raw = PySequence_Tuple(spans), *list = PySequence_Tuple(steps);
    Tally *self = raw == NULL || list == NULL ? NULL : (Tally *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_XDECREF(raw);
        Py_XDECREF(list);
        return NULL;
    }
    self->raw = raw;
    self->spans_count = (size_t)PyTuple_GET_SIZE(raw);
    size_t steps_count = (size_t)PyTuple_GET_SIZE(list);
    self->spans = PyMem_Calloc(self->spans_count + 1, sizeof *self->spans);
    self->file.spans = PyMem_Calloc(self->spans_count + 1, sizeof *self->file.spans);
    self->steps = PyMem_Calloc(steps_count + 1, sizeof *self->steps);
    int failed = 0;
    if (self->spans == NULL || self->file.spans == NULL || self->steps == NULL) {
        PyErr_NoMemory();
        failed = -1;
    }
    failed = failed < 0 ? failed : read_spans(self, raw);
    for (size_t i = 0; failed == 0 && i < steps_count; i++) {
        struct step *step = &self->steps[self->steps_count++];
        step->number = (uint32_t)i;
        failed = read_step(PyTuple_GET_ITEM(list, (Py_ssize_t)i), step);
        if (failed == 0 && step->shapes[0].what == STATED && !is_family(step)
            && (step->span >= self->spans_count
                || (Py_ssize_t)step->offset + 8 > self->spans[step->span].size)) {
            PyErr_SetString(PyExc_ValueError, "a number beyond its span");
            failed = -1;
        }
        for (uint32_t j = 0; j < step->shapes_count; j++) {
            size_t size = step->shapes[j].what == NUMBERS ? step->shapes[j].size : 0;
            self->scratch_room = size > self->scratch_room ? size : self->scratch_room;
        }
    }
    Py_DECREF(list);
    if (failed == 0) {
        self->scratch = PyMem_Calloc(self->scratch_room + 1, sizeof *self->scratch);
        if (self->scratch == NULL) {
            PyErr_NoMemory();
            failed = -1;
        }
    }
    if (failed < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
let_go(Tally *self)
{
    for (int i = 0; self->holds && i < 3; i++) {
        PyBuffer_Release(&self->copies[i]);
    }
    self->holds = self->is_read = false;
}

static void
tally_dealloc(Tally *self)
{
    PyTypeObject *type = Py_TYPE(self);
    let_go(self);
    for (size_t i = 0; i < self->steps_count; i++) {
        free_step(&self->steps[i]);
    }
    PyMem_Free(self->steps);
    PyMem_Free(self->spans);
    PyMem_Free(self->present);
    PyMem_Free(self->scratch);
    PyMem_Free(self->file.spans);
    PyMem_Free(self->file.spots);
    PyMem_Free(self->file.octaves);
    PyMem_Free(self->file.members);
    PyMem_Free(self->file.lanes);
    Py_XDECREF(self->raw);
    type->tp_free(self);
    Py_DECREF(type);
}

/* --- reading one file -------------------------------------------------------------------------- */

static struct step *
family_of(Tally *self, uint32_t metric)
{
    for (size_t i = 0; i < self->steps_count; i++) {
        if (is_family(&self->steps[i]) && self->steps[i].metric == metric) {
            return &self->steps[i];
        }
    }
    return NULL;
}

static bool
is_entry(const struct step *family, size_t number, const struct member *member)
{
    if (number >= family->entries_count) {
        return false;
    }
    PyObject *key = family->entries[number].key;
    const char *its = PyBytes_AS_STRING(key);
    return PyBytes_GET_SIZE(key) == 8 + (Py_ssize_t)member->size && memcmp(its, member->ttl, 8) == 0
           && memcmp(its + 8, member->tags, member->size) == 0;
}

/* A new entry: its number, -1 where an exception is set, -2 where there can be none. */
static Py_ssize_t
new_entry(struct step *family, PyObject *key, PyObject *lawful)
{
    if (family->entries_count >= MOST_MEMBERS) {
        return -2;
    }
    PyObject *said = PyObject_CallFunction(lawful, "IO", family->number, key);
    int is_lawful = said == NULL ? -1 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    if (is_lawful <= 0) {
        return is_lawful < 0 ? -1 : -2;
    }
    struct entry *entries =
        room_for_one(family->entries, family->entries_count, &family->entries_room, sizeof *entries);
    PyObject *number = entries == NULL ? PyErr_NoMemory() : PyLong_FromSize_t(family->entries_count);
    if (number == NULL) {
        return -1;
    }
    family->entries = entries;
    struct entry *entry = &entries[family->entries_count];
    memset(entry, 0, sizeof *entry);
    entry->key = Py_NewRef(key);
    Py_ssize_t made = (Py_ssize_t)family->entries_count++;
    for (uint32_t i = 0; i < family->shapes_count; i++) {
        if (new_total(&family->shapes[i], &entry->totals[i]) < 0) {
            PyErr_NoMemory();
            made = -1;
        }
    }
    if (made >= 0 && PyDict_SetItem(family->known, key, number) < 0) {
        made = -1;
    }
    Py_DECREF(number);
    return made;
}

/* `guess`: who it is, if the file has its members in the order of the one before. */
static Py_ssize_t
entry_of(struct step *family, const struct member *member, size_t guess, PyObject *lawful)
{
    if (is_entry(family, guess, member)) {
        return (Py_ssize_t)guess;
    }
    PyObject *key = PyBytes_FromStringAndSize(NULL, 8 + (Py_ssize_t)member->size);
    if (key == NULL) {
        return -1;
    }
    memcpy(PyBytes_AS_STRING(key), member->ttl, 8);
    memcpy(PyBytes_AS_STRING(key) + 8, member->tags, member->size);
    PyObject *known = PyDict_GetItemWithError(family->known, key);
    Py_ssize_t number = -1;
    if (known != NULL) {
        number = PyLong_AsSsize_t(known);
    }
    else if (!PyErr_Occurred()) {
        number = new_entry(family, key, lawful);
    }
    Py_DECREF(key);
    return number;
}

static enum answer
find_member(Tally *self, size_t at, PyObject *lawful)
{
    const struct member *member = &self->file.members[at];
    struct present *before = at < self->present_count ? &self->present[at] : NULL;
    struct step *family = before != NULL && before->family->metric == member->metric
                              ? before->family
                              : family_of(self, member->metric);
    if (family == NULL) {
        return ANSWER_BUSY;
    }
    Py_ssize_t number = entry_of(family, member, before != NULL ? before->entry : SIZE_MAX, lawful);
    if (number < 0) {
        return number == -2 ? ANSWER_BUSY : ANSWER_NO_MEMORY;
    }
    struct entry *entry = &family->entries[number];
    if (entry->seen == self->files) {
        return ANSWER_BUSY; /* it has been there */
    }
    entry->seen = self->files;
    struct present *present = room_for_one(self->present, at, &self->present_room, sizeof *self->present);
    if (present == NULL) {
        return ANSWER_NO_MEMORY;
    }
    self->present = present;
    present[at] = (struct present){
        .family = family,
        .entry = (size_t)number,
        .where = {.segment = member->segment, .index = member->index, .generation = member->generation},
    };
    return ANSWER_READ;
}

/* One shape of a step, of one file. `handed`: takes what is told. */
static enum answer
do_shape(Tally *self, const struct shape *shape, const struct where *where, union total *total, bool adding,
         PyObject **handed)
{
    enum answer answer = ANSWER_READ;
    if (shape->what == NUMBERS) {
        return read_numbers(&self->file, shape, where, self->scratch, total->numbers, adding);
    }
    if (shape->what == SPREAD) {
        return read_spread(&self->file, shape, where, adding ? total->spread : NULL);
    }
    if (handed != NULL) {
        *handed = told(&self->file, shape, where, &answer);
    }
    return answer;
}

static PyObject *
stated(const Tally *self, const struct step *step)
{
    const char *word = self->file.middle + self->file.spans[step->span] + step->offset;
    return Py_BuildValue("[(y#O)]", word, (Py_ssize_t)8, Py_True);
}

/* Steps that stand by themselves. `handed`: gets what they hand out, and an empty dict for a family's. */
static enum answer
read_steps(Tally *self, PyObject *handed)
{
    for (size_t i = 0; i < self->steps_count; i++) {
        struct step *step = &self->steps[i];
        const struct shape *shape = &step->shapes[0];
        PyObject *one = NULL;
        enum answer answer = ANSWER_READ;
        if (is_family(step)) {
            if (step->shapes[step->shapes_count - 1].what != TOLD) {
                continue;
            }
            one = PyDict_New();
        }
        else if (shape->what == STATED) {
            one = stated(self, step);
        }
        else {
            answer = do_shape(self, shape, &step->where, &step->total, false, &one);
            if (answer != ANSWER_READ || shape->what != TOLD) {
                if (answer != ANSWER_READ) {
                    return answer;
                }
                continue;
            }
        }
        if (append_stolen(handed, one) < 0) {
            return ANSWER_NO_MEMORY;
        }
    }
    return ANSWER_READ;
}

/* Which of the things handed out is a family's. */
static PyObject *
handed_of(Tally *self, const struct step *family, PyObject *handed)
{
    Py_ssize_t at = 0;
    for (size_t i = 0; i < self->steps_count; i++) {
        const struct step *step = &self->steps[i];
        if (step == family) {
            return PyList_GET_ITEM(handed, at);
        }
        enum what last = is_family(step) ? step->shapes[step->shapes_count - 1].what : step->shapes[0].what;
        at += last == TOLD || last == STATED;
    }
    return NULL;
}

static enum answer
read_members(Tally *self, PyObject *handed, PyObject *lawful)
{
    for (size_t i = 0; i < self->file.members_count; i++) {
        enum answer answer = find_member(self, i, lawful);
        if (answer != ANSWER_READ) {
            self->present_count = 0;
            return answer;
        }
        self->present_count = self->present_count > i + 1 ? self->present_count : i + 1;
        struct present *present = &self->present[i];
        struct step *family = present->family;
        for (uint32_t j = 0; j < family->shapes_count; j++) {
            PyObject *one = NULL;
            answer = do_shape(self, &family->shapes[j], &present->where,
                              &family->entries[present->entry].totals[j], false, &one);
            if (answer != ANSWER_READ) {
                return answer;
            }
            if (one == NULL) {
                continue;
            }
            PyObject *number = PyLong_FromSize_t(present->entry);
            int failed = number == NULL ? -1 : PyDict_SetItem(handed_of(self, family, handed), number, one);
            Py_XDECREF(number);
            Py_DECREF(one);
            if (failed < 0) {
                return ANSWER_NO_MEMORY;
            }
        }
    }
    return ANSWER_READ;
}

PyDoc_STRVAR(read_doc, "read(first, middle, last, size, lawful)\n--\n\n"
                       "One file, three times; what the steps hand out, or why it cannot be added.");

static PyObject *
tally_read(Tally *self, PyObject *args)
{
    Py_ssize_t size;
    PyObject *lawful;
    let_go(self);
    if (!PyArg_ParseTuple(args, "y*y*y*nO:read", &self->copies[0], &self->copies[1], &self->copies[2], &size,
                          &lawful)) {
        return NULL;
    }
    self->holds = true;
    self->files++;
    struct walked *file = &self->file;
    file->first = self->copies[0].buf;
    file->middle = self->copies[1].buf;
    file->last = self->copies[2].buf;
    file->length = (size_t)self->copies[0].len;
    enum answer answer = ANSWER_BUSY;
    PyObject *handed = PyList_New(0);
    if (handed == NULL) {
        return NULL;
    }
    if (self->copies[1].len == self->copies[0].len && self->copies[2].len == self->copies[0].len) {
        answer = walk(file, self->spans, self->spans_count, (size_t)size);
        answer = answer == ANSWER_READ ? read_steps(self, handed) : answer;
        answer = answer == ANSWER_READ ? read_members(self, handed, lawful) : answer;
    }
    if (answer == ANSWER_READ) {
        self->is_read = true;
        return handed;
    }
    Py_DECREF(handed);
    let_go(self);
    if (answer == ANSWER_NO_MEMORY) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    return PyLong_FromLong(answer);
}

PyDoc_STRVAR(add_doc, "add()\n--\n\nAdd the file that was read last.");

static PyObject *
tally_add(Tally *self, PyObject *Py_UNUSED(ignored))
{
    if (!self->is_read) {
        PyErr_SetString(PyExc_ValueError, "no file was read that can be added");
        return NULL;
    }
    enum answer answer = ANSWER_READ;
    self->file.left = INT64_MAX;
    for (size_t i = 0; answer == ANSWER_READ && i < self->steps_count; i++) {
        struct step *step = &self->steps[i];
        if (!is_family(step) && step->shapes_count > 0) {
            answer = do_shape(self, &step->shapes[0], &step->where, &step->total, true, NULL);
        }
    }
    for (size_t i = 0; answer == ANSWER_READ && i < self->file.members_count; i++) {
        const struct present *present = &self->present[i];
        struct entry *entry = &present->family->entries[present->entry];
        entry->is_added = true;
        for (uint32_t j = 0; answer == ANSWER_READ && j < present->family->shapes_count; j++) {
            answer =
                do_shape(self, &present->family->shapes[j], &present->where, &entry->totals[j], true, NULL);
        }
    }
    let_go(self);
    if (answer != ANSWER_READ) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(values_doc, "values()\n--\n\nWhat each step comes to.");

static PyObject *
tally_values(Tally *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < self->steps_count; i++) {
        const struct step *step = &self->steps[i];
        const struct shape *shape = &step->shapes[0];
        PyObject *one = is_family(step)          ? family_value(step)
                        : shape->what == NUMBERS ? numbers_value(shape, step->total.numbers)
                        : shape->what == SPREAD  ? spread_value(shape, step->total.spread)
                                                 : Py_NewRef(Py_None);
        if (append_stolen(list, one) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyMethodDef tally_methods[] = {
    {"read", (PyCFunction)tally_read, METH_VARARGS, read_doc},
    {"add", (PyCFunction)tally_add, METH_NOARGS, add_doc},
    {"values", (PyCFunction)tally_values, METH_NOARGS, values_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(tally_doc, "Tally(spans, steps)\n--\n\nFiles of one pattern, added up.");

static PyType_Slot tally_slots[] = {
    {Py_tp_doc, (void *)tally_doc},
    {Py_tp_new, tally_new},
    {Py_tp_dealloc, tally_dealloc},
    {Py_tp_methods, tally_methods},
    {0, NULL},
};

static PyType_Spec tally_spec = {
    .name = "mmstats.read._native.Tally",
    .basicsize = sizeof(Tally),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = tally_slots,
};

#endif
