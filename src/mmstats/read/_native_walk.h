/* Where one file of a pattern has its cells: what `walked` says, with nothing kept of one file for the next.
 */
#ifndef MMSTATS_NATIVE_WALK_H
#define MMSTATS_NATIVE_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_native_ranked.h"
#include "mmstats_layout.h"

/* ASK: Python has to be asked first. */
enum answer { ANSWER_OTHER, ANSWER_BUSY, ANSWER_SHORT, ANSWER_READ, ANSWER_NO_MEMORY, ANSWER_ASK };

#define MOST_BLOCKS 65536
#define MOST_LANES 4096
#define MOST_MEMBERS 65536

/* A METRIC block, or several that follow each other; `hole`: where eight bytes may differ, -1: nowhere. */
struct span {
    const char *raw;
    Py_ssize_t size, hole;
};

/* A lane's cells of one segment. */
struct spot {
    uint32_t segment, lane;
    uint64_t start, count;
    bool lives;
};

struct lane {
    uint32_t number;
    bool lives;
};

/* A taken slot. Its ttl and its tags, of `size` bytes, tell it from others of its family. */
struct member {
    uint32_t metric, segment, index, size;
    uint64_t generation;
    const char *ttl, *tags;
};

/* MEMBER blocks that follow each other. */
struct row {
    size_t at, end;
};

struct walked {
    const char *first, *middle, *last;
    size_t length, low, high; /* of the first copy; from where to where the others are needed */
    size_t end;               /* of its blocks */
    int64_t left;             /* words that may still be read: values share no cells */
    size_t *spans;
    struct spot *spots;
    struct ranked *segments, *octaves, *spare; /* spots by segment; by what `rank_of` says */
    struct member *members;
    struct lane *lanes;
    struct row *rows;
    size_t spots_count, spots_room, ranked_count, ranked_room, members_count, members_room;
    size_t lanes_count, lanes_room, rows_count, rows_room, answered;
    uint64_t asked;
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
    void *grown = PyMem_RawRealloc(list, wanted * size);
    if (grown != NULL) {
        *room = wanted;
    }
    return grown;
}

/* Of these bytes all copies are needed. */
static inline void
need(struct walked *file, size_t at, size_t end)
{
    file->low = at < file->low ? at : file->low;
    file->high = end > file->high ? end : file->high;
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
        need(file, at + hole, at + rest);
        is_there =
            memcmp(found, span->raw, hole) == 0 && memcmp(found + rest, span->raw + rest, size - rest) == 0;
    }
    return is_there ? ANSWER_READ : ANSWER_OTHER;
}

static enum answer
take_member(struct walked *file, size_t at, size_t length)
{
    const char *block = file->first + at;
    struct row *last = file->rows_count ? &file->rows[file->rows_count - 1] : NULL;
    if (last != NULL && last->end == at) {
        last->end = at + length;
    }
    else {
        struct row *rows = room_for_one(file->rows, file->rows_count, &file->rows_room, sizeof *file->rows);
        if (rows == NULL) {
            return ANSWER_NO_MEMORY;
        }
        file->rows = rows;
        rows[file->rows_count++] = (struct row){.at = at, .end = at + length};
    }
    need(file, at, at + length);
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
        .start = at + sizeof(struct mmstats_cells),
        .count = count,
        .lives = true,
    };
    file->spots_count++;
    need(file, at, at + length);
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

/* Segments with octaves stand beside the one whose octaves they are: by that, by lane, by octave. */
static inline uint64_t
rank_of(uint32_t base, uint32_t lane, uint32_t octave)
{
    return (uint64_t)base << 44 | (uint64_t)lane << 12 | octave;
}

_Static_assert(MMSTATS_OCTAVE_STEP == 1 << 20, "a base has 20 bits, an octave the other 12");

/* Each lane has a segment once. */
static enum answer
order_spots(struct walked *file)
{
    if (file->ranked_room < file->spots_room) {
        file->ranked_room = 0;
        struct ranked **lists[] = {&file->segments, &file->octaves, &file->spare};
        for (int i = 0; i < 3; i++) {
            struct ranked *list = PyMem_RawRealloc(*lists[i], file->spots_room * sizeof *list);
            if (list == NULL) {
                return ANSWER_NO_MEMORY;
            }
            *lists[i] = list;
        }
        file->ranked_room = file->spots_room;
    }
    /* Most files have theirs in the order of the file before: that one's is tried first. */
    bool is_alike = file->spots_count == file->ranked_count && file->ranked_count <= FEW;
    file->ranked_count = file->spots_count;
    for (size_t i = 0; i < file->spots_count; i++) {
        uint32_t at = is_alike ? file->segments[i].at : (uint32_t)i;
        uint32_t its = is_alike ? file->octaves[i].at : (uint32_t)i;
        const struct spot *spot = &file->spots[its];
        uint64_t rank =
            rank_of(spot->segment % MMSTATS_OCTAVE_STEP, spot->lane, spot->segment / MMSTATS_OCTAVE_STEP);
        file->segments[i] = (struct ranked){.rank = file->spots[at].segment, .at = at};
        file->octaves[i] = (struct ranked){.rank = rank, .at = its};
    }
    file->asked = UINT64_MAX;
    sort_ranked(&file->segments, &file->spare, file->spots_count);
    sort_ranked(&file->octaves, &file->spare, file->spots_count);
    for (size_t i = 1; i < file->spots_count; i++) {
        if (file->octaves[i].rank == file->octaves[i - 1].rank) {
            return ANSWER_OTHER;
        }
    }
    return ANSWER_READ;
}

/* The spots of a segment are from here on; where there are none, another segment's are. Members of a family
 * are mostly in one, so the last answer is kept. */
static inline size_t
spots_of(struct walked *file, uint32_t segment)
{
    if (file->asked != segment) {
        file->asked = segment;
        file->answered = first_of(file->segments, file->spots_count, segment);
    }
    return file->answered;
}

/* One of those; NULL: it is another segment's. */
static inline const struct spot *
spot_of(const struct walked *file, size_t at, uint32_t segment)
{
    bool is_there = at < file->spots_count && file->segments[at].rank == segment;
    return is_there ? &file->spots[file->segments[at].at] : NULL;
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
    return ANSWER_READ;
}

/* The first copy, of a file of `size` bytes. */
static enum answer
walk(struct walked *file, const struct span *spans, size_t spans_count, size_t size)
{
    bool is_cut = file->length < size;
    size_t number = 0;
    file->left = (int64_t)(size / 8);
    file->spots_count = file->members_count = file->lanes_count = file->rows_count = 0;
    file->low = file->length;
    file->high = 0;
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
    file->end = at + MMSTATS_BLOCK_ALIGN;
    if (number < spans_count) {
        return ANSWER_OTHER;
    }
    enum answer answer = order_lanes(file);
    return answer == ANSWER_READ ? order_spots(file) : answer;
}

/* Whether nobody changed the blocks while the copies were made. `layout_gen`: behind the last one. */
static enum answer
stands_still(const struct walked *file, uint64_t layout_gen)
{
    for (size_t i = 0; i < file->rows_count; i++) {
        size_t at = file->rows[i].at, size = file->rows[i].end - at;
        const char *row = file->first + at;
        if (memcmp(row, file->middle + at, size) != 0 || memcmp(row, file->last + at, size) != 0) {
            return ANSWER_BUSY;
        }
    }
    bool is_same = u64_at(file->first, offsetof(struct mmstats_header, layout_gen)) == layout_gen;
    return is_same ? ANSWER_READ : ANSWER_BUSY;
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

static void
free_walked(struct walked *file)
{
    PyMem_RawFree(file->spans);
    PyMem_RawFree(file->spots);
    PyMem_RawFree(file->segments);
    PyMem_RawFree(file->octaves);
    PyMem_RawFree(file->spare);
    PyMem_RawFree(file->members);
    PyMem_RawFree(file->lanes);
    PyMem_RawFree(file->rows);
}

#endif
