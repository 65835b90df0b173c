/* Tally: the cells of many files of one pattern. `tally` says what it does. */
#ifndef MMSTATS_NATIVE_TALLY_H
#define MMSTATS_NATIVE_TALLY_H

#include "_native_noted.h"

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
        if (answer == ANSWER_READ) {
            uint64_t gen = u64_at(file->last, offsetof(struct mmstats_header, layout_gen));
            answer = read_walked(self, gen, handed, lawful);
        }
    }
    if (answer == ANSWER_READ) {
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
    bool is_added = add_read(self);
    let_go(self);
    return is_added ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

PyDoc_STRVAR(values_doc, "values()\n--\n\nWhat each step comes to.");

static PyObject *
tally_values(Tally *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < self->steps_count; i++) {
        const struct step *step = &self->steps[i];
        const struct shape *shape = &step->shapes[0];
        PyObject *one = step->is_family          ? family_value(step)
                        : shape->what == NUMBERS ? numbers_value(shape, step->total.numbers)
                                                 : total_value(shape, &step->total);
        if (append_stolen(list, one) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

PyDoc_STRVAR(note_doc, "note(header, prefix, name)\n--\n\nWhose file was added.");

static PyObject *
tally_note(Tally *self, PyObject *args)
{
    Py_buffer header;
    PyObject *prefix, *name;
    if (!PyArg_ParseTuple(args, "y*UU:note", &header, &prefix, &name)) {
        return NULL;
    }
    if (header.len < (Py_ssize_t)sizeof(struct mmstats_header)) {
        PyErr_SetString(PyExc_ValueError, "no header");
    }
    else if (!note_file(self, header.buf, name)) {
        PyErr_NoMemory();
    }
    PyBuffer_Release(&header);
    keep_youngest(self, prefix);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(youngest_doc, "youngest()\n--\n\nHeader and path of the youngest one's file.");

static PyObject *
tally_youngest(Tally *self, PyObject *Py_UNUSED(ignored))
{
    if (self->count == 0) {
        PyErr_SetString(PyExc_ValueError, "no file was noted");
        return NULL;
    }
    return Py_BuildValue("(y#N)", self->youngest, (Py_ssize_t)sizeof self->youngest,
                         PyUnicode_Concat(self->prefix, self->name));
}

PyDoc_STRVAR(people_doc, "people()\n--\n\nPid and start, in seconds, of each.");

static PyObject *
tally_people(Tally *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *people = PySet_New(NULL);
    for (size_t i = 0; people != NULL && i < self->count; i++) {
        const struct noted *one = &self->noted[i];
        PyObject *told = Py_BuildValue("(Id)", one->pid, (double)one->started / 1e9);
        if (told == NULL || PySet_Add(people, told) < 0) {
            Py_CLEAR(people);
        }
        Py_XDECREF(told);
    }
    return people;
}

PyDoc_STRVAR(uuids_doc, "uuids()\n--\n\nThe uuids of their files.");

static PyObject *
tally_uuids(Tally *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *uuids = PySet_New(NULL);
    for (size_t i = 0; uuids != NULL && i < self->count; i++) {
        const struct noted *one = &self->noted[i];
        PyObject *uuid = PyBytes_FromStringAndSize((const char *)one->uuid, sizeof one->uuid);
        if (uuid == NULL || PySet_Add(uuids, uuid) < 0) {
            Py_CLEAR(uuids);
        }
        Py_XDECREF(uuid);
    }
    return uuids;
}

PyDoc_STRVAR(clear_doc, "clear()\n--\n\nBegin anew, with the members that were met.");

static PyObject *
tally_clear(Tally *self, PyObject *Py_UNUSED(ignored))
{
    clear(self);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(key_doc, "key(step, number)\n--\n\nThe ttl and the tags of a member, as they stand in files.");

static PyObject *
tally_key(Tally *self, PyObject *args)
{
    Py_ssize_t step, number;
    if (!PyArg_ParseTuple(args, "nn:key", &step, &number)) {
        return NULL;
    }
    if (step < 0 || (size_t)step >= self->steps_count || number < 0
        || (size_t)number >= self->steps[step].entries_count) {
        PyErr_SetString(PyExc_IndexError, "no such member");
        return NULL;
    }
    return Py_NewRef(self->steps[step].entries[number].key);
}

static PyObject *
tally_count(Tally *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(self->count);
}

static PyObject *
tally_met(Tally *self, void *Py_UNUSED(closure))
{
    size_t met = 0;
    for (size_t i = 0; i < self->steps_count; i++) {
        met += self->steps[i].entries_count;
    }
    return PyLong_FromSize_t(met);
}

static PyGetSetDef tally_attributes[] = {
    {"count", (getter)tally_count, NULL, "How many files were noted.", NULL},
    {"met", (getter)tally_met, NULL, "How many members it remembers.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef tally_methods[] = {
    {"read", (PyCFunction)tally_read, METH_VARARGS, read_doc},
    {"add", (PyCFunction)tally_add, METH_NOARGS, add_doc},
    {"values", (PyCFunction)tally_values, METH_NOARGS, values_doc},
    {"note", (PyCFunction)tally_note, METH_VARARGS, note_doc},
    {"youngest", (PyCFunction)tally_youngest, METH_NOARGS, youngest_doc},
    {"people", (PyCFunction)tally_people, METH_NOARGS, people_doc},
    {"uuids", (PyCFunction)tally_uuids, METH_NOARGS, uuids_doc},
    {"key", (PyCFunction)tally_key, METH_VARARGS, key_doc},
    {"clear", (PyCFunction)tally_clear, METH_NOARGS, clear_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(tally_doc, "Tally(spans, steps, *, is_whole=False)\n--\n\nFiles of one pattern, added up.");

static PyType_Slot tally_slots[] = {
    {Py_tp_doc, (void *)tally_doc}, {Py_tp_new, tally_new},           {Py_tp_dealloc, tally_dealloc},
    {Py_tp_methods, tally_methods}, {Py_tp_getset, tally_attributes}, {0, NULL},
};

static PyType_Spec tally_spec = {
    .name = "mmstats.read._native.Tally",
    .basicsize = sizeof(Tally),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = tally_slots,
};

#endif
