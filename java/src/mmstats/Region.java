package mmstats;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * One file while it is written: its memory, and the chain of blocks in it (FORMAT.md 3, 4 and 7).
 *
 * <p>Whoever calls holds the publisher's lock. Where there can be no file, private memory stands in for it. The
 * channel is opened once and stays open to the end of the process: closing any channel of the file gives up its
 * locks, whatever {@code isValid()} says.
 */
final class Region {
    private static final int TRIES = 100;
    private static final int NAME_ROOM = 255; // bytes, of a file system
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Settings settings;
    private final List<Step> steps = new ArrayList<>();
    private FileChannel channel;
    private Path file;
    private long end; // of the chain
    private long layouts;

    /** Memory that was mapped at once, from its place in the file on. */
    private static final class Step {
        final long begin;
        final ByteBuffer memory;

        Step(long begin, ByteBuffer memory) {
            this.begin = begin;
            this.memory = memory;
        }

        long end() {
            return begin + memory.capacity();
        }
    }

    /** A block that is taken: where its bytes are. */
    static final class Block {
        final ByteBuffer memory;
        final int at;

        Block(ByteBuffer memory, int at) {
            this.memory = memory;
            this.at = at;
        }

        void putInt(int offset, int value) {
            memory.putInt(at + offset, value);
        }

        void putLong(int offset, long value) {
            memory.putLong(at + offset, value);
        }

        void putByte(int offset, int value) {
            memory.put(at + offset, (byte) value);
        }

        /** The place behind them. */
        int putBytes(int offset, byte[] bytes) {
            Machine.put(memory, at + offset, bytes);
            return offset + bytes.length;
        }

        /** It is whole: readers may see it. */
        void publish(int type) {
            long length = Words.load(memory, at) & ~0xFFFFFFFFL;
            Words.storeRelease(memory, at, length | type);
        }
    }

    /** One that readers see, if that can be. */
    Region(Settings settings) {
        this.settings = settings;
        try {
            if (!settings.disabled) {
                publish();
                return;
            }
        } catch (IOException | RuntimeException | Error error) {
            steps.clear();
            file = null;
            begin();
            drop(
                    Layout.DROP_REASON_PRIVATE,
                    "cannot publish, the stats are in private memory: " + why(error));
            return;
        }
        begin();
    }

    /** The file; null where readers cannot see it. */
    Path file() {
        return file;
    }

    /** Space for a block, taken and zero; null: there is none. */
    Block take(int length, int align) {
        long size = roundUp(length, align);
        long last = steps.get(steps.size() - 1).end();
        long begin = roundUp(end, align);
        if (begin + size > last) {
            long step = Math.min(last, Layout.LAST_STEP);
            long room = roundUp(size + Layout.LANE_ALIGN, Layout.FIRST_STEP);
            if (!grow(last, Math.max(room, step))) {
                return null;
            }
            if (last > end) {
                pad(last - end);
            }
            begin = roundUp(end, align);
        }
        if (begin > end) {
            pad(begin - end);
        }
        Block block = at(begin);
        Words.store(block.memory, block.at, Layout.BLOCK_TYPE_BUILDING | size << 32);
        end = begin + size;
        return block;
    }

    /** Readers take the blocks again. */
    void changed() {
        Words.storeRelease(header(), Layout.HEADER_LAYOUT_GEN, ++layouts);
    }

    /** Counts what could not be published; the first of its reason is said. */
    void drop(int reason, String what) {
        int at = Layout.HEADER_DROPPED + 8 * reason;
        long before = Words.load(header(), at);
        Words.store(header(), at, before + 1);
        if (before == 0 && what != null) {
            settings.say.accept("mmstats: " + what + (file != null ? ": " + file : ""));
        }
    }

    /** Its writer ended in order. */
    void close() {
        long flags = Words.load(header(), Layout.HEADER_STATE) & ~0xFFFFFFFFL; // one word with the state
        Words.storeRelease(header(), Layout.HEADER_STATE, flags | Layout.STATE_CLOSED);
        FileChannel closing = channel;
        channel = null;
        if (closing != null) {
            try {
                Steadily.done(() -> {
                    closing.close();
                    return null;
                });
            } catch (IOException error) {
                // it is closed, then
            }
        }
    }

    private ByteBuffer header() {
        return steps.get(0).memory;
    }

    private Block at(long offset) {
        for (int i = steps.size() - 1; i >= 0; i--) {
            Step step = steps.get(i);
            if (offset >= step.begin) {
                return new Block(step.memory, (int) (offset - step.begin));
            }
        }
        throw new IllegalStateException("no step at " + offset);
    }

    private void pad(long length) {
        Block block = at(end);
        Words.storeRelease(block.memory, block.at, Layout.BLOCK_TYPE_PAD | length << 32);
        end += length;
    }

    private boolean grow(long offset, long size) {
        if (channel == null) {
            if (file != null) {
                return false; // closed
            }
            steps.add(new Step(offset, privately((int) size)));
            return true;
        }
        FileChannel growing = channel;
        try {
            steps.add(new Step(offset, Steadily.done(() -> map(growing, offset, (int) size))));
            return true;
        } catch (IOException error) {
            return false;
        }
    }

    private static ByteBuffer privately(int size) {
        return ByteBuffer.allocateDirect(size + 8).alignedSlice(8).slice(0, size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Zeros are written first: so no store can find the file system full. */
    private static ByteBuffer map(FileChannel channel, long offset, int size) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocate(size);
        while (zeros.hasRemaining()) {
            channel.write(zeros, offset + zeros.position());
        }
        return channel.map(FileChannel.MapMode.READ_WRITE, offset, size).load().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** In private memory. */
    private void begin() {
        steps.add(new Step(0, privately(Layout.FIRST_STEP)));
        describe(0);
    }

    /** A whole file that readers see. */
    private void publish() throws IOException {
        String named = settings.path == null ? null : Places.expand(settings.path, "00000000");
        Path directory = Places.directory(named, settings.mode);
        byte[] random = random();
        Path temporary = directory.resolve(".new-" + HexFormat.of().formatHex(random));
        Steadily.done(() -> {
            var nobodyElse = PosixFilePermissions.asFileAttribute(Places.permissions(0600));
            channel = FileChannel.open(
                    temporary,
                    Set.of(
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.CREATE_NEW,
                            LinkOption.NOFOLLOW_LINKS),
                    nobodyElse);
            return null;
        });
        try {
            Files.setPosixFilePermissions(temporary, Places.permissions(settings.mode));
            long inode = ((Number) Files.getAttribute(temporary, "unix:ino")).longValue();
            Steadily.done(() -> {
                steps.add(new Step(0, map(channel, 0, Layout.FIRST_STEP)));
                describe(inode);
                lock(Layout.LOCK_WRITER);
                lock(Layout.LOCK_WITNESS);
                return null;
            });
            giveName(directory, temporary);
        } catch (IOException | RuntimeException | Error error) {
            FileChannel failed = channel;
            channel = null;
            Steadily.done(() -> {
                failed.close();
                return null;
            });
            throw error;
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** Before anybody can look. What cannot be had, a reader does without. */
    private void lock(int at) {
        try {
            channel.tryLock(at, 1, false);
        } catch (IOException error) {
            // a file system without locks
        }
    }

    private void giveName(Path directory, Path temporary) throws IOException {
        boolean hasId = settings.filename.contains("{ID}");
        IOException wrong = null;
        for (int i = 0; i < TRIES; i++) {
            Path path = directory.resolve(name(i > 0 && !hasId));
            try {
                Files.createLink(path, temporary);
                file = path;
                return;
            } catch (FileAlreadyExistsException error) {
                wrong = error;
                Machine.put(header(), Layout.HEADER_UUID, random());
            }
        }
        throw wrong;
    }

    /** The name, of which the middle is cut where it is too long; beside a name that is taken. */
    private String name(boolean beside) {
        byte[] uuid = new byte[4];
        for (int i = 0; i < uuid.length; i++) {
            uuid[i] = header().get(Layout.HEADER_UUID + i);
        }
        String id = HexFormat.of().formatHex(uuid);
        String name = Places.expand(settings.filename, id).replaceAll("[\\p{Cntrl}/]", "_");
        if (beside) {
            int dot = name.lastIndexOf('.');
            String suffix = dot > 0 ? name.substring(dot) : "";
            String stem = dot > 0 ? name.substring(0, dot) : name;
            name = stem + "-" + Machine.pid() + "-" + id + suffix;
        }
        byte[] whole = Texts.utf8(name);
        if (whole.length <= NAME_ROOM) {
            return name;
        }
        int tail = name.length() - Math.min(name.length(), 26);
        return new String(Machine.cut(name, 175), java.nio.charset.StandardCharsets.UTF_8) + "~" + name.substring(tail);
    }

    private void describe(long inode) {
        ByteBuffer header = header();
        Machine.put(header, Layout.HEADER_MAGIC, Layout.MAGIC);
        header.putShort(Layout.HEADER_MAJOR, (short) Layout.MAJOR);
        header.putShort(Layout.HEADER_MINOR, (short) Layout.MINOR);
        header.putInt(Layout.HEADER_HEADER_SIZE, Layout.HEADER_SIZE);
        header.putInt(Layout.HEADER_STATE, Layout.STATE_LIVE);
        header.putInt(
                Layout.HEADER_WRITER_FLAGS,
                Layout.WRITER_FLAG_FENCES
                        | Layout.WRITER_FLAG_ATOMIC
                        | Layout.WRITER_FLAG_LANES
                        | Layout.WRITER_FLAG_POSIX_LOCK);
        Machine.put(header, Layout.HEADER_UUID, random());
        header.putLong(Layout.HEADER_INO, inode);
        Machine.describe(header);
        Machine.put(header, Layout.HEADER_GROUP, Machine.cut(settings.group, 64));
        end = Layout.HEADER_SIZE;
    }

    private static byte[] random() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    private static long roundUp(long length, long align) {
        return (length + align - 1) / align * align;
    }

    private static String why(Throwable error) {
        String said = error.getMessage();
        return error instanceof IOException && said != null ? said : error.toString();
    }
}
