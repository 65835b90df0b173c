package mmstats;

/** How long something takes: its distribution, the last duration, and the mean of the last ones. */
public final class Timer extends Stat {
    private final Histogram histogram;

    Timer(Metric metric) {
        super(metric);
        histogram = new Histogram(metric);
    }

    /** One more duration, in seconds. */
    public void observe(double seconds) {
        histogram.observe(seconds, Machine.monotonic());
    }

    /** One more: what has passed since {@link System#nanoTime()} gave {@code begin}. */
    public void since(long begin) {
        long now = System.nanoTime();
        histogram.observe((now - begin) / 1e9, Machine.monotonic());
    }

    /** From now on to the end of the block. */
    public Running time() {
        long begin = System.nanoTime();
        return () -> since(begin);
    }

    /** For {@code try}: the time is taken at its end. */
    public interface Running extends AutoCloseable {
        @Override
        void close();
    }
}
