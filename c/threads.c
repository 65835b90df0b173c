/* The wiped page and the threads' tables (threads.h says what they are). */
#define _GNU_SOURCE
#include "threads.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct page *page;
_Thread_local struct table here FIXED_TLS;
static uint64_t numbers; /* how many process numbers were given, here and in our ancestors */
static pthread_key_t thread_end;

/* With the mutex held. */
static uint64_t
process_number_locked(void)
{
    if (page->process == 0) {
        page->process = ++numbers;
    }
    return page->process;
}

uint64_t
process_number(void)
{
    pthread_mutex_lock(&page->mutex);
    uint64_t number = process_number_locked();
    pthread_mutex_unlock(&page->mutex);
    return number;
}

void
token_renew(void)
{
    page->ours = 1;
    store_relaxed(&page->generation, process_number());
}

void
token_lower(void)
{
    store_relaxed(&page->generation, 0);
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

void
node_end_early(struct node *node)
{
    pthread_setspecific(thread_end, NULL);
    node_end(node);
}

struct node *
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

struct slot *
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

void
slot_fill(struct slot *slot, const struct slot *filled)
{
    pthread_mutex_lock(&page->mutex);
    slot_clear(slot);
    *slot = *filled;
    pthread_mutex_unlock(&page->mutex);
}

void
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

bool
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

bool
gid_take(uint32_t *gid)
{
    pthread_mutex_lock(&page->slow);
    bool taken = gid_take_locked(gid);
    pthread_mutex_unlock(&page->slow);
    return taken;
}

void
gid_give_locked(uint32_t gid)
{
    gids.free[gids.free_count++] = gid;
}

void
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

bool
threads_start(void)
{
    static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&starting);
    bool started = threads_start_locked();
    pthread_mutex_unlock(&starting);
    return started;
}
