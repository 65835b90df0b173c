/* glance: a file that somebody writes, opened, copied and let go; what /proc says of its writer. */
#ifndef MMSTATS_NATIVE_GLANCE_H
#define MMSTATS_NATIVE_GLANCE_H

#include "mmstats_layout.h"

#define LARGE_FILE (16 << 20)
#define LEAST_FILE ((Py_ssize_t)sizeof(struct mmstats_header))

/* What was found; `copies`: how many of the bytes were read. */
struct glance {
    struct stat found;
    int is_held; /* -1: there is no saying */
    char state;  /* 0: /proc tells nothing of its writer */
    int threads;
    unsigned long long ticks;
};

/* Likewise `process` of `host.identity`: the third field, the twentieth and the 22nd, behind a name that may
 * hold anything. */
static void
look_at_writer(struct glance *glance, const char *proc, uint32_t pid)
{
    char path[256], said[1025];
    int length = snprintf(path, sizeof path, "%s/%u/stat", proc, pid);
    int fd = length > 0 && (size_t)length < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return;
    }
    ssize_t size = read(fd, said, sizeof said - 1);
    close(fd);
    said[size > 0 ? size : 0] = 0;
    const char *at = strrchr(said, ')');
    for (int field = 2; at != NULL; field++, at = strchr(at + 1, ' ')) {
        if (field == 3) {
            glance->state = at[1];
        }
        else if (field == 20) {
            glance->threads = (int)strtol(at + 1, NULL, 10);
        }
        else if (field == 22) {
            glance->ticks = strtoull(at + 1, NULL, 10);
            return;
        }
    }
    glance->state = 0;
}

static int
is_held(int fd)
{
    const short bytes[] = {MMSTATS_LOCK_WRITER, MMSTATS_LOCK_WITNESS};
    for (int i = 0; i < 2; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = bytes[i], .l_len = 1};
        if (fcntl(fd, F_OFD_GETLK, &lock) != 0) {
            return -1;
        }
        if (lock.l_type != F_UNLCK) {
            return 1;
        }
    }
    return 0;
}

/* How many bytes each copy has; 0: it is no file that can be read so. */
static size_t
look_at_file(const char *path, char *copies[3], int count, size_t want, const char *proc,
             struct glance *glance)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    size_t length = 0;
    if (fstat(fd, &glance->found) == 0 && S_ISREG(glance->found.st_mode)
        && glance->found.st_size >= LEAST_FILE && glance->found.st_size <= LARGE_FILE) {
        length = (size_t)glance->found.st_size < want ? (size_t)glance->found.st_size : want;
    }
    for (int i = 0; i < count && length > 0; i++) {
        if (pread(fd, copies[i], length, 0) != (ssize_t)length) {
            length = 0;
        }
    }
    glance->is_held = length > 0 ? is_held(fd) : -1;
    close(fd);
    if (glance->is_held > 0) {
        uint32_t pid;
        memcpy(&pid, copies[0] + offsetof(struct mmstats_header, pid), sizeof pid);
        look_at_writer(glance, proc, pid);
    }
    return glance->is_held >= 0 ? length : 0;
}

PyDoc_STRVAR(glance_doc, "glance(path, want, copies, proc)\n--\n\n"
                         "A file, once or three times, and who holds its locks; None: not to be had so.");

static PyObject *
native_glance(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *path = NULL, *copies[3] = {NULL, NULL, NULL}, *result = NULL;
    Py_ssize_t want;
    int count;
    const char *proc;
    if (!PyArg_ParseTuple(args, "O&nis:glance", PyUnicode_FSConverter, &path, &want, &count, &proc)) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) { /* a NUL in the path */
            PyErr_Clear();
            Py_RETURN_NONE;
        }
        return NULL;
    }
    struct glance glance = {.state = 0};
    char *buffers[3] = {NULL, NULL, NULL};
    count = count > 1 ? 3 : 1;
    want = want < LEAST_FILE ? LEAST_FILE : want > LARGE_FILE ? LARGE_FILE : want;
    for (int i = 0; i < count; i++) {
        copies[i] = PyBytes_FromStringAndSize(NULL, want);
        if (copies[i] == NULL) {
            goto end;
        }
        buffers[i] = PyBytes_AS_STRING(copies[i]);
    }
    size_t length;
    Py_BEGIN_ALLOW_THREADS length =
        look_at_file(PyBytes_AS_STRING(path), buffers, count, (size_t)want, proc, &glance);
    Py_END_ALLOW_THREADS if (length == 0)
    {
        result = Py_NewRef(Py_None);
        goto end;
    }
    for (int i = 0; i < count; i++) {
        if ((Py_ssize_t)length < want && _PyBytes_Resize(&copies[i], (Py_ssize_t)length) < 0) {
            goto end;
        }
    }
    const char state[2] = {glance.state, 0};
    result = Py_BuildValue("(KKkLOsiKOOO)", (unsigned long long)glance.found.st_dev,
                           (unsigned long long)glance.found.st_ino, (unsigned long)glance.found.st_uid,
                           (long long)glance.found.st_size, glance.is_held ? Py_True : Py_False, state,
                           glance.threads, glance.ticks, copies[0], copies[count > 1 ? 1 : 0],
                           copies[count > 1 ? 2 : 0]);
end:
    Py_XDECREF(path);
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(copies[i]);
    }
    return result;
}

#endif
