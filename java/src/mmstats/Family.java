package mmstats;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Stats that differ by the values of some tags: {@code requests} by method and status.
 *
 * <pre>{@code
 * Family<Counter> requests = publisher.counters("requests", new About(), "method", "status");
 * Counter ok = requests.tagged("GET", "200");
 * }</pre>
 */
public final class Family<S extends Stat> {
    private final Metric metric;
    private final Function<Metric, S> make;
    private final Map<String, S> members = new ConcurrentHashMap<>();
    private final List<Metric> left = new ArrayList<>(); // members that were forgotten: their slots are free
    private Segment open; // where the next member may stand
    private S many;

    Family(Metric metric, Function<Metric, S> make) {
        this.metric = metric;
        this.make = make;
    }

    /**
     * The member with these values, one for each tag. Keep it: it is looked up each time. Values that are no text, and
     * members beyond the most there may be, are one member together.
     */
    public S tagged(String... values) {
        String joined = joined(values);
        S known = joined != null ? members.get(joined) : null;
        if (known != null) {
            return known;
        }
        synchronized (metric.publisher) {
            known = joined != null ? members.get(joined) : null;
            if (known != null) {
                return known;
            }
            if (joined == null || members.size() >= metric.most) {
                return many();
            }
            S made = make.apply(member(Texts.utf8(joined)));
            members.put(joined, made);
            return made;
        }
    }

    /** Stop publishing a member: its stat takes no updates any more, the next {@link #tagged} makes another. */
    public void forget(String... values) {
        String joined = joined(values);
        synchronized (metric.publisher) {
            S gone = joined != null ? members.remove(joined) : null;
            if (gone != null) {
                Metric member = gone.metric;
                member.isForgotten = true;
                left.add(member);
                if (member.block != null) {
                    setGeneration(member.block, 0);
                    metric.publisher.region().changed();
                }
            }
        }
    }

    Metric metric() {
        return metric;
    }

    private String joined(String[] values) {
        if (values.length != metric.tags.length) {
            throw new IllegalArgumentException("'" + metric.label + "' has " + metric.tags.length
                    + " tags, and got " + values.length + " values");
        }
        for (String value : values) {
            if (value == null || !Texts.isLawful(value)) {
                return null;
            }
        }
        return String.join("\0", values) + "\0";
    }

    /** The member for all that are too many. */
    private S many() {
        if (many == null) {
            many = make.apply(member(new byte[0]));
        }
        metric.publisher.drop(
                Layout.DROP_REASON_SERIES,
                "a family has as many members as it may have; what is more is counted as one");
        return many;
    }

    private Metric member(byte[] values) {
        Metric member = new Metric(metric, values);
        Metric old = slotLeft(values.length);
        if (old == null) {
            open = metric.publisher.place(member, open, 1, members.size());
            Blocks.declareMember(metric.publisher.region(), member);
        } else {
            takeOver(member, old);
        }
        return member;
    }

    /** A slot that a forgotten member left, and whose block has room for the values; null: there is none. */
    private Metric slotLeft(int length) {
        for (Metric old : left) {
            int room = (old.value.length + Layout.BLOCK_ALIGN - 1) / Layout.BLOCK_ALIGN * Layout.BLOCK_ALIGN;
            if (length <= room) {
                left.remove(old);
                return old;
            }
        }
        return null;
    }

    /** Gives a member the cells and the block of one that was forgotten. */
    private void takeOver(Metric member, Metric old) {
        member.segment = old.segment;
        member.index = old.index;
        member.at = old.at;
        member.generation = old.generation + 1;
        member.segment.metrics.add(member);
        if (old.block == null) {
            Blocks.declareMember(metric.publisher.region(), member);
            return;
        }
        Region.Block block = old.block;
        member.block = block;
        setGeneration(block, 0);
        java.lang.invoke.VarHandle.releaseFence();
        storeWords(block.memory, block.at + Layout.MEMBER_SIZE, member.value);
        long place = member.index - 1 | (long) member.value.length << 32; // index and length are one word
        Words.store(block.memory, block.at + Layout.MEMBER_INDEX, place);
        setGeneration(block, member.generation);
        metric.publisher.region().changed();
        old.segment.metrics.remove(old);
    }

    private static void setGeneration(Region.Block block, long generation) {
        Words.storeRelease(block.memory, block.at + Layout.MEMBER_GENERATION, generation);
    }

    private static void storeWords(ByteBuffer memory, int at, byte[] bytes) {
        for (int i = 0; i < bytes.length; i += 8) {
            long word = 0;
            for (int j = Math.min(8, bytes.length - i) - 1; j >= 0; j--) {
                word = word << 8 | bytes[i + j] & 0xFF;
            }
            Words.store(memory, at + i, word);
        }
    }
}
