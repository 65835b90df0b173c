/* What this machine and this process are, as a file's header tells it (FORMAT.md 3). */
#ifndef MMSTATS_MACHINE_H
#define MMSTATS_MACHINE_H

#include "mmstats_layout.h"

/* Everything but what is the file's own: uuid, ino, state, flags, group, dropped. */
void machine_describe(struct mmstats_header *header);

/* The base name of argv[0]; `?` where /proc does not tell it. */
void machine_command(char *name, size_t room);

/* Random bytes, new for every file. */
void machine_random(void *bytes, size_t count);

/* The length of the longest beginning of some UTF-8 that fits, cut at a code point. */
size_t machine_cut(const char *text, size_t room);

#endif
