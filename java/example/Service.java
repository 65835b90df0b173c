import java.util.concurrent.ThreadLocalRandom;
import mmstats.About;
import mmstats.Counter;
import mmstats.Family;
import mmstats.Publisher;
import mmstats.Text;
import mmstats.Timer;
import mmstats.UpDown;

/**
 * What a service does to be watched: some threads that do jobs. Run it, and run {@code slurpstats} meanwhile:
 *
 * <pre>
 * java -cp build/mmstats.jar example/Service.java 8
 * </pre>
 *
 * Each thread says how many jobs it did, after each that was counted.
 */
public final class Service {
    private Service() {}

    /** Until it is killed; the argument says how many threads there are. */
    public static void main(String[] arguments) throws InterruptedException {
        int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 4;
        Publisher publisher = Publisher.open();
        Counter jobs = publisher.counter("service.jobs", new About().help("done"));
        Family<Counter> results = publisher.counters("service.results", new About(), "code");
        Timer latency = publisher.timer("service.latency", new About());
        UpDown running = publisher.upDown("service.running", new About());
        Text phase = publisher.text("service.phase", new About());
        phase.set("serving");
        Thread[] threads = new Thread[count];
        for (int number = 0; number < count; number++) {
            String name = "worker-" + number;
            threads[number] = new Thread(() -> {
                for (long done = 1; ; done++) {
                    try (var held = running.held();
                            var time = latency.time()) {
                        work();
                    }
                    results.tagged(ThreadLocalRandom.current().nextInt(100) < 97 ? "200" : "500").incr();
                    jobs.incr();
                    System.out.println(name + " " + done);
                }
            });
            threads[number].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private static void work() {
        double sum = 0;
        for (int i = 0; i < ThreadLocalRandom.current().nextInt(100, 10_000); i++) {
            sum += Math.sqrt(i);
        }
        if (sum < 0) {
            throw new IllegalStateException("no sum of roots is");
        }
    }
}
