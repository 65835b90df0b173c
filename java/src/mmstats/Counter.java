package mmstats;

/** What has happened so often: it only ever grows. */
public final class Counter extends Stat {
    Counter(Metric metric) {
        super(metric);
    }

    /** Once more. */
    public void incr() {
        incr(1);
    }

    /** So many more; the sum wraps modulo 2**64. */
    public void incr(long amount) {
        Cells cells = cells();
        if (cells != null) {
            cells.set(index, cells.get(index) + amount);
        }
    }
}
