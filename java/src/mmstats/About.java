package mmstats;

/**
 * What a metric is, beside its kind and label. Whatever is not said is as the kind has it.
 *
 * <pre>{@code
 * publisher.histogram("body", new About().unit("bytes").bounds(1e3, 1e6).help("what was sent"));
 * }</pre>
 */
public final class About {
    /** How the values of several processes become one. */
    public enum Aggregate {
        /** As the kind has it: the sum; of numbers the greatest; of flags whether one is true; of texts the last. */
        BY_KIND,
        /** All together. */
        SUM,
        /** The greatest. */
        MAX,
        /** The least. */
        MIN,
        /** The mean. */
        AVG,
        /** That of the youngest process. */
        LAST,
        /** Each by its own. */
        ALL,
        /** Whether one is true. */
        ANY,
        /** All there are, each once. */
        SET
    }

    String unit;
    String help = "";
    Aggregate aggregate = Aggregate.BY_KIND;
    boolean keep;
    int size;
    double window;
    int scale = 3;
    double low;
    double high;
    double[] bounds = {};
    String[] tags = {};
    int maxSeries = 1000;
    double ttl;

    /** "bytes", "seconds"; nothing where nothing is said. */
    public About unit(String unit) {
        this.unit = unit;
        return this;
    }

    /** A sentence for people. */
    public About help(String help) {
        this.help = help;
        return this;
    }

    /** How the values of several processes become one. */
    public About aggregate(Aggregate aggregate) {
        this.aggregate = aggregate;
        return this;
    }

    /** An up-down counter, or a number, counts on when the process has ended. */
    public About keep(boolean keep) {
        this.keep = keep;
        return this;
    }

    /** How many of the last values count for a moving average, or a timer's (100); bytes of a text (255). */
    public About size(int size) {
        this.size = size;
        return this;
    }

    /** A moving average is of the last so many seconds, instead. */
    public About window(double seconds) {
        this.window = seconds;
        return this;
    }

    /** An octave of a histogram, or of a timer, has 2**scale buckets: 0 to 8 (3). */
    public About scale(int scale) {
        this.scale = scale;
        return this;
    }

    /** Values between these two have buckets; else as the unit has it. */
    public About range(double low, double high) {
        this.low = low;
        this.high = high;
        return this;
    }

    /** How many values are not above each of these is counted exactly. */
    public About bounds(double... bounds) {
        this.bounds = bounds.clone();
        return this;
    }

    /** Of a family: seconds after which a folder leaves out a member that nobody updated; 0: never. */
    public About ttl(double seconds) {
        this.ttl = seconds;
        return this;
    }

    /** Of a family: what is more is counted as one member (1,000). */
    public About maxSeries(int maxSeries) {
        this.maxSeries = maxSeries;
        return this;
    }
}
