/* A stat by itself: what was asked for is checked, and its cells are counted. */
#define _GNU_SOURCE
#include "writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LAST_VALUES = 100, /* of a moving average, or a timer */
    TEXT_BYTES = 255,
    SLICES = 20, /* of a window of time */
    SERIES = 1000,
};

static bool
take_tags(mmstats_stat *stat, const struct mmstats_about *about)
{
    for (size_t i = 0; i < about->tag_count; i++) {
        bool twice = false;
        for (size_t j = 0; j < i; j++) {
            twice = twice || strcmp(about->tags[i], about->tags[j]) == 0;
        }
        if (!text_is_name(about->tags[i]) || twice || strcmp(about->tags[i], "overflow") == 0) {
            wrong("tags of '%s': letters, digits and _, each once, and no 'overflow': '%.40s'", stat->label,
                  about->tags[i] != NULL ? about->tags[i] : "");
            return false;
        }
    }
    if (about->tag_count == 0) {
        return true;
    }
    stat->tag_count = (uint32_t)about->tag_count;
    stat->most = about->max_series != 0 ? about->max_series : SERIES;
    stat->members = calloc(BUCKETS, sizeof *stat->members);
    stat->ttl = about->ttl > 0 ? (uint64_t)(about->ttl * 1e9) : 0;
    if (stat->members == NULL) {
        no_memory();
        return false;
    }
    return texts_join(about->tags, about->tag_count, &stat->tags, &stat->tags_length);
}

static int32_t
power_above(double value)
{
    int exponent;
    return frexp(value, &exponent) == 0.5 ? exponent - 1 : exponent;
}

static bool
take_range(mmstats_stat *stat, const struct mmstats_about *about)
{
    bool is_time = strcmp(stat->unit, "seconds") == 0;
    bool is_count = strcmp(stat->unit, "bytes") == 0 || strcmp(stat->unit, "items") == 0;
    double low = about->low != 0 ? about->low : is_time ? 1e-6 : is_count ? 1.0 : 1e-9;
    double high = about->high != 0 ? about->high : is_time ? 3600.0 : is_count ? 0x1p40 : 1e9;
    bool is_range = low > 0 && low < high && isfinite(high) && about->scale <= MMSTATS_SCALE_MOST
                    && about->bound_count <= MMSTATS_BOUNDS_MOST;
    for (size_t i = 0; is_range && i < about->bound_count; i++) {
        is_range = isfinite(about->bounds[i]) && (i == 0 || about->bounds[i - 1] < about->bounds[i]);
    }
    struct distribution *shape = &stat->shape;
    shape->scale = (int32_t)about->scale;
    shape->low = is_range ? power_above(low) - 1 : 0;
    shape->high = is_range ? power_above(high) : 0;
    if (!is_range || shape->low < -MMSTATS_OCTAVE_MOST || shape->high > MMSTATS_OCTAVE_MOST) {
        wrong(
            "'%s': scale=%u low=%g high=%g and %zu bounds: expected 0 to %d, 0 < low < high, and bounds that "
            "ascend, at most %d",
            stat->label, about->scale, low, high, about->bound_count, MMSTATS_SCALE_MOST,
            MMSTATS_BOUNDS_MOST);
        return false;
    }
    double *bounds = malloc((about->bound_count + 1) * sizeof *bounds);
    stat->extra_length = sizeof(struct mmstats_range) + 8 * about->bound_count;
    free(stat->extra);
    stat->extra = calloc(1, stat->extra_length);
    shape->bounds = bounds;
    shape->bound_count = (uint32_t)about->bound_count;
    if (bounds == NULL || stat->extra == NULL) {
        no_memory();
        return false;
    }
    struct mmstats_range range = {about->scale, shape->low, shape->high, shape->bound_count};
    memcpy(stat->extra, &range, sizeof range);
    if (about->bound_count > 0) {
        memcpy(bounds, about->bounds, 8 * about->bound_count);
        memcpy(stat->extra + sizeof range, bounds, 8 * about->bound_count);
    }
    return true;
}

static bool
take_window(mmstats_stat *stat, const struct mmstats_about *about)
{
    if (!(about->window >= 1e-3 && about->window <= 1e9)) {
        wrong("'%s': a window of %g seconds: expected 0.001 to 1e9", stat->label, about->window);
        return false;
    }
    stat->width = (uint64_t)(about->window * 1e9) / SLICES;
    stat->room = SLICES;
    stat->cells = MMSTATS_WINDOW_SIZE + SLICE_CELLS * SLICES;
    stat->extra_length = sizeof stat->width;
    free(stat->extra);
    stat->extra = malloc(stat->extra_length);
    if (stat->extra == NULL) {
        no_memory();
        return false;
    }
    memcpy(stat->extra, &stat->width, stat->extra_length);
    return true;
}

/* Cells, first word and the rest that follows from the kind. */
static bool
take_kind(mmstats_stat *stat, const struct mmstats_about *about)
{
    uint32_t last = about->size != 0 ? about->size : LAST_VALUES;
    stat->cells = 1;
    switch (stat->kind) {
    case MMSTATS_KIND_AVERAGE:
        stat->cells = MMSTATS_AVERAGE_SIZE;
        break;
    case MMSTATS_KIND_MOVING:
        if (about->window != 0) {
            return take_window(stat, about);
        }
        stat->room = last + 1;
        stat->cells = MMSTATS_MOVING_SIZE + stat->room;
        break;
    case MMSTATS_KIND_TEXT:
        stat->size = about->size != 0 ? about->size : TEXT_BYTES;
        stat->room = slot_cells(stat->size);
        stat->cells = MMSTATS_TEXT_SIZE + 2 * stat->room;
        break;
    case MMSTATS_KIND_TIMER:
        stat->shape.totals = MMSTATS_TIMER_TOTALS;
        stat->shape.spread = MMSTATS_TIMER_DISTRIBUTION;
        stat->shape.room = last + 1;
        if (!take_range(stat, about)) {
            return false;
        }
        stat->shape.ring = MMSTATS_TIMER_DISTRIBUTION + distribution_cells(&stat->shape);
        stat->cells = stat->shape.ring + stat->shape.room;
        break;
    case MMSTATS_KIND_HISTOGRAM:
        stat->shape.totals = MMSTATS_HISTOGRAM_TOTALS;
        stat->shape.spread = MMSTATS_HISTOGRAM_DISTRIBUTION;
        if (!take_range(stat, about)) {
            return false;
        }
        stat->cells = MMSTATS_HISTOGRAM_DISTRIBUTION + distribution_cells(&stat->shape);
        break;
    case MMSTATS_KIND_STATIC:
    case MMSTATS_KIND_INFO:
        stat->cells = 0;
        break;
    default:
        break;
    }
    uint64_t limit = stat->kind == MMSTATS_KIND_TEXT ? MMSTATS_TEXT_LIMIT : MMSTATS_VALUE_CELLS / 2;
    if (about->size > limit) {
        wrong("'%s': size=%u: expected at most %llu", stat->label, about->size, (unsigned long long)limit);
        return false;
    }
    bool begins_as_never = is_of_process(stat->kind)
                           || (stat->kind == MMSTATS_KIND_NUMBER && stat->aggregate != MMSTATS_AGGREGATE_SUM);
    if (begins_as_never) {
        stat->first_word = stat->cell_type == MMSTATS_CELL_TYPE_F64   ? MMSTATS_NEVER_F64
                           : stat->cell_type == MMSTATS_CELL_TYPE_I64 ? MMSTATS_NEVER_I64
                                                                      : MMSTATS_NEVER_U64;
    }
    return true;
}

/* As Python's fields of these kinds have it. */
static uint8_t
aggregate_of(uint8_t kind, uint8_t cell_type)
{
    switch (kind) {
    case MMSTATS_KIND_NUMBER:
        return cell_type == MMSTATS_CELL_TYPE_F64 ? MMSTATS_AGGREGATE_MAX : MMSTATS_AGGREGATE_SUM;
    case MMSTATS_KIND_BOOL:
        return MMSTATS_AGGREGATE_ANY;
    case MMSTATS_KIND_TEXT:
        return MMSTATS_AGGREGATE_LAST;
    case MMSTATS_KIND_STATIC:
    case MMSTATS_KIND_INFO:
    case MMSTATS_KIND_ENUM:
        return MMSTATS_AGGREGATE_SET;
    default:
        return MMSTATS_AGGREGATE_SUM;
    }
}

void
stat_free(mmstats_stat *stat)
{
    if (stat->family == NULL) {
        free(stat->label);
        free(stat->unit);
        free(stat->help);
        free(stat->tags);
        free(stat->extra);
        free((void *)stat->shape.bounds);
    }
    free(stat->value);
    free(stat->members);
    free(stat);
}

mmstats_stat *
stat_new(uint8_t kind, uint8_t cell_type, const char *label, const struct mmstats_about *about)
{
    if (label == NULL || *label == '\0') {
        return wrong("a label is empty");
    }
    if (!text_is_lawful("label", label) || !text_is_lawful("unit", about->unit)
        || !text_is_lawful("help", about->help)) {
        return NULL;
    }
    if ((unsigned)about->aggregate > MMSTATS_SET) {
        return wrong("'%s': aggregate=%d is none", label, (int)about->aggregate);
    }
    mmstats_stat *stat = calloc(1, sizeof *stat);
    if (stat == NULL) {
        return no_memory();
    }
    stat->kind = kind;
    stat->cell_type = cell_type;
    stat->aggregate = about->aggregate != 0 ? (uint8_t)about->aggregate : aggregate_of(kind, cell_type);
    stat->flags = about->keep ? MMSTATS_METRIC_FLAG_KEEP : 0;
    stat->label = text_copy(label);
    stat->unit = text_copy(about->unit != NULL ? about->unit : kind == MMSTATS_KIND_TIMER ? "seconds" : "");
    stat->help = text_copy(about->help);
    stat->value = text_copy("");
    stat->extra = text_copy("");
    stat->tags = NULL;
    bool is_right = stat->label && stat->unit && stat->help && stat->value && stat->extra;
    is_right = is_right && take_tags(stat, about) && take_kind(stat, about);
    if (stat->tags == NULL) {
        stat->tags = text_copy("");
    }
    if (!is_right || stat->tags == NULL) {
        stat_free(stat);
        return NULL;
    }
    return stat;
}
