"""Reading and arithmetic meet."""

from __future__ import annotations

import filebuilder as fb
from mmstats.combining import combined


def test_every_origin_and_one_group(tmp_path):
    for name, group in (("a", "x"), ("b", "y")):
        row = ("hits", "counter", fb.U64, 2)
        fb.write(tmp_path / f"{name}.mmstats", fb.whole(*fb.fields(row), group=group))
    (tmp_path / "bad.mmstats").write_bytes(b"vm\0")
    assert combined(tmp_path).value("hits") == 4
    assert combined(tmp_path, "x").value("hits") == 2
    assert len(combined(tmp_path, group="x").problems) == 1
