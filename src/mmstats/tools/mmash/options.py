"""The words of mmash's command line."""

from __future__ import annotations

import os

from mmstats.tools.mmash.settings import HOST, PORT, Settings, seconds, told
from mmstats.tools.parser import add_rest, new_parser
from mmstats.tools.select import WordsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

NAME = "mmash"
USAGE = """mmash [FILES…] [--host H] [--port P] [--base-path /stats] [--token-file F | --no-auth]
             [--interval 1] [--keep 15m] [--replay FILE [--speed X]] [--open]"""
EXAMPLES = """examples:
  mmash
  mmash /run/app --port 0 --open
  mmash --host 0.0.0.0 --token-file /etc/mmash.token
  mmash --replay night.jsonl.gz --speed 10

"""
DESCRIPTION = "Show what all processes publish in a browser, as JSON, and to Prometheus."
EPILOG = """who is let in:
  on 127.0.0.1 only the user who started it, and root; elsewhere whoever has the token,
  which is made and printed where none is given

also said by the environment (MMASH_HOST, MMASH_PORT, MMASH_BASE_PATH, MMASH_TOKEN, MMASH_INTERVAL,
MMASH_KEEP), or by a file of Python with such names in capitals that MMASH_SETTINGS names

exit codes:
  0 fine, or Ctrl-C · 1 the port is taken · 2 usage · 69 starlette or uvicorn is not installed
"""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def make_parser() -> argparse.ArgumentParser:
    """All words."""
    parser = new_parser(NAME, USAGE, EXAMPLES, DESCRIPTION, EPILOG)
    where = parser.add_argument_group("where")
    where.add_argument("--host", help=f"the address to listen on; default: {HOST}")
    where.add_argument("--port", type=int, help=f"the port; 0: any that is free; default: {PORT}")
    where.add_argument("--base-path", metavar="PATH", help="everything below PATH, as behind a proxy")
    where.add_argument(
        "--trust-proxy", action="store_true", help="believe X-Forwarded-For and -Proto of a proxy here"
    )
    where.add_argument("--open", action="store_true", help="open the page in a browser")
    who = parser.add_argument_group("who is let in")
    who.add_argument("--token", help="whoever has it; others see it in `ps`: --token-file is better")
    who.add_argument("--token-file", metavar="FILE", help="the token is the first line of FILE")
    who.add_argument("--no-auth", action="store_true", help="everybody who can connect")
    what = parser.add_argument_group("what")
    what.add_argument("--interval", metavar="TIME", help="between two samples, as 1, 0.5 or 1m; default: 1")
    what.add_argument("--keep", metavar="TIME", help="samples of so long in memory; default: 15m")
    what.add_argument("--replay", metavar="FILE", help="show a recording of pollstats in the place of files")
    what.add_argument("--speed", type=float, default=1.0, metavar="X", help="so many times as fast as it was")
    add_rest(parser, quiet="say nothing but the address", verbose="say what is asked for; -vv: and by whom")
    return parser


def settings_of(given: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Settings:
    """What they say, else the environment. WordsError: that makes no sense."""
    said = told(environment)
    options = {
        "files": given.files or None,
        "host": given.host,
        "port": given.port,
        "base_path": given.base_path,
        "token": _token(given),
        "interval": _time(given, "interval"),
        "keep": _time(given, "keep"),
    }
    said.update({name: value for name, value in options.items() if value is not None})
    if not 0 < given.speed <= 1e6:
        raise WordsError(f"--speed {given.speed:g}: expected more than 0")
    if given.replay and given.files:
        raise WordsError(f"--replay {given.replay} shows a recording; FILES are for what runs now")
    more = {"replay": given.replay or "", "speed": given.speed, "trusts_proxy": given.trust_proxy}
    if given.no_auth:
        said["token"] = ""
    return Settings(**said, **more, open_to_all=given.no_auth)  # type: ignore[arg-type] # each is checked


def _token(given: argparse.Namespace) -> str | None:
    said = [word for word in ("token", "token_file", "no_auth") if getattr(given, word)]
    if len(said) > 1:
        raise WordsError(
            f"--{said[0].replace('_', '-')} and --{said[1].replace('_', '-')}: expected one of them"
        )
    if not given.token_file:
        return str(given.token) if given.token else None
    try:
        with open(given.token_file, encoding="utf-8") as file:
            token = file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WordsError(f"--token-file {given.token_file}: {error}") from None
    if not token:
        raise WordsError(f"--token-file {given.token_file}: its first line is empty")
    return token


def _time(given: argparse.Namespace, name: str) -> float | None:
    said = getattr(given, name)
    if said is None:
        return None
    try:
        return seconds(said)
    except ValueError:
        raise WordsError(f"--{name} takes a time as 15, 1m or 0.5: {said!r}") from None
