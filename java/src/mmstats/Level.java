package mmstats;

/** A number of each thread. Combined as its {@code aggregate} says: the greatest, if it says nothing. */
public final class Level extends Stat {
    Level(Metric metric) {
        super(metric);
    }

    /** The thread's value from now on. */
    public void set(double value) {
        Lane.Piece piece = here();
        if (piece == null) {
            return;
        }
        double base = metric.isSummed() && piece.base != null ? Words.real(piece.base[index]) : 0;
        long word = Words.word(base == 0 ? value : base + value);
        piece.set(index, metric.isSummed() ? word : Words.notNever(metric.cellType, word));
    }
}
