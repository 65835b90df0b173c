package mmstats;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;

/** The cells that one thread after the other stores into; lane 0 is every thread's. */
final class Lane {
    final int number;
    Piece[] pieces = {};
    private final ByteBuffer memory;
    private final int at; // of the state
    private long owners;
    private WeakReference<Thread> owner = new WeakReference<>(null);

    /** One segment's cells, and what earlier owners of the lane left of numbers that are summed. */
    static final class Piece extends Cells {
        final Segment segment;
        long[] base;

        Piece(Segment segment, ByteBuffer buffer, int at) {
            super(buffer, at);
            this.segment = segment;
        }
    }

    Lane(int number, ByteBuffer memory, int at) {
        this.number = number;
        this.memory = memory;
        this.at = at;
    }

    /** The cells of the segment that has this place; null: there are none yet. */
    Piece piece(int place) {
        Piece[] known = pieces;
        return place < known.length ? known[place] : null;
    }

    void add(Piece piece) {
        int place = piece.segment.place;
        if (place >= pieces.length) {
            pieces = java.util.Arrays.copyOf(pieces, Math.max(place + 8, 2 * pieces.length));
        }
        pieces[place] = piece;
    }

    /** The state that the LANE block has for the next owner. */
    long nextState() {
        return owners + 1 << 32 | Machine.thread() & 0xFFFFFFFFL;
    }

    /** Its thread, from now on: the state is stored last. */
    void belongs(long state) {
        owners++;
        owner = new WeakReference<>(Thread.currentThread());
        Words.storeRelease(memory, at, state);
    }

    /** Whether its thread has ended. */
    boolean isLeft() {
        Thread thread = owner.get();
        return thread == null || !thread.isAlive();
    }

    boolean isFree() {
        return Words.loadAcquire(memory, at) == 0;
    }

    void free() {
        Words.storeRelease(memory, at, 0);
    }

    /** What becomes of the values as the lane changes hands. */
    void handOver() {
        for (Piece piece : pieces) {
            if (piece == null) {
                continue;
            }
            for (Metric metric : piece.segment.metrics) {
                if (metric.generation == 0 || piece.get(metric.index - 1) == metric.generation) {
                    handOver(metric, piece);
                }
            }
        }
    }

    private static void handOver(Metric metric, Piece piece) {
        Cells cells = piece;
        int first = metric.index;
        long n = cells.get(first);
        switch (metric.kind) {
            case Layout.KIND_NUMBER:
                if (metric.isSummed()) {
                    if (piece.base == null) {
                        piece.base = new long[piece.segment.cells];
                    }
                    piece.base[first] = n;
                } else {
                    cells.set(first, metric.firstWord);
                }
                break;
            case Layout.KIND_BOOL:
                cells.set(first, metric.firstWord);
                break;
            case Layout.KIND_MOVING:
                Moving.handOver(metric, cells, n);
                break;
            case Layout.KIND_TIMER:
                cells.set(first + Layout.OF_TIMER_STARTED, n);
                break;
            case Layout.KIND_TEXT:
                Text.handOver(metric, cells, n);
                break;
            default: // all stays, and nobody asks for a thread's own part of it
        }
    }
}
