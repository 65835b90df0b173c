package mmstats;

/** The mean of all values. */
public final class Average extends Stat {
    Average(Metric metric) {
        super(metric);
    }

    /** One more value. What is no finite number is counted as refused. */
    public void add(double value) {
        Cells cells = Double.isFinite(value) ? cells() : null;
        if (cells == null) {
            if (!Double.isFinite(value)) {
                refuse();
            }
            return;
        }
        int first = index;
        long n = cells.get(first);
        double sum = cells.real(first + Layout.OF_AVERAGE_SUM + (int) (n & 1)) + value;
        if (!Double.isFinite(sum)) {
            refuse();
            return;
        }
        cells.fence();
        cells.set(first + Layout.OF_AVERAGE_SUM + (int) (n + 1 & 1), sum);
        cells.release(first, n + 1);
    }
}
