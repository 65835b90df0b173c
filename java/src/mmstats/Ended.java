package mmstats;

import java.lang.ref.WeakReference;

/**
 * Sees within a second that threads have ended: their lanes are given back, and readers leave out what ends with a
 * thread. The JVM tells nobody of that; who comes as a new thread looks by itself.
 */
final class Ended implements Runnable {
    private static final long PAUSE = 1000; // ms

    private final WeakReference<Publisher> publisher;

    private Ended(Publisher publisher) {
        this.publisher = new WeakReference<>(publisher);
    }

    static void watch(Publisher publisher) {
        Thread thread = new Thread(new Ended(publisher), "mmstats");
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (OutOfMemoryError error) {
            // no thread to be had: the next one that comes looks by itself
        }
    }

    @Override
    public void run() {
        while (true) {
            try {
                Thread.sleep(PAUSE);
            } catch (InterruptedException interrupt) {
                return;
            }
            Publisher looked = publisher.get();
            if (looked == null || !looked.freeLeft()) {
                return;
            }
        }
    }
}
