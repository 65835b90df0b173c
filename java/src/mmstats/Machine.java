package mmstats;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;

/** What the header says of the machine and of this process (FORMAT.md 3). */
final class Machine {
    private static final int TICKS_A_SECOND = 17; // AT_CLKTCK of the auxiliary vector

    private Machine() {}

    static void describe(ByteBuffer header) {
        put(header, Layout.HEADER_BOOT_ID, id("/proc/sys/kernel/random/boot_id"));
        put(header, Layout.HEADER_MACHINE_ID, id("/etc/machine-id"));
        header.putInt(Layout.HEADER_PID, (int) pid());
        header.putInt(Layout.HEADER_UID, (int) uid());
        long ticks = startTicks();
        header.putLong(Layout.HEADER_START_TICKS, ticks);
        header.putLong(Layout.HEADER_PID_NS, namespace("pid"));
        header.putLong(Layout.HEADER_TIME_NS, namespace("time"));
        Instant now = Instant.now();
        long created = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        long sinceBoot = uptime();
        header.putLong(Layout.HEADER_CREATED, created);
        header.putLong(Layout.HEADER_CREATED_MONOTONIC, monotonic());
        header.putLong(Layout.HEADER_CREATED_BOOTTIME, sinceBoot);
        if (ticks != 0 && sinceBoot != 0) {
            header.putLong(
                    Layout.HEADER_STARTED, created - sinceBoot + ticks * (1_000_000_000L / ticksASecond()));
        }
        put(header, Layout.HEADER_HOSTNAME, cut(read("/proc/sys/kernel/hostname").strip(), 64));
        put(header, Layout.HEADER_CMD, cut(command(), 64));
    }

    static long pid() {
        return ProcessHandle.current().pid();
    }

    /** The thread's number, as the kernel has it: the link is called PID/task/TID. */
    static long thread() {
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
            return Long.parseLong(name);
        } catch (IOException | RuntimeException error) {
            return pid();
        }
    }

    /** The effective user's. */
    static long uid() {
        return status("Uid:", 2, 0);
    }

    /** CLOCK_MONOTONIC in ns: that is what HotSpot and OpenJ9 give on Linux. */
    static long monotonic() {
        return System.nanoTime();
    }

    /** The main class, or the jar: `java` would say nothing. */
    static String command() {
        String told = System.getProperty("sun.java.command", "").strip();
        if (!told.isEmpty()) {
            String[] words = told.split(" ");
            boolean isSource = words[0].endsWith("launcher.Main") && words.length > 1; // `java Some.java`
            String first = words[isSource ? 1 : 0];
            boolean isFile = first.endsWith(".jar") || first.endsWith(".java");
            return first.substring(Math.max(first.lastIndexOf('/'), isFile ? -1 : first.lastIndexOf('.')) + 1);
        }
        String line = read("/proc/self/cmdline");
        String name = line.substring(0, Math.max(0, line.indexOf('\0')));
        name = name.substring(name.lastIndexOf('/') + 1);
        return name.isEmpty() ? "?" : name;
    }

    /** UTF-8 of as many whole characters as fit. */
    static byte[] cut(String text, int room) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(bytes, cutAt(bytes, room));
    }

    /** Where the last whole character ends that fits: no byte 10xxxxxx begins one. */
    static int cutAt(byte[] bytes, int room) {
        if (bytes.length <= room) {
            return bytes.length;
        }
        int end = room;
        while (end > 0 && (bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        return end;
    }

    static void put(ByteBuffer buffer, int at, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            buffer.put(at + i, bytes[i]);
        }
    }

    private static String read(String path) {
        try {
            return new String(Files.readAllBytes(Path.of(path)), StandardCharsets.UTF_8);
        } catch (IOException | RuntimeException error) {
            return "";
        }
    }

    /** 32 hexadecimal digits, with or without dashes; anything else, as "uninitialized", is no id. */
    private static byte[] id(String path) {
        String digits = read(path).strip().replace("-", "");
        if (!digits.matches("[0-9a-f]{32}")) {
            return new byte[16];
        }
        return ByteBuffer.allocate(16)
                .putLong(Long.parseUnsignedLong(digits.substring(0, 16), 16))
                .putLong(Long.parseUnsignedLong(digits.substring(16), 16))
                .array();
    }

    private static long status(String head, int field, long otherwise) {
        for (String line : read("/proc/self/status").split("\n")) {
            if (line.startsWith(head)) {
                return Long.parseLong(line.split("\\s+")[field]);
            }
        }
        return otherwise;
    }

    /** Field 22 of /proc/self/stat; the second, a name, may hold anything. 0: not to be had. */
    private static long startTicks() {
        String told = read("/proc/self/stat");
        String[] fields = told.substring(told.lastIndexOf(')') + 1).strip().split(" ");
        return fields.length > 19 ? Long.parseLong(fields[19]) : 0;
    }

    /** The link is called pid:[4026531836]. */
    private static long namespace(String name) {
        try {
            String link = Files.readSymbolicLink(Path.of("/proc/self/ns/" + name)).toString();
            return Long.parseLong(link.substring(link.indexOf('[') + 1, link.indexOf(']')));
        } catch (IOException | RuntimeException error) {
            return 0;
        }
    }

    /** CLOCK_BOOTTIME in ns, to a hundredth of a second. */
    private static long uptime() {
        String told = read("/proc/uptime");
        try {
            return (long) (Double.parseDouble(told.split(" ")[0]) * 1e9);
        } catch (NumberFormatException error) {
            return 0;
        }
    }

    private static long ticksASecond() {
        try {
            ByteBuffer pairs = ByteBuffer.wrap(Files.readAllBytes(Path.of("/proc/self/auxv")));
            pairs.order(ByteOrder.nativeOrder());
            while (pairs.remaining() >= 16) {
                long key = pairs.getLong();
                long value = pairs.getLong();
                if (key == TICKS_A_SECOND && value > 0) {
                    return value;
                }
            }
        } catch (IOException | RuntimeException error) {
            // as it is everywhere, then
        }
        return 100;
    }
}
