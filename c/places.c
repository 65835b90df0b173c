/* The list that readers walk, too: what is named, else /dev/shm/mmstats-UID, $XDG_RUNTIME_DIR/mmstats, and
 * mmstats-UID in the temporary directory. A place is a directory, no link, ours, and nobody else's to write
 * to. A named one may be shared (root's, or others' to write to): then files go into mmstats-UID in it. */
#define _GNU_SOURCE
#include "places.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "machine.h"

#define MEMORY "/dev/shm"

/* --- templates -------------------------------------------------------------------------------------- */

static bool
word_value(const char *word, size_t length, const char *id, char *value, size_t room)
{
    struct {
        const char *name;
        long number;
    } numbers[] = {{"PID", getpid()}, {"TID", syscall(SYS_gettid)}, {"UID", (long)geteuid()}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strlen(numbers[i].name) == length && memcmp(word, numbers[i].name, length) == 0) {
            snprintf(value, room, "%ld", numbers[i].number);
            return true;
        }
    }
    if (length == 2 && memcmp(word, "ID", 2) == 0) {
        snprintf(value, room, "%s", id);
        return true;
    }
    if (length == 3 && memcmp(word, "CMD", 3) == 0) {
        machine_command(value, room);
        return true;
    }
    return false;
}

bool
places_expand(const char *template, const char *id, char *out, size_t room, char *why, size_t why_room)
{
    size_t used = 0;
    for (const char *at = template; *at != '\0';) {
        char value[NAME_ROOM] = {*at, '\0'};
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (*at == '{'
            && (end == NULL || !word_value(at + 1, (size_t)(end - at) - 1, id, value, sizeof value))) {
            snprintf(why, why_room, "template '%s': there are {CMD} {PID} {TID} {ID} {UID}", template);
            return false;
        }
        at = end != NULL ? end + 1 : at + 1;
        size_t length = strlen(value);
        if (used + length + 1 > room) {
            snprintf(why, why_room, "'%.100s...' is longer than %zu bytes", template, room - 1);
            return false;
        }
        memcpy(out + used, value, length);
        used += length;
    }
    out[used] = '\0';
    return true;
}

/* --- directories ------------------------------------------------------------------------------------ */

static mode_t
mode_of_directory(mode_t mode)
{
    mode_t readable = mode & 044;
    return 0700 | readable | readable >> 2;
}

/* Whoever reads the files may enter; whatever the umask is, it is ours to enter and write. */
static bool
make(const char *directory, mode_t mode)
{
    if (mkdir(directory, 0700) == 0) {
        return chmod(directory, mode) == 0;
    }
    return errno == EEXIST;
}

static bool
make_above(char *directory)
{
    for (char *at = directory + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        bool made = mkdir(directory, 0755) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES;
        *at = '/';
        if (!made) {
            return false;
        }
    }
    return true;
}

/* What is wrong with a place; NULL: nothing. */
static const char *
against(const char *directory)
{
    struct stat found;
    if (lstat(directory, &found) != 0) {
        return strerror(errno);
    }
    if (!S_ISDIR(found.st_mode)) {
        return S_ISLNK(found.st_mode) ? "is a link, expected a directory" : "is no directory";
    }
    if (found.st_uid != geteuid()) {
        return "is owned by somebody else";
    }
    return found.st_mode & 022 ? "is writable by others" : NULL;
}

static bool
is_shared(const char *directory)
{
    struct stat found;
    return lstat(directory, &found) == 0 && S_ISDIR(found.st_mode)
           && (found.st_uid == 0 || found.st_mode & 022);
}

static bool
has_safe_owner(const char *directory)
{
    struct stat found;
    return stat(directory, &found) == 0 && (found.st_uid == 0 || found.st_uid == geteuid());
}

static bool
is_in_memory(const char *directory)
{
    struct statfs found;
    return statfs(directory, &found) == 0
           && (found.f_type == TMPFS_MAGIC || (unsigned long)found.f_type == 0x858458f6ul /* ramfs */);
}

static bool
join(char *out, size_t room, const char *parent, const char *name)
{
    return snprintf(out, room, "%s/%s", parent, name) < (int)room;
}

static bool
named(const char *path, mode_t mode, char *out, size_t room, char *why, size_t why_room)
{
    char own[32], parent[PATH_ROOM];
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') { /* a slash at the end would hide a link */
        length--;
    }
    if (length >= room || length >= sizeof parent) {
        snprintf(why, why_room, "a path of %zu bytes", length);
        return false;
    }
    memcpy(out, path, length);
    out[length] = '\0';
    const char *wrong = make_above(out) && make(out, mode) ? against(out) : strerror(errno);
    if (wrong != NULL && is_shared(out)) {
        memcpy(parent, out, length + 1);
        snprintf(own, sizeof own, "mmstats-%u", (unsigned)geteuid());
        if (join(out, room, parent, own)) {
            wrong = make(out, mode) ? against(out) : strerror(errno);
        }
    }
    if (wrong != NULL) {
        snprintf(why, why_room, "%s: %s", out, wrong);
    }
    return wrong == NULL;
}

static const char *
temporary(void)
{
    const char *variables[] = {"TMPDIR", "TEMP", "TMP"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *path = getenv(variables[i]);
        struct stat found;
        if (path != NULL && *path == '/' && stat(path, &found) == 0 && S_ISDIR(found.st_mode)) {
            return path;
        }
    }
    return "/tmp";
}

bool
places_directory(const char *path, mode_t mode, char *out, size_t room, char *why, size_t why_room)
{
    if (path != NULL) {
        return named(path, mode_of_directory(mode), out, room, why, why_room);
    }
    char own[32];
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *wrong = "no place is ours";
    snprintf(own, sizeof own, "mmstats-%u", (unsigned)geteuid());
    struct {
        const char *parent, *name;
        bool may;
    } places[] = {
        {MEMORY, own, is_in_memory(MEMORY)},
        {runtime, "mmstats", runtime != NULL && *runtime == '/' && has_safe_owner(runtime)},
        {temporary(), own, has_safe_owner(temporary())},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!places[i].may || !join(out, room, places[i].parent, places[i].name)) {
            continue;
        }
        wrong = make(out, mode_of_directory(mode)) ? against(out) : strerror(errno);
        if (wrong == NULL) {
            return true;
        }
    }
    snprintf(why, why_room, "%s: %s", out, wrong);
    return false;
}
