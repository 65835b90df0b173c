"""The first bytes: what is refused, and how that is said."""

from __future__ import annotations

import pytest

import filebuilder as fb
from mmstats.errors import FormatError, NotRead
from mmstats.format import layout
from mmstats.format.header import decode_header, layout_gen


def refusal(data):
    with pytest.raises(FormatError) as caught:
        decode_header(data)
    return caught.value


def test_each_field_comes_back():
    given = {
        name: number
        for number, name in enumerate(layout.HEADER_FIELDS, 1)
        if name
        not in {
            "magic",
            "major",
            "header_size",
            "incompat_flags",
            "state",
            "hostname",
            "group",
            "cmd",
            "dropped",
        }
        and name not in {"uuid", "boot_id", "machine_id"}
    }
    header = decode_header(
        fb.header(**given, uuid=b"u" * 16, boot_id=b"b" * 16, machine_id=b"m" * 16, cmd="größe")
    )
    assert {name: getattr(header, name) for name in given} == given
    assert (header.uuid, header.boot_id, header.machine_id) == (b"u" * 16, b"b" * 16, b"m" * 16)
    assert (header.cmd, header.group, header.dropped) == ("größe", "app", [])


def test_a_text_may_fill_its_room():
    assert decode_header(fb.header(hostname="h" * 64)).hostname == "h" * 64


def test_dropped_words_get_their_reasons():
    words = b"".join(number.to_bytes(8, "little") for number in (0, 3, 0, 0, 5, 0, 0, 7))
    assert decode_header(fb.header(dropped=words)).dropped == [("private", 3), ("value", 5), ("reason 7", 7)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "an empty file"),
        (b"vm\0 whatever", "not an mmstats file (begins with 76 6d 00)"),
        (layout.MAGIC[:5], "not an mmstats file (begins with 02 6d 6d)"),
        (b"\x01\x07\0sys.pid", "written by mmstats format 1"),
        (fb.header(major=3), "written by mmstats format 3, this reader knows 1 and 2"),
        (
            fb.header(incompat_flags=0x10),
            "written with features this reader does not know (incompat_flags 0x10)",
        ),
    ],
)
def test_what_is_not_for_this_reader_is_said_in_a_sentence(data, why):
    error = refusal(data)
    assert isinstance(error, NotRead)
    assert str(error) == why


@pytest.mark.parametrize("length", [8, 9, 10, 100, 511])
def test_a_short_header_is_damage(length):
    error = refusal(fb.header()[:length])
    assert (error.offset, error.found, error.expected) == (0, f"{length} bytes", "at least 512")


@pytest.mark.parametrize("size", [0, 511, 520, 576, 4096])
def test_header_size_must_lead_to_a_block_within_the_file(size):
    assert refusal(fb.header(header_size=size)).offset == layout.HEADER_HEADER_SIZE


def test_an_unknown_state_is_damage():
    assert refusal(fb.header(state=4)).offset == layout.HEADER_STATE


def test_a_text_that_is_no_utf8_is_damage_at_its_byte():
    error = refusal(fb.header(group=b"ab\xff"))
    assert (error.offset, error.found) == (layout.HEADER_GROUP + 2, "byte 0xff")


def test_minor_and_compat_flags_are_ignored():
    assert decode_header(fb.header(minor=9, compat_flags=1 << 63)).minor == 9


def test_layout_gen_of_eight_bytes():
    assert layout_gen(b"\x05" + bytes(7)) == 5


def test_errors_keep_what_they_name():
    error = FormatError(3, "a", "b")
    assert (str(error), error.offset, error.found, error.expected) == (
        "offset=3: found a, expected b",
        3,
        "a",
        "b",
    )
