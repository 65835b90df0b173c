package mmstats;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Does what it reads, one command a line, and answers each with a line: what the tests drive the writer by. The
 * commands are those of c/test/driver.c; there is no fork, and nothing that closes descriptors. In addition
 * {@code interrupted COMMAND} has the thread interrupted meanwhile, and {@code look} reads the file and closes it.
 */
public final class Driver {
    private static final Map<String, Object> KNOWN = new HashMap<>();
    private static final Map<String, ExecutorService> THREADS = new HashMap<>();
    private static Publisher publisher;

    private Driver() {}

    /** Reads to the end, or to the word. */
    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null && !line.equals("end"); line = input.readLine()) {
            run(line);
        }
        for (ExecutorService thread : THREADS.values()) {
            thread.shutdown();
        }
    }

    private static void answer(String text) {
        byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    private static void runAll(String commands) {
        for (String command : commands.split(" ; ")) {
            run(command);
        }
    }

    private static void run(String line) {
        try {
            String[] words = line.split(" ", 2);
            switch (words[0]) {
                case "thread":
                    Thread thread = new Thread(() -> runAll(words[1]));
                    thread.start();
                    thread.join();
                    publisher.freeLeft(); // which happens within a second
                    answer("ok");
                    return;
                case "interrupted":
                    Thread.currentThread().interrupt();
                    runAll(words[1]);
                    answer(Thread.interrupted() ? "ok" : "the interrupt was swallowed");
                    return;
                case "keep":
                    keep(words[1].split(" ", 2)[0], words[1].split(" ", 2)[1]);
                    return;
                default:
                    command(Arrays.stream(line.split(" "))
                            .map(word -> word.replace("\\s", " "))
                            .collect(Collectors.toList()));
            }
        } catch (IllegalArgumentException error) {
            answer("null " + error.getMessage());
        } catch (InterruptedException | ExecutionException | IOException error) {
            throw new IllegalStateException(line, error);
        }
    }

    /** Threads that go on: each does what is put before it. */
    private static void keep(String name, String commands) throws InterruptedException, ExecutionException {
        ExecutorService thread = THREADS.computeIfAbsent(name, made -> Executors.newSingleThreadExecutor());
        if (!commands.equals("end")) {
            thread.submit(() -> runAll(commands)).get();
            return;
        }
        THREADS.remove(name);
        Thread[] its = new Thread[1];
        thread.submit(() -> its[0] = Thread.currentThread()).get();
        thread.shutdown();
        thread.awaitTermination(60, TimeUnit.SECONDS);
        its[0].join();
        publisher.freeLeft();
        answer("ok");
    }

    private static void command(List<String> words) throws IOException {
        String what = words.get(0);
        switch (what) {
            case "nothing":
                answer("ok");
                return;
            case "open":
                Options options = new Options().say(sentence -> answer("said " + sentence));
                options.path(option(words, "path")).filename(option(words, "filename"));
                publisher = Publisher.open(options.group(option(words, "group")));
                answer("ok");
                return;
            case "close":
                publisher.close();
                KNOWN.clear();
                answer("ok");
                return;
            case "file":
                answer(publisher.file() != null ? publisher.file().toString() : "none");
                return;
            case "look": // as a library might that walks a directory: afterwards no lock is held any more
                Files.readAllBytes(publisher.file());
                answer("ok");
                return;
            case "forget":
                ((Family<?>) KNOWN.get(name(words.get(1)))).forget(values(words.get(1)));
                answer("ok");
                return;
            default:
        }
        if (words.size() >= 3 && !words.get(2).contains("=")) {
            Object found = KNOWN.get(name(words.get(1)));
            int times = words.size() > 3 ? Integer.parseInt(words.get(3)) : 1;
            for (int i = 0; i < times; i++) {
                Stat stat = found instanceof Family
                        ? ((Family<?>) found).tagged(values(words.get(1)))
                        : (Stat) found;
                update(what, stat, words.get(2));
            }
            answer("ok");
            return;
        }
        String label = words.size() > 1 ? words.get(1) : "";
        Object made = declare(what, label, words);
        KNOWN.put(label, made != null ? made : "a constant");
        answer("ok");
    }

    private static String name(String word) {
        return word.contains("{") ? word.substring(0, word.indexOf('{')) : word;
    }

    private static String[] values(String word) {
        return word.substring(word.indexOf('{') + 1, word.length() - 1).split(",", -1);
    }

    private static String option(List<String> words, String key) {
        for (String word : words) {
            if (word.startsWith(key + "=")) {
                return word.substring(key.length() + 1);
            }
        }
        return null;
    }

    private static double number(List<String> words, String key, double otherwise) {
        String told = option(words, key);
        return told != null ? real(told) : otherwise;
    }

    /** As C's atof() takes it. */
    private static double real(String text) {
        switch (text) {
            case "inf":
                return Double.POSITIVE_INFINITY;
            case "-inf":
                return Double.NEGATIVE_INFINITY;
            case "nan":
                return Double.NaN;
            default:
                return Double.parseDouble(text);
        }
    }

    private static String[] list(List<String> words, String key) {
        String told = option(words, key);
        return told != null && !told.isEmpty() ? told.split(",") : new String[0];
    }

    private static About about(List<String> words) {
        About about = new About().unit(option(words, "unit"));
        if (option(words, "help") != null) {
            about.help(option(words, "help"));
        }
        about.aggregate(About.Aggregate.values()[(int) number(words, "aggregate", 0)]);
        about.keep(option(words, "keep") != null);
        about.size((int) number(words, "size", 0));
        about.window(number(words, "window", 0));
        about.scale((int) number(words, "scale", 3));
        about.range(number(words, "low", 0), number(words, "high", 0));
        about.bounds(Arrays.stream(list(words, "bounds")).mapToDouble(Driver::real).toArray());
        about.ttl(number(words, "ttl", 0));
        return about.maxSeries((int) number(words, "max_series", 1000));
    }

    private static Object declare(String kind, String label, List<String> words) {
        About about = about(words);
        String[] tags = list(words, "tags");
        boolean isOne = tags.length == 0;
        switch (kind) {
            case "counter":
                return isOne ? publisher.counter(label, about) : publisher.counters(label, about, tags);
            case "updown":
                return isOne ? publisher.upDown(label, about) : publisher.upDowns(label, about, tags);
            case "number":
                return isOne ? publisher.level(label, about) : publisher.levels(label, about, tags);
            case "integer":
                return isOne ? publisher.wholeLevel(label, about) : publisher.wholeLevels(label, about, tags);
            case "boolean":
                return isOne ? publisher.flag(label, about) : publisher.flags(label, about, tags);
            case "gauge":
                return isOne ? publisher.gauge(label, about) : publisher.gauges(label, about, tags);
            case "average":
                return isOne ? publisher.average(label, about) : publisher.averages(label, about, tags);
            case "moving":
                return isOne ? publisher.moving(label, about) : publisher.movings(label, about, tags);
            case "timer":
                return isOne ? publisher.timer(label, about) : publisher.timers(label, about, tags);
            case "histogram":
                return isOne ? publisher.histogram(label, about) : publisher.histograms(label, about, tags);
            case "string":
                return isOne ? publisher.text(label, about) : publisher.texts(label, about, tags);
            case "enum":
                return publisher.state(label, about, list(words, "states"));
            case "static":
                String constant = option(words, "number");
                if (constant != null) {
                    publisher.constant(label, about, real(constant));
                } else {
                    publisher.constant(label, about, option(words, "text"));
                }
                return null;
            case "info":
                Map<String, String> pairs = new HashMap<>();
                List<String> texts = new ArrayList<>(List.of(list(words, "texts")));
                for (String name : list(words, "names")) {
                    pairs.put(name, texts.remove(0));
                }
                publisher.info(label, about, pairs);
                return null;
            default:
                throw new IllegalStateException("no command " + kind);
        }
    }

    private static void update(String what, Stat stat, String text) {
        switch (what) {
            case "incr":
                ((Counter) stat).incr(Long.parseUnsignedLong(text));
                break;
            case "move":
                ((UpDown) stat).move(Long.parseLong(text));
                break;
            case "set":
                if (stat instanceof Gauge) {
                    ((Gauge) stat).set(real(text));
                } else {
                    ((Level) stat).set(real(text));
                }
                break;
            case "integer":
                ((WholeLevel) stat).set(Long.parseLong(text));
                break;
            case "bool":
                ((Flag) stat).set(!text.equals("0"));
                break;
            case "add":
                if (stat instanceof Average) {
                    ((Average) stat).add(real(text));
                } else {
                    ((Moving) stat).add(real(text));
                }
                break;
            case "observe":
                if (stat instanceof Timer) {
                    ((Timer) stat).observe(real(text));
                } else {
                    ((Histogram) stat).observe(real(text));
                }
                break;
            case "since":
                ((Timer) stat).since(System.nanoTime() - Long.parseLong(text));
                break;
            case "text":
                ((Text) stat).set(text);
                break;
            case "state":
                ((State) stat).set(Integer.parseInt(text));
                break;
            default:
                throw new IllegalStateException("no command " + what);
        }
    }
}
