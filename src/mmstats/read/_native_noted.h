/* Whose files were added, and a second Tally beside one, for a second thread. */
#ifndef MMSTATS_NATIVE_NOTED_H
#define MMSTATS_NATIVE_NOTED_H

#include "_native_reading.h"

static bool
is_younger(const struct mmstats_header *one, const struct mmstats_header *other)
{
    if (one->created != other->created) {
        return one->created > other->created;
    }
    return memcmp(one->uuid, other->uuid, sizeof one->uuid) > 0;
}

/* false: there is no memory. `name`: that of the file, borrowed until `keep_youngest`. */
static bool
note_file(Tally *self, const char *data, PyObject *name)
{
    const struct mmstats_header *header = (const struct mmstats_header *)data;
    const struct mmstats_header *youngest = (const struct mmstats_header *)self->youngest;
    struct noted *noted = room_for_one(self->noted, self->count, &self->noted_room, sizeof *noted);
    if (noted == NULL) {
        return false;
    }
    self->noted = noted;
    noted = &noted[self->count];
    *noted = (struct noted){.pid = header->pid, .started = header->started};
    memcpy(noted->uuid, header->uuid, sizeof noted->uuid);
    if (self->count == 0 || is_younger(header, youngest)) {
        memcpy(self->youngest, data, sizeof self->youngest);
        self->borrowed = name;
    }
    self->count++;
    return true;
}

/* The youngest one's name becomes ours, if it is one of the files that were noted since the last time. */
static void
keep_youngest(Tally *self, PyObject *prefix)
{
    if (self->borrowed != NULL) {
        Py_XSETREF(self->prefix, Py_NewRef(prefix));
        Py_XSETREF(self->name, Py_NewRef(self->borrowed));
        self->borrowed = NULL;
    }
}

static void
clear(Tally *self)
{
    let_go(self);
    self->count = 0;
    for (size_t i = 0; i < self->steps_count; i++) {
        clear_step(&self->steps[i]);
    }
}

/* The other one, with the same members and nothing added; NULL: with an exception set. */
static Tally *
other_of(Tally *self)
{
    if (self->other == NULL) {
        PyObject *args = PyTuple_Pack(2, self->raw, self->made_of);
        self->other = args == NULL ? NULL : (Tally *)tally_new(Py_TYPE(self), args, NULL);
        Py_XDECREF(args);
        if (self->other == NULL) {
            return NULL;
        }
        self->other->is_whole = self->is_whole;
    }
    for (size_t i = 0; i < self->steps_count; i++) {
        const struct step *step = &self->steps[i];
        struct step *its = &self->other->steps[i];
        for (size_t j = its->entries_count; j < step->entries_count; j++) {
            if (add_entry(its, step->entries[j].key) < 0) {
                PyErr_NoMemory();
                return NULL;
            }
        }
    }
    return self->other;
}

/* Put what the other one added to what there is. false: there is no memory. */
static bool
merge_other(Tally *self)
{
    Tally *other = self->other;
    bool is_merged = true;
    for (size_t i = 0; is_merged && i < other->count; i++) {
        struct noted *noted = room_for_one(self->noted, self->count + i, &self->noted_room, sizeof *noted);
        is_merged = noted != NULL;
        self->noted = is_merged ? noted : self->noted;
        if (is_merged) {
            noted[self->count + i] = other->noted[i];
        }
    }
    for (size_t i = 0; is_merged && i < self->steps_count; i++) {
        is_merged = merge_step(&self->steps[i], &other->steps[i]);
    }
    if (is_merged && other->count > 0) {
        const struct mmstats_header *its = (const struct mmstats_header *)other->youngest;
        if (self->count == 0 || is_younger(its, (const struct mmstats_header *)self->youngest)) {
            memcpy(self->youngest, other->youngest, sizeof self->youngest);
            self->borrowed = other->borrowed;
        }
        self->count += other->count;
    }
    other->borrowed = NULL;
    clear(other);
    return is_merged;
}

#endif
