package mmstats;

/** A whole number of each thread. Combined as its {@code aggregate} says: the sum, if it says nothing. */
public final class WholeLevel extends Stat {
    WholeLevel(Metric metric) {
        super(metric);
    }

    /** The thread's value from now on. */
    public void set(long value) {
        Lane.Piece piece = here();
        if (piece == null) {
            return;
        }
        long base = metric.isSummed() && piece.base != null ? piece.base[index] : 0;
        piece.set(
                index, metric.isSummed() ? base + value : Words.notNever(metric.cellType, value));
    }
}
