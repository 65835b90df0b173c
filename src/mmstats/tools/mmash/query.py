"""What stands behind the question mark, taken apart; BadRequest where that makes no sense."""

from __future__ import annotations

from mmstats.tools.mmash.answers import BadRequest
from mmstats.tools.parser import keys
from mmstats.tools.select import Pattern, Selection, WordsError
from mmstats.tools.where import Condition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.requests import Request

MOST_WORDS = 32  # patterns and conditions of one request
MOST_STARS = 8


def check_query(request: Request, known: tuple[str, ...]) -> None:
    """BadRequest where there is what nobody knows, or more than anybody needs."""
    for name in request.query_params:
        if name not in known and name != "token":
            raise BadRequest(f"{name}: expected one of {', '.join(known) or 'nothing'}")
    if len(request.query_params.multi_items()) > MOST_WORDS:
        raise BadRequest(f"more than {MOST_WORDS} words")


def selection_of(request: Request) -> Selection:
    """Globs alone: an expression of another's could keep us busy for hours."""
    patterns = []
    for text in request.query_params.getlist("select"):
        if (len(text) > 1 and text[0] == text[-1] == "/") or "=~" in text or "!~" in text:
            raise BadRequest(
                f"select={text[:80]}: regular expressions are for the command line; expected a glob"
            )
        if text.count("*") > MOST_STARS:
            raise BadRequest(f"select={text[:80]}: more than {MOST_STARS} stars")
        try:
            patterns.append((True, Pattern(text)))
        except WordsError as error:
            raise BadRequest(f"select={text[:80]}: {error}") from None
    return Selection(patterns, "")


def conditions_of(request: Request) -> list[Condition]:
    found = []
    for text in request.query_params.getlist("where"):
        if "~" in text:
            raise BadRequest(f"where={text[:80]}: regular expressions are for the command line")
        if not (text[:1].isascii() and (text[:1].isalnum() or text[:1] == "_")):
            raise BadRequest(f"where={text[:80]}: expected KEY, or KEY=V and the like")
        try:
            found.append(Condition(text))
        except WordsError as error:
            raise BadRequest(f"where={text[:80]}: {error}") from None
    return found


def keys_of(by: str) -> tuple[str, ...]:
    """The keys of by=; BadRequest where those are none."""
    try:
        return keys(by)
    except WordsError:
        raise BadRequest(f"by={by[:80]}: expected all, or keys with commas between them") from None


def since_of(request: Request) -> int:
    text = request.query_params.get("since", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise BadRequest(f"since={text[:80]}: expected the number of a sample")
    return int(text)
