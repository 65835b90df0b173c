package mmstats;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** What is known of a stat: what the file says of it, and where its cells are (FORMAT.md 4.1, 6). */
final class Metric {
    private static final int LAST_VALUES = 100; // of a moving average, or a timer
    private static final int TEXT_BYTES = 255;
    private static final int SLICES = 20; // of a window of time

    final Publisher publisher;
    final int kind;
    final int cellType;
    final int aggregate;
    final int flags;
    final String label;
    final byte[] unit;
    final byte[] help;
    final String[] tags;
    final byte[] tagNames;
    final int most; // members
    final long ttl; // of a family's members, ns
    byte[] value = {};
    byte[] extra = {};
    long initial; // of a static number
    int cells = 1;
    int room; // of a ring, or a text's slot, in cells; slices of a window
    int size; // bytes of a text; states of an enum
    long width; // of a slice, ns
    long firstWord;
    Distribution shape;
    int number;

    Segment segment;
    int index; // its first cell there
    int at; // among the values there
    // of a member
    Metric family;
    long generation;
    Region.Block block;
    volatile boolean isForgotten;

    /** IllegalArgumentException where what is asked for makes no sense. */
    Metric(Publisher publisher, int kind, int cellType, String label, About about) {
        this.publisher = publisher;
        this.kind = kind;
        this.cellType = cellType;
        this.label = label;
        if (label == null || label.isEmpty()) {
            throw new IllegalArgumentException("a label is empty");
        }
        String named = about.unit != null ? about.unit : kind == Layout.KIND_TIMER ? "seconds" : "";
        Texts.check("label", label);
        Texts.check("unit", named);
        Texts.check("help", about.help);
        unit = Texts.utf8(named);
        help = Texts.utf8(about.help);
        aggregate = about.aggregate == About.Aggregate.BY_KIND ? byKind() : about.aggregate.ordinal();
        flags = about.keep ? Layout.METRIC_FLAG_KEEP : 0;
        tags = about.tags;
        tagNames = checked(tags);
        most = about.maxSeries;
        ttl = about.ttl > 0 ? (long) (about.ttl * 1e9) : 0;
        takeKind(about, named);
    }

    /** A member of a family, with its values. */
    Metric(Metric family, byte[] values) {
        publisher = family.publisher;
        kind = family.kind;
        cellType = family.cellType;
        aggregate = family.aggregate;
        flags = family.flags;
        label = family.label;
        unit = family.unit;
        help = family.help;
        tags = family.tags;
        tagNames = family.tagNames;
        most = family.most;
        ttl = family.ttl;
        extra = family.extra;
        initial = family.initial;
        cells = family.cells;
        room = family.room;
        size = family.size;
        width = family.width;
        firstWord = family.firstWord;
        shape = family.shape;
        value = values;
        this.family = family;
        generation = 1;
    }

    boolean isFamily() {
        return tags.length > 0 && family == null;
    }

    boolean isOfProcess() {
        return kind == Layout.KIND_GAUGE || kind == Layout.KIND_ENUM;
    }

    boolean isSummed() {
        return aggregate == Layout.AGGREGATE_SUM;
    }

    boolean isSame(Metric other) {
        return kind == other.kind
                && cellType == other.cellType
                && cells == other.cells
                && aggregate == other.aggregate
                && Arrays.equals(unit, other.unit)
                && Arrays.equals(tagNames, other.tagNames)
                && Arrays.equals(extra, other.extra);
    }

    private byte[] checked(String[] names) {
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (!Texts.isName(name) || name.equals("overflow") || !seen.add(name)) {
                throw new IllegalArgumentException("tags of '" + label
                        + "': letters, digits and _, each once, and no 'overflow': '" + name + "'");
            }
        }
        return Texts.joined(names);
    }

    /** As Python's fields of these kinds have it. */
    private int byKind() {
        switch (kind) {
            case Layout.KIND_NUMBER:
                return cellType == Layout.CELL_TYPE_F64 ? Layout.AGGREGATE_MAX : Layout.AGGREGATE_SUM;
            case Layout.KIND_BOOL:
                return Layout.AGGREGATE_ANY;
            case Layout.KIND_TEXT:
                return Layout.AGGREGATE_LAST;
            case Layout.KIND_STATIC:
            case Layout.KIND_INFO:
            case Layout.KIND_ENUM:
                return Layout.AGGREGATE_SET;
            default:
                return Layout.AGGREGATE_SUM;
        }
    }

    /** Cells, first word and the rest that follows from the kind. */
    private void takeKind(About about, String named) {
        int limit = kind == Layout.KIND_TEXT ? Layout.TEXT_LIMIT : Layout.VALUE_CELLS / 2;
        if (about.size < 0 || about.size > limit) {
            throw new IllegalArgumentException(
                    "'" + label + "': size=" + about.size + ": expected at most " + limit);
        }
        int last = about.size != 0 ? about.size : LAST_VALUES;
        switch (kind) {
            case Layout.KIND_AVERAGE:
                cells = Layout.OF_AVERAGE_SIZE;
                break;
            case Layout.KIND_MOVING:
                takeRing(about.window, last);
                break;
            case Layout.KIND_TEXT:
                size = about.size != 0 ? about.size : TEXT_BYTES;
                room = Layout.OF_SLOT_SIZE + (size + 7) / 8;
                cells = Layout.OF_TEXT_SIZE + 2 * room;
                break;
            case Layout.KIND_TIMER:
                shape = new Distribution(
                        label, named, about, Layout.OF_TIMER_TOTALS, Layout.OF_TIMER_DISTRIBUTION, last + 1);
                extra = shape.extra();
                cells = shape.ring + last + 1;
                break;
            case Layout.KIND_HISTOGRAM:
                shape = new Distribution(
                        label, named, about, Layout.OF_HISTOGRAM_TOTALS, Layout.OF_HISTOGRAM_DISTRIBUTION, 0);
                extra = shape.extra();
                cells = Layout.OF_HISTOGRAM_DISTRIBUTION + shape.cells();
                break;
            case Layout.KIND_STATIC:
            case Layout.KIND_INFO:
                cells = 0;
                break;
            default:
        }
        if (isOfProcess() || (kind == Layout.KIND_NUMBER && !isSummed())) {
            firstWord = cellType == Layout.CELL_TYPE_F64
                    ? Layout.NEVER_F64
                    : cellType == Layout.CELL_TYPE_I64 ? Layout.NEVER_I64 : Layout.NEVER_U64;
        }
    }

    private void takeRing(double window, int last) {
        if (window == 0) {
            room = last + 1;
            cells = Layout.OF_MOVING_SIZE + room;
            return;
        }
        if (!(window >= 1e-3 && window <= 1e9)) {
            throw new IllegalArgumentException(
                    "'" + label + "': a window of " + Texts.number(window) + " seconds: expected 0.001 to 1e9");
        }
        width = (long) (window * 1e9) / SLICES;
        room = SLICES;
        cells = Layout.OF_WINDOW_SIZE + Moving.SLICE_CELLS * SLICES;
        extra = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(width).array();
    }
}
