/* The native twins of what is done for each file of many: `Gatherer`, `Tally` and
 * `listed`.
 *
 * It is a module of its own: who reads loads nothing of what writes. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "_python.h"

#include "_native_gather.h"
#include "_native_listed.h"

static int
native_exec(PyObject *module)
{
    PyType_Spec *specs[] = {&tally_spec, &gatherer_spec};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, specs[i], NULL);
        int failed = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
        Py_XDECREF(type);
        if (failed < 0) {
            return -1;
        }
    }
    return 0;
}

static PyMethodDef native_methods[] = {
    {"listed", native_listed, METH_VARARGS, listed_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mmstats.read._native",
    .m_doc = "Files looked at, and the cells of many added up.",
    .m_size = 0,
    .m_methods = native_methods,
    .m_slots = native_slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
