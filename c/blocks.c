/* What a file says of a stat, and of a member of a family (FORMAT.md 4). */
#define _GNU_SOURCE
#include "writer.h"

#include <string.h>

void
blocks_declare(struct region *region, const mmstats_stat *stat)
{
    const char *texts[] = {stat->label, stat->unit, stat->help, stat->value, stat->tags, stat->extra};
    size_t lengths[] = {strlen(stat->label), strlen(stat->unit), strlen(stat->help),
                        stat->value_length,  stat->tags_length,  stat->extra_length};
    size_t length = sizeof(struct mmstats_metric);
    for (size_t i = 0; i < 6; i++) {
        length += lengths[i];
    }
    struct mmstats_metric *block = region_take(region, length, MMSTATS_BLOCK_ALIGN);
    if (block == NULL) {
        region_drop(region, MMSTATS_DROP_REASON_SPACE, "no space to publish a metric, it counts unseen");
        return;
    }
    block->metric = stat->number;
    block->kind = stat->kind;
    block->cell_type = stat->cell_type;
    block->aggregate = stat->aggregate;
    block->flags = stat->flags;
    block->segment = stat->segment != NULL && !is_family(stat) ? stat->segment->number : 0;
    block->index = stat->index;
    block->cells = stat->cells;
    block->state = MMSTATS_METRIC_STATE_LIVE;
    block->initial = stat->initial;
    block->label_length = (uint32_t)lengths[0];
    block->unit_length = (uint32_t)lengths[1];
    block->help_length = (uint32_t)lengths[2];
    block->value_length = (uint32_t)lengths[3];
    block->tags_length = (uint32_t)lengths[4];
    block->extra_length = (uint32_t)lengths[5];
    char *at = (char *)(block + 1);
    for (size_t i = 0; i < 6; i++) {
        at = text_put(at, texts[i], lengths[i]);
    }
    region_publish(block, MMSTATS_BLOCK_TYPE_METRIC);
    region_changed(region);
}

void
blocks_declare_member(mmstats_publisher *publisher, mmstats_stat *member)
{
    struct region *region = publisher->region;
    struct mmstats_member *block =
        region_take(region, sizeof *block + member->values_length, MMSTATS_BLOCK_ALIGN);
    member->block_of = publisher->process;
    member->block = NULL;
    if (block == NULL) {
        region_drop(region, MMSTATS_DROP_REASON_SPACE, "no space to publish a member, it counts unseen");
        return;
    }
    block->generation = member->generation;
    block->metric = member->family->number;
    block->segment = member->segment->number;
    block->index = member->index - 1;
    block->tags_length = (uint32_t)member->values_length;
    block->ttl = member->family->ttl;
    memcpy(block + 1, member->value, member->values_length);
    member->block = &block->generation;
    region_publish(block, MMSTATS_BLOCK_TYPE_MEMBER);
    region_changed(region);
}
