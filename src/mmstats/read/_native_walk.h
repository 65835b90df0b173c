/* Where one file of a pattern has its cells: what `walked` says, with nothing kept of one file for the next.
 */
#ifndef MMSTATS_NATIVE_WALK_H
#define MMSTATS_NATIVE_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mmstats_layout.h"

enum answer { ANSWER_OTHER, ANSWER_BUSY, ANSWER_SHORT, ANSWER_READ, ANSWER_NO_MEMORY };

#define MOST_BLOCKS 65536
#define MOST_LANES 4096
#define MOST_MEMBERS 65536
#define FEW 32

/* A METRIC block, or several that follow each other; `hole`: where eight bytes may differ, -1: nowhere. */
struct span {
    const char *raw;
    Py_ssize_t size, hole;
};

/* A lane's cells of one segment. `order`: among those of the file. */
struct spot {
    uint32_t segment, lane, order;
    uint64_t start, count;
    bool lives;
};

struct lane {
    uint32_t number;
    bool lives;
};

/* A taken slot. `key`: its ttl, and then its tags, which stand apart in the block. */
struct member {
    uint32_t metric, segment, index, size;
    uint64_t generation;
    const char *ttl, *tags;
};

struct walked {
    const char *first, *middle, *last;
    size_t length;
    int64_t left; /* words that may still be read: values share no cells */
    size_t *spans;
    struct spot *spots, *octaves; /* the same, by segment, and by what `before` says */
    struct member *members;
    struct lane *lanes;
    size_t spots_count, spots_room, octaves_room, members_count, members_room, lanes_count, lanes_room;
};

static inline uint32_t
u32_at(const char *data, size_t at)
{
    uint32_t word;
    memcpy(&word, data + at, sizeof word);
    return word;
}

static inline uint64_t
u64_at(const char *data, size_t at)
{
    uint64_t word;
    memcpy(&word, data + at, sizeof word);
    return word;
}

static void *
room_for_one(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return list;
    }
    size_t wanted = *room ? 2 * *room : 64;
    void *grown = PyMem_Realloc(list, wanted * size);
    if (grown != NULL) {
        *room = wanted;
    }
    return grown;
}

static enum answer
take_span(struct walked *file, const struct span *span, size_t at, bool is_cut)
{
    size_t size = (size_t)span->size;
    if (size > file->length - at) {
        return is_cut ? ANSWER_SHORT : ANSWER_OTHER;
    }
    const char *found = file->first + at;
    bool is_there;
    if (span->hole < 0) {
        is_there = memcmp(found, span->raw, size) == 0;
    }
    else {
        size_t hole = (size_t)span->hole, rest = hole + 8;
        is_there =
            memcmp(found, span->raw, hole) == 0 && memcmp(found + rest, span->raw + rest, size - rest) == 0;
    }
    return is_there ? ANSWER_READ : ANSWER_OTHER;
}

static enum answer
take_member(struct walked *file, size_t at, size_t length)
{
    const char *block = file->first + at;
    if (memcmp(block, file->middle + at, length) != 0 || memcmp(block, file->last + at, length) != 0) {
        return ANSWER_BUSY;
    }
    uint64_t generation = u64_at(block, offsetof(struct mmstats_member, generation));
    uint32_t size = u32_at(block, offsetof(struct mmstats_member, tags_length));
    if (generation == 0) {
        return ANSWER_READ;
    }
    if (sizeof(struct mmstats_member) + (size_t)size > length || file->members_count >= MOST_MEMBERS) {
        return ANSWER_BUSY;
    }
    struct member *members =
        room_for_one(file->members, file->members_count, &file->members_room, sizeof *file->members);
    if (members == NULL) {
        return ANSWER_NO_MEMORY;
    }
    file->members = members;
    members[file->members_count++] = (struct member){
        .metric = u32_at(block, offsetof(struct mmstats_member, metric)),
        .segment = u32_at(block, offsetof(struct mmstats_member, segment)),
        .index = u32_at(block, offsetof(struct mmstats_member, index)),
        .size = size,
        .generation = generation,
        .ttl = block + offsetof(struct mmstats_member, ttl),
        .tags = block + sizeof(struct mmstats_member),
    };
    return ANSWER_READ;
}

static enum answer
take_cells(struct walked *file, size_t at, size_t length)
{
    const char *block = file->first + at;
    uint32_t count = u32_at(block, offsetof(struct mmstats_cells, count));
    if (sizeof(struct mmstats_cells) + 8 * (uint64_t)count > length) {
        return ANSWER_OTHER;
    }
    struct spot *spots = room_for_one(file->spots, file->spots_count, &file->spots_room, sizeof *file->spots);
    if (spots == NULL) {
        return ANSWER_NO_MEMORY;
    }
    file->spots = spots;
    spots[file->spots_count] = (struct spot){
        .segment = u32_at(block, offsetof(struct mmstats_cells, segment)),
        .lane = u32_at(block, offsetof(struct mmstats_cells, lane)),
        .order = (uint32_t)file->spots_count,
        .start = at + sizeof(struct mmstats_cells),
        .count = count,
        .lives = true,
    };
    file->spots_count++;
    return ANSWER_READ;
}

static enum answer
take_lane(struct walked *file, size_t at)
{
    struct lane *lanes = room_for_one(file->lanes, file->lanes_count, &file->lanes_room, sizeof *file->lanes);
    if (lanes == NULL) {
        return ANSWER_NO_MEMORY;
    }
    file->lanes = lanes;
    if (file->lanes_count >= MOST_LANES) {
        return ANSWER_OTHER;
    }
    const char *block = file->first + at;
    lanes[file->lanes_count++] = (struct lane){
        .number = u32_at(block, offsetof(struct mmstats_lane, lane)),
        .lives = u64_at(block, offsetof(struct mmstats_lane, state)) != 0,
    };
    return ANSWER_READ;
}

static int
by_number(const void *one, const void *other)
{
    const struct lane *a = one, *b = other;
    return (a->number > b->number) - (a->number < b->number);
}

/* By segment, and within it as they came. */
static inline int
by_segment(const void *one, const void *other)
{
    const struct spot *a = one, *b = other;
    if (a->segment != b->segment) {
        return a->segment < b->segment ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

/* Segments with octaves stand beside the one whose octaves they are: by that, by octave, by lane. */
static inline int
by_octave(const void *one, const void *other)
{
    const struct spot *a = one, *b = other;
    uint32_t base = a->segment % MMSTATS_OCTAVE_STEP, its = b->segment % MMSTATS_OCTAVE_STEP;
    if (base != its) {
        return base < its ? -1 : 1;
    }
    if (a->segment != b->segment) {
        return a->segment < b->segment ? -1 : 1;
    }
    return (a->lane > b->lane) - (a->lane < b->lane);
}

/* Most files have few spots, for which a call for each comparison costs more than all else. */
static inline void
sort_spots(struct spot *spots, size_t count, int (*compare)(const void *, const void *))
{
    if (count > FEW) {
        qsort(spots, count, sizeof *spots, compare);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct spot one = spots[i];
        size_t at = i;
        for (; at > 0 && compare(&spots[at - 1], &one) > 0; at--) {
            spots[at] = spots[at - 1];
        }
        spots[at] = one;
    }
}

/* The spots of a segment are from here on; where there are none, another segment's are. */
static size_t
spots_of(const struct walked *file, uint32_t segment)
{
    size_t low = 0, high = file->spots_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->spots[middle].segment < segment) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low;
}

static enum answer
order_lanes(struct walked *file)
{
    if (file->lanes_count > 1) {
        qsort(file->lanes, file->lanes_count, sizeof *file->lanes, by_number);
    }
    for (size_t i = 0; i < file->lanes_count; i++) {
        uint32_t number = file->lanes[i].number;
        if (number == 0 || (i > 0 && number == file->lanes[i - 1].number)) {
            return ANSWER_OTHER;
        }
    }
    for (size_t i = 0; file->lanes_count && i < file->spots_count; i++) {
        const struct lane wanted = {.number = file->spots[i].lane};
        const struct lane *lane =
            bsearch(&wanted, file->lanes, file->lanes_count, sizeof *file->lanes, by_number);
        file->spots[i].lives = lane == NULL || lane->lives;
    }
    sort_spots(file->spots, file->spots_count, by_segment);
    return ANSWER_READ;
}

/* The first octave's spot that a lane has from this one on; NULL: there is none. */
static const struct spot *
octave_from(const struct walked *file, uint32_t base, uint32_t octave, uint32_t lane)
{
    while (octave < UINT32_MAX / MMSTATS_OCTAVE_STEP) {
        const struct spot wanted = {.segment = (octave + 1) * MMSTATS_OCTAVE_STEP + base, .lane = lane};
        size_t low = 0, high = file->spots_count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (by_octave(&file->octaves[middle], &wanted) < 0) {
                low = middle + 1;
            }
            else {
                high = middle;
            }
        }
        const struct spot *found = &file->octaves[low];
        if (low == file->spots_count || found->segment % MMSTATS_OCTAVE_STEP != base) {
            return NULL;
        }
        if (found->segment == wanted.segment && found->lane == lane) {
            return found;
        }
        octave = found->segment / MMSTATS_OCTAVE_STEP - (found->segment != wanted.segment ? 1 : 0);
    }
    return NULL;
}

/* Each lane has a segment once. */
static enum answer
order_octaves(struct walked *file)
{
    if (file->octaves_room < file->spots_room) {
        struct spot *octaves = PyMem_Realloc(file->octaves, file->spots_room * sizeof *octaves);
        if (octaves == NULL) {
            return ANSWER_NO_MEMORY;
        }
        file->octaves = octaves;
        file->octaves_room = file->spots_room;
    }
    if (file->spots_count > 0) {
        memcpy(file->octaves, file->spots, file->spots_count * sizeof *file->octaves);
        sort_spots(file->octaves, file->spots_count, by_octave);
    }
    for (size_t i = 1; i < file->spots_count; i++) {
        if (by_octave(&file->octaves[i - 1], &file->octaves[i]) == 0) {
            return ANSWER_OTHER;
        }
    }
    return ANSWER_READ;
}

/* `size`: of the whole file. */
static enum answer
walk(struct walked *file, const struct span *spans, size_t spans_count, size_t size)
{
    bool is_cut = file->length < size;
    size_t number = 0;
    file->left = (int64_t)(size / 8);
    file->spots_count = file->members_count = file->lanes_count = 0;
    if (file->length < sizeof(struct mmstats_header)) {
        return ANSWER_OTHER;
    }
    size_t at = u32_at(file->first, offsetof(struct mmstats_header, header_size));
    if (at < sizeof(struct mmstats_header) || at % MMSTATS_BLOCK_ALIGN) {
        return ANSWER_OTHER;
    }
    for (unsigned left = MOST_BLOCKS; left; left--) {
        if (at + MMSTATS_BLOCK_ALIGN > file->length) {
            break;
        }
        uint32_t kind = u32_at(file->first, at);
        size_t length = u32_at(file->first, at + 4);
        enum answer answer = ANSWER_READ;
        if (length == 0) {
            break;
        }
        if (length % MMSTATS_BLOCK_ALIGN || length > file->length - at) {
            return is_cut ? ANSWER_SHORT : ANSWER_OTHER;
        }
        switch (kind) {
        case MMSTATS_BLOCK_TYPE_METRIC:
            if (number == spans_count) {
                return ANSWER_OTHER;
            }
            answer = take_span(file, &spans[number], at, is_cut);
            length = (size_t)spans[number].size;
            file->spans[number++] = at;
            break;
        case MMSTATS_BLOCK_TYPE_MEMBER:
            answer = take_member(file, at, length);
            break;
        case MMSTATS_BLOCK_TYPE_CELLS:
            answer = take_cells(file, at, length);
            break;
        case MMSTATS_BLOCK_TYPE_LANE:
            answer = take_lane(file, at);
            break;
        case MMSTATS_BLOCK_TYPE_FOLDED:
            answer = ANSWER_OTHER;
            break;
        default:
            break;
        }
        if (answer != ANSWER_READ) {
            return answer;
        }
        at += length;
    }
    if (is_cut && at + MMSTATS_BLOCK_ALIGN > file->length) {
        return ANSWER_SHORT;
    }
    if (number < spans_count) {
        return ANSWER_OTHER;
    }
    enum answer answer = order_lanes(file);
    if (answer == ANSWER_READ) {
        answer = order_octaves(file);
    }
    const size_t gen = offsetof(struct mmstats_header, layout_gen);
    if (answer == ANSWER_READ && u64_at(file->first, gen) != u64_at(file->last, gen)) {
        answer = ANSWER_BUSY;
    }
    return answer;
}

/* Where so many words of a lane are, from cell `index` on; 0: not all of them. */
static inline size_t
place_of(struct walked *file, const struct spot *spot, uint64_t index, uint64_t words)
{
    file->left -= (int64_t)words;
    if (index + words > spot->count || file->left < 0) {
        return 0;
    }
    return (size_t)(spot->start + 8 * index);
}

#endif
