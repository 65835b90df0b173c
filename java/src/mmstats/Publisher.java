package mmstats;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Publishes counters, gauges, timers, histograms and texts into a file that anybody may read.
 *
 * <pre>{@code
 * Publisher publisher = Publisher.open();
 * Counter requests = publisher.counter("requests");
 * requests.incr();
 * }</pre>
 *
 * <p>The file is there until a folder takes what the process counted over; readers know by a lock whether the process
 * lives. Never open that file in the process itself: closing it again would give up the lock.
 *
 * <p>Wrong arguments of a declaration are an {@link IllegalArgumentException}. What the machine refuses (a full file
 * system, no permission, no descriptors) is said once, and the stats count on in private memory. Threads may do
 * anything at any time.
 */
public final class Publisher implements AutoCloseable {
    private final Settings settings;
    private final Region region;
    private final Lanes lanes = new Lanes(this);
    private final Map<String, Object> known = new HashMap<>(); // a Stat, a Family, or the Metric of a constant
    private final Segment[] open = new Segment[2]; // where the next small value may stand
    private int metricNumbers;
    private int segmentNumbers;
    private int segmentPlaces;
    private boolean isClosed;

    private Publisher(Settings settings) {
        this.settings = settings;
        region = new Region(settings);
    }

    /** As the environment says. */
    public static Publisher open() {
        return open(new Options());
    }

    /** IllegalArgumentException where the options, or the environment, make no sense. */
    public static Publisher open(Options options) {
        return new Publisher(new Settings(options));
    }

    /** The file; null where readers cannot see it. */
    public Path file() {
        return region.file();
    }

    /** The process ended in order: what it counted stays in the file, until somebody folds it. */
    @Override
    public synchronized void close() {
        if (!isClosed) {
            isClosed = true;
            region.close();
        }
    }

    /** What has happened so often. */
    public Counter counter(String label) {
        return counter(label, new About());
    }

    /** Likewise. The same label again gives the same stat, if it is declared the same; so it is with all. */
    public Counter counter(String label, About about) {
        return one(Layout.KIND_COUNTER, Layout.CELL_TYPE_U64, label, about, Counter::new);
    }

    /** Likewise, a family of them. */
    public Family<Counter> counters(String label, About about, String... tags) {
        return family(Layout.KIND_COUNTER, Layout.CELL_TYPE_U64, label, about, tags, Counter::new);
    }

    /** What there is now. */
    public UpDown upDown(String label, About about) {
        return one(Layout.KIND_UPDOWN, Layout.CELL_TYPE_I64, label, about, UpDown::new);
    }

    /** Likewise, a family of them. */
    public Family<UpDown> upDowns(String label, About about, String... tags) {
        return family(Layout.KIND_UPDOWN, Layout.CELL_TYPE_I64, label, about, tags, UpDown::new);
    }

    /** One number of the whole process. */
    public Gauge gauge(String label, About about) {
        return one(Layout.KIND_GAUGE, Layout.CELL_TYPE_F64, label, about, Gauge::new);
    }

    /** Likewise, a family of them. */
    public Family<Gauge> gauges(String label, About about, String... tags) {
        return family(Layout.KIND_GAUGE, Layout.CELL_TYPE_F64, label, about, tags, Gauge::new);
    }

    /** A number of each thread. */
    public Level level(String label, About about) {
        return one(Layout.KIND_NUMBER, Layout.CELL_TYPE_F64, label, about, Level::new);
    }

    /** Likewise, a family of them. */
    public Family<Level> levels(String label, About about, String... tags) {
        return family(Layout.KIND_NUMBER, Layout.CELL_TYPE_F64, label, about, tags, Level::new);
    }

    /** A whole number of each thread. */
    public WholeLevel wholeLevel(String label, About about) {
        return one(Layout.KIND_NUMBER, Layout.CELL_TYPE_I64, label, about, WholeLevel::new);
    }

    /** Likewise, a family of them. */
    public Family<WholeLevel> wholeLevels(String label, About about, String... tags) {
        return family(Layout.KIND_NUMBER, Layout.CELL_TYPE_I64, label, about, tags, WholeLevel::new);
    }

    /** Whether something is so. */
    public Flag flag(String label, About about) {
        return one(Layout.KIND_BOOL, Layout.CELL_TYPE_BOOL, label, about, Flag::new);
    }

    /** Likewise, a family of them. */
    public Family<Flag> flags(String label, About about, String... tags) {
        return family(Layout.KIND_BOOL, Layout.CELL_TYPE_BOOL, label, about, tags, Flag::new);
    }

    /** The mean of all values. */
    public Average average(String label, About about) {
        return one(Layout.KIND_AVERAGE, Layout.CELL_TYPE_F64, label, about, Average::new);
    }

    /** Likewise, a family of them. */
    public Family<Average> averages(String label, About about, String... tags) {
        return family(Layout.KIND_AVERAGE, Layout.CELL_TYPE_F64, label, about, tags, Average::new);
    }

    /** The mean of the last values. */
    public Moving moving(String label, About about) {
        return one(Layout.KIND_MOVING, Layout.CELL_TYPE_F64, label, about, Moving::new);
    }

    /** Likewise, a family of them. */
    public Family<Moving> movings(String label, About about, String... tags) {
        return family(Layout.KIND_MOVING, Layout.CELL_TYPE_F64, label, about, tags, Moving::new);
    }

    /** How long something takes. */
    public Timer timer(String label, About about) {
        return one(Layout.KIND_TIMER, Layout.CELL_TYPE_F64, label, about, Timer::new);
    }

    /** Likewise, a family of them. */
    public Family<Timer> timers(String label, About about, String... tags) {
        return family(Layout.KIND_TIMER, Layout.CELL_TYPE_F64, label, about, tags, Timer::new);
    }

    /** How values are distributed. */
    public Histogram histogram(String label, About about) {
        return one(Layout.KIND_HISTOGRAM, Layout.CELL_TYPE_F64, label, about, Histogram::new);
    }

    /** Likewise, a family of them. */
    public Family<Histogram> histograms(String label, About about, String... tags) {
        return family(Layout.KIND_HISTOGRAM, Layout.CELL_TYPE_F64, label, about, tags, Histogram::new);
    }

    /** A text that changes. */
    public Text text(String label, About about) {
        return one(Layout.KIND_TEXT, Layout.CELL_TYPE_TEXT, label, about, Text::new);
    }

    /** Likewise, a family of them. */
    public Family<Text> texts(String label, About about, String... tags) {
        return family(Layout.KIND_TEXT, Layout.CELL_TYPE_TEXT, label, about, tags, Text::new);
    }

    /** One of some states. */
    public State state(String label, About about, String... states) {
        if (states.length == 0) {
            throw new IllegalArgumentException("'" + label + "' has no states");
        }
        for (int i = 0; i < states.length; i++) {
            if (states[i] == null || states[i].isEmpty() || !Texts.isLawful(states[i])) {
                throw new IllegalArgumentException(
                        "'" + label + "': state " + i + " is empty, or holds a control character");
            }
        }
        Metric metric = new Metric(this, Layout.KIND_ENUM, Layout.CELL_TYPE_U64, label, about);
        metric.extra = Texts.joined(states);
        metric.size = states.length;
        return one(metric, State::new);
    }

    /** A text that never changes. */
    public void constant(String label, About about, String text) {
        Texts.check("a static text", text);
        Metric metric = new Metric(this, Layout.KIND_STATIC, Layout.CELL_TYPE_TEXT, label, about);
        metric.value = Texts.utf8(text);
        declared(metric, made -> made);
    }

    /** A number that never changes. */
    public void constant(String label, About about, double number) {
        Metric metric = new Metric(this, Layout.KIND_STATIC, Layout.CELL_TYPE_F64, label, about);
        metric.initial = Words.word(number);
        declared(metric, made -> made);
    }

    /** Pairs of a name and a text that never change. */
    public void info(String label, About about, Map<String, String> pairs) {
        StringBuilder value = new StringBuilder();
        new TreeMap<>(pairs).forEach((name, text) -> {
            if (!Texts.isName(name) || !Texts.isLawful(text)) {
                throw new IllegalArgumentException("'" + label + "': '" + name + "' is no name with a text");
            }
            value.append(value.length() == 0 ? "" : ",").append(name).append("=\"");
            value.append(text.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
        });
        Metric metric = new Metric(this, Layout.KIND_INFO, Layout.CELL_TYPE_TEXT, label, about);
        metric.value = Texts.utf8(value.toString());
        declared(metric, made -> made);
    }

    // --- declaring -----------------------------------------------------------------------------------

    private <S extends Stat> S one(int kind, int cellType, String label, About about, Function<Metric, S> make) {
        return one(new Metric(this, kind, cellType, label, about), make);
    }

    @SuppressWarnings("unchecked") // of the same kind it is of the same class
    private <S extends Stat> S one(Metric metric, Function<Metric, S> make) {
        return (S) declared(metric, make);
    }

    @SuppressWarnings("unchecked")
    private <S extends Stat> Family<S> family(
            int kind, int cellType, String label, About about, String[] tags, Function<Metric, S> make) {
        if (tags.length == 0) {
            throw new IllegalArgumentException("'" + label + "': a family has tags");
        }
        about.tags = tags.clone();
        Metric metric;
        try {
            metric = new Metric(this, kind, cellType, label, about);
        } finally {
            about.tags = new String[0];
        }
        return (Family<S>) declared(metric, made -> new Family<>(made, make));
    }

    private synchronized <T> Object declared(Metric metric, Function<Metric, T> make) {
        Object before = known.get(metric.label);
        if (before != null) {
            if (!metricOf(before).isSame(metric)) {
                throw new IllegalArgumentException(
                        "'" + metric.label + "' is declared already, as something else");
            }
            return before;
        }
        if (metric.cells > 0 && !metric.isFamily()) {
            int which = metric.isOfProcess() ? 1 : 0;
            Segment next = place(metric, metric.cells <= Segment.SMALL ? open[which] : null, 0, 0);
            if (metric.cells <= Segment.SMALL) {
                open[which] = next;
            }
        }
        metric.number = ++metricNumbers;
        Blocks.declare(region, metric);
        T made = make.apply(metric);
        known.put(metric.label, made);
        return made;
    }

    private static Metric metricOf(Object known) {
        if (known instanceof Stat) {
            return ((Stat) known).metric;
        }
        return known instanceof Family ? ((Family<?>) known).metric() : (Metric) known;
    }

    /** Gives a value its cells; the segment where the next one of its sort may stand. */
    Segment place(Metric metric, Segment open, int head, int members) {
        int step = head + metric.cells;
        Segment segment = open;
        if (segment == null || !segment.hasRoom(step)) {
            int room = Segment.room(metric.cells, head, members);
            segment = new Segment(segmentPlaces++, room, metric.isOfProcess());
            segment.number = ++segmentNumbers;
            segment.values = room / step;
        }
        segment.put(metric, head);
        if (head == 0) {
            lanes.begin(metric);
        }
        return segment;
    }

    /** The segment of an octave of that metric's values, from `low` on. */
    synchronized Segment octave(Metric metric, int which) {
        Segment values = metric.segment;
        Segment[] made = values.octaves;
        if (which < made.length && made[which] != null) {
            return made[which];
        }
        Segment octave = new Segment(segmentPlaces++, values.values << metric.shape.scale, false);
        octave.number = values.number + Layout.OCTAVE_STEP * (which + 1);
        Segment[] more = Arrays.copyOf(made, Math.max(made.length, metric.shape.octaves()));
        more[which] = octave;
        values.octaves = more;
        return octave;
    }

    // --- what its stats ask for ----------------------------------------------------------------------

    Region region() {
        return region;
    }

    Lanes lanes() {
        return lanes;
    }

    synchronized void drop(int reason, String what) {
        region.drop(reason, what);
    }

    /** Leads the calling thread to the cells of a segment. Null: it cannot count. */
    synchronized Lane.Piece attach(Metric metric, Segment segment) {
        return lanes.attach(metric, segment);
    }

    /** Gives back the lanes of threads that have ended. False: nobody has to look any more. */
    synchronized boolean freeLeft() {
        lanes.freeLeft();
        return !isClosed;
    }
}
