package mmstats;

import java.util.Arrays;

/** What the file says of metrics and members (FORMAT.md 4). Where it has no space that is counted, and they go unseen. */
final class Blocks {
    private Blocks() {}

    /** Readers see the metric. */
    static void declare(Region region, Metric metric) {
        byte[][] texts = {
            Texts.utf8(metric.label), metric.unit, metric.help, metric.value, metric.tagNames, metric.extra
        };
        int length = Layout.METRIC_SIZE + Arrays.stream(texts).mapToInt(text -> text.length).sum();
        Region.Block block = region.take(length, Layout.BLOCK_ALIGN);
        if (block == null) {
            region.drop(Layout.DROP_REASON_SPACE, "no space to publish a metric, it counts unseen");
            return;
        }
        block.putInt(Layout.METRIC_METRIC, metric.number);
        block.putByte(Layout.METRIC_KIND, metric.kind);
        block.putByte(Layout.METRIC_CELL_TYPE, metric.cellType);
        block.putByte(Layout.METRIC_AGGREGATE, metric.aggregate);
        block.putByte(Layout.METRIC_FLAGS, metric.flags);
        block.putInt(Layout.METRIC_SEGMENT, metric.segment != null ? metric.segment.number : 0);
        block.putInt(Layout.METRIC_INDEX, metric.index);
        block.putInt(Layout.METRIC_CELLS, metric.cells);
        block.putInt(Layout.METRIC_STATE, Layout.METRIC_STATE_LIVE);
        block.putLong(Layout.METRIC_INITIAL, metric.initial);
        int[] lengths = {
            Layout.METRIC_LABEL_LENGTH, Layout.METRIC_UNIT_LENGTH, Layout.METRIC_HELP_LENGTH,
            Layout.METRIC_VALUE_LENGTH, Layout.METRIC_TAGS_LENGTH, Layout.METRIC_EXTRA_LENGTH
        };
        int at = Layout.METRIC_SIZE;
        for (int i = 0; i < texts.length; i++) {
            block.putInt(lengths[i], texts[i].length);
            at = block.putBytes(at, texts[i]);
        }
        block.publish(Layout.BLOCK_TYPE_METRIC);
        region.changed();
    }

    /** Readers see the member. */
    static void declareMember(Region region, Metric member) {
        Region.Block block = region.take(Layout.MEMBER_SIZE + member.value.length, Layout.BLOCK_ALIGN);
        member.block = block;
        if (block == null) {
            region.drop(Layout.DROP_REASON_SPACE, "no space to publish a member, it counts unseen");
            return;
        }
        block.putLong(Layout.MEMBER_GENERATION, member.generation);
        block.putInt(Layout.MEMBER_METRIC, member.family.number);
        block.putInt(Layout.MEMBER_SEGMENT, member.segment.number);
        block.putInt(Layout.MEMBER_INDEX, member.index - 1);
        block.putInt(Layout.MEMBER_TAGS_LENGTH, member.value.length);
        block.putLong(Layout.MEMBER_TTL, member.family.ttl);
        block.putBytes(Layout.MEMBER_SIZE, member.value);
        block.publish(Layout.BLOCK_TYPE_MEMBER);
        region.changed();
    }
}
