package mmstats;

/** A text: the latest one that a living thread wrote. */
public final class Text extends Stat {
    Text(Metric metric) {
        super(metric);
    }

    /** From now on; cut at a character where it is too long. */
    public void set(String text) {
        Cells cells = text != null ? cells() : null;
        if (cells == null) {
            return;
        }
        byte[] bytes = Texts.utf8(text);
        int length = Machine.cutAt(bytes, metric.size);
        int first = index;
        long n = cells.get(first);
        int slot = first + Layout.OF_TEXT_SLOTS + metric.room * (int) (n + 1 & 1);
        cells.fence();
        for (int at = 0; at < length; at += 8) {
            long word = 0;
            for (int i = Math.min(8, length - at) - 1; i >= 0; i--) {
                word = word << 8 | bytes[at + i] & 0xFF;
            }
            cells.set(slot + Layout.OF_SLOT_BYTES + at / 8, word);
        }
        cells.set(slot + Layout.OF_SLOT_LENGTH, (long) length);
        cells.set(slot + Layout.OF_SLOT_TIME, Machine.monotonic());
        cells.release(first, n + 1);
    }

    /** Another thread's lane now: what the one before said is no text any more. */
    static void handOver(Metric metric, Cells cells, long n) {
        if (n > 0) {
            int slot = metric.index + Layout.OF_TEXT_SLOTS + metric.room * (int) (n + 1 & 1);
            cells.set(slot + Layout.OF_SLOT_LENGTH, 0L);
            cells.set(slot + Layout.OF_SLOT_TIME, 0L);
            cells.release(metric.index, n + 1);
        }
    }
}
