/**
 * Publish counters, gauges, timers, histograms and texts into a file that anybody may read: begin with
 * {@link mmstats.Publisher}.
 *
 * <p>Which order stores have (FORMAT.md 5): a cell has one writer, so it is loaded and stored plainly, as
 * {@code getOpaque} and {@code setOpaque} of {@link java.lang.invoke.VarHandle} do it; what tells readers that the rest is
 * whole (a witness, a generation, a block's type) is stored by {@code setRelease}; and a {@code releaseFence} keeps what
 * follows a witness behind it.
 */
package mmstats;
