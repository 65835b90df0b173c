/* Gatherer: what `gather` says; the files themselves are for `sweep`. */
#ifndef MMSTATS_NATIVE_GATHER_H
#define MMSTATS_NATIVE_GATHER_H

#include "_native_sweep.h"

typedef struct {
    PyObject_HEAD
    PyObject *is_left;
    struct worker workers[2];
    bool is_busy;
} Gatherer;

/* --- what a call is about, taken out of what Python has ---------------------------------------- */

static void
free_round(struct round *round)
{
    for (size_t i = 0; i < round->candidates_count; i++) {
        Py_XDECREF(round->candidates[i].program);
        Py_XDECREF(round->candidates[i].lawful);
        Py_XDECREF((PyObject *)round->candidates[i].tally);
    }
    for (size_t i = 0; i < round->targets_count; i++) {
        Py_XDECREF(round->targets[i].encoded);
    }
    PyMem_Free(round->candidates);
    PyMem_Free(round->targets);
    PyMem_Free(round->kinds);
    PyMem_Free(round->owners);
    if (round->directory >= 0) {
        close(round->directory);
    }
}

static int
open_directory(Gatherer *self, struct round *round)
{
    PyObject *encoded = PyUnicode_EncodeFSDefault(round->prefix);
    struct stat found;
    if (encoded == NULL) {
        return -1;
    }
    const char *path = PyBytes_AS_STRING(encoded);
    round->directory = open(*path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    Py_DECREF(encoded);
    if (round->directory < 0 || fstat(round->directory, &found) != 0) {
        return 0; /* whoever opens the files tells why */
    }
    round->device = found.st_dev;
    PyObject *said = PyObject_CallFunction(self->is_left, "K", (unsigned long long)found.st_dev);
    int is_left = said == NULL ? -1 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    round->is_left = is_left > 0;
    return is_left < 0 ? -1 : 0;
}

static int
take_owners(struct round *round, PyObject *owners)
{
    if (owners == Py_None) {
        return 0;
    }
    PyObject *list = PySequence_List(owners);
    round->owners = list == NULL ? NULL : PyMem_Calloc((size_t)PyList_GET_SIZE(list) + 1, sizeof(uid_t));
    for (Py_ssize_t i = 0; round->owners != NULL && i < PyList_GET_SIZE(list); i++) {
        round->owners[round->owners_count++] = (uid_t)PyLong_AsUnsignedLong(PyList_GET_ITEM(list, i));
    }
    Py_XDECREF(list);
    return round->owners == NULL || PyErr_Occurred() ? -1 : 0;
}

static int
take_candidate(struct round *round, PyObject *program)
{
    struct candidate *candidates =
        PyMem_Realloc(round->candidates, (round->candidates_count + 1) * sizeof *candidates);
    if (candidates == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    round->candidates = candidates;
    struct candidate *candidate = &candidates[round->candidates_count++];
    *candidate = (struct candidate){.program = Py_NewRef(program)};
    candidate->lawful = PyObject_GetAttrString(program, "is_lawful");
    PyObject *tally = PyObject_GetAttrString(program, "tally");
    if (tally != NULL && Py_TYPE(tally)->tp_dealloc != (destructor)tally_dealloc) {
        PyErr_SetString(PyExc_TypeError, "a tally of the other twin");
        Py_CLEAR(tally);
    }
    candidate->tally = (Tally *)tally;
    if (candidate->lawful == NULL || tally == NULL) {
        return -1;
    }
    let_go(candidate->tally);
    return 0;
}

static int
take_kinds(struct round *round, PyObject *met)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    round->kinds = PyMem_Calloc((size_t)PyDict_GET_SIZE(met) + 1, sizeof *round->kinds);
    int failed = round->kinds == NULL ? -1 : 0;
    while (failed == 0 && PyDict_Next(met, &at, &key, &value)) {
        PyObject *programs = PyObject_GetAttrString(value, "programs");
        struct kind *kind = &round->kinds[round->kinds_count];
        if (programs == NULL || !PyList_Check(programs) || !PyBytes_Check(key)
            || PyBytes_GET_SIZE(key) != WHO_SIZE + 1) {
            PyErr_SetString(PyExc_TypeError, "whose programs are those?");
            failed = -1;
        }
        else if (PyList_GET_SIZE(programs) > 0) {
            kind->who = PyBytes_AS_STRING(key);
            kind->verdict = (enum verdict)kind->who[WHO_SIZE];
            kind->first = round->candidates_count;
            kind->count = (size_t)PyList_GET_SIZE(programs);
            round->kinds_count++;
        }
        for (size_t i = 0; failed == 0 && i < kind->count; i++) {
            failed = take_candidate(round, PyList_GET_ITEM(programs, (Py_ssize_t)i));
        }
        Py_XDECREF(programs);
    }
    return failed;
}

/* A name that nobody listed has no inode yet. */
static int
take_name(const struct round *round, struct target *target, PyObject *pair)
{
    PyObject *name = PyTuple_GET_ITEM(pair, 0);
    target->name = name;
    target->ino = PyLong_AsUnsignedLongLongMask(PyTuple_GET_ITEM(pair, 1));
    if (target->ino == (uint64_t)-1 && PyErr_Occurred()) {
        return -1;
    }
    if (PyUnicode_IS_COMPACT_ASCII(name)) {
        target->text = (const char *)PyUnicode_DATA(name);
    }
    else if ((target->encoded = PyUnicode_EncodeFSDefault(name)) == NULL) {
        PyErr_Clear();
        return 0;
    }
    else {
        target->text = PyBytes_AS_STRING(target->encoded);
    }
    size_t size = target->encoded == NULL ? (size_t)PyUnicode_GET_LENGTH(name)
                                          : (size_t)PyBytes_GET_SIZE(target->encoded);
    struct stat found;
    if (strlen(target->text) != size) {
        target->text = NULL; /* there is a NUL in it */
    }
    else if (target->ino == 0 && fstatat(round->directory, target->text, &found, AT_SYMLINK_NOFOLLOW) == 0) {
        target->ino = found.st_ino;
    }
    return 0;
}

static PyObject *
key_of(const struct round *round, const struct target *target)
{
    return Py_BuildValue("(KK)", (unsigned long long)round->device, (unsigned long long)target->ino);
}

/* `seen` gets all of the files; those that are in it are not looked at again. */
static int
take_targets(struct round *round, PyObject *names, PyObject *seen)
{
    size_t count = (size_t)PyList_GET_SIZE(names);
    round->targets = PyMem_Calloc(count + 1, sizeof *round->targets);
    int failed = round->targets == NULL ? -1 : 0;
    for (size_t i = 0; failed == 0 && i < count; i++) {
        PyObject *pair = PyList_GET_ITEM(names, (Py_ssize_t)i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(pair, 0))
            || !PyLong_Check(PyTuple_GET_ITEM(pair, 1))) {
            PyErr_SetString(PyExc_TypeError, "names are pairs of a name and an inode");
            return -1;
        }
        struct target *target = &round->targets[round->targets_count++];
        failed = take_name(round, target, pair);
        if (target->ino == 0) {
            continue; /* it is not there any more */
        }
        Py_ssize_t before = PySet_GET_SIZE(seen);
        PyObject *key = key_of(round, target);
        failed = key == NULL || PySet_Add(seen, key) < 0 ? -1 : failed;
        target->is_again = target->is_done = PySet_GET_SIZE(seen) == before;
        Py_XDECREF(key);
    }
    return failed;
}

/* --- and what it came to ----------------------------------------------------------------------- */

static int
merge_others(struct round *round)
{
    bool is_merged = true;
    for (size_t i = 0; i < round->candidates_count; i++) {
        struct candidate *candidate = &round->candidates[i];
        is_merged = is_merged && (candidate->other == NULL || merge_other(candidate->tally));
        keep_youngest(candidate->tally, round->prefix);
    }
    if (!is_merged && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    return is_merged ? 0 : -1;
}

/* Those that were not added are not seen. */
static int
forget_left(const struct round *round, PyObject *seen)
{
    int failed = 0;
    for (size_t i = 0; failed >= 0 && i < round->targets_count; i++) {
        const struct target *target = &round->targets[i];
        if (!target->is_added && !target->is_again && target->ino != 0) {
            PyObject *key = key_of(round, target);
            failed = key == NULL ? -1 : PySet_Discard(seen, key);
            Py_XDECREF(key);
        }
    }
    return failed < 0 ? -1 : 0;
}

/* Those, and other names of theirs. */
static PyObject *
left_over(const struct round *round, PyObject *names, PyObject *seen)
{
    PyObject *left = forget_left(round, seen) < 0 ? NULL : PyList_New(0);
    for (size_t i = 0; left != NULL && i < round->targets_count; i++) {
        const struct target *target = &round->targets[i];
        int is_seen = target->is_added;
        if (target->is_again) {
            PyObject *key = key_of(round, target);
            is_seen = key == NULL ? -1 : PySet_Contains(seen, key);
            Py_XDECREF(key);
        }
        if (is_seen < 0 || (!is_seen && PyList_Append(left, PyList_GET_ITEM(names, (Py_ssize_t)i)) < 0)) {
            Py_CLEAR(left);
        }
    }
    return left;
}

static PyObject *
gather(Gatherer *self, struct round *round, PyObject *names, PyObject *owners, PyObject *met, PyObject *seen)
{
    if (open_directory(self, round) < 0 || take_owners(round, owners) < 0 || take_kinds(round, met) < 0) {
        return NULL;
    }
    if (round->directory < 0 || round->kinds_count == 0) {
        return PySequence_List(names);
    }
    if (take_targets(round, names, seen) < 0) {
        return NULL;
    }
    sweep_all(self->workers, round);
    bool failed = self->workers[0].failed || self->workers[1].failed;
    if (failed && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    return merge_others(round) < 0 || failed ? NULL : left_over(round, names, seen);
}

PyDoc_STRVAR(gather_doc, "gather(prefix, names, owners, near, proc, met, seen, took)\n--\n\n"
                         "Add files; those that have to be read like any other.");

static PyObject *
gatherer_gather(Gatherer *self, PyObject *args)
{
    struct round round = {.directory = -1};
    PyObject *names, *owners, *met, *seen;
    Py_ssize_t near_size;
    if (!PyArg_ParseTuple(args, "UO!Oy#sO!O!O:gather", &round.prefix, &PyList_Type, &names, &owners,
                          &round.near, &near_size, &round.proc, &PyDict_Type, &met, &PySet_Type, &seen,
                          &round.took)) {
        return NULL;
    }
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "a Gatherer is for one thread at a time");
        return NULL;
    }
    round.near = near_size == NEAR_SIZE ? round.near : NULL;
    self->is_busy = true;
    for (int i = 0; i < 2; i++) {
        look_after(&self->workers[i].writers);
    }
    PyObject *kept = PySequence_List(names); /* whatever is done to the other while this works */
    PyObject *left = kept == NULL ? NULL : gather(self, &round, kept, owners, met, seen);
    Py_XDECREF(kept);
    free_round(&round);
    for (int i = 0; i < 2; i++) {
        give_back(&self->workers[i], KEPT_ROOM);
    }
    self->is_busy = false;
    return left;
}

static PyObject *
gatherer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"is_left", NULL};
    PyObject *is_left;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Gatherer", names, &is_left)) {
        return NULL;
    }
    Gatherer *self = (Gatherer *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->is_left = Py_NewRef(is_left);
        self->workers[0].want = self->workers[1].want = FIRST_WANT;
    }
    return (PyObject *)self;
}

static void
gatherer_dealloc(Gatherer *self)
{
    PyTypeObject *type = Py_TYPE(self);
    for (int i = 0; i < 2; i++) {
        give_back(&self->workers[i], 0);
        forget_writers(&self->workers[i].writers);
        free(self->workers[i].writers.known);
    }
    Py_XDECREF(self->is_left);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef gatherer_methods[] = {
    {"gather", (PyCFunction)gatherer_gather, METH_VARARGS, gather_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(gatherer_doc, "Gatherer(is_left)\n--\n\nAdds many files to what they belong to.");

static PyType_Slot gatherer_slots[] = {
    {Py_tp_doc, (void *)gatherer_doc},
    {Py_tp_new, gatherer_new},
    {Py_tp_dealloc, gatherer_dealloc},
    {Py_tp_methods, gatherer_methods},
    {0, NULL},
};

static PyType_Spec gatherer_spec = {
    .name = "mmstats.read._native.Gatherer",
    .basicsize = sizeof(Gatherer),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = gatherer_slots,
};

#endif
