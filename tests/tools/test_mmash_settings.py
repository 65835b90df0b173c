"""What mmash is told: by words, by the environment, by a file, and what makes no sense."""

from __future__ import annotations

import pytest

from mmstats.tools.mmash.options import make_parser, settings_of
from mmstats.tools.mmash.settings import Settings
from mmstats.tools.select import WordsError

pytestmark = pytest.mark.main


def settings(*words, **environment):
    return settings_of(make_parser().parse_args(list(words)), environment)


def test_defaults():
    made = settings()
    assert (made.host, made.port, made.base_path, made.files) == ("127.0.0.1", 5002, "", None)
    assert (made.interval, made.keep, made.token, made.open_to_all) == (1.0, 900.0, "", False)


def test_words_before_the_environment_before_the_file(tmp_path):
    path = tmp_path / "settings.py"
    path.write_text(
        "HOST = '::1'\nPORT = 6001\nDEBUG = True\nMMSTATS_GLOB = '/run/app/*'\nKEEP = 60\nother = 1\n"
    )
    told = {"MMASH_SETTINGS": str(path)}
    made = settings(**told)
    assert (made.host, made.port, made.files, made.keep) == ("::1", 6001, ["/run/app/*"], 60.0)
    made = settings(
        **told, MMASH_PORT="6002", MMASH_INTERVAL="0.5", MMASH_BASE_PATH="/stats/", MMASH_TOKEN="t"
    )
    assert (made.port, made.interval, made.base_path, made.token) == (6002, 0.5, "/stats", "t")
    made = settings("--port", "6003", "/srv", "--keep", "2m", **told, MMASH_PORT="6002")
    assert (made.port, made.files, made.keep) == (6003, ["/srv"], 120.0)
    assert Settings.from_environment(told).port == 6001
    assert settings("--no-auth", MMASH_TOKEN="t").token == ""


def test_a_token_of_a_file(tmp_path):
    path = tmp_path / "token"
    path.write_text("secret \nmore\n")
    assert settings("--token-file", str(path)).token == "secret"


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--port", "70000"], {}, "port 70000: expected 0 to 65535"),
        (["--interval", "0"], {}, "interval 0: expected 0.05"),
        (["--interval", "soon"], {}, "--interval takes a time"),
        (["--keep", "0.001"], {}, "keep 0.001 at an interval of 1"),
        (["--keep", "99999d"], {}, "expected 1 to 1000000 samples"),
        (["--base-path", "/a/../b"], {}, "base path '/a/../b'"),
        (["--token", "a", "--no-auth"], {}, "--token and --no-auth: expected one of them"),
        (["--token-file", "/nowhere"], {}, "--token-file /nowhere"),
        (["--token-file", "/dev/null"], {}, "its first line is empty"),
        (["--replay", "x", "file"], {}, "FILES are for what runs now"),
        (["--replay", "x", "--speed", "0"], {}, "--speed 0"),
        ([], {"MMASH_PORT": "many"}, "PORT is 'many': expected a number"),
        ([], {"MMASH_KEEP": "long"}, "KEEP is 'long': expected a time"),
        ([], {"MMASH_SETTINGS": "/nowhere.py"}, "MMASH_SETTINGS=/nowhere.py: FileNotFoundError"),
    ],
)
def test_what_makes_no_sense_is_said(words, environment, said):
    with pytest.raises(WordsError) as caught:
        settings(*words, **environment)
    assert said in str(caught.value)


@pytest.mark.parametrize("line", ["HOST = 5", "MMSTATS_GLOB = ['a']", "PORT = None", "1 / 0", "("])
def test_a_file_of_settings_that_makes_no_sense(tmp_path, line):
    path = tmp_path / "settings.py"
    path.write_text(line)
    with pytest.raises(WordsError):
        settings(MMASH_SETTINGS=str(path))
