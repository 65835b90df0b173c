/* The steps of a pattern with what they come to, and the members that were met of each family. */
#ifndef MMSTATS_NATIVE_MEMBERS_H
#define MMSTATS_NATIVE_MEMBERS_H

#include "_native_totals.h"

#define MOST_SHAPES 2 /* of a member: what is added up, and what is told */

struct entry {
    PyObject *key; /* ttl and tags */
    union total totals[MOST_SHAPES];
    uint64_t seen; /* in which file it was met last */
    bool is_added;
};

struct step {
    struct shape shapes[MOST_SHAPES];
    uint32_t shapes_count;
    struct where where;
    union total total;
    uint32_t span, offset; /* of what is stated */
    uint32_t metric;       /* of a family */
    bool is_family;
    struct entry *entries;
    size_t entries_count, entries_room, places_room;
    uint32_t *places; /* by what their keys come to: the number of the entry, and one; 0: free */
    uint64_t seed;    /* that nobody knows who could choose keys */
};

static uint64_t
mixed(uint64_t hash, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (uint8_t)data[i]) * UINT64_C(0x100000001B3); /* FNV-1a */
    }
    return hash;
}

/* What a key comes to; it stands in two pieces in a file. */
static uint64_t
hash_of(const struct step *family, const char *ttl, const char *tags, size_t size)
{
    uint64_t hash = mixed(mixed(family->seed, ttl, 8), tags, size);
    return hash ^ hash >> 32;
}

static bool
is_entry(const struct step *family, size_t number, const struct member *member)
{
    if (number >= family->entries_count) {
        return false;
    }
    PyObject *key = family->entries[number].key;
    const char *its = PyBytes_AS_STRING(key);
    return PyBytes_GET_SIZE(key) == 8 + (Py_ssize_t)member->size && memcmp(its, member->ttl, 8) == 0
           && memcmp(its + 8, member->tags, member->size) == 0;
}

/* The number of a member's entry; -1: it has none. */
static Py_ssize_t
known_entry(const struct step *family, const struct member *member)
{
    if (family->places_room == 0) {
        return -1;
    }
    uint64_t at = hash_of(family, member->ttl, member->tags, member->size);
    for (;; at++) {
        uint32_t place = family->places[at & (family->places_room - 1)];
        if (place == 0 || is_entry(family, place - 1, member)) {
            return (Py_ssize_t)place - 1;
        }
    }
}

static void
put_place(struct step *family, size_t number)
{
    PyObject *key = family->entries[number].key;
    const char *its = PyBytes_AS_STRING(key);
    uint64_t at = hash_of(family, its, its + 8, (size_t)PyBytes_GET_SIZE(key) - 8);
    while (family->places[at & (family->places_room - 1)] != 0) {
        at++;
    }
    family->places[at & (family->places_room - 1)] = (uint32_t)number + 1;
}

/* One more; -1 where there is no memory. */
static Py_ssize_t
add_entry(struct step *family, PyObject *key)
{
    size_t count = family->entries_count;
    if (2 * (count + 1) > family->places_room) {
        size_t room = family->places_room ? 2 * family->places_room : 16;
        uint32_t *places = PyMem_RawCalloc(room, sizeof *places);
        if (places == NULL) {
            return -1;
        }
        PyMem_RawFree(family->places);
        family->places = places;
        family->places_room = room;
        for (size_t i = 0; i < count; i++) {
            put_place(family, i);
        }
    }
    struct entry *entries = room_for_one(family->entries, count, &family->entries_room, sizeof *entries);
    if (entries == NULL) {
        return -1;
    }
    family->entries = entries;
    struct entry *entry = &entries[count];
    memset(entry, 0, sizeof *entry);
    for (uint32_t i = 0; i < family->shapes_count; i++) {
        if (new_total(&family->shapes[i], &entry->totals[i]) < 0) {
            for (uint32_t j = 0; j <= i; j++) {
                free_total(&family->shapes[j], &entry->totals[j]);
            }
            return -1;
        }
    }
    entry->key = Py_NewRef(key);
    family->entries_count++;
    put_place(family, count);
    return (Py_ssize_t)count;
}

/* false: there is no memory. Members are of the same numbers in both, as far as the other has any. */
static bool
merge_step(struct step *step, const struct step *other)
{
    bool is_merged = true;
    if (!step->is_family) {
        return step->shapes_count == 0 || merge_total(&step->shapes[0], &step->total, &other->total);
    }
    for (size_t i = 0; is_merged && i < other->entries_count; i++) {
        struct entry *entry = &step->entries[i];
        entry->is_added = entry->is_added || other->entries[i].is_added;
        for (uint32_t j = 0; is_merged && j < step->shapes_count; j++) {
            is_merged = merge_total(&step->shapes[j], &entry->totals[j], &other->entries[i].totals[j]);
        }
    }
    return is_merged;
}

#endif
