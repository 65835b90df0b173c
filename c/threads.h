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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static struct page *page;
static uint64_t numbers; /* how many process numbers were given, here and in our ancestors */
static pthread_key_t thread_end;

#ifdef __GLIBC__
/* A fixed offset from the thread pointer; glibc keeps room for it in libraries loaded later. */
#define FIXED_TLS __attribute__((tls_model("initial-exec")))
#else
#define FIXED_TLS
#endif
static _Thread_local struct table here FIXED_TLS;

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

static bool
token_stands(void)
{
    return load_relaxed(&page->generation) != 0;
}

static bool
token_is_ours(void)
{
    return page->ours != 0;
}

/* With the mutex held. */
static uint64_t
process_number_locked(void)
{
    if (page->process == 0) {
        page->process = ++numbers;
    }
    return page->process;
}

static uint64_t
process_number(void)
{
    pthread_mutex_lock(&page->mutex);
    uint64_t number = process_number_locked();
    pthread_mutex_unlock(&page->mutex);
    return number;
}

static void
token_renew(void)
{
    page->ours = 1;
    store_relaxed(&page->generation, process_number());
}

static void
token_lower(void)
{
    store_relaxed(&page->generation, 0);
}

/* The calling thread's slot if it was attached in this process, whether the token stands or not. */
static struct slot *
slot_attached(uint32_t gid)
{
    if (here.generation == 0 || here.generation != page->process || gid >= here.count) {
        return NULL;
    }
    struct slot *slot = &here.slots[gid];
    return slot->count != 0 ? slot : NULL;
}

static void
slot_clear(struct slot *slot)
{
    if (slot->ended != NULL) {
        store_relaxed(slot->ended, 1);
    }
    memset(slot, 0, sizeof *slot);
}

static void
node_link(struct node *node)
{
    node->process = process_number_locked();
    node->next = page->nodes;
    node->link = &page->nodes;
    if (node->next != NULL) {
        node->next->link = &node->next;
    }
    page->nodes = node;
}

static void
node_unlink(struct node *node)
{
    *node->link = node->next;
    if (node->next != NULL) {
        node->next->link = node->link;
    }
}

/* Runs in the ending thread, perhaps without the GIL. What a forked child inherited is not stored to. */
static void
node_end(void *value)
{
    struct node *node = value;
    pthread_mutex_lock(&page->mutex);
    if (node->process == page->process) {
        node_unlink(node);
        for (uint32_t gid = 0; gid < node->count; gid++) {
            struct slot *slot = &node->slots[gid];
            if (slot->release && slot->count != 0 && load_relaxed(slot->cells) == slot->owner) {
                store_release(slot->cells, 0);
            }
            slot_clear(slot);
        }
    }
    pthread_mutex_unlock(&page->mutex);
    memset(&here, 0, sizeof here);
    free(node->slots);
    free(node);
}

/* The calling thread's node, new where it has none. NULL: no memory. */
static struct node *
node_here(void)
{
    if (here.node != NULL) {
        return here.node;
    }
    struct node *node = calloc(1, sizeof *node);
    if (node != NULL && pthread_setspecific(thread_end, node) != 0) {
        free(node);
        return NULL;
    }
    return here.node = node;
}

/* Makes the node one of this process. Slots from before a fork are dropped unread. */
static void
node_adopt(struct node *node)
{
    if (page->process != 0 && node->process == page->process) {
        return;
    }
    if (node->count != 0) {
        memset(node->slots, 0, node->count * sizeof *node->slots);
    }
    node_link(node);
    here.generation = node->process;
}

static bool
node_grow(struct node *node, uint32_t gid)
{
    if (gid < node->count) {
        return true;
    }
    uint32_t count = (gid | 7) + 1;
    struct slot *slots = realloc(node->slots, count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots + node->count, 0, (count - node->count) * sizeof *slots);
    here.slots = node->slots = slots;
    here.count = node->count = count;
    return true;
}

/* The calling thread's slot for that gid, to be filled. NULL: no memory. */
static struct slot *
slot_make(uint32_t gid)
{
    struct node *node = node_here();
    if (node == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&page->mutex);
    node_adopt(node);
    bool room = node_grow(node, gid);
    pthread_mutex_unlock(&page->mutex);
    return room ? &node->slots[gid] : NULL;
}

/* The end of a thread may come at any moment: it sees the slot empty or whole. */
static void
slot_fill(struct slot *slot, const struct slot *filled)
{
    pthread_mutex_lock(&page->mutex);
    slot_clear(slot);
    *slot = *filled;
    pthread_mutex_unlock(&page->mutex);
}

/* No table of this process leads to that segment's memory any more. */
static void
slots_forget(uint32_t gid)
{
    pthread_mutex_lock(&page->mutex);
    for (struct node *node = page->nodes; node != NULL; node = node->next) {
        if (gid < node->count) {
            slot_clear(&node->slots[gid]);
        }
    }
    pthread_mutex_unlock(&page->mutex);
}

/* Small numbers for segments; a free one is taken and given back under the lock `slow`. */
static struct {
    uint32_t *free;
    uint32_t free_count, made, room;
} gids;

static bool
gid_take_locked(uint32_t *gid)
{
    if (gids.free_count != 0) {
        *gid = gids.free[--gids.free_count];
        return true;
    }
    if (gids.made == gids.room) { /* room for every gid, so that giving back never fails */
        uint32_t room = gids.room ? gids.room * 2 : 64;
        uint32_t *more = realloc(gids.free, room * sizeof *more);
        if (more == NULL) {
            return false;
        }
        gids.free = more;
        gids.room = room;
    }
    *gid = gids.made++;
    return true;
}

static bool
gid_take(uint32_t *gid)
{
    pthread_mutex_lock(&page->slow);
    bool taken = gid_take_locked(gid);
    pthread_mutex_unlock(&page->slow);
    return taken;
}

static void
gid_give_locked(uint32_t gid)
{
    gids.free[gids.free_count++] = gid;
}

static void
gid_give(uint32_t gid)
{
    pthread_mutex_lock(&page->slow);
    gid_give_locked(gid);
    pthread_mutex_unlock(&page->slow);
}

/* Where the kernel cannot wipe, the C library's fork calls this; raw system calls go unnoticed. */
static void
page_wipe(void)
{
    memset(page, 0, sizeof *page);
    page->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    page->slow = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static bool
page_is_wiped_on_fork(void)
{
#if defined(MADV_WIPEONFORK) && !defined(MMSTATS_WITHOUT_WIPEONFORK)
    return madvise(page, sizeof *page, MADV_WIPEONFORK) == 0;
#else
    return false;
#endif
}

static bool
threads_start_locked(void)
{
    static bool started;
    if (started) {
        return true;
    }
    void *memory = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    page = memory;
    page_wipe();
    if (!page_is_wiped_on_fork() && pthread_atfork(NULL, NULL, page_wipe) != 0) {
        return false;
    }
    return started = pthread_key_create(&thread_end, node_end) == 0;
}

/* Once for the process. False: errno says why. */
static bool
threads_start(void)
{
    static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&starting);
    bool started = threads_start_locked();
    pthread_mutex_unlock(&starting);
    return started;
}

#endif
