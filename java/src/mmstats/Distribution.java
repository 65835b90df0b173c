package mmstats;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Values that are counted by where they lie (FORMAT.md 5.2).
 *
 * <p>A bucket is counted in its place, so an update first stores what was, and whose it is: a reader in the middle, or
 * after a kill, counts that one cell as it was.
 */
final class Distribution {
    private static final int TOTALS = 3; // cells of {sum, min, max}
    static final int BOUND_SHIFT = 20;
    static final int WITNESS_SHIFT = 32;
    private static final long FRACTION = 0xFFFFFFFFFFFFFL;
    private static final long ONE = 0x3FF0000000000000L;

    final int scale;
    final int low;
    final int high;
    final int totals; // where they begin in the value's cells
    final int spread; // and the distribution
    final int ring; // and the ring; 0: there is none
    final int room; // values in the ring, one more than count
    private final double[] bounds;

    Distribution(String label, String unit, About about, int totals, int spread, int room) {
        boolean isTime = unit.equals("seconds");
        boolean isCount = unit.equals("bytes") || unit.equals("items");
        double least = about.low != 0 ? about.low : isTime ? 1e-6 : isCount ? 1.0 : 1e-9;
        double most = about.high != 0 ? about.high : isTime ? 3600.0 : isCount ? 0x1p40 : 1e9;
        bounds = about.bounds;
        boolean isRange = least > 0
                && least < most
                && Double.isFinite(most)
                && about.scale >= 0
                && about.scale <= Layout.SCALE_MOST
                && bounds.length <= Layout.BOUNDS_MOST;
        for (int i = 0; isRange && i < bounds.length; i++) {
            isRange = Double.isFinite(bounds[i]) && (i == 0 || bounds[i - 1] < bounds[i]);
        }
        scale = about.scale;
        low = isRange ? powerAbove(least) - 1 : 0;
        high = isRange ? powerAbove(most) : 0;
        if (!isRange || low < -Layout.OCTAVE_MOST || high > Layout.OCTAVE_MOST) {
            throw new IllegalArgumentException("'" + label + "': scale=" + about.scale + " low="
                    + Texts.number(least) + " high=" + Texts.number(most) + " and " + bounds.length + " bounds: expected 0 to " + Layout.SCALE_MOST
                    + ", 0 < low < high, and bounds that ascend, at most " + Layout.BOUNDS_MOST);
        }
        this.totals = totals;
        this.spread = spread;
        this.room = room;
        ring = room > 0 ? spread + cells() : 0;
    }

    int cells() {
        return Layout.OF_DISTRIBUTION_SIZE + (bounds.length > 0 ? bounds.length + 1 : 0);
    }

    int octaves() {
        return high - low;
    }

    byte[] extra() {
        ByteBuffer made =
                ByteBuffer.allocate(Layout.RANGE_SIZE + 8 * bounds.length).order(ByteOrder.LITTLE_ENDIAN);
        made.putInt(scale).putInt(low).putInt(high).putInt(bounds.length);
        for (double bound : bounds) {
            made.putDouble(bound);
        }
        return made.array();
    }

    /** The number of the cell that counts the value, as `begun` names it. */
    int bucket(double value) {
        if (value <= 0) {
            return value < 0 ? Layout.BUCKET_NEGATIVE : Layout.BUCKET_ZERO;
        }
        int octave = Math.getExponent(value);
        double normal = value;
        int shift = 0;
        if (octave < Double.MIN_EXPONENT) { // subnormal
            normal = value * 0x1p60;
            shift = 60;
            octave = Math.getExponent(normal);
        }
        octave -= shift;
        double fraction = Words.real(Words.word(normal) & FRACTION | ONE);
        int finer = Layout.SCALE_MOST - scale;
        int sub = 0;
        if (fraction == 1.0) { // the upper edge of its bucket
            octave--;
            sub = (1 << scale) - 1;
        } else {
            for (int step = 1 << scale >> 1; step > 0; step >>= 1) {
                sub += Layout.EDGES[((sub + step) << finer) - 1] < fraction ? step : 0;
            }
        }
        if (octave < low) {
            return Layout.BUCKET_ZERO;
        }
        return octave >= high ? Layout.BUCKET_OVERFLOW : Layout.BUCKET_FIRST + (octave - low << scale) + sub;
    }

    /** Which octave, from `low` on, has that cell; only of those from BUCKET_FIRST on. */
    int octave(int bucket) {
        return bucket - Layout.BUCKET_FIRST >> scale;
    }

    /** One more value. False: nothing was stored, the sum would be no finite number. */
    boolean store(Cells cells, int first, Cells octave, int octaveFirst, int bucket, double value, long time) {
        long n = cells.get(first);
        int old = first + totals + TOTALS * (int) (n & 1);
        double sum = n == 0 ? value : cells.real(old) + value;
        if (!Double.isFinite(sum)) {
            return false;
        }
        double min = n == 0 ? value : Math.min(cells.real(old + 1), value);
        double max = n == 0 ? value : Math.max(cells.real(old + 2), value);
        count(cells, first + spread, octave, octaveFirst, bucket, n, value);
        int next = first + totals + TOTALS * (int) (n + 1 & 1);
        cells.set(next, sum);
        cells.set(next + 1, min);
        cells.set(next + 2, max);
        if (ring > 0) {
            cells.set(first + ring + (int) Long.remainderUnsigned(n, room), value);
            cells.set(first + Layout.OF_TIMER_TIME, time);
        }
        cells.release(first, n + 1);
        return true;
    }

    private void count(Cells cells, int at, Cells octave, int octaveFirst, int bucket, long n, double value) {
        int bound = bound(value);
        int ofBound = at + Layout.OF_DISTRIBUTION_BOUNDS + bound - 1;
        Cells counted = bucket < Layout.BUCKET_FIRST ? cells : octave;
        int cell = cell(at, octaveFirst, bucket);
        long was = counted.get(cell);
        long wasBound = bound > 0 ? cells.get(ofBound) : 0;
        cells.fence();
        cells.set(at + Layout.OF_DISTRIBUTION_WAS, was);
        if (bound > 0) {
            cells.set(at + Layout.OF_DISTRIBUTION_WAS_BOUND, wasBound);
        }
        long begun = bucket | (long) bound << BOUND_SHIFT | n + 1 << WITNESS_SHIFT;
        cells.release(at + Layout.OF_DISTRIBUTION_BEGUN, begun);
        cells.fence();
        counted.set(cell, was + 1);
        if (bound > 0) {
            cells.set(ofBound, wasBound + 1);
        }
    }

    int cell(int at, int octaveFirst, int bucket) {
        return bucket < Layout.BUCKET_FIRST
                ? at + Layout.OF_DISTRIBUTION_ZERO + bucket
                : octaveFirst + (bucket - Layout.BUCKET_FIRST & (1 << scale) - 1);
    }

    /** The place of the value's bound, from 1 on; 0 where there are no bounds. */
    private int bound(double value) {
        int bound = bounds.length > 0 ? 1 : 0;
        while (bound > 0 && bound <= bounds.length && bounds[bound - 1] < value) {
            bound++;
        }
        return bound;
    }

    /** The least power of two that is not below the value. */
    private static int powerAbove(double value) {
        double scaled = value < Double.MIN_NORMAL ? value * 0x1p60 : value;
        int exponent = Math.getExponent(scaled) - (value < Double.MIN_NORMAL ? 60 : 0);
        return (Words.word(scaled) & FRACTION) == 0 ? exponent : exponent + 1;
    }
}
