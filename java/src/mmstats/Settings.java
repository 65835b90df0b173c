package mmstats;

import java.util.function.Consumer;

/** Where to publish: what was given, else what the environment says, else as everybody does it. */
final class Settings {
    private static final int GROUP_ROOM = 64;

    final String path;
    final String filename;
    final String group;
    final int mode;
    final boolean disabled;
    final Consumer<String> say;

    /** IllegalArgumentException where that makes no sense. */
    Settings(Options options) {
        path = told(options.path, "MMSTATS_PATH", null);
        filename = told(options.filename, "MMSTATS_FILES", "{CMD}-{PID}-{ID}.mmstats");
        String command = new String(Machine.cut(Machine.command(), GROUP_ROOM), java.nio.charset.StandardCharsets.UTF_8);
        group = told(options.group, "MMSTATS_GROUP", command);
        String refused = System.getenv("MMSTATS_DISABLE");
        disabled = refused != null && !refused.isEmpty() && !refused.equals("0");
        say = options.say != null ? options.say : System.err::println;
        mode = mode(System.getenv("MMSTATS_MODE"));
        Texts.check("group", group);
        int length = Texts.utf8(group).length;
        if (length > GROUP_ROOM) {
            throw new IllegalArgumentException("group has " + length + " bytes, at most " + GROUP_ROOM + " fit");
        }
        Places.expand(filename, "00000000");
        if (path != null) {
            Places.expand(path, "00000000");
        }
    }

    private static String told(String given, String variable, String otherwise) {
        String told = given != null && !given.isEmpty() ? given : System.getenv(variable);
        return told != null && !told.isEmpty() ? told : otherwise;
    }

    private static int mode(String text) {
        if (text == null || text.isEmpty()) {
            return 0600;
        }
        int mode = text.matches("[0-7]{3,4}") ? Integer.parseInt(text, 8) : -1;
        if ((mode & ~0644) != 0 || (mode & 0200) == 0) {
            throw new IllegalArgumentException("MMSTATS_MODE='" + text
                    + "': expected 0600, 0640, 0604 or 0644; nobody else writes");
        }
        return mode | 0600;
    }
}
