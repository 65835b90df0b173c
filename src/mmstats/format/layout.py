"""GENERATED from spec/layout.toml by spec/generate.py; do not edit.

Offsets, sizes and codes of format version 2. spec/FORMAT.md says what they mean.
"""

from __future__ import annotations

MAGIC = b'\x02mmst\r\n\x1a'
MAJOR = 2
MINOR = 0
BLOCK_ALIGN = 64
LANE_ALIGN = 128
FIRST_STEP = 4096
LAST_STEP = 4194304
OCTAVE_STEP = 1048576
SCALE_MOST = 8
OCTAVE_MOST = 1023
BOUNDS_MOST = 256
VALUE_CELLS = 131072
TEXT_LIMIT = 65535
NEVER_U64 = 0xFFFFFFFFFFFFFFFF
NEVER_I64 = 0x8000000000000000
NEVER_F64 = 0x7FF86D6D73746174

HEADER_SIZE = 512
HEADER_STRUCT = "<8sHHIQQQII16s16s16sIIQQQQQQQ64s64s64s64sQ"
HEADER_FIELDS = (
    "magic",
    "major",
    "minor",
    "header_size",
    "incompat_flags",
    "compat_flags",
    "layout_gen",
    "state",
    "writer_flags",
    "uuid",
    "boot_id",
    "machine_id",
    "pid",
    "uid",
    "start_ticks",
    "pid_ns",
    "time_ns",
    "ino",
    "created",
    "created_boottime",
    "started",
    "hostname",
    "group",
    "cmd",
    "dropped",
    "created_monotonic",
)
HEADER_MAGIC = 0
HEADER_MAJOR = 8
HEADER_MINOR = 10
HEADER_HEADER_SIZE = 12
HEADER_INCOMPAT_FLAGS = 16
HEADER_COMPAT_FLAGS = 24
HEADER_LAYOUT_GEN = 32
HEADER_STATE = 40
HEADER_WRITER_FLAGS = 44
HEADER_UUID = 48
HEADER_BOOT_ID = 64
HEADER_MACHINE_ID = 80
HEADER_PID = 96
HEADER_UID = 100
HEADER_START_TICKS = 104
HEADER_PID_NS = 112
HEADER_TIME_NS = 120
HEADER_INO = 128
HEADER_CREATED = 136
HEADER_CREATED_BOOTTIME = 144
HEADER_STARTED = 152
HEADER_HOSTNAME = 160
HEADER_GROUP = 224
HEADER_CMD = 288
HEADER_DROPPED = 352
HEADER_CREATED_MONOTONIC = 416

METRIC_SIZE = 64
METRIC_STRUCT = "<IIIBBBBIIIIQIIIIII"
METRIC_FIELDS = (
    "type",
    "length",
    "metric",
    "kind",
    "cell_type",
    "aggregate",
    "flags",
    "segment",
    "index",
    "cells",
    "state",
    "initial",
    "label_length",
    "unit_length",
    "help_length",
    "value_length",
    "tags_length",
    "extra_length",
)
METRIC_TYPE = 0
METRIC_LENGTH = 4
METRIC_METRIC = 8
METRIC_KIND = 12
METRIC_CELL_TYPE = 13
METRIC_AGGREGATE = 14
METRIC_FLAGS = 15
METRIC_SEGMENT = 16
METRIC_INDEX = 20
METRIC_CELLS = 24
METRIC_STATE = 28
METRIC_INITIAL = 32
METRIC_LABEL_LENGTH = 40
METRIC_UNIT_LENGTH = 44
METRIC_HELP_LENGTH = 48
METRIC_VALUE_LENGTH = 52
METRIC_TAGS_LENGTH = 56
METRIC_EXTRA_LENGTH = 60

LANE_SIZE = 64
LANE_STRUCT = "<IIIIQ"
LANE_FIELDS = (
    "type",
    "length",
    "lane",
    "reserved",
    "state",
)
LANE_TYPE = 0
LANE_LENGTH = 4
LANE_LANE = 8
LANE_RESERVED = 12
LANE_STATE = 16

CELLS_SIZE = 64
CELLS_STRUCT = "<IIIII"
CELLS_FIELDS = (
    "type",
    "length",
    "lane",
    "segment",
    "count",
)
CELLS_TYPE = 0
CELLS_LENGTH = 4
CELLS_LANE = 8
CELLS_SEGMENT = 12
CELLS_COUNT = 16

MEMBER_SIZE = 64
MEMBER_STRUCT = "<IIQIIIIQQ"
MEMBER_FIELDS = (
    "type",
    "length",
    "generation",
    "metric",
    "segment",
    "index",
    "tags_length",
    "ttl",
    "folded",
)
MEMBER_TYPE = 0
MEMBER_LENGTH = 4
MEMBER_GENERATION = 8
MEMBER_METRIC = 16
MEMBER_SEGMENT = 20
MEMBER_INDEX = 24
MEMBER_TAGS_LENGTH = 28
MEMBER_TTL = 32
MEMBER_FOLDED = 40

FOLDED_SIZE = 64
FOLDED_STRUCT = "<IIQ"
FOLDED_FIELDS = (
    "type",
    "length",
    "count",
)
FOLDED_TYPE = 0
FOLDED_LENGTH = 4
FOLDED_COUNT = 8

RANGE_SIZE = 16
RANGE_STRUCT = "<IiiI"
RANGE_FIELDS = (
    "scale",
    "low",
    "high",
    "bounds",
)
RANGE_SCALE = 0
RANGE_LOW = 4
RANGE_HIGH = 8
RANGE_BOUNDS = 12

# What a block is. A reader skips a type that it does not know by its length.
BLOCK_TYPE_BUILDING = 0
BLOCK_TYPE_PAD = 1
BLOCK_TYPE_METRIC = 2
BLOCK_TYPE_LANE = 3
BLOCK_TYPE_CELLS = 4
BLOCK_TYPE_MEMBER = 7
BLOCK_TYPE_FOLDED = 9

# The state of a file.
STATE_BUILDING = 0
STATE_LIVE = 1
STATE_CLOSED = 2
STATE_RETIRED = 3

# Bits of compat_flags.
COMPAT_FLAG_PERSISTENT = 1

# The state of a metric.
METRIC_STATE_LIVE = 1
METRIC_STATE_WITHDRAWN = 2
METRIC_STATE_ENDED = 3
METRIC_STATE_SUPERSEDED = 4

# Bits of a metric's flags.
METRIC_FLAG_KEEP = 1

# Bits of writer_flags.
WRITER_FLAG_FENCES = 1
WRITER_FLAG_ATOMIC = 2
WRITER_FLAG_LANES = 4
WRITER_FLAG_POSIX_LOCK = 8

# What the eight bytes of a cell mean.
CELL_TYPE_NONE = 0
CELL_TYPE_U64 = 1
CELL_TYPE_I64 = 2
CELL_TYPE_F64 = 3
CELL_TYPE_BOOL = 4
CELL_TYPE_TEXT = 5

# How the values of several processes become one.
AGGREGATE_SUM = 1
AGGREGATE_MAX = 2
AGGREGATE_MIN = 3
AGGREGATE_AVG = 4
AGGREGATE_LAST = 5
AGGREGATE_ALL = 6
AGGREGATE_ANY = 7
AGGREGATE_SET = 8

# Which byte of the file is locked by whom, and through which description.
LOCK_WRITER = 0
LOCK_FOLDER = 1
LOCK_WITNESS = 2

# Why something was not published: index into the header's dropped words.
DROP_REASON_REMOVED = 0
DROP_REASON_PRIVATE = 1
DROP_REASON_SPACE = 2
DROP_REASON_SERIES = 3
DROP_REASON_VALUE = 4

# Which cell `begun` names; a bound is named by its place from 1 on, 0 where there are no bounds.
BUCKET_ZERO = 0
BUCKET_OVERFLOW = 1
BUCKET_NEGATIVE = 2
BUCKET_FIRST = 3

# Where the words of a compound value stand, in cells; SIZE is what it has beside a ring or slots.
AVERAGE_WITNESS = 0
AVERAGE_SUM = 1
AVERAGE_SIZE = 3
MOVING_WITNESS = 0
MOVING_STARTED = 1
MOVING_RING = 2
MOVING_SIZE = 2
WINDOW_WITNESS = 0
WINDOW_NOW = 1
WINDOW_RING = 9
WINDOW_SIZE = 9
TIMER_WITNESS = 0
TIMER_STARTED = 1
TIMER_TIME = 2
TIMER_TOTALS = 3
TIMER_DISTRIBUTION = 9
TIMER_SIZE = 9
HISTOGRAM_WITNESS = 0
HISTOGRAM_TOTALS = 1
HISTOGRAM_DISTRIBUTION = 7
HISTOGRAM_SIZE = 7
DISTRIBUTION_BEGUN = 0
DISTRIBUTION_WAS = 1
DISTRIBUTION_WAS_BOUND = 2
DISTRIBUTION_ZERO = 3
DISTRIBUTION_OVERFLOW = 4
DISTRIBUTION_NEGATIVE = 5
DISTRIBUTION_BOUNDS = 6
DISTRIBUTION_SIZE = 6
TEXT_WITNESS = 0
TEXT_SLOTS = 1
TEXT_SIZE = 1
SLOT_LENGTH = 0
SLOT_TIME = 1
SLOT_BYTES = 2
SLOT_SIZE = 2
RETIRED_CARRY = 0
RETIRED_DECLARED = 1
RETIRED_SIZE = 2

DROP_REASONS = (
    "removed",
    "private",
    "space",
    "series",
    "value",
)
AGGREGATES = {
    1: "sum",
    2: "max",
    3: "min",
    4: "avg",
    5: "last",
    6: "all",
    7: "any",
    8: "set",
}
KINDS = {
    1: "counter",
    2: "updown",
    3: "number",
    4: "bool",
    5: "average",
    6: "moving",
    7: "timer",
    8: "histogram",
    9: "gauge",
    10: "text",
    11: "static",
    12: "info",
    13: "enum",
}

KIND_COUNTER = 1
KIND_UPDOWN = 2
KIND_NUMBER = 3
KIND_BOOL = 4
KIND_AVERAGE = 5
KIND_MOVING = 6
KIND_TIMER = 7
KIND_HISTOGRAM = 8
KIND_GAUGE = 9
KIND_TEXT = 10
KIND_STATIC = 11
KIND_INFO = 12
KIND_ENUM = 13
