/* Members of families: found by their tags' values, made, forgotten. */
#define _GNU_SOURCE
#include "writer.h"

#include <stdlib.h>
#include <string.h>

static uint32_t
hash_of(const char *bytes, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    }
    return hash % BUCKETS;
}

static mmstats_stat *
member_known(const mmstats_stat *family, const char *values, size_t length, uint32_t hash)
{
    mmstats_stat *member = __atomic_load_n(&family->members[hash], __ATOMIC_ACQUIRE);
    for (; member != NULL; member = member->chain) {
        if (!load_relaxed(&member->is_forgotten) && member->values_length == length
            && memcmp(member->value, values, length) == 0) {
            return member;
        }
    }
    return NULL;
}

/* A slot that a forgotten member left, and whose block has room for the values. NULL: there is none. */
static mmstats_stat *
slot_left(mmstats_stat *family, size_t length)
{
    for (mmstats_stat **link = &family->left; *link != NULL; link = &(*link)->left) {
        mmstats_stat *old = *link;
        size_t room =
            (old->values_length + MMSTATS_BLOCK_ALIGN - 1) / MMSTATS_BLOCK_ALIGN * MMSTATS_BLOCK_ALIGN;
        if (length <= room) {
            *link = old->left;
            old->left = NULL;
            return old;
        }
    }
    return NULL;
}

/* Gives a member the cells, and the block if it is of this process's file, of one that was forgotten. */
static void
take_over(mmstats_stat *member, const mmstats_stat *old)
{
    member->segment = old->segment;
    member->index = old->index;
    member->last = old->last;
    member->place = old->place;
    member->generation = old->generation + 1;
    member->beside = member->segment->stats;
    member->segment->stats = member;
    if (old->block == NULL || old->block_of != member->publisher->process) {
        blocks_declare_member(member->publisher, member);
        return;
    }
    struct mmstats_member *block = (struct mmstats_member *)(void *)(old->block - 1);
    uint64_t *words = (uint64_t *)(block + 1);
    member->block = old->block;
    member->block_of = old->block_of;
    store_relaxed(member->block, 0);
    fence_release();
    store_bytes(words, member->value, (uint32_t)member->values_length);
    store_relaxed((uint64_t *)(void *)&block->index, block->index | (uint64_t)member->values_length << 32);
    store_release(member->block, member->generation);
    region_changed(member->publisher->region);
}

/* With the lock held. NULL: no memory. */
static mmstats_stat *
member_new(mmstats_stat *family, const char *values, size_t length)
{
    mmstats_publisher *publisher = family->publisher;
    mmstats_stat *member = malloc(sizeof *member);
    char *copy = malloc(length + 1);
    if (member == NULL || copy == NULL || !publisher_has_region(publisher)) {
        free(member);
        free(copy);
        return no_memory();
    }
    *member = *family;
    memcpy(copy, values, length);
    member->value = copy;
    member->values_length = length;
    member->family = family;
    member->members = NULL;
    member->next = member->beside = member->chain = member->many = member->left = NULL;
    member->block = NULL;
    member->generation = 1;
    mmstats_stat *old = slot_left(family, length);
    if (old == NULL && !segment_place(publisher, member, &family->open, 1)) {
        free(copy);
        free(member);
        return NULL;
    }
    if (old != NULL) {
        take_over(member, old);
    }
    else {
        blocks_declare_member(publisher, member);
    }
    publisher_append(publisher, member);
    return member;
}

/* The member for all that are too many. */
static mmstats_stat *
member_many(mmstats_stat *family)
{
    if (family->many == NULL) {
        family->many = member_new(family, "", 0);
    }
    if (family->many != NULL) {
        region_drop(family->publisher->region, MMSTATS_DROP_REASON_SERIES,
                    "a family has as many members as it may have; what is more is counted as one");
    }
    return family->many;
}

/* The values, each with a NUL behind it; 0: one of them is none. */
static size_t
values_of(const mmstats_stat *family, const char *const *values, char *joined, size_t room)
{
    size_t length = 0;
    for (uint32_t i = 0; i < family->tag_count; i++) {
        size_t each = values[i] != NULL ? strlen(values[i]) + 1 : room;
        if (length + each > room || !text_is_lawful("a tag's value", values[i])) {
            return 0;
        }
        memcpy(joined + length, values[i], each);
        length += each;
    }
    return length;
}

mmstats_stat *
mmstats_tagged(mmstats_stat *family, const char *const *values)
{
    char joined[4096];
    if (family == NULL) {
        return NULL;
    }
    if (!is_family(family)) {
        return wrong("'%s' has no tags", family->label);
    }
    size_t length = values_of(family, values, joined, sizeof joined);
    uint32_t hash = hash_of(joined, length);
    mmstats_stat *member = length > 0 ? member_known(family, joined, length, hash) : NULL;
    if (member != NULL) {
        return member;
    }
    pthread_mutex_lock(&page->slow);
    member = length > 0 ? member_known(family, joined, length, hash) : NULL;
    if (member == NULL && (length == 0 || family->member_count >= family->most)) {
        member = member_many(family);
    }
    else if (member == NULL) {
        member = member_new(family, joined, length);
        if (member != NULL) {
            family->member_count++;
            member->chain = family->members[hash];
            __atomic_store_n(&family->members[hash], member, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&page->slow);
    return member;
}

void
mmstats_forget(mmstats_stat *family, const char *const *values)
{
    char joined[4096];
    if (family == NULL || !is_family(family)) {
        return;
    }
    size_t length = values_of(family, values, joined, sizeof joined);
    pthread_mutex_lock(&page->slow);
    mmstats_stat *member = length > 0 ? member_known(family, joined, length, hash_of(joined, length)) : NULL;
    if (member != NULL) {
        store_relaxed(&member->is_forgotten, 1);
        family->member_count--;
        member->left = family->left;
        family->left = member;
        if (member->block != NULL && member->block_of == family->publisher->process) {
            store_release(member->block, 0);
            region_changed(family->publisher->region);
        }
    }
    pthread_mutex_unlock(&page->slow);
}
