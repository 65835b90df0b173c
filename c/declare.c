/* What mmstats.h declares stats with: one for each label, whoever asks first. */
#define _GNU_SOURCE
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)MMSTATS_SET == MMSTATS_AGGREGATE_SET && (int)MMSTATS_LAST == MMSTATS_AGGREGATE_LAST,
               "codes");

static bool
is_same(const mmstats_stat *one, const mmstats_stat *other)
{
    return one->kind == other->kind && one->cell_type == other->cell_type && one->cells == other->cells
           && one->aggregate == other->aggregate && strcmp(one->unit, other->unit) == 0
           && one->tags_length == other->tags_length && one->extra_length == other->extra_length
           && memcmp(one->tags, other->tags, one->tags_length) == 0
           && memcmp(one->extra, other->extra, one->extra_length) == 0;
}

static mmstats_stat *
find(const mmstats_publisher *publisher, const char *label)
{
    for (mmstats_stat *stat = publisher->stats; stat != NULL; stat = stat->next) {
        if (stat->family == NULL && strcmp(stat->label, label) == 0) {
            return stat;
        }
    }
    return NULL;
}

void
publisher_append(mmstats_publisher *publisher, mmstats_stat *stat)
{
    mmstats_stat **link = publisher->last_stat != NULL ? &publisher->last_stat->next : &publisher->stats;
    __atomic_store_n(link, stat, __ATOMIC_RELEASE);
    publisher->last_stat = stat;
}

static mmstats_stat *
publish(mmstats_publisher *publisher, mmstats_stat *stat)
{
    pthread_mutex_lock(&page->slow);
    mmstats_stat *known = find(publisher, stat->label);
    bool is_made = known == NULL && publisher_has_region(publisher);
    if (known != NULL && !is_same(known, stat)) {
        wrong("'%s' is declared already, as something else", stat->label);
        known = NULL;
    }
    else if (is_made) {
        bool has_cells = stat->cells > 0 && !is_family(stat);
        struct segment *alone = NULL, **open = &publisher->open[is_of_process(stat->kind)];
        is_made = !has_cells || segment_place(publisher, stat, stat->cells > SMALL ? &alone : open, 0);
        if (is_made) {
            stat->publisher = publisher;
            stat->number = ++publisher->numbers;
            publisher_append(publisher, stat);
            blocks_declare(publisher->region, stat);
            known = stat;
        }
    }
    else if (known == NULL) {
        no_memory();
    }
    pthread_mutex_unlock(&page->slow);
    if (known != stat) {
        stat_free(stat);
    }
    return known;
}

static mmstats_stat *
made(mmstats_publisher *publisher, uint8_t kind, uint8_t cell_type, const char *label,
     const struct mmstats_about *about)
{
    if (publisher == NULL) {
        return wrong("'%s': there is no publisher", label != NULL ? label : "");
    }
    mmstats_stat *stat =
        stat_new(kind, cell_type, label, about != NULL ? about : &(struct mmstats_about){MMSTATS_DEFAULTS});
    return stat != NULL ? publish(publisher, stat) : NULL;
}

#define DECLARES(name, kind, type) \
    mmstats_stat *mmstats_##name(mmstats_publisher *publisher, const char *label, \
                                 const struct mmstats_about *about) \
    { \
        return made(publisher, MMSTATS_KIND_##kind, MMSTATS_CELL_TYPE_##type, label, about); \
    }
DECLARES(counter, COUNTER, U64)
DECLARES(updown, UPDOWN, I64)
DECLARES(number, NUMBER, F64)
DECLARES(integer, NUMBER, I64)
DECLARES(bool, BOOL, BOOL)
DECLARES(gauge, GAUGE, F64)
DECLARES(average, AVERAGE, F64)
DECLARES(moving, MOVING, F64)
DECLARES(timer, TIMER, F64)
DECLARES(histogram, HISTOGRAM, F64)
DECLARES(text, TEXT, TEXT)

static mmstats_stat *
made_constant(mmstats_publisher *publisher, uint8_t kind, uint8_t cell_type, const char *label,
              const struct mmstats_about *about, char *value, char *extra, size_t extra_length, uint32_t size)
{
    const struct mmstats_about defaults = {MMSTATS_DEFAULTS};
    mmstats_stat *stat = publisher == NULL ? wrong("there is no publisher")
                                           : stat_new(kind, cell_type, label, about ? about : &defaults);
    if (stat != NULL && is_family(stat)) {
        wrong("'%s' takes no tags", label);
        stat_free(stat);
        stat = NULL;
    }
    if (stat == NULL || value == NULL || extra == NULL) {
        free(value);
        free(extra);
        if (stat != NULL) {
            stat_free(stat);
        }
        return NULL;
    }
    free(stat->value);
    free(stat->extra);
    stat->value = value;
    stat->value_length = strlen(value);
    stat->extra = extra;
    stat->extra_length = extra_length;
    stat->size = size;
    return publish(publisher, stat);
}

mmstats_stat *
mmstats_enum(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
             const char *const *states, size_t count)
{
    char *joined;
    size_t length;
    for (size_t i = 0; i < count; i++) {
        if (states[i] == NULL || *states[i] == '\0' || !text_is_lawful("a state", states[i])) {
            return wrong("'%s': state %zu is empty, or holds a control character", label != NULL ? label : "",
                         i);
        }
    }
    if (count == 0) {
        return wrong("'%s' has no states", label != NULL ? label : "");
    }
    if (!texts_join(states, count, &joined, &length)) {
        return NULL;
    }
    return made_constant(publisher, MMSTATS_KIND_ENUM, MMSTATS_CELL_TYPE_U64, label, about, text_copy(""),
                         joined, length, (uint32_t)count);
}

mmstats_stat *
mmstats_static(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
               const char *text)
{
    if (!text_is_lawful("a static text", text)) {
        return NULL;
    }
    return made_constant(publisher, MMSTATS_KIND_STATIC, MMSTATS_CELL_TYPE_TEXT, label, about,
                         text_copy(text), text_copy(""), 0, 0);
}

mmstats_stat *
mmstats_static_number(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
                      double number)
{
    const struct mmstats_about defaults = {MMSTATS_DEFAULTS};
    mmstats_stat *stat = publisher == NULL ? wrong("there is no publisher")
                                           : stat_new(MMSTATS_KIND_STATIC, MMSTATS_CELL_TYPE_F64, label,
                                                      about != NULL ? about : &defaults);
    if (stat == NULL) {
        return NULL;
    }
    if (is_family(stat)) {
        wrong("'%s' takes no tags", label);
        stat_free(stat);
        return NULL;
    }
    stat->initial = whole_of(number);
    return publish(publisher, stat);
}

mmstats_stat *
mmstats_info(mmstats_publisher *publisher, const char *label, const struct mmstats_about *about,
             const char *const *names, const char *const *texts, size_t count)
{
    size_t length = 1;
    for (size_t i = 0; i < count; i++) {
        if (!text_is_name(names[i]) || !text_is_lawful(names[i], texts[i])) {
            return wrong("'%s': pair %zu is no name with a text", label != NULL ? label : "", i);
        }
        length += strlen(names[i]) + 2 * strlen(texts[i]) + 4;
    }
    char *value = malloc(length), *at = value;
    bool *done = calloc(count + 1, sizeof *done);
    for (size_t i = 0; value != NULL && done != NULL && i < count; i++) {
        size_t next = count; /* in the order of their names */
        for (size_t j = 0; j < count; j++) {
            if (!done[j] && (next == count || strcmp(names[j], names[next]) < 0)) {
                next = j;
            }
        }
        done[next] = true;
        at += sprintf(at, "%s%s=\"", i > 0 ? "," : "", names[next]);
        for (const char *c = texts[next]; *c != '\0'; c++) {
            if (*c == '\\' || *c == '"') {
                *at++ = '\\';
            }
            *at++ = *c;
        }
        *at++ = '"';
    }
    if (value != NULL) {
        *at = '\0';
    }
    free(done);
    return made_constant(publisher, MMSTATS_KIND_INFO, MMSTATS_CELL_TYPE_TEXT, label, about, value,
                         text_copy(""), 0, 0);
}
