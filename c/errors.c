/* What was wrong with the last call of this thread. */
#define _GNU_SOURCE
#include "writer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char error[SENTENCE];

const char *
mmstats_error(void)
{
    return error;
}

void *
wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, sizeof error, format, arguments);
    va_end(arguments);
    errno = EINVAL;
    return NULL;
}

void *
no_memory(void)
{
    snprintf(error, sizeof error, "no memory");
    errno = ENOMEM;
    return NULL;
}
