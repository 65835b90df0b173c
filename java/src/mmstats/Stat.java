package mmstats;

/**
 * One stat that is published. Made once, shared by all threads, good until the end.
 *
 * <p>An update is a few plain stores into mapped memory: no lock, no system call, no exception. The first one of a
 * thread asks for memory. What the machine refuses is said once, and the stat counts on in private memory.
 */
public abstract class Stat {
    final Metric metric;
    final int index; // of the value's first cell
    private final Publisher publisher;
    private final Lanes lanes;
    private final int place; // of its segment, in each lane
    private final boolean isOfProcess;
    private final long generation; // of a member

    Stat(Metric metric) {
        this.metric = metric;
        index = metric.index;
        publisher = metric.publisher;
        lanes = publisher.lanes();
        place = metric.segment.place;
        isOfProcess = metric.segment.ofProcess;
        generation = metric.generation;
    }

    /** What it is called. */
    public final String label() {
        return metric.label;
    }

    /** The calling thread's cells of the value; null: it cannot count. */
    final Lane.Piece here() {
        Lane lane = isOfProcess ? lanes.ofProcess : lanes.here();
        Lane.Piece piece = lane != null ? lane.piece(place) : null;
        boolean isThere = piece != null && (generation == 0 || piece.get(index - 1) == generation);
        return isThere ? piece : publisher.attach(metric, metric.segment);
    }

    final Cells cells() {
        return here();
    }

    /** Counts a value that cannot be kept. */
    final void refuse() {
        publisher.drop(Layout.DROP_REASON_VALUE, null);
    }
}
