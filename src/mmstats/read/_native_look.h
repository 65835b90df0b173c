/* A file that somebody writes: opened, its beginning copied, its locks looked at. */
#ifndef MMSTATS_NATIVE_LOOK_H
#define MMSTATS_NATIVE_LOOK_H

#include "_native_writers.h"
#include "mmstats_layout.h"

#define LARGE_FILE (16 << 20)
#define LEAST_FILE ((Py_ssize_t)sizeof(struct mmstats_header))
/* What was found. `fd`: open where `length` is not 0. */
struct look {
    struct stat found;
    size_t length;
    int fd;
};

static const struct mmstats_header *
header_of(const char *data)
{
    return (const struct mmstats_header *)data;
}

/* 1: one of the locks of the writer is held; -1: there is no saying. */
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

/* Open a file and copy at most `want` of its bytes. `length` stays 0 where it is none that can be read so. */
static void
open_file(int directory, const char *name, char *copy, size_t want, struct look *look)
{
    look->length = 0;
    look->fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (look->fd < 0) {
        return;
    }
    if (fstat(look->fd, &look->found) == 0 && S_ISREG(look->found.st_mode)
        && look->found.st_size >= LEAST_FILE && look->found.st_size <= LARGE_FILE) {
        size_t size = (size_t)look->found.st_size, length = size < want ? size : want;
        if (pread(look->fd, copy, length, 0) == (ssize_t)length) {
            look->length = length;
            return;
        }
    }
    close(look->fd);
}

#endif
