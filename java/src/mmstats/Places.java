package mmstats;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which directory: the list that readers walk, too. What is named, else /dev/shm/mmstats-UID,
 * $XDG_RUNTIME_DIR/mmstats, and mmstats-UID in the temporary directory.
 *
 * <p>A place is a directory, no link, ours, and nobody else's to write to. A named one may be shared (root's, or
 * others' to write to): then files go into mmstats-UID in it.
 */
final class Places {
    private static final Path MEMORY = Path.of("/dev/shm");
    private static final Pattern WORD = Pattern.compile("\\{([^}]*)\\}?");
    private static final int OTHERS_WRITE = 022;

    private Places() {}

    /** A directory that is there, and ours. IOException: what speaks against it. */
    static Path directory(String named, int mode) throws IOException {
        Set<PosixFilePermission> permissions = ofDirectory(mode);
        if (named != null) {
            return named(Path.of(named).toAbsolutePath().normalize(), permissions);
        }
        String own = "mmstats-" + Machine.uid();
        List<Path> places = new ArrayList<>();
        if (isInMemory(MEMORY)) {
            places.add(MEMORY.resolve(own));
        }
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        if (runtime != null && runtime.startsWith("/") && hasSafeOwner(Path.of(runtime))) {
            places.add(Path.of(runtime).resolve("mmstats"));
        }
        if (hasSafeOwner(temporary())) {
            places.add(temporary().resolve(own));
        }
        IOException wrong = new IOException("no place is ours");
        for (Path place : places) {
            try {
                make(place, permissions);
                check(place);
                return place;
            } catch (IOException error) {
                wrong = error;
            }
        }
        throw wrong;
    }

    /** A template with its words; IllegalArgumentException where there is no such word. */
    static String expand(String template, String id) {
        Matcher words = WORD.matcher(template);
        return words.replaceAll(found -> Matcher.quoteReplacement(value(found, template, id)));
    }

    private static String value(java.util.regex.MatchResult found, String template, String id) {
        if (found.group().endsWith("}")) {
            switch (found.group(1)) {
                case "CMD":
                    return Machine.command();
                case "PID":
                    return Long.toString(Machine.pid());
                case "TID":
                    return Long.toString(Machine.thread());
                case "UID":
                    return Long.toString(Machine.uid());
                case "ID":
                    return id;
                default:
            }
        }
        throw new IllegalArgumentException("template '" + template + "': there are {CMD} {PID} {TID} {ID} {UID}");
    }

    private static Path named(Path place, Set<PosixFilePermission> permissions) throws IOException {
        IOException wrong;
        try {
            if (place.getParent() != null) {
                Files.createDirectories(place.getParent());
            }
            make(place, permissions);
            check(place);
            return place;
        } catch (IOException error) {
            wrong = error;
        }
        if (!isShared(place)) {
            throw wrong;
        }
        Path own = place.resolve("mmstats-" + Machine.uid());
        make(own, permissions);
        check(own);
        return own;
    }

    /** Whoever reads the files may enter; whatever the umask is, it is ours to enter and write. */
    private static void make(Path place, Set<PosixFilePermission> permissions) throws IOException {
        try {
            Files.createDirectory(place);
            Files.setPosixFilePermissions(place, permissions);
        } catch (FileAlreadyExistsException error) {
            // by whom, is seen next
        }
    }

    private static void check(Path place) throws IOException {
        if (!Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
            boolean isLink = Files.isSymbolicLink(place);
            throw new IOException(place + (isLink ? " is a link, expected a directory" : " is no directory"));
        }
        if (owner(place) != Machine.uid()) {
            throw new IOException(place + " is owned by somebody else");
        }
        if ((mode(place) & OTHERS_WRITE) != 0) {
            throw new IOException(place + " is writable by others");
        }
    }

    private static boolean isShared(Path place) {
        try {
            boolean isDirectory = Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS);
            return isDirectory && (owner(place) == 0 || (mode(place) & OTHERS_WRITE) != 0);
        } catch (IOException error) {
            return false;
        }
    }

    private static boolean hasSafeOwner(Path place) {
        try {
            long owner = ((Number) Files.getAttribute(place, "unix:uid")).longValue();
            return owner == 0 || owner == Machine.uid();
        } catch (IOException error) {
            return false;
        }
    }

    private static boolean isInMemory(Path place) {
        try {
            String type = Files.getFileStore(place).type();
            return type.equals("tmpfs") || type.equals("ramfs");
        } catch (IOException error) {
            return false;
        }
    }

    private static Path temporary() {
        for (String name : List.of("TMPDIR", "TEMP", "TMP")) {
            String told = System.getenv(name);
            if (told != null && told.startsWith("/") && Files.isDirectory(Path.of(told))) {
                return Path.of(told);
            }
        }
        return Path.of("/tmp");
    }

    private static long owner(Path place) throws IOException {
        return ((Number) Files.getAttribute(place, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue();
    }

    private static int mode(Path place) throws IOException {
        return (Integer) Files.getAttribute(place, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    }

    /** Who reads the files may enter. */
    private static Set<PosixFilePermission> ofDirectory(int mode) {
        int readable = mode & 044;
        return permissions(0700 | readable | readable >> 2);
    }

    static Set<PosixFilePermission> permissions(int mode) {
        StringBuilder text = new StringBuilder();
        for (int bit = 8; bit >= 0; bit--) {
            text.append((mode >> bit & 1) != 0 ? "rwx".charAt((8 - bit) % 3) : '-');
        }
        return PosixFilePermissions.fromString(text.toString());
    }
}
