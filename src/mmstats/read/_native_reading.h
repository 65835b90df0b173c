/* One file of a pattern: what its steps find, and that added up. */
#ifndef MMSTATS_NATIVE_READING_H
#define MMSTATS_NATIVE_READING_H

#include "_native_sums.h"

/* A member of the file at hand, and who it is. */
struct present {
    struct step *family;
    size_t entry;
    struct where where;
};

/* Whose file was added. */
struct noted {
    uint8_t uuid[16];
    uint32_t pid;
    uint64_t started;
};

typedef struct tally {
    PyObject_HEAD
    struct step *steps;
    struct span *spans;
    PyObject *raw, *made_of; /* what the spans point into; and the steps, as they were told */
    struct tally *other;     /* of a second thread, which begins and ends each call with nothing */
    size_t steps_count, spans_count, present_count, present_room, scratch_room;
    struct present *present;
    struct value *scratch;
    struct walked file;
    struct found found;
    struct noted *noted;
    size_t count, noted_room;
    char youngest[sizeof(struct mmstats_header)];
    PyObject *prefix, *name, *borrowed; /* of the youngest one's path; the name of one that was just noted */
    Py_buffer copies[3];
    uint64_t files;
    bool is_whole, is_told, asks, holds, is_read;
} Tally;

/* Whether a step has what is looked at in Python. */
static bool
hands(const struct step *step)
{
    enum what last = step->is_family ? step->shapes[step->shapes_count - 1].what : step->shapes[0].what;
    return last == TOLD || last == STATED;
}

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
    static char *names[] = {"spans", "steps", "is_whole", "is_told", NULL};
    PyObject *spans, *steps;
    int is_whole = false, is_told = false;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$pp:Tally", names, &spans, &steps, &is_whole,
                                     &is_told)) {
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
    self->made_of = list;
    self->is_whole = is_whole;
    self->is_told = self->asks = is_told;
    self->spans_count = (size_t)PyTuple_GET_SIZE(raw);
    size_t steps_count = (size_t)PyTuple_GET_SIZE(list);
    self->spans = PyMem_RawCalloc(self->spans_count + 1, sizeof *self->spans);
    self->file.spans = PyMem_RawCalloc(self->spans_count + 1, sizeof *self->file.spans);
    self->steps = PyMem_RawCalloc(steps_count + 1, sizeof *self->steps);
    PyObject *text = PyUnicode_FromString("whatever is hashed");
    Py_hash_t seed = text == NULL ? -1 : PyObject_Hash(text);
    Py_XDECREF(text);
    int failed = 0;
    if (self->spans == NULL || self->file.spans == NULL || self->steps == NULL) {
        PyErr_NoMemory();
        failed = -1;
    }
    failed = failed < 0 ? failed : read_spans(self, raw);
    for (size_t i = 0; failed == 0 && i < steps_count; i++) {
        struct step *step = &self->steps[self->steps_count++];
        step->seed = (uint64_t)seed;
        failed = read_step(PyTuple_GET_ITEM(list, (Py_ssize_t)i), step);
        if (failed == 0 && (step->shapes[0].what == STATED || step->shapes[0].what == LISTED)
            && !step->is_family
            && (step->span >= self->spans_count
                || (Py_ssize_t)step->offset + 8 > self->spans[step->span].size)) {
            PyErr_SetString(PyExc_ValueError, "a number beyond its span");
            failed = -1;
        }
        self->asks = self->asks || (failed == 0 && hands(step));
        for (uint32_t j = 0; j < step->shapes_count; j++) {
            size_t size = step->shapes[j].what == NUMBERS ? step->shapes[j].size : 0;
            self->scratch_room = size > self->scratch_room ? size : self->scratch_room;
        }
    }
    if (failed == 0) {
        self->scratch = PyMem_RawCalloc(self->scratch_room + 1, sizeof *self->scratch);
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
    PyMem_RawFree(self->steps);
    PyMem_RawFree(self->spans);
    PyMem_RawFree(self->present);
    PyMem_RawFree(self->scratch);
    free_walked(&self->file);
    free_found(&self->found);
    PyMem_RawFree(self->noted);
    Py_XDECREF(self->prefix);
    Py_XDECREF(self->name);
    Py_XDECREF(self->raw);
    Py_XDECREF(self->made_of);
    Py_XDECREF((PyObject *)self->other);
    type->tp_free(self);
    Py_DECREF(type);
}

static struct step *
family_of(Tally *self, uint32_t metric)
{
    for (size_t i = 0; i < self->steps_count; i++) {
        if (self->steps[i].is_family && self->steps[i].metric == metric) {
            return &self->steps[i];
        }
    }
    return NULL;
}

/* A new entry: its number, -1 where an exception is set, -2 where there can be none. */
static Py_ssize_t
new_entry(Tally *self, struct step *family, const struct member *member, PyObject *lawful)
{
    PyObject *key = PyBytes_FromStringAndSize(NULL, 8 + (Py_ssize_t)member->size);
    if (key == NULL) {
        return -1;
    }
    memcpy(PyBytes_AS_STRING(key), member->ttl, 8);
    memcpy(PyBytes_AS_STRING(key) + 8, member->tags, member->size);
    PyObject *said = PyObject_CallFunction(lawful, "nO", (Py_ssize_t)(family - self->steps), key);
    int is_lawful = said == NULL ? -1 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    Py_ssize_t made = is_lawful < 0 ? -1 : -2;
    if (is_lawful > 0 && family->entries_count < MOST_MEMBERS) {
        made = add_entry(family, key);
        if (made < 0) {
            PyErr_NoMemory();
        }
    }
    Py_DECREF(key);
    return made;
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
    /* Most files have their members in the order of the one before. */
    bool is_next = before != NULL && before->family == family && is_entry(family, before->entry, member);
    Py_ssize_t number = is_next ? (Py_ssize_t)before->entry : known_entry(family, member);
    if (number < 0 && lawful == NULL) {
        return ANSWER_ASK;
    }
    number = number < 0 ? new_entry(self, family, member, lawful) : number;
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
do_shape(Tally *self, const struct shape *shape, const struct where *where, union total *total,
         PyObject **handed)
{
    enum answer answer = ANSWER_READ;
    if (shape->what == NUMBERS) {
        return read_numbers(&self->file, shape, where, self->scratch, total->numbers, &self->found);
    }
    if (shape->what == SPREAD) {
        return read_spread(&self->file, shape, where, total->spread, &self->found);
    }
    if (shape->what == LATEST) {
        return read_latest(&self->file, shape, where, total->latest, &self->found);
    }
    *handed = told(&self->file, shape, where, &answer);
    return answer;
}

static PyObject *
stated(const Tally *self, const struct step *step)
{
    const char *word = self->file.middle + self->file.spans[step->span] + step->offset;
    return Py_BuildValue("[(y#O)]", word, (Py_ssize_t)8, Py_True);
}

/* Likewise, to be noted; false: there is no memory. */
static bool
note_stated(Tally *self, const struct step *step)
{
    struct listed *listed = ONE_MORE(&self->found, listed);
    if (listed == NULL) {
        return false;
    }
    const struct mmstats_header *header = (const struct mmstats_header *)self->file.first;
    uint64_t word = u64_at(self->file.middle, self->file.spans[step->span] + step->offset);
    *listed = (struct listed){.list = step->total.list, .stated = {.word = word, .created = header->created}};
    return true;
}

/* Steps that stand by themselves. `handed`: gets what they hand out, and an empty dict for a family's; NULL
 * where nothing of Python's may be touched, and then steps that do are for somebody else. */
static enum answer
read_steps(Tally *self, PyObject *handed)
{
    for (size_t i = 0; i < self->steps_count; i++) {
        struct step *step = &self->steps[i];
        const struct shape *shape = &step->shapes[0];
        PyObject *one = NULL;
        enum answer answer = ANSWER_READ;
        if (handed == NULL && hands(step)) {
            return ANSWER_ASK;
        }
        if (step->is_family) {
            if (step->shapes[step->shapes_count - 1].what != TOLD) {
                continue;
            }
            one = PyDict_New();
        }
        else if (shape->what == STATED) {
            one = stated(self, step);
        }
        else if (shape->what == LISTED) {
            if (!note_stated(self, step)) {
                return ANSWER_NO_MEMORY;
            }
            continue;
        }
        else {
            answer = do_shape(self, shape, &step->where, &step->total, &one);
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
        at += hands(step);
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
                              &family->entries[present->entry].totals[j], &one);
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

/* What the steps find in a file that was walked, of which all copies are there by now. `handed` and `lawful`:
 * both NULL where nothing of Python's may be touched. */
static enum answer
read_walked(Tally *self, uint64_t layout_gen, PyObject *handed, PyObject *lawful)
{
    self->files++;
    clear_found(&self->found);
    enum answer answer = stands_still(&self->file, layout_gen);
    answer = answer == ANSWER_READ ? read_steps(self, handed) : answer;
    answer = answer == ANSWER_READ ? read_members(self, handed, lawful) : answer;
    self->is_read = answer == ANSWER_READ;
    return answer;
}

/* false: there is no memory. */
static bool
add_read(Tally *self)
{
    for (size_t i = 0; i < self->file.members_count; i++) {
        const struct present *present = &self->present[i];
        present->family->entries[present->entry].is_added = true;
    }
    return add_found(&self->found);
}

#endif
