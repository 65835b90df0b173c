/* What an update is measured against: a method of the same shape as incr() that does nothing. */
#include <Python.h>

static PyObject *
empty_incr(PyObject *Py_UNUSED(self), PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(nargs),
           PyObject *Py_UNUSED(kwnames))
{
    Py_RETURN_NONE;
}

static PyMethodDef empty_methods[] = {
    {"incr", (PyCFunction)(void (*)(void))empty_incr, METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot empty_slots[] = {
    {Py_tp_methods, empty_methods},
    {0, NULL},
};

static PyType_Spec empty_spec = {
    .name = "_empty.Empty",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = empty_slots,
};

static int
empty_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &empty_spec, NULL);
    return type == NULL ? -1 : PyModule_AddObject(module, "Empty", type);
}

static PyModuleDef_Slot empty_module_slots[] = {
    {Py_mod_exec, empty_exec},
    {0, NULL},
};

static struct PyModuleDef empty_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_empty",
    .m_slots = empty_module_slots,
};

PyMODINIT_FUNC
PyInit__empty(void)
{
    return PyModuleDef_Init(&empty_module);
}
