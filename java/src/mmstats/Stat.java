package mmstats;

/**
 * One stat that is published. Made once, shared by all threads, good until the end.
 *
 * <p>An update is a few plain stores into mapped memory: no lock, no system call, no exception. The first one of a
 * thread asks for memory. What the machine refuses is said once, and the stat counts on in private memory.
 */
public abstract class Stat {
    final Metric metric;

    Stat(Metric metric) {
        this.metric = metric;
    }

    /** What it is called. */
    public final String label() {
        return metric.label;
    }

    /** The calling thread's cells of the value; null: it cannot count. */
    final Lane.Piece here() {
        Lane lane = metric.segment.ofProcess ? metric.publisher.processLane() : metric.publisher.lane();
        Lane.Piece piece = lane != null ? lane.piece(metric.segment) : null;
        boolean isThere = piece != null
                && (metric.generation == 0 || piece.cells.get(metric.index - 1) == metric.generation);
        return isThere ? piece : metric.publisher.attach(metric, metric.segment);
    }

    final Cells cells() {
        Lane.Piece piece = here();
        return piece != null ? piece.cells : null;
    }

    /** Counts a value that cannot be kept. */
    final void refuse() {
        metric.publisher.drop(Layout.DROP_REASON_VALUE, null);
    }
}
