/* Which directory a file goes into, and what it is called there. */
#ifndef MMSTATS_PLACES_H
#define MMSTATS_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PATH_ROOM = 4096, NAME_ROOM = 256 };

/* Puts words in: CMD PID TID ID UID. False: no such word, or too long; `why` says it. */
bool places_expand(const char *template, const char *id, char *out, size_t room, char *why, size_t why_room);

/* The directory, made where it is missing. `path`: what was named; NULL: the list. False: `why` says it. */
bool places_directory(const char *path, mode_t mode, char *out, size_t room, char *why, size_t why_room);

#endif
