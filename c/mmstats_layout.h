/* GENERATED from spec/layout.toml by spec/generate.py; do not edit. */
#ifndef MMSTATS_LAYOUT_H
#define MMSTATS_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define MMSTATS_MAGIC { 0x02, 0x6D, 0x6D, 0x73, 0x74, 0x0D, 0x0A, 0x1A }
#define MMSTATS_MAJOR 2
#define MMSTATS_MINOR 0
#define MMSTATS_BLOCK_ALIGN 64
#define MMSTATS_LANE_ALIGN 128
#define MMSTATS_FIRST_STEP 4096
#define MMSTATS_LAST_STEP 4194304
#define MMSTATS_OCTAVE_STEP 1048576
#define MMSTATS_SCALE_MOST 8
#define MMSTATS_OCTAVE_MOST 1023
#define MMSTATS_BOUNDS_MOST 256
#define MMSTATS_VALUE_CELLS 131072
#define MMSTATS_TEXT_LIMIT 65535
#define MMSTATS_NEVER_U64 UINT64_C(0xFFFFFFFFFFFFFFFF)
#define MMSTATS_NEVER_I64 UINT64_C(0x8000000000000000)
#define MMSTATS_NEVER_F64 UINT64_C(0x7FF86D6D73746174)

struct mmstats_header {
    uint8_t magic[8];
    uint16_t major;
    uint16_t minor;
    uint32_t header_size;
    uint64_t incompat_flags;
    uint64_t compat_flags;
    uint64_t layout_gen;
    uint32_t state;
    uint32_t writer_flags;
    uint8_t uuid[16];
    uint8_t boot_id[16];
    uint8_t machine_id[16];
    uint32_t pid;
    uint32_t uid;
    uint64_t start_ticks;
    uint64_t pid_ns;
    uint64_t time_ns;
    uint64_t ino;
    uint64_t created;
    uint64_t created_boottime;
    uint64_t started;
    uint8_t hostname[64];
    uint8_t group[64];
    uint8_t cmd[64];
    uint8_t dropped[64];
    uint64_t created_monotonic;
    uint8_t pad_424[88];
};
_Static_assert(sizeof(struct mmstats_header) == 512, "header");
_Static_assert(offsetof(struct mmstats_header, magic) == 0, "header.magic");
_Static_assert(offsetof(struct mmstats_header, major) == 8, "header.major");
_Static_assert(offsetof(struct mmstats_header, minor) == 10, "header.minor");
_Static_assert(offsetof(struct mmstats_header, header_size) == 12, "header.header_size");
_Static_assert(offsetof(struct mmstats_header, incompat_flags) == 16, "header.incompat_flags");
_Static_assert(offsetof(struct mmstats_header, compat_flags) == 24, "header.compat_flags");
_Static_assert(offsetof(struct mmstats_header, layout_gen) == 32, "header.layout_gen");
_Static_assert(offsetof(struct mmstats_header, state) == 40, "header.state");
_Static_assert(offsetof(struct mmstats_header, writer_flags) == 44, "header.writer_flags");
_Static_assert(offsetof(struct mmstats_header, uuid) == 48, "header.uuid");
_Static_assert(offsetof(struct mmstats_header, boot_id) == 64, "header.boot_id");
_Static_assert(offsetof(struct mmstats_header, machine_id) == 80, "header.machine_id");
_Static_assert(offsetof(struct mmstats_header, pid) == 96, "header.pid");
_Static_assert(offsetof(struct mmstats_header, uid) == 100, "header.uid");
_Static_assert(offsetof(struct mmstats_header, start_ticks) == 104, "header.start_ticks");
_Static_assert(offsetof(struct mmstats_header, pid_ns) == 112, "header.pid_ns");
_Static_assert(offsetof(struct mmstats_header, time_ns) == 120, "header.time_ns");
_Static_assert(offsetof(struct mmstats_header, ino) == 128, "header.ino");
_Static_assert(offsetof(struct mmstats_header, created) == 136, "header.created");
_Static_assert(offsetof(struct mmstats_header, created_boottime) == 144, "header.created_boottime");
_Static_assert(offsetof(struct mmstats_header, started) == 152, "header.started");
_Static_assert(offsetof(struct mmstats_header, hostname) == 160, "header.hostname");
_Static_assert(offsetof(struct mmstats_header, group) == 224, "header.group");
_Static_assert(offsetof(struct mmstats_header, cmd) == 288, "header.cmd");
_Static_assert(offsetof(struct mmstats_header, dropped) == 352, "header.dropped");
_Static_assert(offsetof(struct mmstats_header, created_monotonic) == 416, "header.created_monotonic");

struct mmstats_metric {
    uint32_t type;
    uint32_t length;
    uint32_t metric;
    uint8_t kind;
    uint8_t cell_type;
    uint8_t aggregate;
    uint8_t flags;
    uint32_t segment;
    uint32_t index;
    uint32_t cells;
    uint32_t state;
    uint64_t initial;
    uint32_t label_length;
    uint32_t unit_length;
    uint32_t help_length;
    uint32_t value_length;
    uint32_t tags_length;
    uint32_t extra_length;
};
_Static_assert(sizeof(struct mmstats_metric) == 64, "metric");
_Static_assert(offsetof(struct mmstats_metric, type) == 0, "metric.type");
_Static_assert(offsetof(struct mmstats_metric, length) == 4, "metric.length");
_Static_assert(offsetof(struct mmstats_metric, metric) == 8, "metric.metric");
_Static_assert(offsetof(struct mmstats_metric, kind) == 12, "metric.kind");
_Static_assert(offsetof(struct mmstats_metric, cell_type) == 13, "metric.cell_type");
_Static_assert(offsetof(struct mmstats_metric, aggregate) == 14, "metric.aggregate");
_Static_assert(offsetof(struct mmstats_metric, flags) == 15, "metric.flags");
_Static_assert(offsetof(struct mmstats_metric, segment) == 16, "metric.segment");
_Static_assert(offsetof(struct mmstats_metric, index) == 20, "metric.index");
_Static_assert(offsetof(struct mmstats_metric, cells) == 24, "metric.cells");
_Static_assert(offsetof(struct mmstats_metric, state) == 28, "metric.state");
_Static_assert(offsetof(struct mmstats_metric, initial) == 32, "metric.initial");
_Static_assert(offsetof(struct mmstats_metric, label_length) == 40, "metric.label_length");
_Static_assert(offsetof(struct mmstats_metric, unit_length) == 44, "metric.unit_length");
_Static_assert(offsetof(struct mmstats_metric, help_length) == 48, "metric.help_length");
_Static_assert(offsetof(struct mmstats_metric, value_length) == 52, "metric.value_length");
_Static_assert(offsetof(struct mmstats_metric, tags_length) == 56, "metric.tags_length");
_Static_assert(offsetof(struct mmstats_metric, extra_length) == 60, "metric.extra_length");

struct mmstats_lane {
    uint32_t type;
    uint32_t length;
    uint32_t lane;
    uint32_t reserved;
    uint64_t state;
    uint8_t pad_24[40];
};
_Static_assert(sizeof(struct mmstats_lane) == 64, "lane");
_Static_assert(offsetof(struct mmstats_lane, type) == 0, "lane.type");
_Static_assert(offsetof(struct mmstats_lane, length) == 4, "lane.length");
_Static_assert(offsetof(struct mmstats_lane, lane) == 8, "lane.lane");
_Static_assert(offsetof(struct mmstats_lane, reserved) == 12, "lane.reserved");
_Static_assert(offsetof(struct mmstats_lane, state) == 16, "lane.state");

struct mmstats_cells {
    uint32_t type;
    uint32_t length;
    uint32_t lane;
    uint32_t segment;
    uint32_t count;
    uint8_t pad_20[44];
};
_Static_assert(sizeof(struct mmstats_cells) == 64, "cells");
_Static_assert(offsetof(struct mmstats_cells, type) == 0, "cells.type");
_Static_assert(offsetof(struct mmstats_cells, length) == 4, "cells.length");
_Static_assert(offsetof(struct mmstats_cells, lane) == 8, "cells.lane");
_Static_assert(offsetof(struct mmstats_cells, segment) == 12, "cells.segment");
_Static_assert(offsetof(struct mmstats_cells, count) == 16, "cells.count");

struct mmstats_member {
    uint32_t type;
    uint32_t length;
    uint64_t generation;
    uint32_t metric;
    uint32_t segment;
    uint32_t index;
    uint32_t tags_length;
    uint64_t ttl;
    uint64_t folded;
    uint8_t pad_48[16];
};
_Static_assert(sizeof(struct mmstats_member) == 64, "member");
_Static_assert(offsetof(struct mmstats_member, type) == 0, "member.type");
_Static_assert(offsetof(struct mmstats_member, length) == 4, "member.length");
_Static_assert(offsetof(struct mmstats_member, generation) == 8, "member.generation");
_Static_assert(offsetof(struct mmstats_member, metric) == 16, "member.metric");
_Static_assert(offsetof(struct mmstats_member, segment) == 20, "member.segment");
_Static_assert(offsetof(struct mmstats_member, index) == 24, "member.index");
_Static_assert(offsetof(struct mmstats_member, tags_length) == 28, "member.tags_length");
_Static_assert(offsetof(struct mmstats_member, ttl) == 32, "member.ttl");
_Static_assert(offsetof(struct mmstats_member, folded) == 40, "member.folded");

struct mmstats_folded {
    uint32_t type;
    uint32_t length;
    uint64_t count;
    uint8_t pad_16[48];
};
_Static_assert(sizeof(struct mmstats_folded) == 64, "folded");
_Static_assert(offsetof(struct mmstats_folded, type) == 0, "folded.type");
_Static_assert(offsetof(struct mmstats_folded, length) == 4, "folded.length");
_Static_assert(offsetof(struct mmstats_folded, count) == 8, "folded.count");

struct mmstats_range {
    uint32_t scale;
    int32_t low;
    int32_t high;
    uint32_t bounds;
};
_Static_assert(sizeof(struct mmstats_range) == 16, "range");
_Static_assert(offsetof(struct mmstats_range, scale) == 0, "range.scale");
_Static_assert(offsetof(struct mmstats_range, low) == 4, "range.low");
_Static_assert(offsetof(struct mmstats_range, high) == 8, "range.high");
_Static_assert(offsetof(struct mmstats_range, bounds) == 12, "range.bounds");

/* What a block is. A reader skips a type that it does not know by its length. */
#define MMSTATS_BLOCK_TYPE_BUILDING 0
#define MMSTATS_BLOCK_TYPE_PAD 1
#define MMSTATS_BLOCK_TYPE_METRIC 2
#define MMSTATS_BLOCK_TYPE_LANE 3
#define MMSTATS_BLOCK_TYPE_CELLS 4
#define MMSTATS_BLOCK_TYPE_MEMBER 7
#define MMSTATS_BLOCK_TYPE_FOLDED 9

/* The state of a file. */
#define MMSTATS_STATE_BUILDING 0
#define MMSTATS_STATE_LIVE 1
#define MMSTATS_STATE_CLOSED 2
#define MMSTATS_STATE_RETIRED 3

/* Bits of compat_flags. */
#define MMSTATS_COMPAT_FLAG_PERSISTENT 1

/* The state of a metric. */
#define MMSTATS_METRIC_STATE_LIVE 1
#define MMSTATS_METRIC_STATE_WITHDRAWN 2
#define MMSTATS_METRIC_STATE_ENDED 3
#define MMSTATS_METRIC_STATE_SUPERSEDED 4

/* Bits of a metric's flags. */
#define MMSTATS_METRIC_FLAG_KEEP 1

/* Bits of writer_flags. */
#define MMSTATS_WRITER_FLAG_FENCES 1
#define MMSTATS_WRITER_FLAG_ATOMIC 2
#define MMSTATS_WRITER_FLAG_LANES 4
#define MMSTATS_WRITER_FLAG_POSIX_LOCK 8

/* What the eight bytes of a cell mean. */
#define MMSTATS_CELL_TYPE_NONE 0
#define MMSTATS_CELL_TYPE_U64 1
#define MMSTATS_CELL_TYPE_I64 2
#define MMSTATS_CELL_TYPE_F64 3
#define MMSTATS_CELL_TYPE_BOOL 4
#define MMSTATS_CELL_TYPE_TEXT 5

/* How the values of several processes become one. */
#define MMSTATS_AGGREGATE_SUM 1
#define MMSTATS_AGGREGATE_MAX 2
#define MMSTATS_AGGREGATE_MIN 3
#define MMSTATS_AGGREGATE_AVG 4
#define MMSTATS_AGGREGATE_LAST 5
#define MMSTATS_AGGREGATE_ALL 6
#define MMSTATS_AGGREGATE_ANY 7
#define MMSTATS_AGGREGATE_SET 8

/* Which byte of the file is locked by whom, and through which description. */
#define MMSTATS_LOCK_WRITER 0
#define MMSTATS_LOCK_FOLDER 1
#define MMSTATS_LOCK_WITNESS 2

/* Why something was not published: index into the header's dropped words. */
#define MMSTATS_DROP_REASON_REMOVED 0
#define MMSTATS_DROP_REASON_PRIVATE 1
#define MMSTATS_DROP_REASON_SPACE 2
#define MMSTATS_DROP_REASON_SERIES 3
#define MMSTATS_DROP_REASON_VALUE 4

/* Which cell `begun` names; a bound is named by its place from 1 on, 0 where there are no bounds. */
#define MMSTATS_BUCKET_ZERO 0
#define MMSTATS_BUCKET_OVERFLOW 1
#define MMSTATS_BUCKET_NEGATIVE 2
#define MMSTATS_BUCKET_FIRST 3

/* Kinds. */
#define MMSTATS_KIND_COUNTER 1
#define MMSTATS_KIND_UPDOWN 2
#define MMSTATS_KIND_NUMBER 3
#define MMSTATS_KIND_BOOL 4
#define MMSTATS_KIND_AVERAGE 5
#define MMSTATS_KIND_MOVING 6
#define MMSTATS_KIND_TIMER 7
#define MMSTATS_KIND_HISTOGRAM 8
#define MMSTATS_KIND_GAUGE 9
#define MMSTATS_KIND_TEXT 10
#define MMSTATS_KIND_STATIC 11
#define MMSTATS_KIND_INFO 12
#define MMSTATS_KIND_ENUM 13

/* Where the words of a compound value stand, in cells. */
#define MMSTATS_AVERAGE_WITNESS 0
#define MMSTATS_AVERAGE_SUM 1
#define MMSTATS_AVERAGE_SIZE 3
#define MMSTATS_MOVING_WITNESS 0
#define MMSTATS_MOVING_STARTED 1
#define MMSTATS_MOVING_RING 2
#define MMSTATS_MOVING_SIZE 2
#define MMSTATS_WINDOW_WITNESS 0
#define MMSTATS_WINDOW_NOW 1
#define MMSTATS_WINDOW_RING 9
#define MMSTATS_WINDOW_SIZE 9
#define MMSTATS_TIMER_WITNESS 0
#define MMSTATS_TIMER_STARTED 1
#define MMSTATS_TIMER_TIME 2
#define MMSTATS_TIMER_TOTALS 3
#define MMSTATS_TIMER_DISTRIBUTION 9
#define MMSTATS_TIMER_SIZE 9
#define MMSTATS_HISTOGRAM_WITNESS 0
#define MMSTATS_HISTOGRAM_TOTALS 1
#define MMSTATS_HISTOGRAM_DISTRIBUTION 7
#define MMSTATS_HISTOGRAM_SIZE 7
#define MMSTATS_DISTRIBUTION_BEGUN 0
#define MMSTATS_DISTRIBUTION_WAS 1
#define MMSTATS_DISTRIBUTION_WAS_BOUND 2
#define MMSTATS_DISTRIBUTION_ZERO 3
#define MMSTATS_DISTRIBUTION_OVERFLOW 4
#define MMSTATS_DISTRIBUTION_NEGATIVE 5
#define MMSTATS_DISTRIBUTION_BOUNDS 6
#define MMSTATS_DISTRIBUTION_SIZE 6
#define MMSTATS_TEXT_WITNESS 0
#define MMSTATS_TEXT_SLOTS 1
#define MMSTATS_TEXT_SIZE 1
#define MMSTATS_SLOT_LENGTH 0
#define MMSTATS_SLOT_TIME 1
#define MMSTATS_SLOT_BYTES 2
#define MMSTATS_SLOT_SIZE 2
#define MMSTATS_RETIRED_CARRY 0
#define MMSTATS_RETIRED_DECLARED 1
#define MMSTATS_RETIRED_SIZE 2

#endif
