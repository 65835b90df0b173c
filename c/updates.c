/* Updates of every kind but of distributions: find the cells, store (values.h). */
#define _GNU_SOURCE
#include "writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void
misused(const mmstats_stat *stat, const char *function)
{
    char sentence[SENTENCE];
    if (!__atomic_exchange_n(&stat->publisher->said_misuse, true, __ATOMIC_RELAXED)) {
        snprintf(sentence, sizeof sentence, "mmstats: '%.200s' takes no %s()", stat->label, function);
        stat->publisher->settings.say(sentence);
    }
}

void
refused(const mmstats_stat *stat)
{
    pthread_mutex_lock(&page->slow);
    if (publisher_has_region(stat->publisher)) {
        region_drop(stat->publisher->region, MMSTATS_DROP_REASON_VALUE, NULL);
    }
    pthread_mutex_unlock(&page->slow);
}

/* The own value, on top of what earlier owners of the lane left. */
static void
store_number(const mmstats_stat *stat, union word word)
{
    uint64_t *cell = cells_of(stat);
    if (cell == NULL) {
        return;
    }
    if (stat->aggregate != MMSTATS_AGGREGATE_SUM) {
        store_relaxed(cell, not_never(stat->cell_type, word.whole));
        return;
    }
    const struct slot *slot = slot_standing(stat->segment->gid, stat->last);
    if (slot != NULL && slot->base != NULL) {
        const struct base *base = &slot->base[stat->index];
        if (stat->cell_type == MMSTATS_CELL_TYPE_F64) {
            word.real += base->real;
        }
        else {
            word.whole += base->whole;
        }
    }
    store_relaxed(cell, word.whole);
}

void
mmstats_incr(mmstats_stat *stat, uint64_t amount)
{
    if (takes(stat, MMSTATS_KIND_COUNTER, MMSTATS_CELL_TYPE_U64, "mmstats_incr")) {
        uint64_t *cell = cells_of(stat);
        if (cell != NULL) {
            cell_add_whole(cell, amount);
        }
    }
}

void
mmstats_move(mmstats_stat *stat, int64_t amount)
{
    if (takes(stat, MMSTATS_KIND_UPDOWN, MMSTATS_CELL_TYPE_I64, "mmstats_move")) {
        uint64_t *cell = cells_of(stat);
        if (cell != NULL) {
            cell_add_whole(cell, (uint64_t)amount);
        }
    }
}

void
mmstats_set(mmstats_stat *stat, double value)
{
    if (stat != NULL && stat->kind == MMSTATS_KIND_NUMBER && stat->cell_type == MMSTATS_CELL_TYPE_F64
        && !is_family(stat)) {
        store_number(stat, (union word){.real = value});
    }
    else if (takes(stat, MMSTATS_KIND_GAUGE, MMSTATS_CELL_TYPE_F64, "mmstats_set")) {
        uint64_t *cell = isnan(value) ? NULL : cells_of(stat);
        if (cell != NULL) {
            store_relaxed(cell, whole_of(value));
        }
        else if (isnan(value)) { /* which is also what "never" looks like */
            refused(stat);
        }
    }
}

void
mmstats_set_integer(mmstats_stat *stat, int64_t value)
{
    if (takes(stat, MMSTATS_KIND_NUMBER, MMSTATS_CELL_TYPE_I64, "mmstats_set_integer")) {
        store_number(stat, (union word){.whole = (uint64_t)value});
    }
}

void
mmstats_set_bool(mmstats_stat *stat, bool value)
{
    if (takes(stat, MMSTATS_KIND_BOOL, MMSTATS_CELL_TYPE_BOOL, "mmstats_set_bool")) {
        uint64_t *cell = cells_of(stat);
        if (cell != NULL) {
            store_relaxed(cell, value ? 2 : 1);
        }
    }
}

void
mmstats_set_state(mmstats_stat *stat, size_t state)
{
    if (takes(stat, MMSTATS_KIND_ENUM, MMSTATS_CELL_TYPE_U64, "mmstats_set_state")) {
        uint64_t *cell = state < stat->size ? cells_of(stat) : NULL;
        if (cell != NULL) {
            store_relaxed(cell, state);
        }
        else if (state >= stat->size) {
            refused(stat);
        }
    }
}

void
mmstats_add(mmstats_stat *stat, double value)
{
    bool is_average = stat != NULL && stat->kind == MMSTATS_KIND_AVERAGE && !is_family(stat);
    if (!is_average && !takes(stat, MMSTATS_KIND_MOVING, MMSTATS_CELL_TYPE_F64, "mmstats_add")) {
        return;
    }
    uint64_t *cells = isfinite(value) ? cells_of(stat) : NULL;
    bool stored = isfinite(value);
    if (cells != NULL && is_average) {
        stored = average_store(cells, value);
    }
    else if (cells != NULL && stat->width != 0) {
        stored = window_store(cells, stat->room, stat->width, value);
    }
    else if (cells != NULL) {
        moving_store(cells, stat->room, value);
    }
    if (!stored) {
        refused(stat);
    }
}

void
mmstats_set_text(mmstats_stat *stat, const char *utf8)
{
    if (takes(stat, MMSTATS_KIND_TEXT, MMSTATS_CELL_TYPE_TEXT, "mmstats_set_text") && utf8 != NULL) {
        uint64_t *cells = cells_of(stat);
        if (cells != NULL) {
            text_store(cells, stat->room, utf8, cut_at(utf8, strlen(utf8), stat->size));
        }
    }
}
