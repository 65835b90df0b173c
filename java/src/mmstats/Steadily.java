package mmstats;

import java.io.IOException;
import java.util.concurrent.Callable;

/**
 * What is done to a file is done in a thread that nobody interrupts.
 *
 * <p>An interrupt closes the channel that it meets, and whoever closes a channel of our file takes the lock away that
 * says that we live.
 */
final class Steadily {
    private Steadily() {}

    /** What the work gives. An interrupt that comes meanwhile is there afterwards. */
    static <T> T done(Callable<T> work) throws IOException {
        Work<T> working = new Work<>(work);
        Thread thread = new Thread(working, "mmstats");
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (OutOfMemoryError error) { // no thread to be had: as well as can be, then
            working.run();
            return working.result();
        }
        boolean isInterrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException interrupt) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
        return working.result();
    }

    private static final class Work<T> implements Runnable {
        private final Callable<T> work;
        private T result;
        private Throwable failed;

        Work(Callable<T> work) {
            this.work = work;
        }

        @Override
        public void run() {
            try {
                result = work.call();
            } catch (Exception | Error error) {
                failed = error;
            }
        }

        T result() throws IOException {
            if (failed instanceof IOException) {
                throw (IOException) failed;
            }
            if (failed != null) {
                throw new IOException(failed);
            }
            return result;
        }
    }
}
