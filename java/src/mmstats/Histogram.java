package mmstats;

/** How values are distributed: percentiles to a stated error, and exact counts up to bounds of your own. */
public class Histogram extends Stat {
    Histogram(Metric metric) {
        super(metric);
    }

    /** One more value. What is no finite number is counted as refused. */
    public void observe(double value) {
        observe(value, 0);
    }

    final void observe(double value, long time) {
        if (!Double.isFinite(value)) {
            refuse();
            return;
        }
        Distribution shape = metric.shape;
        Cells cells = cells(); // first: a member's octaves begin with it
        int bucket = shape.bucket(value);
        Cells octave = null;
        if (cells != null && bucket >= Layout.BUCKET_FIRST) {
            octave = octave(shape.octave(bucket));
            cells = octave != null ? cells : null;
        }
        if (cells == null) {
            return;
        }
        putBack(cells);
        if (!shape.store(cells, index, octave, metric.at << shape.scale, bucket, value, time)) {
            refuse();
        }
    }

    /** The buckets of an octave in the calling thread's lane, of all values of the segment; null: none to be had. */
    private Cells octave(int which) {
        Segment[] known = metric.segment.octaves;
        Segment octave = which < known.length ? known[which] : null;
        if (octave == null) {
            octave = metric.publisher.octave(metric, which);
        }
        Lane lane = metric.publisher.lanes().here();
        Lane.Piece piece = lane != null ? lane.piece(octave.place) : null;
        piece = piece != null ? piece : metric.publisher.attach(metric, octave);
        return piece;
    }

    /** An update that an error left in its middle was never there: what it counted is put back. */
    private void putBack(Cells cells) {
        Distribution shape = metric.shape;
        int spread = index + shape.spread;
        long begun = cells.get(spread + Layout.OF_DISTRIBUTION_BEGUN);
        if (begun >>> Distribution.WITNESS_SHIFT != (cells.get(index) + 1 & 0xFFFFFFFFL)) {
            return;
        }
        int bucket = (int) (begun & (1 << Distribution.BOUND_SHIFT) - 1);
        int bound = (int) (begun >>> Distribution.BOUND_SHIFT & 0xFFF);
        Cells counted = bucket < Layout.BUCKET_FIRST ? cells : octave(shape.octave(bucket));
        if (counted != null) {
            int cell = shape.cell(spread, metric.at << shape.scale, bucket);
            counted.set(cell, cells.get(spread + Layout.OF_DISTRIBUTION_WAS));
        }
        if (bound > 0) {
            int ofBound = spread + Layout.OF_DISTRIBUTION_BOUNDS + bound - 1;
            cells.set(ofBound, cells.get(spread + Layout.OF_DISTRIBUTION_WAS_BOUND));
        }
    }
}
