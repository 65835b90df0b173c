/* Segment: which memory the calling thread's cells are in, and whom to ask where there is none. */
#ifndef MMSTATS_NATIVE_SEGMENT_H
#define MMSTATS_NATIVE_SEGMENT_H

#include <Python.h>
#include <structmember.h>

#include "_native_values.h"
#include "threads.h"

/* Memory that was handed over, and kept alive until no slot leads to it. */
struct attachment {
    struct attachment *next;
    uint64_t ended; /* set by the thread that no longer uses it, also without the GIL */
    struct base *base;
    Py_buffer memory;
};

typedef struct {
    PyObject_HEAD
    PyObject *opener;
    PyObject *weakrefs;
    struct attachment *attachments; /* touched with the GIL held only */
    uint32_t gid;                   /* GID_NONE: closed */
    uint32_t closings;              /* how often it was closed: who waits for the opener looks */
} Segment;

#if PY_VERSION_HEX < 0x030D0000
/* Before 3.13, who joins a thread is woken when the thread's Python state is gone, a moment before the end
 * that pthread tells us of. So that the lane is free by then, a capsule in that state ends the node. It
 * does nothing
 *
 *   in another thread       a forked child clears the states of its parent's threads
 *   when Python ends        the main thread's lane is the process's, and stays as it is
 *   where nobody joins      C code that calls into Python has a new state each time, but one lane
 *
 * What counts in this thread after that, in the `__del__` of some thread-local, makes a new node, which
 * pthread's end finds. */
#define THREAD_CAPSULE "mmstats.cells._native.thread"

static _Thread_local bool state_is_over;

static void
thread_state_ends(PyObject *capsule)
{
    struct node *node = PyCapsule_GetPointer(capsule, THREAD_CAPSULE);
    if (node != here.node || _Py_IsFinalizing() || PyThreadState_Get()->on_delete == NULL) {
        return;
    }
    state_is_over = true;
    node_end_early(node);
}

/* Before the first slot of a thread. Without the capsule the thread ends a moment later, that is all. */
static void
watch_thread_state(void)
{
    if (here.node != NULL || state_is_over) {
        return;
    }
    PyObject *dict = PyThreadState_GetDict();
    struct node *node = dict != NULL ? node_here() : NULL;
    PyObject *capsule = node != NULL ? PyCapsule_New(node, THREAD_CAPSULE, thread_state_ends) : NULL;
    if (capsule != NULL) {
        PyDict_SetItemString(dict, THREAD_CAPSULE, capsule);
        Py_DECREF(capsule);
    }
    PyErr_Clear();
}
#else
static void
watch_thread_state(void)
{
}
#endif

static void
attachment_free(struct attachment *attachment)
{
    PyBuffer_Release(&attachment->memory); /* may run Python */
    PyMem_Free(attachment->base);
    PyMem_Free(attachment);
}

static void
attachments_free(struct attachment *first)
{
    while (first != NULL) {
        struct attachment *next = first->next;
        attachment_free(first);
        first = next;
    }
}

/* Takes out what no slot leads to any more, so that threads that come and go leave nothing. */
static struct attachment *
attachments_ended(Segment *self)
{
    struct attachment *ended = NULL, **link = &self->attachments;
    while (*link != NULL) {
        struct attachment *attachment = *link;
        if (load_relaxed(&attachment->ended)) {
            *link = attachment->next;
            attachment->next = ended;
            ended = attachment;
        }
        else {
            link = &attachment->next;
        }
    }
    return ended;
}

static int
base_item(PyObject *item, struct base *base)
{
    if (PyFloat_Check(item)) {
        base->real = PyFloat_AS_DOUBLE(item);
        return 0; /* a cell of this base is never asked for as a whole number */
    }
    PyObject *number = PyNumber_Index(item);
    if (number == NULL) {
        return -1;
    }
    base->whole = PyLong_AsUnsignedLongLongMask(number);
    base->real = PyLong_AsDouble(number);
    Py_DECREF(number);
    return base->real == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static int
base_fill(struct base *base, PyObject *items, Py_ssize_t count)
{
    if (PySequence_Fast_GET_SIZE(items) != count) {
        PyErr_Format(PyExc_ValueError, "base has %zd values, memory has %zd cells",
                     PySequence_Fast_GET_SIZE(items), count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (base_item(PySequence_Fast_GET_ITEM(items, i), &base[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
attachment_set_base(struct attachment *attachment, PyObject *base)
{
    Py_ssize_t count = attachment->memory.len / 8;
    PyObject *items = PySequence_Tuple(base); /* nobody changes it while we read */
    if (items == NULL) {
        return -1;
    }
    attachment->base = PyMem_Calloc(count, sizeof *attachment->base);
    if (attachment->base == NULL) {
        PyErr_NoMemory();
    }
    int failed = attachment->base == NULL || base_fill(attachment->base, items, count) < 0;
    Py_DECREF(items);
    return failed ? -1 : 0;
}

static int
check_memory(const Py_buffer *memory)
{
    if (memory->len == 0 || memory->len % 8 != 0 || memory->len / 8 > UINT32_MAX) {
        PyErr_Format(PyExc_ValueError, "memory of %zd bytes is not a whole number of cells", memory->len);
        return -1;
    }
    if ((uintptr_t)memory->buf % 8 != 0) {
        PyErr_SetString(PyExc_ValueError, "memory is not aligned to 8 bytes");
        return -1;
    }
    return 0;
}

/* A new attachment, or NULL with an error set. Runs Python. */
static struct attachment *
attachment_new(PyObject *memory, PyObject *base)
{
    struct attachment *attachment = PyMem_Calloc(1, sizeof *attachment);
    if (attachment == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (PyObject_GetBuffer(memory, &attachment->memory, PyBUF_WRITABLE) < 0) {
        PyMem_Free(attachment);
        return NULL;
    }
    if (check_memory(&attachment->memory) < 0
        || (base != Py_None && attachment_set_base(attachment, base) < 0)) {
        attachment_free(attachment);
        return NULL;
    }
    return attachment;
}

static int
segment_use(Segment *self, struct attachment *attachment, int release)
{
    if (self->gid == GID_NONE && !gid_take(&self->gid)) {
        PyErr_NoMemory();
        return -1;
    }
    struct slot *slot = slot_make(self->gid);
    if (slot == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    struct slot filled = {
        .cells = attachment->memory.buf,
        .base = attachment->base,
        .ended = &attachment->ended,
        .count = (uint32_t)(attachment->memory.len / 8),
        .release = release != 0,
        .owner = load_relaxed(attachment->memory.buf),
    };
    slot_fill(slot, &filled);
    attachment->next = self->attachments;
    self->attachments = attachment;
    return 0;
}

PyDoc_STRVAR(segment_attach_doc, "attach(memory, base=None, *, release=False)\n--\n\n"
                                 "From now on the calling thread's cells are in `memory`.");

static PyObject *
segment_attach(Segment *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"memory", "base", "release", NULL};
    PyObject *memory, *base = Py_None;
    int release = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$p:attach", names, &memory, &base, &release)) {
        return NULL;
    }
    struct attachment *attachment = attachment_new(memory, base);
    if (attachment == NULL) {
        return NULL;
    }
    watch_thread_state();
    if (segment_use(self, attachment, release) < 0) {
        attachment_free(attachment);
        return NULL;
    }
    attachments_free(attachments_ended(self));
    Py_RETURN_NONE;
}

PyDoc_STRVAR(segment_forget_doc, "forget()\n--\n\nThe calling thread's memory no longer counts.");

static PyObject *
segment_forget(Segment *self, PyObject *Py_UNUSED(ignored))
{
    struct slot *slot = slot_attached(self->gid);
    if (slot != NULL) {
        slot_fill(slot, &(struct slot){0});
        attachments_free(attachments_ended(self));
    }
    Py_RETURN_NONE;
}

static PyObject *
segment_get_is_attached(Segment *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(slot_attached(self->gid) != NULL);
}

static void
segment_shut(Segment *self)
{
    uint32_t gid = self->gid;
    struct attachment *attachments = self->attachments;
    self->gid = GID_NONE;
    self->closings++;
    self->attachments = NULL;
    if (gid != GID_NONE) {
        slots_forget(gid);
        gid_give(gid);
    }
    attachments_free(attachments);
}

PyDoc_STRVAR(segment_close_doc,
             "close()\n--\n\nNo thread's memory counts any more; every update goes to the opener.");

static PyObject *
segment_close(Segment *self, PyObject *Py_UNUSED(ignored))
{
    segment_shut(self);
    Py_RETURN_NONE;
}

/* Asks the opener. NULL: an error; None: attached; else what the update is to be handed to. */
static PyObject *
segment_open(Segment *self)
{
    if (self->opener == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the segment has no opener");
        return NULL;
    }
    PyObject *opener = self->opener;
    Py_INCREF(opener);
    PyObject *later = PyObject_CallOneArg(opener, (PyObject *)self);
    Py_DECREF(opener);
    return later;
}

static struct slot *
no_such_cell(uint32_t index, const struct slot *slot)
{
    PyErr_Format(PyExc_IndexError, "cell %u of %u", (unsigned)index, (unsigned)slot->count);
    return NULL;
}

/* The calling thread's slot, by asking the opener. It is good until the next call into Python.
 *
 * NULL with an error set, or with `later` set: the update is to be handed to it. After the opener
 * answered None, the memory is used whether the token stands or not: a process that has no file for
 * now leaves the token down, so that every update asks again. The opener is asked once more only if
 * the segment was closed, by another thread, behind its back.
 */
static struct slot *
slot_by_opener(Segment *self, uint32_t index, PyObject **later)
{
    for (uint32_t closings = self->closings - 1; closings != self->closings;) {
        closings = self->closings;
        struct slot *slot = slot_attached(self->gid);
        if (slot != NULL && token_stands()) {
            return index < slot->count ? slot : no_such_cell(index, slot);
        }
        *later = segment_open(self);
        if (*later != Py_None) {
            return NULL;
        }
        Py_CLEAR(*later);
        slot = slot_attached(self->gid);
        if (slot != NULL) {
            return index < slot->count ? slot : no_such_cell(index, slot);
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "the opener said that it attached memory, and did not");
    return NULL;
}

/* Hands an update over: later(function, *arguments). Takes `later` and `function`. */
static int
hand_over(PyObject *later, PyObject *function, PyObject *first, PyObject *second)
{
    PyObject *done = NULL;
    if (function != NULL) {
        done = PyObject_CallFunctionObjArgs(later, function, first, second, NULL);
        Py_DECREF(function);
    }
    Py_DECREF(later);
    Py_XDECREF(done);
    return done != NULL ? 0 : -1;
}

/* Whether reading is refused: the error is set then. Takes `later`. */
static bool
was_removed(PyObject *later, PyObject *label)
{
    PyObject *removed = PyObject_GetAttrString(later, "removed");
    Py_DECREF(later);
    int is_removed = removed != NULL ? PyObject_IsTrue(removed) : 0;
    Py_XDECREF(removed);
    PyErr_Clear();
    if (is_removed <= 0) {
        return false;
    }
    PyObject *errors = PyImport_ImportModule("mmstats.errors");
    PyObject *error = errors != NULL ? PyObject_GetAttrString(errors, "Removed") : NULL;
    Py_XDECREF(errors);
    if (error != NULL) {
        PyErr_Format(error, "%R was removed", label);
        Py_DECREF(error);
    }
    return true;
}

static PyObject *
segment_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    Segment *self = (Segment *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->gid = GID_NONE;
    if (!gid_take(&self->gid)) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static int
segment_init(Segment *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"opener", NULL};
    PyObject *opener;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Segment", names, &opener)) {
        return -1;
    }
    Py_INCREF(opener);
    Py_XSETREF(self->opener, opener);
    return 0;
}

/* The attachments are not shown to the garbage collector: it would clear the memoryview, and unmap what
 * is under it, before the segment took its slots back; a thread that ends meanwhile stores into it. */
static int
segment_traverse(Segment *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->opener);
    return 0;
}

static int
segment_clear(Segment *self)
{
    segment_shut(self);
    Py_CLEAR(self->opener);
    return 0;
}

static void
segment_dealloc(Segment *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    segment_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef segment_methods[] = {
    {"attach", (PyCFunction)(void (*)(void))segment_attach, METH_VARARGS | METH_KEYWORDS, segment_attach_doc},
    {"forget", (PyCFunction)segment_forget, METH_NOARGS, segment_forget_doc},
    {"close", (PyCFunction)segment_close, METH_NOARGS, segment_close_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef segment_getset[] = {
    {"is_attached", (getter)segment_get_is_attached, NULL,
     "Whether the calling thread attached memory in this process.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef segment_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Segment, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(segment_doc, "Segment(opener)\n--\n\nCells that every publishing thread has a copy of.");

static PyType_Slot segment_slots[] = {
    {Py_tp_doc, (void *)segment_doc}, {Py_tp_new, segment_new},
    {Py_tp_init, segment_init},       {Py_tp_traverse, segment_traverse},
    {Py_tp_clear, segment_clear},     {Py_tp_dealloc, segment_dealloc},
    {Py_tp_methods, segment_methods}, {Py_tp_members, segment_members},
    {Py_tp_getset, segment_getset},   {0, NULL},
};

static PyType_Spec segment_spec = {
    .name = "mmstats.cells._native.Segment",
    .basicsize = sizeof(Segment),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = segment_slots,
};

#endif
