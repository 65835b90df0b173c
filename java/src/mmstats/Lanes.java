package mmstats;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The lanes of one file, and which one is the calling thread's (FORMAT.md 4.2, 4.3).
 *
 * <p>Whoever calls holds the publisher's lock, but for {@link #here} and {@link #ofProcess}, which every update asks.
 */
final class Lanes {
    /** Lane 0, every thread's. */
    final Lane ofProcess = new Lane(0, ByteBuffer.allocateDirect(16).alignedSlice(8), 0);

    private final Publisher publisher;
    private final ThreadLocal<Lane> here = new ThreadLocal<>();
    private final List<Lane> lanes = new ArrayList<>();

    Lanes(Publisher publisher) {
        this.publisher = publisher;
    }

    /** The calling thread's; null: it has none yet. */
    Lane here() {
        return here.get();
    }

    /** Leads the calling thread to the cells of a segment, and has a member's begin. Null: it cannot count. */
    Lane.Piece attach(Metric metric, Segment segment) {
        if (metric.isForgotten) {
            return null;
        }
        Lane lane = metric.segment.ofProcess ? ofProcess : here();
        if (lane == null) {
            lane = newLane();
            here.set(lane);
        }
        Lane.Piece piece = lane.piece(segment.place);
        if (piece == null) {
            piece = newPiece(lane, segment);
        }
        if (segment == metric.segment && metric.generation != 0) {
            begin(metric, lane, piece);
        }
        return piece;
    }

    /** Lanes that have the segment begin the value, before anybody can store there. */
    void begin(Metric metric) {
        begin(ofProcess, metric);
        lanes.forEach(lane -> begin(lane, metric));
    }

    /** Gives back the lanes of threads that have ended. */
    void freeLeft() {
        for (Lane lane : lanes) {
            if (!lane.isFree() && lane.isLeft()) {
                lane.free();
            }
        }
    }

    private static void begin(Lane lane, Metric metric) {
        Lane.Piece piece = lane.piece(metric.segment.place);
        if (piece != null) {
            piece.set(metric.index, metric.firstWord);
        }
    }

    /** A slot's cells begin anew for another member: the word is 0 meanwhile. */
    private void begin(Metric member, Lane lane, Lane.Piece piece) {
        Cells cells = piece;
        int word = member.index - 1;
        if (cells.get(word) == member.generation) {
            return;
        }
        cells.release(word, 0);
        cells.fence();
        for (int i = 0; i < member.cells; i++) {
            cells.set(member.index + i, i == 0 ? member.firstWord : 0);
        }
        if (piece.base != null) {
            Arrays.fill(piece.base, word, word + 1 + member.cells, 0);
        }
        for (Segment octave : member.segment.octaves) {
            Lane.Piece buckets = octave != null ? lane.piece(octave.place) : null;
            int first = buckets != null ? member.at << member.shape.scale : 0;
            for (int i = 0; buckets != null && i < 1 << member.shape.scale; i++) {
                buckets.set(first + i, 0);
            }
        }
        cells.release(word, member.generation);
    }

    private Lane newLane() {
        freeLeft();
        for (Lane lane : lanes) {
            if (lane.isFree()) {
                long state = lane.nextState();
                lane.handOver();
                lane.belongs(state);
                return lane;
            }
        }
        Region.Block block = publisher.region().take(Layout.LANE_SIZE, Layout.BLOCK_ALIGN);
        int number = lanes.size() + 1;
        Lane lane = block != null
                ? new Lane(number, block.memory, block.at + Layout.LANE_STATE)
                : new Lane(number, ByteBuffer.allocateDirect(16).alignedSlice(8), 0);
        lane.belongs(lane.nextState());
        if (block != null) {
            block.putInt(Layout.LANE_LANE, number);
            block.publish(Layout.BLOCK_TYPE_LANE);
            publisher.region().changed();
        }
        lanes.add(lane);
        if (lanes.size() == 2) {
            Ended.watch(publisher);
        }
        return lane;
    }

    private Lane.Piece newPiece(Lane lane, Segment segment) {
        int length = Layout.CELLS_SIZE + 8 * segment.cells;
        Region.Block block = publisher.region().take(length, Layout.LANE_ALIGN);
        Lane.Piece piece;
        if (block == null) {
            publisher.region().drop(Layout.DROP_REASON_SPACE, "no space for a thread's cells, it counts unseen");
            int size = 8 * segment.cells + 8;
            piece = new Lane.Piece(segment, ByteBuffer.allocateDirect(size).alignedSlice(8), 0);
        } else {
            piece = new Lane.Piece(segment, block.memory, block.at + Layout.CELLS_SIZE);
            block.putInt(Layout.CELLS_LANE, lane.number);
            block.putInt(Layout.CELLS_SEGMENT, segment.number);
            block.putInt(Layout.CELLS_COUNT, segment.cells);
        }
        for (Metric metric : segment.metrics) {
            if (metric.generation == 0) {
                piece.set(metric.index, metric.firstWord);
            }
        }
        if (block != null) {
            block.publish(Layout.BLOCK_TYPE_CELLS);
            publisher.region().changed();
        }
        lane.add(piece);
        return piece;
    }
}
