package mmstats;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/** One lane's cells of one segment, or of one value in it: only the lane's thread stores there. */
class Cells {
    final ByteBuffer buffer;
    final int at;

    Cells(ByteBuffer buffer, int at) {
        this.buffer = buffer;
        this.at = at;
    }

    final long get(int cell) {
        return Words.load(buffer, at + 8 * cell);
    }

    final double real(int cell) {
        return Words.real(get(cell));
    }

    final void set(int cell, long word) {
        Words.store(buffer, at + 8 * cell, word);
    }

    final void set(int cell, double real) {
        set(cell, Words.word(real));
    }

    /** The witness of what was stored before. */
    final void release(int cell, long word) {
        Words.storeRelease(buffer, at + 8 * cell, word);
    }

    /** What was stored so far stays before what comes. */
    final void fence() {
        VarHandle.releaseFence();
    }
}
