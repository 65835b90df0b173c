/* Timing and Duration: what `with stats.latency:` costs (FORMAT.md 5.2).
 *
 * A `with` looks `__enter__` and `__exit__` up on the type, one right after the other, and calls the first.
 * Both are descriptors here: the first lookup makes a Duration, the second gives the very same one, and
 * nothing of Python runs in between. So a block has a Duration of its own, however blocks nest, tasks
 * interleave, threads share the timer: nobody need look for it when the block ends. Called without
 * arguments it begins, called with three it ends.
 *
 * One of the two that is looked up alone, as `contextlib.ExitStack` or a framework does, is no such block:
 * it is the timer's own `_enter()` or `_leave()` then, which find out what belongs together.
 */
#ifndef MMSTATS_NATIVE_TIMING_H
#define MMSTATS_NATIVE_TIMING_H

#include "_native_distribution.h"

#define NANOSECONDS 1e9

struct duration;

typedef struct {
    Distributed distributed;
    PyObject *clock;         /* gives seconds; NULL: CLOCK_MONOTONIC does */
    PyTypeObject *durations; /* the type of what is made for a block */
    struct duration *coming; /* borrowed: looked up once, not yet a second time */
    struct duration *spare;  /* memory of one that is gone: most blocks need none else */
} Timing;

enum stage { COMING, PAIRED, RUNNING, DONE };

typedef struct duration {
    PyObject_HEAD
    vectorcallfunc call;
    Timing *timing;
    enum stage stage;
    PyObject *clock;       /* the timer's, as it was at the beginning */
    union word begin, end; /* seconds by the clock, or ns */
    PyObject *weakrefs;
} Duration;

static PyObject *duration_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames);
static PyMethodDef timing_methods[];

/* --- Duration ------------------------------------------------------------------------------------- */

static Duration *
duration_new(Timing *timing, enum stage stage)
{
    Duration *self = timing->spare;
    if (self != NULL) {
        timing->spare = NULL;
        _Py_NewReference((PyObject *)self);
    }
    else {
        self = PyObject_GC_New(Duration, timing->durations);
        if (self == NULL) {
            return NULL;
        }
        self->weakrefs = self->clock = NULL;
        self->call = duration_call;
    }
    Py_INCREF(timing);
    self->timing = timing;
    self->stage = stage;
    PyObject_GC_Track(self);
    return self;
}

static int
duration_now(const Duration *self, union word *now)
{
    if (self->clock == NULL) {
        now->whole = monotonic_ns();
        return 0;
    }
    PyObject *given = PyObject_CallNoArgs(self->clock);
    int failed = given == NULL ? -1 : real_from(self->timing->distributed.value.label, given, &now->real);
    Py_XDECREF(given);
    return failed;
}

static int
duration_begin(Duration *self)
{
    PyObject *clock = self->timing->clock;
    if (clock != NULL) {
        Py_XSETREF(self->clock, Py_NewRef(clock));
    }
    if (duration_now(self, &self->begin) < 0) {
        return -1;
    }
    self->stage = RUNNING;
    return 0;
}

static double
duration_seconds(const Duration *self, union word end)
{
    return self->clock != NULL ? end.real - self->begin.real
                               : (double)(int64_t)(end.whole - self->begin.whole) / NANOSECONDS;
}

/* Ends and records it; a second time changes nothing. */
static int
duration_end(Duration *self)
{
    union word now;
    if (self->stage != RUNNING) {
        return 0;
    }
    if (duration_now(self, &now) < 0) {
        return -1;
    }
    if (self->stage != RUNNING) { /* the clock was somebody's program */
        return 0;
    }
    self->end = now;
    self->stage = DONE;
    struct taken taken = {.value = duration_seconds(self, now),
                          .time = self->clock == NULL ? now.whole : 0,
                          .method = &timing_methods[0]};
    Distributed *distributed = &self->timing->distributed;
    return compound_ready(&distributed->value) < 0 ? -1 : distributed_take(distributed, &taken);
}

static PyObject *
duration_slow(Duration *self, const char *method)
{
    if (self->timing->coming == self) {
        self->timing->coming = NULL;
    }
    return PyObject_CallMethod((PyObject *)self->timing, method, NULL);
}

/* What a `with` does with what it looked up. */
static PyObject *
duration_call(PyObject *object, PyObject *const *Py_UNUSED(args), size_t nargsf, PyObject *kwnames)
{
    Duration *self = (Duration *)object;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (kwnames != NULL || (nargs != 0 && nargs != 3)) {
        PyErr_SetString(PyExc_TypeError, "__enter__() takes no arguments, and __exit__() three");
        return NULL;
    }
    if (nargs == 0 && self->stage == PAIRED) {
        return duration_begin(self) < 0 ? NULL : Py_NewRef(object);
    }
    if (nargs == 3 && self->stage >= RUNNING) {
        if (duration_end(self) < 0) {
            return NULL;
        }
        Py_RETURN_FALSE;
    }
    return duration_slow(self, nargs == 0 ? "_enter" : "_leave");
}

static PyObject *
duration_of(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"timing", NULL};
    PyObject *timing;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Duration", names, &timing)) {
        return NULL;
    }
    PyTypeObject *timing_type = state_of(type) != NULL ? state_of(type)->timing : NULL;
    if (timing_type == NULL || !PyObject_TypeCheck(timing, timing_type)) {
        PyErr_Format(PyExc_TypeError, "a duration is of a Timing, not %s: %R", type_name(timing), timing);
        return NULL;
    }
    Duration *self = (Duration *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->call = duration_call;
    self->timing = (Timing *)Py_NewRef(timing);
    if (duration_begin(self) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* The arguments were for `__new__`; those of a subclass are its own. */
static int
duration_init(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    return 0;
}

PyDoc_STRVAR(duration_stop_doc, "stop()\n--\n\nEnd it, and record it; a second time changes nothing.");

static PyObject *
duration_stop(Duration *self, PyObject *Py_UNUSED(ignored))
{
    if (duration_end(self) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(duration_enter_doc, "__enter__()\n--\n\nItself.");

static PyObject *
duration_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(self);
}

PyDoc_STRVAR(duration_exit_doc, "__exit__(*raised)\n--\n\nEnd it.");

static PyObject *
duration_exit(PyObject *self, PyObject *Py_UNUSED(raised))
{
    PyObject *done = PyObject_CallMethod(self, "stop", NULL); /* a subclass may have its own */
    if (done == NULL) {
        return NULL;
    }
    Py_DECREF(done);
    Py_RETURN_FALSE;
}

static PyObject *
duration_get_done(Duration *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(self->stage == DONE);
}

static PyObject *
duration_get_elapsed(Duration *self, void *Py_UNUSED(closure))
{
    union word end = self->end;
    if (self->stage != DONE && duration_now(self, &end) < 0) {
        return NULL;
    }
    return PyFloat_FromDouble(duration_seconds(self, end));
}

static int
duration_traverse(Duration *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->timing);
    Py_VISIT(self->clock);
    return 0;
}

/* Its memory is kept by its timer, if that has none. The timer is not cleared before: it is in use. */
static void
duration_dealloc(Duration *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Timing *timing = self->timing;
    PyObject_GC_UnTrack(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    if (timing != NULL && timing->coming == self) {
        timing->coming = NULL;
    }
    Py_CLEAR(self->clock);
    if (timing != NULL && timing->spare == NULL && type == timing->durations) {
        timing->spare = self;
    }
    else {
        type->tp_free(self);
        Py_DECREF(type);
    }
    Py_XDECREF(timing);
}

static PyMethodDef duration_methods[] = {
    {"stop", (PyCFunction)duration_stop, METH_NOARGS, duration_stop_doc},
    {"__enter__", duration_enter, METH_NOARGS, duration_enter_doc},
    {"__exit__", duration_exit, METH_VARARGS, duration_exit_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef duration_getset[] = {
    {"done", (getter)duration_get_done, NULL, "Whether it has ended.", NULL},
    {"elapsed", (getter)duration_get_elapsed, NULL, "Seconds from its beginning to its end, or to now.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef duration_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Duration, call), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Duration, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(duration_doc, "Duration(timing)\n--\n\n"
                           "One duration: running, then done. `with` yields one, and records it at its end.");

static PyType_Slot duration_slots[] = {
    {Py_tp_doc, (void *)duration_doc}, {Py_tp_new, duration_of},
    {Py_tp_init, duration_init},       {Py_tp_traverse, duration_traverse},
    {Py_tp_dealloc, duration_dealloc}, {Py_tp_methods, duration_methods},
    {Py_tp_getset, duration_getset},   {Py_tp_members, duration_members},
    {Py_tp_call, PyVectorcall_Call},   {0, NULL},
};

static PyType_Spec duration_spec = {
    .name = "mmstats.cells._native.Duration",
    .basicsize = sizeof(Duration),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = duration_slots,
};

/* --- what a `with` looks up ----------------------------------------------------------------------- */

#if PY_VERSION_HEX < 0x030E0000
#define FIRST_LOOKUP "__enter__"
#else
#define FIRST_LOOKUP "__exit__"
#endif

typedef struct {
    PyObject_HEAD
    bool is_first; /* of the two */
    bool enters;
} Way;

static PyObject *
way_get(PyObject *object, PyObject *instance, PyObject *Py_UNUSED(type))
{
    Way *self = (Way *)object;
    Timing *timing = (Timing *)instance;
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(object);
    }
    if (timing->durations == NULL) {
        PyErr_Format(PyExc_RuntimeError, "%s.__init__ was not called", type_name(instance));
        return NULL;
    }
    Duration *found = timing->coming;
    timing->coming = NULL;
    if (!self->is_first && found != NULL) {
        found->stage = PAIRED;
        return Py_NewRef((PyObject *)found);
    }
    found = duration_new(timing, COMING);
    if (self->is_first) {
        timing->coming = found;
    }
    return (PyObject *)found;
}

/* Of the type, with the timer as the first argument: what ExitStack does. */
static PyObject *
way_call(Way *self, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != (self->enters ? 1 : 4) || kwargs != NULL) {
        PyErr_SetString(PyExc_TypeError, "__enter__() takes a timer, and __exit__() three arguments more");
        return NULL;
    }
    return PyObject_CallMethod(PyTuple_GET_ITEM(args, 0), self->enters ? "_enter" : "_leave", NULL);
}

static void
way_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot way_slots[] = {
    {Py_tp_descr_get, way_get},
    {Py_tp_call, way_call},
    {Py_tp_dealloc, way_dealloc},
    {0, NULL},
};

static PyType_Spec way_spec = {
    .name = "mmstats.cells._native.Way",
    .basicsize = sizeof(Way),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = way_slots,
};

/* Gives the type its `__enter__` and `__exit__`. */
static int
add_ways(PyTypeObject *timing)
{
    PyObject *type = PyType_FromSpec(&way_spec);
    int failed = type == NULL ? -1 : 0;
    for (int enters = 0; enters < 2 && failed == 0; enters++) {
        const char *name = enters ? "__enter__" : "__exit__";
        Way *way = PyObject_New(Way, (PyTypeObject *)type);
        failed = way == NULL ? -1 : 0;
        if (way != NULL) {
            way->enters = enters != 0;
            way->is_first = strcmp(name, FIRST_LOOKUP) == 0;
            failed = PyObject_SetAttrString((PyObject *)timing, name, (PyObject *)way);
            Py_DECREF(way);
        }
    }
    Py_XDECREF(type);
    return failed;
}

/* --- Timing --------------------------------------------------------------------------------------- */

PyDoc_STRVAR(timing_observe_doc, "observe(seconds)\n--\n\nOne more duration.");

static PyObject *
timing_observe(Distributed *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *value = the_argument("observe", "seconds", args, nargs, kwnames);
    return value != NULL ? distributed_observe(self, value, &timing_methods[0]) : NULL;
}

static PyObject *
timing_init_subclass(PyObject *type, PyObject *Py_UNUSED(ignored))
{
    return own_method(type, &timing_methods[0]);
}

static PyObject *
timing_get_value(Distributed *self, void *Py_UNUSED(closure))
{
    return ring_mean(&self->value, self->shape.ring);
}

static PyObject *
timing_get_last(Distributed *self, void *Py_UNUSED(closure))
{
    Compound *value = &self->value;
    struct slot *slot = compound_slot(value);
    if (slot == NULL && PyErr_Occurred()) {
        return NULL;
    }
    uint64_t first, count = slot != NULL ? window_of(value, &slot->cells[value->index], &first) : 0;
    if (count == 0) {
        return PyFloat_FromDouble(0.0);
    }
    uint32_t at = value->index + self->shape.ring + (uint32_t)((first + count - 1) % value->room);
    return PyFloat_FromDouble(real_of(load_relaxed(&slot->cells[at])));
}

static PyObject *
timing_get_clock(Timing *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(self->clock != NULL ? self->clock : Py_None);
}

static int
timing_set_clock(Timing *self, PyObject *clock, void *Py_UNUSED(closure))
{
    if (clock != NULL && clock != Py_None && !PyCallable_Check(clock)) {
        PyErr_Format(PyExc_TypeError, "%R: a clock is called, and gives seconds: %R",
                     self->distributed.value.label, clock);
        return -1;
    }
    Py_XSETREF(self->clock, clock != NULL && clock != Py_None ? Py_NewRef(clock) : NULL);
    return 0;
}

static int
timing_bind(Timing *self, PyObject *clock)
{
    struct state *state = state_of(Py_TYPE(self));
    if (state == NULL) {
        return -1;
    }
    self->durations = (PyTypeObject *)Py_NewRef((PyObject *)state->durations);
    return timing_set_clock(self, clock, NULL);
}

static int
timing_init(Timing *timing, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"segment", "index",  "size",  "scale",  "low",   "high",
                            "bounds",  "octave", "label", "refuse", "clock", NULL};
    Distributed *self = &timing->distributed;
    PyTypeObject *segment_type = state_segment_type((PyObject *)self);
    PyObject *segment, *bounds, *octave, *label, *refuse, *clock = Py_None;
    unsigned index, size;
    int scale, low, high;
    if (segment_type == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "O!O&O&iiiOOUO|O:Timing", names, segment_type, &segment,
                                        u32_from, &index, u32_from, &size, &scale, &low, &high, &bounds,
                                        &octave, &label, &refuse, &clock)
        || ring_check(label, size) < 0) {
        return -1;
    }
    uint32_t cells = distributed_range(self, scale, low, high, bounds, octave);
    if (cells == 0) {
        return -1;
    }
    self->shape.totals = MMSTATS_TIMER_TOTALS;
    self->shape.spread = MMSTATS_TIMER_DISTRIBUTION;
    self->shape.ring = MMSTATS_TIMER_DISTRIBUTION + cells;
    self->shape.room = size + 1;
    return ring_bind(&self->value, segment, index, self->shape.ring, size, label, refuse) < 0
               ? -1
               : timing_bind(timing, clock);
}

static int
timing_traverse(Timing *self, visitproc visit, void *arg)
{
    Py_VISIT(self->clock);
    Py_VISIT(self->durations);
    return distributed_traverse(&self->distributed, visit, arg);
}

static int
timing_clear(Timing *self)
{
    Py_CLEAR(self->clock);
    return distributed_clear(&self->distributed);
}

static void
timing_dealloc(Timing *self)
{
    PyObject_GC_UnTrack(self);
    Duration *spare = self->spare;
    self->spare = NULL;
    if (spare != NULL) {
        PyObject_GC_Del(spare);
        Py_DECREF(self->durations);
    }
    Py_CLEAR(self->clock);
    Py_CLEAR(self->durations);
    distributed_dealloc(&self->distributed);
}

static PyMethodDef timing_methods[] = {
    {"observe", (PyCFunction)(void (*)(void))timing_observe, METH_FASTCALL | METH_KEYWORDS,
     timing_observe_doc},
    {"__init_subclass__", timing_init_subclass, METH_NOARGS | METH_CLASS, own_method_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef timing_getset[] = {
    {"value", (getter)timing_get_value, NULL, "The mean of the calling thread's last durations.", NULL},
    {"last", (getter)timing_get_last, NULL, "The last duration that the calling thread recorded.", NULL},
    {"clock", (getter)timing_get_clock, (setter)timing_set_clock, "Gives seconds; None: CLOCK_MONOTONIC.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(
    timing_doc,
    "Timing(segment, index, size, scale, low, high, bounds, octave, label, refuse, clock=None)\n--\n\n"
    "A bound timer: `with` records a duration.");

static PyType_Slot timing_slots[] = {
    {Py_tp_doc, (void *)timing_doc},
    {Py_tp_new, compound_new},
    {Py_tp_init, timing_init},
    {Py_tp_repr, compound_repr},
    {Py_tp_traverse, timing_traverse},
    {Py_tp_clear, timing_clear},
    {Py_tp_dealloc, timing_dealloc},
    {Py_tp_methods, timing_methods},
    {Py_tp_getset, timing_getset},
    {Py_tp_members, compound_members},
    {0, NULL},
};

static PyType_Spec timing_spec = {
    .name = "mmstats.cells._native.Timing",
    .basicsize = sizeof(Timing),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = timing_slots,
};

#endif
