package mmstats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What somebody meets who declares something; what is in the file, Python's tests see. */
class PublisherTest {
    private final List<String> said = new ArrayList<>();
    private final Publisher publisher = Publisher.open(new Options().say(said::add));

    @AfterEach
    void close() {
        publisher.close();
        assertEquals(List.of(), said);
    }

    @Test
    void theSameLabelIsTheSameStat() {
        assertSame(publisher.counter("hits"), publisher.counter("hits", new About()));
        Family<Counter> requests = publisher.counters("requests", new About(), "method");
        assertSame(requests, publisher.counters("requests", new About(), "method"));
        assertSame(requests.tagged("GET"), requests.tagged("GET"));
        assertNotSame(requests.tagged("GET"), requests.tagged("PUT"));
    }

    @Test
    void anotherSortUnderTheSameLabelIsRefused() {
        publisher.counter("hits");
        for (Runnable declared : List.<Runnable>of(
                () -> publisher.gauge("hits", new About()),
                () -> publisher.counter("hits", new About().unit("bytes")),
                () -> publisher.counters("hits", new About(), "method"),
                () -> publisher.constant("hits", new About(), "5"))) {
            var error = assertThrows(IllegalArgumentException.class, declared::run);
            assertEquals("'hits' is declared already, as something else", error.getMessage());
        }
    }

    @Test
    void aFamilyTakesAsManyValuesAsItHasTags() {
        Family<Counter> requests = publisher.counters("requests", new About(), "method", "status");
        var error = assertThrows(IllegalArgumentException.class, () -> requests.tagged("GET"));
        assertEquals("'requests' has 2 tags, and got 1 values", error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> publisher.counters("none", new About()));
    }

    @Test
    void oneAboutServesManyDeclarations() {
        About about = new About().unit("bytes");
        publisher.counters("sent", about, "to");
        publisher.counter("received", about);
        assertTrue(publisher.counters("lost", about, "where").tagged("here") instanceof Counter);
    }

    @Test
    void halfACharacterIsNoLabel() {
        var error = assertThrows(IllegalArgumentException.class, () -> publisher.counter("a\ud800"));
        assertEquals("label is no UTF-8: half a character", error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> publisher.counter(null));
        assertThrows(IllegalArgumentException.class, () -> publisher.info("i", new About(), Map.of("a b", "")));
    }

    @Test
    void noUpdateThrows() {
        publisher.text("phase", new About().size(4)).set(null);
        publisher.text("phase", new About().size(4)).set("\ud800 and more");
        publisher.histogram("size", new About()).observe(Double.NaN);
        publisher.state("mode", new About(), "on", "off").set(7);
        publisher.gauge("free", new About()).set(Double.NaN);
        publisher.average("mean", new About()).add(Double.MAX_VALUE);
        publisher.average("mean", new About()).add(Double.MAX_VALUE);
    }

    @Test
    void afterTheEndNothingHappens() {
        Counter hits = publisher.counter("hits");
        hits.incr();
        publisher.close();
        publisher.close();
        hits.incr();
        publisher.counter("more").incr();
    }

    @Test
    void whatIsHeldEnds() {
        UpDown running = publisher.upDown("running", new About());
        Timer latency = publisher.timer("latency", new About());
        try (var held = running.held();
                var time = latency.time()) {
            assertEquals(1, running.cells().get(running.metric.index));
            assertEquals(0, latency.cells().get(latency.metric.index));
        }
        assertEquals(0, running.cells().get(running.metric.index));
        assertEquals(1, latency.cells().get(latency.metric.index));
    }
}
