package mmstats;

/** The mean of the last values, or of those of the last seconds. */
public final class Moving extends Stat {
    static final int SLICE_CELLS = 3; // slice, count, sum
    private static final int NOW_CELLS = 4; // started, slice, count, sum

    Moving(Metric metric) {
        super(metric);
    }

    /** One more value. What is no finite number is counted as refused. */
    public void add(double value) {
        Cells cells = Double.isFinite(value) ? cells() : null;
        boolean isStored = Double.isFinite(value);
        if (cells != null && metric.width != 0) {
            isStored = storeInTime(cells, value);
        } else if (cells != null) {
            long n = cells.get(index);
            int place = (int) Long.remainderUnsigned(n, metric.room);
            cells.fence();
            cells.set(index + Layout.OF_MOVING_RING + place, value);
            cells.release(index, n + 1);
        }
        if (!isStored) {
            refuse();
        }
    }

    private boolean storeInTime(Cells cells, double value) {
        int first = index;
        long n = cells.get(first);
        int old = first + Layout.OF_WINDOW_NOW + NOW_CELLS * (int) (n & 1);
        long started = cells.get(old);
        long slice = cells.get(old + 1);
        long count = cells.get(old + 2);
        long coming = slice(metric.width, slice);
        boolean goesOn = coming == slice;
        double sum = (goesOn ? cells.real(old + 3) : 0.0) + value;
        if (!Double.isFinite(sum)) {
            return false;
        }
        cells.fence();
        if (!goesOn && count > 0) {
            int place = (int) Long.remainderUnsigned(slice, metric.room);
            int kept = first + Layout.OF_WINDOW_RING + SLICE_CELLS * place;
            cells.set(kept, slice);
            cells.set(kept + 1, count);
            cells.set(kept + 2, cells.get(old + 3));
        }
        int next = first + Layout.OF_WINDOW_NOW + NOW_CELLS * (int) (n + 1 & 1);
        cells.set(next, started);
        cells.set(next + 1, coming);
        cells.set(next + 2, goesOn ? count + 1 : 1L);
        cells.set(next + 3, sum);
        cells.release(first, n + 1);
        return true;
    }

    /** The slice of time that it is, never before the newest that was seen. */
    private static long slice(long width, long newest) {
        long slice = Machine.monotonic() / width;
        return Long.compareUnsigned(slice, newest) > 0 ? slice : newest;
    }

    /** Another thread's lane now: what there is counts for nobody any more. */
    static void handOver(Metric metric, Cells cells, long n) {
        int first = metric.index;
        if (metric.width == 0) {
            cells.set(first + Layout.OF_MOVING_STARTED, n);
        } else if (n > 0) {
            int old = first + Layout.OF_WINDOW_NOW + NOW_CELLS * (int) (n & 1);
            int next = first + Layout.OF_WINDOW_NOW + NOW_CELLS * (int) (n + 1 & 1);
            long slice = slice(metric.width, cells.get(old + 1));
            cells.set(next, slice);
            cells.set(next + 1, slice);
            cells.set(next + 2, 0L);
            cells.set(next + 3, 0L);
            cells.release(first, n + 1);
        }
    }
}
