package mmstats;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What one update costs, in nanoseconds, the least of some rounds: one in each JVM, so that none is compiled for all. */
public final class Bench {
    private static final int TIMES = 20_000_000;
    private static final int ROUNDS = 7;

    private Bench() {}

    /** Prints the nanoseconds of the one that is named; without a name the names of all. */
    public static void main(String[] arguments) {
        Publisher publisher = Publisher.open();
        Counter counter = publisher.counter("bench.counter");
        Counter member = publisher.counters("bench.family", new About(), "name").tagged("one");
        Gauge gauge = publisher.gauge("bench.gauge", new About());
        Histogram histogram = publisher.histogram("bench.histogram", new About().unit("bytes"));
        Timer timer = publisher.timer("bench.timer", new About());
        LongAdder adder = new LongAdder();
        AtomicLong atomic = new AtomicLong();
        Map<String, Update> updates = Map.of(
                "AtomicLong.incrementAndGet", i -> atomic.incrementAndGet(),
                "LongAdder.increment", i -> adder.increment(),
                "Counter.incr", i -> counter.incr(),
                "Counter.incr, a member", i -> member.incr(),
                "Gauge.set", gauge::set,
                "Histogram.observe", i -> histogram.observe(i & 1023),
                "Timer.observe", i -> timer.observe(1e-3),
                "System.nanoTime", i -> System.nanoTime());
        if (arguments.length == 0) {
            updates.keySet().stream().sorted().forEach(System.out::println);
        } else {
            System.out.println(least(updates.get(arguments[0])));
        }
        publisher.close();
    }

    /** One update. */
    private interface Update {
        void run(int number);
    }

    private static double least(Update update) {
        double least = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long begin = System.nanoTime();
            for (int i = 0; i < TIMES; i++) {
                update.run(i);
            }
            least = Math.min(least, (System.nanoTime() - begin) / (double) TIMES);
        }
        return least;
    }
}
