package mmstats;

/** One number of the whole process, whichever thread says it. */
public final class Gauge extends Stat {
    Gauge(Metric metric) {
        super(metric);
    }

    /** The value from now on. NaN is none, and is counted as refused. */
    public void set(double value) {
        Cells cells = Double.isNaN(value) ? null : cells();
        if (cells != null) {
            cells.set(index, value);
        } else if (Double.isNaN(value)) { // which is also what "never" looks like
            refuse();
        }
    }
}
