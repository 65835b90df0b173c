package mmstats;

/** What there is now: it goes up and down. What a process held is gone with it, unless it is kept. */
public final class UpDown extends Stat {
    UpDown(Metric metric) {
        super(metric);
    }

    /** Up, or down. */
    public void move(long amount) {
        Cells cells = cells();
        if (cells != null) {
            cells.set(index, cells.get(index) + amount);
        }
    }

    /** One more, and one less at the end of the block. */
    public Held held() {
        move(1);
        return () -> move(-1);
    }

    /** For {@code try}: what was held ends. */
    public interface Held extends AutoCloseable {
        @Override
        void close();
    }
}
