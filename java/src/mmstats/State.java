package mmstats;

/** Which one of some states the process is in. */
public final class State extends Stat {
    State(Metric metric) {
        super(metric);
    }

    /** By its place among the states, from 0 on; another one is counted as refused. */
    public void set(int state) {
        boolean isOne = state >= 0 && state < metric.size;
        Cells cells = isOne ? cells() : null;
        if (cells != null) {
            cells.set(index, (long) state);
        } else if (!isOne) {
            refuse();
        }
    }
}
