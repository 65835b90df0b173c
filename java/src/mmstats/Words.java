package mmstats;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Eight bytes in a mapped file, loaded and stored whole (FORMAT.md 5).
 *
 * <p>Doubles go by their bits: a view of doubles has no atomic additions, and nothing is gained by a second one.
 */
final class Words {
    private static final VarHandle WORD =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long QUIET_NAN = 0x7FF8000000000000L;

    private Words() {}

    /** As it is: the cell has one writer, and this is its thread. */
    static long load(ByteBuffer buffer, int at) {
        return (long) WORD.getOpaque(buffer, at);
    }

    /** Another thread's store, with all that was stored before it. */
    static long loadAcquire(ByteBuffer buffer, int at) {
        return (long) WORD.getAcquire(buffer, at);
    }

    static void store(ByteBuffer buffer, int at, long word) {
        WORD.setOpaque(buffer, at, word);
    }

    /** After all that was stored before. */
    static void storeRelease(ByteBuffer buffer, int at, long word) {
        WORD.setRelease(buffer, at, word);
    }

    static double real(long word) {
        return Double.longBitsToDouble(word);
    }

    static long word(double real) {
        return Double.doubleToRawLongBits(real);
    }

    /** The pattern that says "never" is stored for no value: its neighbour is. */
    static long notNever(int cellType, long word) {
        if (cellType == Layout.CELL_TYPE_F64) {
            return Double.isNaN(real(word)) ? QUIET_NAN : word;
        }
        return word == Layout.NEVER_I64 ? word + 1 : word;
    }
}
