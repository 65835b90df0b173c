package mmstats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.invoke.VarHandle;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Two actors, a writer and a reader of the same cells; what the reader may meet has a name. */
class RacesTest {
    private static final int READS = 300_000;
    private static final long LONG = 30_000_000_000L; // ns

    private enum Met {
        WHOLE, // the value before an update, or the one after it
        BUSY, // the witness is another one by now: the reader tries again
        TORN // accepted, and of two updates
    }

    private final Publisher publisher = Publisher.open(new Options().say(said -> {}));

    /** Reads while another thread updates. `read`: cells and the value's first one. */
    private <S extends Stat> Map<Met, Integer> met(
            S stat, Consumer<S> update, BiFunction<Cells, Integer, Met> read, boolean untilTorn) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        Cells[] cells = new Cells[1];
        boolean[] isOver = {false};
        Thread writer = new Thread(() -> {
            update.accept(stat);
            cells[0] = stat.cells();
            begun.countDown();
            while (!isOver[0]) {
                for (int i = 0; i < 1000; i++) {
                    update.accept(stat);
                }
                VarHandle.acquireFence();
            }
        });
        writer.start();
        begun.await();
        Map<Met, Integer> found = new EnumMap<>(Met.class);
        long end = System.nanoTime() + LONG;
        for (int i = 0; untilTorn ? !found.containsKey(Met.TORN) : i < READS; i++) {
            found.merge(read.apply(cells[0], stat.metric.index), 1, Integer::sum);
            if (System.nanoTime() > end) {
                break;
            }
        }
        isOver[0] = true;
        VarHandle.releaseFence();
        writer.join();
        return found;
    }

    private static Met judged(boolean isWhole, boolean isSame) {
        return !isSame ? Met.BUSY : isWhole ? Met.WHOLE : Met.TORN;
    }

    private static long witness(Cells cells, int first) {
        long word = cells.get(first);
        VarHandle.acquireFence();
        return word;
    }

    private static boolean isStill(Cells cells, int first, long witness) {
        VarHandle.acquireFence();
        return cells.get(first) == witness;
    }

    private static void assertNeverTorn(Map<Met, Integer> found) {
        assertEquals(0, found.getOrDefault(Met.TORN, 0));
        assertTrue(found.getOrDefault(Met.WHOLE, 0) > 0, "nothing was accepted");
    }

    @Test
    void anAverageIsOfAsManyValuesAsItsWitnessSays() throws Exception {
        Average average = publisher.average("mean", new About());
        assertNeverTorn(met(average, one -> one.add(1.0), RacesTest::readAverage, false));
    }

    private static Met readAverage(Cells cells, int first) {
        long n = witness(cells, first);
        double sum = cells.real(first + Layout.OF_AVERAGE_SUM + (int) (n & 1));
        return judged(sum == n, isStill(cells, first, n));
    }

    @Test
    void aTextIsOneThatWasWritten() throws Exception {
        assertNeverTorn(met(texts(), RacesTest::writeText, (cells, first) -> readText(cells, first, true), false));
    }

    @Test
    void withoutASecondLookAtTheWitnessATextIsTwo() throws Exception {
        Map<Met, Integer> found =
                met(texts(), RacesTest::writeText, (cells, first) -> readText(cells, first, false), true);
        assertTrue(found.containsKey(Met.TORN), "this test would not notice a torn text: " + found);
    }

    private Text texts() {
        return publisher.text("phase", new About().size(200));
    }

    private static int letter;

    private static void writeText(Text text) {
        letter = (letter + 1) % 26;
        text.set(Character.toString('a' + letter).repeat(40 + letter));
    }

    private static Met readText(Cells cells, int first, boolean looksAgain) {
        int room = Layout.OF_SLOT_SIZE + 25;
        long n = witness(cells, first);
        int slot = first + Layout.OF_TEXT_SLOTS + room * (int) (n & 1);
        int length = (int) cells.get(slot + Layout.OF_SLOT_LENGTH);
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < length; at++) {
            text.append((char) (cells.get(slot + Layout.OF_SLOT_BYTES + at / 8) >>> 8 * (at % 8) & 0xFF));
        }
        boolean isWhole = text.chars().allMatch(c -> c == text.charAt(0)) && length == 40 + text.charAt(0) - 'a';
        return judged(isWhole, !looksAgain || isStill(cells, first, n));
    }

    @Test
    void aHistogramHasAsManyValuesInItsBucketsAsItsWitnessSays() throws Exception {
        Histogram histogram = publisher.histogram("size", new About().range(1, 8).scale(0));
        double[] next = {0};
        Consumer<Histogram> update = one -> one.observe(next[0] = next[0] % 2 == 0 ? -1 : 0);
        assertNeverTorn(met(histogram, update, RacesTest::readHistogram, false));
    }

    /** Of values that need no octave: what is under way counts as it was. */
    private static Met readHistogram(Cells cells, int first) {
        int spread = first + Layout.OF_HISTOGRAM_DISTRIBUTION;
        long n = witness(cells, first);
        long zero = cells.get(spread + Layout.OF_DISTRIBUTION_ZERO);
        long negative = cells.get(spread + Layout.OF_DISTRIBUTION_NEGATIVE);
        double sum = cells.real(first + Layout.OF_HISTOGRAM_TOTALS + 3 * (int) (n & 1));
        VarHandle.acquireFence();
        long begun = cells.get(spread + Layout.OF_DISTRIBUTION_BEGUN);
        long was = cells.get(spread + Layout.OF_DISTRIBUTION_WAS);
        boolean isSame = isStill(cells, first, n);
        if (begun >>> Distribution.WITNESS_SHIFT == (n + 1 & 0xFFFFFFFFL)) {
            boolean isZero = (begun & 0xFFFFF) == Layout.BUCKET_ZERO;
            zero = isZero ? was : zero;
            negative = isZero ? negative : was;
        }
        return judged(zero + negative == n && sum == -negative, isSame);
    }
}
