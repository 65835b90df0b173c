/* Files of one directory, by one thread or by two, to what they add to. Nothing of Python's is touched here
 * without its lock, and that is taken for what only Python can tell. */
#ifndef MMSTATS_NATIVE_SWEEP_H
#define MMSTATS_NATIVE_SWEEP_H

#include <pthread.h>
#include <sched.h>

#include "_native_look.h"
#include "_native_tally.h"

#define FIRST_WANT (16 << 10) /* bytes of a file, until one was met that has more */
#define KEPT_ROOM (256 << 10) /* of a copy; more is given back */
#define PAGE 4096
#define WORTH_A_THREAD 64 /* files */
#define WHO offsetof(struct mmstats_header, hostname)
#define WHO_SIZE (offsetof(struct mmstats_header, dropped) - WHO)
#define NEAR_SIZE 32

enum verdict { LONG_WAY, LIVES = 'A', LEFT = 'G' };

/* A program that files may be of. `other`: what the second thread adds to; NULL: there is none. */
struct candidate {
    PyObject *program, *lawful;
    Tally *tally, *other;
};

/* Those whose files have the same texts, and a writer in the same state. */
struct kind {
    const char *who;
    enum verdict verdict;
    size_t first, count; /* of the candidates */
};

/* A file by its name, which somebody holds. */
struct target {
    const char *text;
    PyObject *name, *encoded;
    uint64_t ino;
    bool is_added, is_done, is_again; /* done: there is no more to say; again: it was named before */
};

/* What one call is about. `near`: boot and namespaces that are ours; `is_left`: whether a file on the device
 * of the directory, none of whose locks is held, was left by its writer; `owners`: whose files count, NULL
 * for anybody's. */
struct round {
    PyObject *prefix, *took;
    const char *proc, *near;
    uid_t *owners;
    size_t owners_count;
    int directory;
    dev_t device;
    bool is_left;
    struct kind *kinds;
    struct candidate *candidates;
    struct target *targets;
    size_t kinds_count, candidates_count, targets_count;
};

/* One thread of it. `want`: bytes that are read of each file; `end`: how far they were needed; `kind`: of the
 * file before; `python`: the state of a thread that may take Python's lock. */
struct worker {
    struct round *round;
    struct writers writers;
    char *copies[3];
    size_t want, end, room, kind, from, to;
    PyThreadState *python;
    bool failed;
};

static bool
is_header(const char *data)
{
    static const uint8_t magic[] = MMSTATS_MAGIC, nothing[sizeof header_of(data)->dropped];
    const struct mmstats_header *header = header_of(data);
    return memcmp(header->magic, magic, sizeof magic) == 0 && header->major == MMSTATS_MAJOR
           && header->incompat_flags == 0
           && (header->state == MMSTATS_STATE_LIVE || header->state == MMSTATS_STATE_CLOSED)
           && memcmp(header->dropped, nothing, sizeof nothing) == 0;
}

static bool
is_near(const struct round *round, const struct mmstats_header *header)
{
    return round->near != NULL && header->pid > 0 && header->pid < UINT32_C(1) << 31
           && memcmp(round->near, header->boot_id, 16) == 0
           && memcmp(round->near + 16, &header->pid_ns, 8) == 0
           && memcmp(round->near + 24, &header->time_ns, 8) == 0;
}

/* Whether an open file is the one that was listed, one of ours, and of somebody whose files count. */
static bool
is_wanted(const struct round *round, const char *data, const struct stat *found, uint64_t listed)
{
    uint64_t written = header_of(data)->ino;
    if (found->st_ino != listed || found->st_dev != round->device || !is_header(data)
        || (written != 0 && written != listed)) {
        return false;
    }
    for (size_t i = 0; i < round->owners_count; i++) {
        if (round->owners[i] == found->st_uid) {
            return true;
        }
    }
    return round->owners == NULL;
}

static enum verdict
verdict_of(struct worker *worker, const char *data, int fd)
{
    const struct mmstats_header *header = header_of(data);
    const struct round *round = worker->round;
    if (header->state == MMSTATS_STATE_CLOSED) {
        return LEFT;
    }
    int held = is_held(fd);
    if (held > 0) {
        bool dead = is_near(round, header)
                    && is_dead(&worker->writers, round->proc, header->pid, header->start_ticks);
        return dead ? LONG_WAY : LIVES;
    }
    bool may_live = held < 0 || header->writer_flags & MMSTATS_WRITER_FLAG_POSIX_LOCK || !round->is_left;
    return may_live ? LONG_WAY : LEFT;
}

/* The kind that a file is of; NULL: none that was met. */
static const struct kind *
kind_of(struct worker *worker, const char *data, enum verdict verdict)
{
    const struct round *round = worker->round;
    for (size_t i = 0; verdict != LONG_WAY && i < round->kinds_count; i++) {
        size_t at = (worker->kind + i) % round->kinds_count;
        const struct kind *kind = &round->kinds[at];
        if (kind->verdict == verdict && memcmp(kind->who, data + WHO, WHO_SIZE) == 0) {
            worker->kind = at;
            return kind;
        }
    }
    return NULL;
}

/* The second and the third copy, of what is not in the pattern. */
static enum answer
copy_again(struct worker *worker, Tally *tally, int fd, uint64_t *layout_gen)
{
    struct walked *file = &tally->file;
    if (tally->is_whole) {
        *layout_gen = header_of(file->first)->layout_gen;
        return ANSWER_READ;
    }
    size_t size = file->high > file->low ? file->high - file->low : 0;
    for (int i = 1; i < 3; i++) {
        if (pread(fd, worker->copies[i] + file->low, size, (off_t)file->low) != (ssize_t)size) {
            return ANSWER_BUSY;
        }
    }
    file->middle = worker->copies[1];
    file->last = worker->copies[2];
    const off_t at = offsetof(struct mmstats_header, layout_gen);
    bool is_read = pread(fd, layout_gen, sizeof *layout_gen, at) == sizeof *layout_gen;
    return is_read ? ANSWER_READ : ANSWER_BUSY;
}

/* Like `read_walked`, with Python's lock: members nobody met, and what is looked at there. */
static enum answer
ask(struct worker *worker, const struct candidate *candidate, uint64_t layout_gen, PyObject *name)
{
    PyEval_RestoreThread(worker->python);
    Tally *tally = candidate->tally;
    const struct round *round = worker->round;
    PyObject *handed = PyList_New(0);
    enum answer answer =
        handed == NULL ? ANSWER_NO_MEMORY : read_walked(tally, layout_gen, handed, candidate->lawful);
    if (answer == ANSWER_READ && (PyList_GET_SIZE(handed) > 0 || tally->is_told)) {
        PyObject *said =
            PyObject_CallFunction(round->took, "OOy#OO", candidate->program, handed, tally->file.first,
                                  (Py_ssize_t)sizeof(struct mmstats_header), round->prefix, name);
        int is_taken = said == NULL ? -1 : PyObject_IsTrue(said);
        Py_XDECREF(said);
        answer = is_taken < 0 ? ANSWER_NO_MEMORY : is_taken ? ANSWER_READ : ANSWER_BUSY;
    }
    if (answer == ANSWER_NO_MEMORY && !PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    Py_XDECREF(handed);
    worker->python = PyEval_SaveThread();
    return answer;
}

/* Add a file to a program. The answer says ANSWER_READ where that was done. */
static enum answer
add_to_program(struct worker *worker, const struct candidate *candidate, const struct look *look,
               PyObject *name)
{
    Tally *tally = worker->python != NULL ? candidate->tally : candidate->other;
    const char *data = worker->copies[0];
    uint64_t layout_gen;
    tally->file.first = tally->file.middle = tally->file.last = data;
    tally->file.length = look->length;
    enum answer answer = walk(&tally->file, tally->spans, tally->spans_count, (size_t)look->found.st_size);
    answer = answer == ANSWER_READ ? copy_again(worker, tally, look->fd, &layout_gen) : answer;
    if (answer != ANSWER_READ) {
        return answer;
    }
    answer = tally->is_told ? ANSWER_ASK : read_walked(tally, layout_gen, NULL, NULL);
    if (answer == ANSWER_ASK && worker->python != NULL) {
        answer = ask(worker, candidate, layout_gen, name);
    }
    if (answer == ANSWER_READ && !(add_read(tally) && note_file(tally, data, name))) {
        answer = ANSWER_NO_MEMORY;
    }
    tally->is_read = false;
    worker->end = tally->file.end > worker->end ? tally->file.end : worker->end;
    return answer;
}

/* Likewise, to whatever it belongs to. */
static enum answer
add_file(struct worker *worker, const struct look *look, const struct target *target)
{
    const char *data = worker->copies[0];
    if (!is_wanted(worker->round, data, &look->found, target->ino)) {
        return ANSWER_OTHER;
    }
    const struct kind *kind = kind_of(worker, data, verdict_of(worker, data, look->fd));
    enum answer answer = ANSWER_OTHER;
    for (size_t i = 0; kind != NULL && i < kind->count && answer == ANSWER_OTHER; i++) {
        const struct candidate *candidate = &worker->round->candidates[kind->first + i];
        answer = add_to_program(worker, candidate, look, target->name);
    }
    return answer;
}

/* false: there is no memory. */
static bool
make_room(struct worker *worker)
{
    if (worker->room >= worker->want) {
        return true;
    }
    for (int i = 0; i < 3; i++) {
        char *copy = PyMem_RawRealloc(worker->copies[i], worker->want);
        if (copy == NULL) {
            worker->room = 0;
            return false;
        }
        worker->copies[i] = copy;
    }
    worker->room = worker->want;
    return true;
}

static enum answer
sweep_one(struct worker *worker, const struct target *target)
{
    enum answer answer = ANSWER_SHORT;
    while (answer == ANSWER_SHORT) {
        struct look look;
        if (!make_room(worker)) {
            return ANSWER_NO_MEMORY;
        }
        open_file(worker->round->directory, target->text, worker->copies[0], worker->want, &look);
        if (look.length == 0) {
            return ANSWER_OTHER;
        }
        answer = add_file(worker, &look, target);
        close(look.fd);
        if (answer == ANSWER_SHORT) {
            if (look.length == (size_t)look.found.st_size) {
                return ANSWER_BUSY;
            }
            worker->want = (size_t)look.found.st_size;
        }
    }
    return answer;
}

/* What one thread does: those of its part that were not added yet. */
static void *
sweep(void *given)
{
    struct worker *worker = given;
    for (size_t i = worker->from; i < worker->to && !worker->failed; i++) {
        struct target *target = &worker->round->targets[i];
        if (target->text == NULL || target->is_added || target->is_done) {
            continue;
        }
        enum answer answer = sweep_one(worker, target);
        target->is_added = answer == ANSWER_READ;
        target->is_done = answer != ANSWER_ASK;
        worker->failed = answer == ANSWER_NO_MEMORY;
    }
    return NULL;
}

static void
give_back(struct worker *worker, size_t kept)
{
    for (int i = 0; i < 3 && worker->room > kept; i++) {
        PyMem_RawFree(worker->copies[i]);
        worker->copies[i] = NULL;
    }
    worker->room = worker->room > kept ? 0 : worker->room;
}

/* Whether a second thread would have a processor to itself. */
static bool
is_worth_a_thread(const struct round *round)
{
    cpu_set_t processors;
    if (round->targets_count < WORTH_A_THREAD || sched_getaffinity(0, sizeof processors, &processors) != 0
        || CPU_COUNT(&processors) < 2) {
        return false;
    }
    for (size_t i = 0; i < round->candidates_count; i++) {
        if (round->candidates[i].tally->asks) {
            return false; /* it would have to wait for Python's lock */
        }
    }
    return true;
}

static void
sweep_part(struct worker *worker, size_t from, size_t to)
{
    worker->from = from;
    worker->to = to;
    sweep(worker);
}

/* The others know whom the first ones have met by now. -1: with an exception set. */
static int
introduce(const struct round *round)
{
    for (size_t i = 0; i < round->candidates_count; i++) {
        struct candidate *candidate = &round->candidates[i];
        if ((candidate->other = other_of(candidate->tally)) == NULL) {
            return -1;
        }
    }
    return 0;
}

/* The second half by a second thread; signals are for others. Then what that had to leave. */
static void
sweep_in_two(struct worker *main, struct worker *second, size_t count)
{
    pthread_t thread;
    sigset_t all, before;
    second->from = count / 2;
    second->to = count;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_there = pthread_create(&thread, NULL, sweep, second) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sweep_part(main, 0, count / 2);
    if (is_there) {
        pthread_join(thread, NULL);
    }
    sweep_part(main, count / 2, count);
}

/* All files. */
static void
sweep_all(struct worker *workers, struct round *round)
{
    struct worker *main = &workers[0], *second = &workers[1];
    size_t count = round->targets_count;
    for (int i = 0; i < 2; i++) {
        workers[i].round = round;
        workers[i].kind = workers[i].end = 0;
        workers[i].failed = false;
    }
    bool in_two = is_worth_a_thread(round);
    main->python = PyEval_SaveThread();
    if (in_two) {
        sweep_part(main, 0, 1); /* of whom there is so much to learn that the others are no news */
        PyEval_RestoreThread(main->python);
        main->failed = second->failed = main->failed || introduce(round) < 0;
        main->python = PyEval_SaveThread();
        sweep_in_two(main, second, count);
    }
    else {
        sweep_part(main, 0, count);
    }
    for (int i = 0; i < 2; i++) {
        /* Not more than was needed; a file that has more is looked at twice. */
        size_t pages = (workers[i].end + PAGE - 1) / PAGE;
        workers[i].want = pages > 0 ? pages * PAGE : workers[i].want;
    }
    PyEval_RestoreThread(main->python);
}

#endif
