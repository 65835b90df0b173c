package mmstats;

import java.util.ArrayList;
import java.util.List;

/** Values whose cells stand side by side, in one CELLS block of each lane. */
final class Segment {
    static final int MOST_BESIDE = 64; // values that share a segment; members of a family side by side
    static final int SMALL = 3; // cells of a value that shares its segment
    private static final int ENOUGH = 512; // cells: of large values there are fewer side by side
    private static final int FEW = 8; // members in a family's first segment

    final int place; // in each lane's table
    final int cells;
    final boolean ofProcess;
    final List<Metric> metrics = new ArrayList<>(); // whose cells these are; of an octave none
    int number;
    int values; // how many stand side by side
    private int used;
    volatile Segment[] octaves = {}; // of a distribution: those that were made

    Segment(int place, int cells, boolean ofProcess) {
        this.place = place;
        this.cells = cells;
        this.ofProcess = ofProcess;
    }

    /**
     * Cells of a segment for values of so many cells each, `head`: with a generation before them. Of a family as many
     * as it has `members` already: it doubles.
     */
    static int room(int cells, int head, int members) {
        int step = head + cells;
        if (head > 0) {
            int beside = Math.min(Math.max(FEW, members), MOST_BESIDE);
            return step * Math.max(1, Math.min(beside, ENOUGH / step));
        }
        return cells <= SMALL ? MOST_BESIDE : step;
    }

    boolean hasRoom(int step) {
        return used + step <= cells;
    }

    /** Gives a value its cells, one behind the other. */
    void put(Metric metric, int head) {
        int step = head + metric.cells;
        metric.segment = this;
        metric.index = used + head;
        metric.at = used / step;
        used += step;
        metrics.add(metric);
    }
}
