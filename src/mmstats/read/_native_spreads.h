/* Steps of values that have a distribution, and of the last durations of a timer: what `spreads` says. */
#ifndef MMSTATS_NATIVE_SPREADS_H
#define MMSTATS_NATIVE_SPREADS_H

#include "_native_steps.h"

#define LARGE (UINT64_C(1) << 44) /* a count that great is none; sums of smaller ones cannot overflow */
#define MOST_OCTAVE_CELLS (1 << 20)
#define MOST_TIME ((__int128)1 << 62) /* ns since 1970, or before */
#define MOST_OCTAVE 4095              /* of what a segment's number has room for */

/* One octave of one lane, whose buckets begin at `at`. `total`: NULL where they do not count. */
static enum answer
read_octave(const struct walked *file, size_t at, uint32_t octave, uint32_t room, struct spread *total,
            uint64_t *sum, struct found *found)
{
    uint64_t any = 0;
    const char *cells = file->middle + at;
    for (uint32_t i = 0; i < room; i++) {
        uint64_t count = u64_at(cells, 8 * i);
        any |= count;
        *sum += count;
    }
    if (any >= LARGE) {
        return ANSWER_BUSY;
    }
    if (total == NULL || any == 0) {
        return ANSWER_READ;
    }
    struct buckets *buckets = ONE_MORE(found, buckets);
    if (buckets == NULL) {
        return ANSWER_NO_MEMORY;
    }
    *buckets = (struct buckets){.total = total, .octave = octave, .room = room, .cells = cells};
    return ANSWER_READ;
}

/* The buckets of one lane: how many values are in them. */
static enum answer
read_octaves(struct walked *file, const struct shape *shape, const struct where *where, uint32_t lane,
             struct spread *total, uint64_t *sum, struct found *found)
{
    uint32_t room = UINT32_C(1) << shape->scale, step = shape->size + (where->generation ? 1 : 0);
    uint64_t begin = (uint64_t)(where->index / step) * room, cells = 0;
    uint64_t rank = rank_of(where->segment, lane, 1), end = rank_of(where->segment, lane, MOST_OCTAVE);
    enum answer answer = ANSWER_READ;
    for (size_t i = first_of(file->octaves, file->spots_count, rank);
         answer == ANSWER_READ && i < file->spots_count && file->octaves[i].rank <= end; i++) {
        uint32_t octave = (uint32_t)(file->octaves[i].rank - rank);
        if (where->index % step) {
            return ANSWER_BUSY;
        }
        if (octave >= shape->octaves) {
            break;
        }
        size_t at = place_of(file, &file->spots[file->octaves[i].at], begin, room);
        cells += room;
        if (at == 0 || cells > MOST_OCTAVE_CELLS) {
            return ANSWER_BUSY;
        }
        answer = read_octave(file, at, octave, room, total, sum, found);
    }
    return answer;
}

/* One lane that counts, at `at`. */
static enum answer
read_lane(struct walked *file, const struct shape *shape, const struct where *where, size_t at, uint32_t lane,
          struct spread *total, struct found *found)
{
    uint64_t n = u64_at(file->first, at), sum = 0, of_bounds = 0;
    const char *words = file->middle + at + 8 * shape->distribution;
    uint64_t begun = u64_at(file->last, at + 8 * (shape->distribution + MMSTATS_DISTRIBUTION_BEGUN));
    uint64_t zero = u64_at(words, 8 * MMSTATS_DISTRIBUTION_ZERO);
    uint64_t overflow = u64_at(words, 8 * MMSTATS_DISTRIBUTION_OVERFLOW);
    uint64_t negative = u64_at(words, 8 * MMSTATS_DISTRIBUTION_NEGATIVE);
    const char *counts = words + 8 * MMSTATS_DISTRIBUTION_BOUNDS;
    if (n != 0 && (n >= LARGE || begun >> 32 == ((n + 1) & UINT32_MAX))) {
        return ANSWER_BUSY;
    }
    enum answer answer = read_octaves(file, shape, where, lane, n ? total : NULL, &sum, found);
    if (answer != ANSWER_READ || n == 0) {
        return answer;
    }
    uint64_t any = zero | overflow | negative;
    for (uint32_t i = 0; i < shape->counts; i++) {
        any |= u64_at(counts, 8 * i);
        of_bounds += u64_at(counts, 8 * i);
    }
    size_t sums = at + 8 * (shape->totals + 3 * (n & 1));
    double mine = real_of(u64_at(file->middle, sums)), least = real_of(u64_at(file->middle, sums + 8));
    double most = real_of(u64_at(file->middle, sums + 16));
    bool is_whole = sum + zero + overflow + negative == n && (!shape->counts || of_bounds == n);
    if (any >= LARGE || !is_whole || isnan(mine) || isnan(least) || isnan(most)) {
        return ANSWER_BUSY;
    }
    struct lane_sums *one = ONE_MORE(found, sums);
    if (one == NULL) {
        return ANSWER_NO_MEMORY;
    }
    *one = (struct lane_sums){
        .total = total,
        .counts = counts,
        .counts_count = shape->counts,
        .n = n,
        .zero = zero,
        .overflow = overflow,
        .negative = negative,
        .sum = mine,
        .least = least,
        .most = most,
    };
    return ANSWER_READ;
}

static enum answer
read_spread(struct walked *file, const struct shape *shape, const struct where *where, struct spread *total,
            struct found *found)
{
    enum answer answer = ANSWER_READ;
    size_t i = spots_of(file, where->segment);
    for (const struct spot *spot; (spot = spot_of(file, i, where->segment)) != NULL; i++) {
        size_t at = value_at(file, spot, where, shape->size, true, &answer);
        if (answer == ANSWER_READ && at != 0) {
            answer = read_lane(file, shape, where, at, spot->lane, total, found);
        }
        if (answer != ANSWER_READ) {
            return answer;
        }
    }
    return ANSWER_READ;
}

/* The sum of doubles, rounded once, by Shewchuk's expansions; false where it is not finite.
 * `slot` of the first and `room` are those of a ring. */
static bool
exact_sum(const char *ring, uint64_t slot, uint64_t room, uint64_t count, double *sum)
{
    double parts[64]; /* that do not overlap, the smallest first: 41 hold any sum of doubles */
    size_t kept = 0;
    for (uint64_t i = 0; i < count; i++) {
        double one = real_of(u64_at(ring, 8 * ((slot + i) % room)));
        size_t left = 0;
        for (size_t j = 0; j < kept; j++) {
            double large = fabs(one) < fabs(parts[j]) ? parts[j] : one;
            double small = fabs(one) < fabs(parts[j]) ? one : parts[j];
            one = large + small;
            double rest = small - (one - large);
            if (rest != 0.0) {
                parts[left++] = rest;
            }
        }
        if (!isfinite(one) || left == sizeof parts / sizeof *parts - 1) {
            return false;
        }
        parts[left++] = one;
        kept = left;
    }
    double high = kept > 0 ? parts[--kept] : 0.0, low = 0.0;
    while (kept > 0 && low == 0.0) {
        double before = high, next = parts[--kept];
        high = before + next;
        low = next - (high - before);
    }
    if (kept > 0 && (low < 0.0) == (parts[kept - 1] < 0.0) && low != 0.0) {
        double twice = 2.0 * low, further = high + twice; /* half-way, and something beyond it */
        high = further - high == twice ? further : high;
    }
    *sum = high;
    return true;
}

/* One lane that counts, at `at`. */
static enum answer
latest_of(const struct walked *file, const struct shape *shape, size_t at, bool lives, struct latest *latest)
{
    const char *value = file->middle + at;
    uint64_t n = u64_at(file->first, at), started = u64_at(value, 8 * MMSTATS_TIMER_STARTED);
    uint64_t room = shape->size - shape->besides, since = n >= room ? n - room + 1 : 0;
    *latest = (struct latest){.is_there = true};
    if (started > n) {
        return ANSWER_BUSY;
    }
    if (!lives || started == n) {
        return ANSWER_READ;
    }
    since = started > since ? started : since;
    const char *ring = value + 8 * (size_t)shape->besides;
    const struct mmstats_header *header = (const struct mmstats_header *)file->first;
    __int128 time =
        (__int128)u64_at(value, 8 * MMSTATS_TIMER_TIME) + header->created - header->created_monotonic;
    latest->count = n - since;
    latest->last = real_of(u64_at(ring, 8 * ((n - 1) % room)));
    latest->time = (int64_t)time;
    latest->has_time = true;
    bool is_sound = time < MOST_TIME && time > -MOST_TIME && isfinite(latest->last)
                    && exact_sum(ring, since % room, room, n - since, &latest->sum);
    return is_sound ? ANSWER_READ : ANSWER_BUSY;
}

static enum answer
read_latest(struct walked *file, const struct shape *shape, const struct where *where, struct latest *total,
            struct found *found)
{
    enum answer answer = ANSWER_READ;
    struct latest all = {.is_there = false}, one;
    size_t i = spots_of(file, where->segment);
    for (const struct spot *spot; (spot = spot_of(file, i, where->segment)) != NULL; i++) {
        size_t at = value_at(file, spot, where, shape->size, true, &answer);
        if (answer == ANSWER_READ && at != 0 && u64_at(file->first, at) != 0) {
            answer = latest_of(file, shape, at, spot->lives, &one);
            join_latest(&all, &one);
        }
        if (answer != ANSWER_READ) {
            return answer;
        }
    }
    struct durations *durations = all.is_there ? ONE_MORE(found, durations) : NULL;
    if (durations != NULL) {
        *durations = (struct durations){.total = total, .latest = all};
    }
    return durations == NULL && all.is_there ? ANSWER_NO_MEMORY : ANSWER_READ;
}

#endif
