/* `listed`: the names in a directory. */
#ifndef MMSTATS_NATIVE_LISTED_H
#define MMSTATS_NATIVE_LISTED_H

#include <dirent.h>

#include "_native_sums.h"

PyDoc_STRVAR(listed_doc,
             "listed(directory, end)\n--\n\n"
             "Names that end so, each with its inode; those that begin with a dot are not among them.");

static PyObject *
native_listed(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *path, *list = PyList_New(0);
    const char *end;
    Py_ssize_t size;
    if (list == NULL || !PyArg_ParseTuple(args, "O&s#:listed", PyUnicode_FSConverter, &path, &end, &size)) {
        Py_XDECREF(list);
        return NULL;
    }
    DIR *directory = opendir(PyBytes_AS_STRING(path));
    if (directory == NULL) {
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, PyBytes_AS_STRING(path));
        Py_CLEAR(list);
    }
    Py_DECREF(path);
    const struct dirent *entry;
    while (list != NULL && (entry = readdir(directory)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || length < (size_t)size
            || memcmp(entry->d_name + length - (size_t)size, end, (size_t)size) != 0) {
            continue;
        }
        PyObject *name = PyUnicode_DecodeFSDefaultAndSize(entry->d_name, (Py_ssize_t)length);
        PyObject *pair = name == NULL ? NULL : Py_BuildValue("(NK)", name, (unsigned long long)entry->d_ino);
        if (append_stolen(list, pair) < 0) {
            Py_CLEAR(list);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return list;
}

#endif
