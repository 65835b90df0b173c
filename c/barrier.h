/* The memory orderings of mmstats, by name. Atomics live only here.
 *
 * A cell has one writer, and readers in other processes that never wait. What they need:
 *
 *   a cell            load_relaxed, add, store_relaxed. The eight bytes arrive whole; nothing else is
 *                     promised by them, so nothing is paid for: one plain `mov` or `str`.
 *   a block, a flag   fill first, then store_release: who sees the new word sees what was filled.
 *                     Its partner is load_acquire: what is read after it is at least as new.
 *   a slot            fence_release between the old sequence word and the next data; fence_acquire
 *                     between the data read and the look at the sequence word again.
 *
 * On x86-64 and s390x all of these are plain moves that the compiler may not reorder; on aarch64 the
 * release and acquire ones become stlr, ldar and dmb. There is no read-modify-write here, and no lock
 * prefix: a second writer of a cell would be a mistake elsewhere, not a case to be handled.
 */
#ifndef MMSTATS_BARRIER_H
#define MMSTATS_BARRIER_H

#include <stdint.h>

static inline uint64_t
load_relaxed(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t
load_acquire(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void
store_relaxed(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void
store_release(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void
fence_release(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void
fence_acquire(void)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

#endif
