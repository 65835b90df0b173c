package mmstats;

import java.util.function.Consumer;

/**
 * Where to publish. Whatever is not said is as the environment says, and else as everybody does it.
 *
 * <pre>{@code
 * Publisher publisher = Publisher.open(new Options().group("shop"));
 * }</pre>
 */
public final class Options {
    String path;
    String filename;
    String group;
    Consumer<String> say;

    /** A directory; else MMSTATS_PATH, /dev/shm/mmstats-UID, $XDG_RUNTIME_DIR/mmstats, ... */
    public Options path(String path) {
        this.path = path;
        return this;
    }

    /** A name; else MMSTATS_FILES, "{CMD}-{PID}-{ID}.mmstats". There are the words CMD PID TID ID UID. */
    public Options filename(String filename) {
        this.filename = filename;
        return this;
    }

    /** What belongs together; else MMSTATS_GROUP, the main class's name. */
    public Options group(String group) {
        this.group = group;
        return this;
    }

    /** Who is told what the machine refused, once each; else System.err. */
    public Options say(Consumer<String> say) {
        this.say = say;
        return this;
    }
}
