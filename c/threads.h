/* Where the calling thread's cells are: the wiped page and the threads' tables. Knows no Python.
 *
 * The page. One word says whether attached memory counts: the number of this process while the token
 * stands, else zero. Another says whether this process ever renewed the token. The kernel wipes the page in
 * every forked child (MADV_WIPEONFORK), however the fork was made: by os.fork, by uWSGI in C, by a raw system
 * call. So a child meets zeros where its parent had a number, a mutex and a list: its token is down, the
 * mutex is unlocked (all zero is), and no thread is known. Numbers are never used twice in a line of descent,
 * so what a child inherited in its thread's table can never match again.
 *
 * The tables. Each thread has a table of slots, found through one thread-local variable, and indexed
 * by the gid of a segment. Only its thread adds to it or moves it. Two others reach in: the close of a
 * segment, in any thread, clears that segment's slot everywhere; and the end of the thread. The end
 * may come from pthread, after the thread's Python state is gone, so without the GIL: that is what the
 * mutex is for. Nothing is called while it is held.
 *
 * Nodes are allocated, not thread-local: in a forked child the C library gives the stacks of the
 * parent's threads, and what was thread-local in them, to new threads. The nodes of those threads are
 * lost there, some hundred bytes each: nobody can know whether the list was whole when the fork came.
 */
#ifndef MMSTATS_THREADS_H
#define MMSTATS_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "barrier.h"

#define GID_NONE UINT32_MAX

/* What a former owner left in a cell, as both kinds of number: only the cell's user knows which. */
struct base {
    uint64_t whole;
    double real;
};

struct slot {
    uint64_t *cells;
    const struct base *base; /* NULL: every base is zero */
    uint64_t *ended;         /* set to 1 when the slot no longer leads to the cells */
    uint32_t count;          /* of cells; 0: nothing is attached */
    uint32_t release;        /* the first cell becomes 0 when the thread ends, if it still is `owner` */
    uint64_t owner;
};

struct node {
    struct node *next, **link;
    struct slot *slots;
    uint32_t count;
    uint64_t process; /* the number of the process that this node is linked in */
};

struct page {
    uint64_t generation; /* the process's number while the token stands, else 0 */
    uint64_t process;    /* its number, 0 until the first need */
    uint64_t ours;       /* 1 since this process renewed the token, be it lowered meanwhile or not */
    pthread_mutex_t mutex;
    struct node *nodes;
    pthread_mutex_t slow; /* for what a user's threads share besides; taken before the other one */
};

struct table {
    uint64_t generation;
    struct slot *slots;
    uint32_t count;
    struct node *node;
};

#ifdef __GLIBC__
/* A fixed offset from the thread pointer; glibc keeps room for it in libraries loaded later. */
#define FIXED_TLS __attribute__((tls_model("initial-exec")))
#else
#define FIXED_TLS
#endif

/* Ours alone, and so reached without a detour. */
#define OWN __attribute__((visibility("hidden")))

extern _Thread_local struct table here FIXED_TLS OWN;
extern struct page *page OWN;

/* The calling thread's slot, if its memory is attached, has that cell, and the token stands. */
static inline struct slot *
slot_standing(uint32_t gid, uint32_t index)
{
    if (here.generation != load_relaxed(&page->generation) || gid >= here.count) {
        return NULL;
    }
    struct slot *slot = &here.slots[gid];
    return index < slot->count ? slot : NULL;
}

static inline bool
token_stands(void)
{
    return load_relaxed(&page->generation) != 0;
}

static inline bool
token_is_ours(void)
{
    return page->ours != 0;
}

/* The calling thread's slot if it was attached in this process, whether the token stands or not. */
static inline struct slot *
slot_attached(uint32_t gid)
{
    if (here.generation == 0 || here.generation != page->process || gid >= here.count) {
        return NULL;
    }
    struct slot *slot = &here.slots[gid];
    return slot->count != 0 ? slot : NULL;
}

/* Of this process among those of its line of descent. */
uint64_t process_number(void);

void token_renew(void);
void token_lower(void);

/* The calling thread's node, new where it has none. NULL: no memory. */
struct node *node_here(void);

/* What the end of the calling thread does, now; its node is gone. */
void node_end_early(struct node *node);

/* The calling thread's slot for that gid, to be filled. NULL: no memory. */
struct slot *slot_make(uint32_t gid);

/* The end of a thread may come at any moment: it sees the slot empty or whole. */
void slot_fill(struct slot *slot, const struct slot *filled);

/* No table of this process leads to that segment's memory any more. */
void slots_forget(uint32_t gid);

/* Small numbers for segments; a free one is taken and given back under the lock `slow`. False: no memory. */
bool gid_take_locked(uint32_t *gid);
bool gid_take(uint32_t *gid);
void gid_give_locked(uint32_t gid);
void gid_give(uint32_t gid);

/* Once for the process. False: errno says why. */
bool threads_start(void);

#endif
