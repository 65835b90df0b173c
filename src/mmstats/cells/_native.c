/* The native twin: what protocol.py says, in the few instructions that need C.
 *
 *   _native_values.h        Python's numbers and the eight bytes of a cell
 *   _native_segment.h       Segment: memory handed over, the opener asked
 *   _native_counter.h       Counter
 *   _native_updown.h        UpDown
 *   _native_number.h        Number
 *   _native_compound.h      Average, Moving
 *   _native_window.h        Window
 *   _native_distribution.h  Histogram
 *   _native_timing.h        Timing, Duration
 *   _native_text.h          Text
 *   _native_gauge.h         Gauge
 *   _native_lookup.h        Lookup
 *   _native_instance.h      Instance
 *
 * What needs no Python stands in c/, where the C writer uses it, too: which memory the calling thread has
 * (threads.h), and what an update stores (words.h, values.h, distribution.h).
 *
 * Two habits keep this safe while any call into Python may run anything, this module included: a slot
 * is looked for after the last such call, never before, and values are turned into words first. What
 * is shared by threads is shared under the GIL, but for the end of a thread; see c/threads.h.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_native_compound.h"
#include "_native_counter.h"
#include "_native_distribution.h"
#include "_native_gauge.h"
#include "_native_instance.h"
#include "_native_lookup.h"
#include "_native_number.h"
#include "_native_segment.h"
#include "_native_text.h"
#include "_native_timing.h"
#include "_native_updown.h"
#include "_native_values.h"
#include "_native_window.h"

static struct PyModuleDef native_module;

static struct state *
state_of(PyTypeObject *type)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE)) {
            continue;
        }
        PyObject *module = ((PyHeapTypeObject *)base)->ht_module;
        if (module != NULL && PyModule_GetDef(module) == &native_module) {
            return PyModule_GetState(module);
        }
    }
    PyErr_SetString(PyExc_TypeError, "no type of mmstats.cells._native");
    return NULL;
}

/* The type of segments that goes with an object of ours, or of a subclass: borrowed. */
static PyTypeObject *
state_segment_type(PyObject *self)
{
    struct state *state = state_of(Py_TYPE(self));
    return state != NULL ? state->segment : NULL;
}

static PyObject *
token_get_stands(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyBool_FromLong(token_stands());
}

static PyObject *
token_get_is_ours(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyBool_FromLong(token_is_ours());
}

PyDoc_STRVAR(token_renew_doc, "renew()\n--\n\nLet attached memory count: this process has its own.");

static PyObject *
token_do_renew(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    token_renew();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(token_lower_doc, "lower()\n--\n\nLet every update ask its opener, until the token is renewed.");

static PyObject *
token_do_lower(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    token_lower();
    Py_RETURN_NONE;
}

static PyMethodDef token_methods[] = {
    {"renew", token_do_renew, METH_NOARGS, token_renew_doc},
    {"lower", token_do_lower, METH_NOARGS, token_lower_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef token_getset[] = {
    {"stands", token_get_stands, NULL, "Whether attached memory counts.", NULL},
    {"is_ours", token_get_is_ours, NULL, "Whether this is still the process that called `renew`.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot token_slots[] = {
    {Py_tp_methods, token_methods},
    {Py_tp_getset, token_getset},
    {0, NULL},
};

static PyType_Spec token_spec = {
    .name = "mmstats.cells._native.Token",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = token_slots,
};

static PyTypeObject *
add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) < 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

static int
add_token(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &token_spec, NULL);
    PyObject *token = type != NULL ? PyObject_CallNoArgs(type) : NULL;
    Py_XDECREF(type);
    if (token == NULL || PyModule_AddObject(module, "token", token) < 0) {
        Py_XDECREF(token);
        return -1;
    }
    return 0;
}

static int
add_types(PyObject *module)
{
    PyType_Spec *specs[] = {&counter_spec, &updown_spec,    &number_spec, &instance_spec,
                            &average_spec, &moving_spec,    &text_spec,   &gauge_spec,
                            &lookup_spec,  &histogram_spec, &window_spec};
    struct state *state = PyModule_GetState(module);
    state->segment = add_type(module, &segment_spec);
    state->timing = state->segment != NULL ? add_type(module, &timing_spec) : NULL;
    state->durations = state->timing != NULL ? add_type(module, &duration_spec) : NULL;
    if (state->durations == NULL || add_ways(state->timing) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        PyTypeObject *type = add_type(module, specs[i]);
        if (type == NULL) {
            return -1;
        }
        Py_DECREF(type);
    }
    return 0;
}

static int
intern_names(struct state *state)
{
    state->fields_name = PyUnicode_InternFromString("__mmstats_fields__");
    state->verb_name = PyUnicode_InternFromString("_mm_verb");
    state->set_name = PyUnicode_InternFromString("set");
    return state->fields_name != NULL && state->verb_name != NULL && state->set_name != NULL ? 0 : -1;
}

static int
native_exec(PyObject *module)
{
    if (!threads_start()) {
        PyErr_SetString(PyExc_ImportError, "no memory for the page that a fork wipes");
        return -1;
    }
    return intern_names(PyModule_GetState(module)) < 0 || add_types(module) < 0 ? -1 : add_token(module);
}

static int
native_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct state *state = PyModule_GetState(module);
    Py_VISIT(state->segment);
    Py_VISIT(state->timing);
    Py_VISIT(state->durations);
    return 0;
}

static int
native_clear(PyObject *module)
{
    struct state *state = PyModule_GetState(module);
    Py_CLEAR(state->segment);
    Py_CLEAR(state->timing);
    Py_CLEAR(state->durations);
    Py_CLEAR(state->fields_name);
    Py_CLEAR(state->verb_name);
    Py_CLEAR(state->set_name);
    return 0;
}

/* Interpreters share the page and the tables of threads, which have locks of their own, and the cells of
 * nobody. Threads of one interpreter are kept apart by its GIL, here and there: a Python without one
 * (3.13t) turns it on again when it loads this. */
static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mmstats.cells._native",
    .m_doc = "The native twin. What each name does is said in protocol.py.",
    .m_size = sizeof(struct state),
    .m_slots = native_slots,
    .m_traverse = native_traverse,
    .m_clear = native_clear,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
