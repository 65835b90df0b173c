package mmstats;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Texts that come from outside: lawful ones, as bytes. */
final class Texts {
    private Texts() {}

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** IllegalArgumentException where that is no text for a file. */
    static void check(String what, String text) {
        ByteBuffer bytes;
        try {
            bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        } catch (CharacterCodingException error) {
            throw new IllegalArgumentException(what + " is no UTF-8: half a character");
        }
        if (text.chars().anyMatch(c -> c < 0x20 || c == 0x7F)) {
            throw new IllegalArgumentException(what + " holds a control character: '" + text + "'");
        }
        if (bytes.remaining() > Layout.TEXT_LIMIT) {
            throw new IllegalArgumentException(
                    what + " has " + bytes.remaining() + " bytes, at most " + Layout.TEXT_LIMIT + " fit");
        }
    }

    /** In a sentence: 5 and not 5.0. */
    static String number(double value) {
        return value == (long) value ? Long.toString((long) value) : Double.toString(value);
    }

    /** Whether a text may stand in a file. */
    static boolean isLawful(String text) {
        try {
            check("", text);
            return true;
        } catch (IllegalArgumentException error) {
            return false;
        }
    }

    /** Letters, digits and _, no digit first. */
    static boolean isName(String text) {
        return text != null && text.matches("[A-Za-z_][A-Za-z0-9_]*");
    }

    /** Each with a NUL behind it. */
    static byte[] joined(String... texts) {
        return texts.length == 0 ? new byte[0] : utf8(String.join("\0", texts) + "\0");
    }
}
