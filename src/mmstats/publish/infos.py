"""Constant texts that belong together, as a version and a revision: `InfoField(version='1.2')`."""

from __future__ import annotations

from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.names import check_text
from mmstats.publish.statics import StaticField

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Union, overload

    from typing_extensions import Self

    Texts = Mapping[str, object]
    Given = Union[Texts, Callable[[], Texts]]

OPTIONS = ("help", "unit", "aggregate", "keep")  # names that a keyword cannot have: give a dict


class InfoField(StaticField):
    """Texts by name, written once: `InfoField(version="1.2")`.

    `value`: a dict in their stead, or a callable that gives one and is asked once in each process. Numbers
    and bools become texts as `str` makes them. Readers give one text, `key="value",key="value"`; of several
    processes the set of them.
    """

    kind = layout.KIND_INFO
    cell_type = layout.CELL_TYPE_TEXT

    def __init__(self, label: str | None = None, value: Given | None = None, **texts: Any) -> None:
        options = {name: texts.pop(name) for name in OPTIONS if name in texts}
        if (value is None) == (not texts):
            raise UsageError(f"InfoField(label={label!r}): give texts by name, or a dict, or a callable")
        super().__init__(label, value=texts if value is None else value, **options)

    def encoded(self, label: str, value: Any) -> tuple[int, bytes]:
        if not isinstance(value, dict) or not value:
            raise UsageError(f"value of {label!r} must be a dict with texts: {value!r}")
        pairs = [f'{_key(label, key)}="{_text(label, key, value[key])}"' for key in sorted(value, key=str)]
        return 0, check_text(f"value of {label!r}", ",".join(pairs)).encode()

    def decoded(self, bits: int, text: bytes) -> dict[str, str]:  # noqa: ARG002
        from mmstats.format.pairs import pairs  # hardly ever asked

        return dict(pairs(text.decode()))

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> dict[str, str]: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | dict[str, str]: ...


def _key(label: str, key: object) -> str:
    if not (isinstance(key, str) and key.isidentifier() and key.isascii()):
        raise UsageError(f"value of {label!r}: a text is called by letters, digits and _: {key!r}")
    return key


def _text(label: str, key: object, text: object) -> str:
    if isinstance(text, (int, float)):
        text = str(text)
    return check_text(f"{key} of {label!r}", text).replace("\\", "\\\\").replace('"', '\\"')
