package mmstats;

/** Whether something is so, of each thread. Combined: whether it is so for one. */
public final class Flag extends Stat {
    Flag(Metric metric) {
        super(metric);
    }

    /** From now on. */
    public void set(boolean value) {
        Cells cells = cells();
        if (cells != null) {
            cells.set(index, value ? 2L : 1L);
        }
    }
}
