"""Turn spec/layout.toml into what the rooms need of it.

    python spec/generate.py           write the generated files
    python spec/generate.py --check   write nothing; exit 1 and name each file that lags behind

Needs Python 3.11 (tomllib); only developers run it.
"""

from __future__ import annotations

import re
import struct
import sys
from math import isqrt
from pathlib import Path

import tomllib

SPEC = Path(__file__).resolve().parent
ROOT = SPEC.parent
CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i64": "q", "i32": "i"}
C_TYPES = {
    "u8": "uint8_t",
    "u16": "uint16_t",
    "u32": "uint32_t",
    "u64": "uint64_t",
    "i64": "int64_t",
    "i32": "int32_t",
}
RECORDS = ("header", "metric", "lane", "cells", "member", "folded", "range")


def load() -> dict:
    layout = tomllib.loads((SPEC / "layout.toml").read_text())
    for record in RECORDS:
        check_record(record, layout[record])
    return layout


def check_record(record: str, rows: dict) -> None:
    """Stop where fields overlap, are not naturally aligned, or reach beyond their record."""
    end = 0
    for field in rows["fields"]:
        width = size_of(field)
        where = f"{record}.{field['name']}: offset={field['offset']}"
        if field["offset"] < end:
            raise SystemExit(f"{where} overlaps the field before it, which ends at {end}")
        if field["type"] in CODES and field["offset"] % width:
            raise SystemExit(f"{where} is not a multiple of its width {width}")
        end = field["offset"] + width
    if end > rows["size"]:
        raise SystemExit(f"{record} ends at {end}, beyond its size {rows['size']}")


def size_of(field: dict) -> int:
    code = CODES.get(field["type"])
    return struct.calcsize(code) if code else field["size"]


def struct_code(rows: dict) -> str:
    """The `struct` format of one record, gaps as pad bytes."""
    out, end = "<", 0
    for field in rows["fields"]:
        gap = field["offset"] - end
        out += f"{gap}x" if gap else ""
        out += CODES.get(field["type"]) or f"{field['size']}s"
        end = field["offset"] + size_of(field)
    return out


def python_module(layout: dict) -> str:
    fmt = layout["format"]
    lines = [
        '"""GENERATED from spec/layout.toml by spec/generate.py; do not edit.',
        "",
        "Offsets, sizes and codes of format version 2. spec/FORMAT.md says what they mean.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        f"MAGIC = {bytes(fmt['magic'])!r}",
    ]
    lines += [f"{name.upper()} = {python_number(name, fmt[name])}" for name in fmt if name != "magic"]
    for record in RECORDS:
        rows, upper = layout[record], record.upper()
        lines += ["", f"{upper}_SIZE = {rows['size']}", f'{upper}_STRUCT = "{struct_code(rows)}"']
        lines.append(f"{upper}_FIELDS = (")
        lines += [f'    "{field["name"]}",' for field in rows["fields"]]
        lines.append(")")
        lines += [f"{upper}_{f['name'].upper()} = {f['offset']}" for f in rows["fields"]]
    for enum, rows in layout["enums"].items():
        lines += ["", f"# {rows['doc']}"]
        lines += [f"{enum.upper()}_{v['name']} = {v['code']}" for v in rows["values"]]
    lines += [
        "",
        "# Where the words of a compound value stand, in cells; SIZE is what it has beside a ring or slots.",
    ]
    lines += [f"{name} = {number}" for name, number in compound_numbers(layout)]
    lines += ["", "DROP_REASONS = ("]
    lines += [f'    "{v["name"].lower()}",' for v in layout["enums"]["drop_reason"]["values"]]
    lines += [")", "AGGREGATES = {"]
    lines += [f'    {v["code"]}: "{v["name"].lower()}",' for v in layout["enums"]["aggregate"]["values"]]
    lines += ["}", "KINDS = {"]
    lines += [f'    {row["code"]}: "{row["name"]}",' for row in layout["kinds"]["rows"]]
    lines += ["}", ""]
    lines += [f"KIND_{row['name'].upper()} = {row['code']}" for row in layout["kinds"]["rows"]]
    return "\n".join(lines) + "\n"


def compound_numbers(layout: dict) -> list[tuple[str, int]]:
    """Name and number of each place within a compound value."""
    out = []
    for kind, rows in layout["compound"].items():
        out += [(f"{kind.upper()}_{row['name'].upper()}", row["cell"]) for row in rows["cells"]]
        out.append((f"{kind.upper()}_SIZE", rows["size"]))
    return out


def python_number(name: str, value: int) -> str:
    return f"0x{value:X}" if name.startswith("never") else str(value)


def c_header(layout: dict) -> str:
    fmt = layout["format"]
    lines = [
        "/* GENERATED from spec/layout.toml by spec/generate.py; do not edit. */",
        "#ifndef MMSTATS_LAYOUT_H",
        "#define MMSTATS_LAYOUT_H",
        "",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
        f"#define MMSTATS_MAGIC {{ {', '.join(f'0x{b:02X}' for b in fmt['magic'])} }}",
    ]
    for name, value in fmt.items():
        if name != "magic":
            number = f"UINT64_C(0x{value:X})" if name.startswith("never") else str(value)
            lines.append(f"#define MMSTATS_{name.upper()} {number}")
    for record in RECORDS:
        lines += ["", *c_record(record, layout[record])]
    for enum, rows in layout["enums"].items():
        lines += ["", f"/* {rows['doc']} */"]
        lines += [f"#define MMSTATS_{enum.upper()}_{v['name']} {v['code']}" for v in rows["values"]]
    lines += ["", "/* Kinds. */"]
    lines += [f"#define MMSTATS_KIND_{row['name'].upper()} {row['code']}" for row in layout["kinds"]["rows"]]
    lines += ["", "/* Where the words of a compound value stand, in cells. */"]
    lines += [f"#define MMSTATS_{name} {number}" for name, number in compound_numbers(layout)]
    return "\n".join([*lines, "", "#endif", ""])


def edges(layout: dict) -> list[str]:
    """For each k from 1 on the largest double that is not above 2**(k / 2**scale), of the finest scale."""
    scale = layout["format"]["scale_most"]
    mantissa = 52  # bits behind the first one of a double
    found = []
    for k in range(1, 1 << scale):
        root = 1 << k + (mantissa << scale)
        for _ in range(scale):
            root = isqrt(root)
        found.append((root / (1 << mantissa)).hex())
    return found


def c_edges(layout: dict) -> str:
    lines = [
        "/* GENERATED from spec/layout.toml by spec/generate.py; do not edit. */",
        "#ifndef MMSTATS_EDGES_H",
        "#define MMSTATS_EDGES_H",
        "",
        '#include "mmstats_layout.h"',
        "",
        "/* Edges of buckets between 1 and 2: the largest double that is not above 2**(k / 2**SCALE_MOST),",
        " * from k = 1 on. A smaller scale has some of them. */",
        "static const double mmstats_edges[(1 << MMSTATS_SCALE_MOST) - 1] = {",
    ]
    lines += [f"    {edge}," for edge in edges(layout)]
    return "\n".join([*lines, "};", "", "#endif", ""])


def java_class(layout: dict) -> str:
    fmt = layout["format"]
    lines = [
        "// GENERATED from spec/layout.toml by spec/generate.py; do not edit.",
        "package mmstats;",
        "",
        "/** Offsets, sizes and codes of format version 2. spec/FORMAT.md says what they mean. */",
        "final class Layout {",
        "    private Layout() {}",
        "",
        f"    static final byte[] MAGIC = {{{', '.join(str(byte) for byte in fmt['magic'])}}};",
    ]

    def constants(pairs: list[tuple[str, int]]) -> list[str]:
        return [f"    static final int {name} = {number};" for name, number in pairs]

    for name, value in fmt.items():
        if name.startswith("never"):
            lines.append(f"    static final long {name.upper()} = 0x{value:X}L;")
        elif name != "magic":
            lines += constants([(name.upper(), value)])
    for record in RECORDS:
        upper, rows = record.upper(), layout[record]
        fields = [(f"{upper}_{field['name'].upper()}", field["offset"]) for field in rows["fields"]]
        lines += ["", *constants([(f"{upper}_SIZE", rows["size"]), *fields])]
    for enum, rows in layout["enums"].items():
        lines += ["", f"    // {rows['doc']}"]
        lines += constants([(f"{enum.upper()}_{value['name']}", value["code"]) for value in rows["values"]])
    lines += ["", "    // Kinds."]
    lines += constants([(f"KIND_{row['name'].upper()}", row["code"]) for row in layout["kinds"]["rows"]])
    lines += ["", "    // Where the words of a compound value stand, in cells."]
    lines += constants([(f"OF_{name}", number) for name, number in compound_numbers(layout)])
    lines += [
        "",
        "    /** Edges of buckets: the largest double not above 2**(k / 2**SCALE_MOST), from k = 1 on. */",
        "    static final double[] EDGES = {",
        *(f"        {edge}," for edge in edges(layout)),
        "    };",
        "}",
    ]
    return "\n".join(lines) + "\n"


def c_record(record: str, rows: dict) -> list[str]:
    struct_name = f"mmstats_{record}"
    lines, end = [f"struct {struct_name} {{"], 0

    def gap(until: int) -> None:
        if until > end:
            lines.append(f"    uint8_t pad_{end}[{until - end}];")

    for field in rows["fields"]:
        gap(field["offset"])
        c_type = C_TYPES.get(field["type"])
        lines.append(
            f"    {c_type} {field['name']};" if c_type else f"    uint8_t {field['name']}[{field['size']}];"
        )
        end = field["offset"] + size_of(field)
    gap(rows["size"])
    lines.append("};")
    lines.append(f'_Static_assert(sizeof(struct {struct_name}) == {rows["size"]}, "{record}");')
    for field in rows["fields"]:
        name, offset = field["name"], field["offset"]
        place = f"offsetof(struct {struct_name}, {name})"
        lines.append(f'_Static_assert({place} == {offset}, "{record}.{name}");')
    return lines


def tables(layout: dict) -> dict[str, str]:
    """The tables of FORMAT.md by the name of their marker."""
    out = {record: field_table(layout[record]["fields"]) for record in (*RECORDS, "block")}
    for enum, rows in layout["enums"].items():
        out[enum] = table(
            ("code", "name", "meaning"), [(v["code"], v["name"], v["doc"]) for v in rows["values"]]
        )
    columns = ("code", "name", "cells", "initial", "lanes", "processes", "thread", "process")
    heads = (
        "code",
        "kind",
        "cells in a lane",
        "initial",
        "over lanes",
        "over processes",
        "a thread ends",
        "the process ends",
    )
    out["kinds"] = table(heads, [tuple(row[c] for c in columns) for row in layout["kinds"]["rows"]])
    for kind, rows in layout["compound"].items():
        cells = [(row["cell"], row["type"], row["name"], row["doc"]) for row in rows["cells"]]
        out[f"compound_{kind}"] = table(("cell", "type", "name", "meaning"), cells)
    fmt = layout["format"]
    out["constants"] = table(
        ("name", "value"),
        [
            (k, " ".join(f"{b:02X}" for b in v) if k == "magic" else python_number(k, v))
            for k, v in fmt.items()
        ],
    )
    return out


def field_table(fields: list[dict]) -> str:
    rows = [
        (f["offset"], f"{f['type']}[{f['size']}]" if "size" in f else f["type"], f["name"], f["doc"])
        for f in fields
    ]
    return table(("offset", "type", "name", "meaning"), rows)


def table(heads: tuple, rows: list[tuple]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def fill_tables(text: str, layout: dict) -> str:
    """Replace what stands between `<!-- table NAME -->` and the next `<!-- end -->`."""
    bodies = tables(layout)

    def filled(marker: re.Match[str]) -> str:
        return f"<!-- table {marker[1]} -->\n{bodies[marker[1]]}\n<!-- end -->"

    return re.sub(r"<!-- table (\w+) -->\n(?:\|.*\n)*<!-- end -->", filled, text)


def outputs() -> dict[Path, str]:
    layout = load()
    law = SPEC / "FORMAT.md"
    return {
        ROOT / "src/mmstats/format/layout.py": python_module(layout),
        ROOT / "c/mmstats_layout.h": c_header(layout),
        ROOT / "c/mmstats_edges.h": c_edges(layout),
        ROOT / "java/src/mmstats/Layout.java": java_class(layout),
        law: fill_tables(law.read_text(), layout),
    }


def main(arguments: list[str]) -> int:
    lagging = [path for path, text in outputs().items() if not path.exists() or path.read_text() != text]
    for path in lagging:
        if arguments == ["--check"]:
            print(f"{path.relative_to(ROOT)}: not in step with spec/layout.toml; run python spec/generate.py")
        else:
            path.write_text(outputs()[path])
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if lagging and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
