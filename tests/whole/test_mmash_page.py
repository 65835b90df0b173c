"""mmash's page in a browser: what moves, keys, links, and what is left without scripts."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

import mmstats
import programs

pytestmark = [pytest.mark.main, pytest.mark.slow]

CHROMIUM = shutil.which("chromium")
PAGE = programs.ROOT / "src/mmstats/tools/mmash/page"
STATIC = PAGE.parent / "static"
MMASH = [sys.executable, "-m", "mmstats", "mmash"]
QUIET = ("dev-shm-usage", "gpu", "quic", "background-networking", "component-update", "sync", "extensions")
LONG = 20_000  # milliseconds

expect.set_options(timeout=LONG)
if CHROMIUM is None:
    pytest.skip("needs chromium", allow_module_level=True)
if not (PAGE / "node_modules").exists():
    pytest.skip("not on a machine whose npm reaches no registry, nor in an sdist", allow_module_level=True)


class Web(mmstats.BaseMmStats):
    requests = mmstats.CounterField(label="web.requests", tags=("method",), help="answered")
    latency = mmstats.TimerField(label="web.latency")
    free = mmstats.GaugeField(label="db.free")
    phase = mmstats.StringField(label="web.phase")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        words = ["--no-sandbox", "--no-first-run", *(f"--disable-{word}" for word in QUIET)]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=words)
        yield browser
        browser.close()


@pytest.fixture
def web(tmp_path):
    stats = Web(path=tmp_path)
    stats.requests.tagged("GET").incr(3)
    stats.requests.tagged("POST").incr(1)
    stats.latency.observe(0.25)
    stats.free = 7
    stats.phase = "<b>warming up</b>"
    yield stats
    stats.remove()


class Server:
    """mmash on a port that stays its own when it is started again."""

    def __init__(self, directory, *words):
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port = found.getsockname()[1]
        self._words = [*MMASH, "--port", str(self.port), "--interval", "0.2", *words, str(directory)]
        self.start()

    def start(self):
        environment = programs.environment("pure", "/nowhere")
        self.process = subprocess.Popen(self._words, env=environment, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[1]

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server(tmp_path, web):
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def page(browser, server):
    """A page that may ask nobody but mmash, and complains of nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)

    def only_ours(route):
        if urlsplit(route.request.url).port != server.port:
            wrong.append(route.request.url)
        route.continue_()

    context.route("**/*", only_ours)
    page.allowed = []
    yield page
    context.close()
    assert [one for one in wrong if not any(word in one for word in page.allowed)] == []


def opened(page, server, query=""):
    page.goto(server.address + query)
    expect(page.locator(".status.live")).to_be_visible()
    return page


def row(page, name):
    return page.locator("#app li", has=page.get_by_text(name, exact=True))


def test_values_change_while_one_looks(page, server, web):
    opened(page, server)
    expect(row(page, "db.free").locator(".now")).to_have_text("7")
    web.free = 12
    expect(row(page, "db.free").locator(".now")).to_have_text("12")
    expect(page.locator("#plain")).to_have_count(0)
    stat = row(page, "web.requests GET")
    expect(stat.locator(".now")).to_have_text("0/s")
    web.requests.tagged("GET").incr(1)
    page.get_by_role("button", name="rates").click()
    expect(stat.locator(".now")).to_have_text("4")


def test_what_comes_into_being_comes_into_sight(page, server, web):
    opened(page, server)
    web.requests.tagged("PUT").incr(5)
    expect(row(page, "web.requests PUT")).to_be_visible()


def test_mmash_is_started_again(page, server, web):
    page.allowed = ["ERR_", "Failed to load"]
    opened(page, server, "?pin=db.free")
    server.kill()
    expect(page.locator(".status.reconnecting")).to_be_visible()
    server.start()
    expect(page.locator(".status.live")).to_be_visible()
    web.free = 99
    expect(row(page, "db.free").locator(".now")).to_have_text("99")


def test_the_address_has_what_is_shown(page, server, browser):
    opened(page, server)
    page.locator("input[type=search]").fill("web")
    row(page, "web.latency").get_by_role("button", name="Pin").click()
    page.locator("select").select_option("900")
    page.get_by_role("button", name="rates").click()
    page.get_by_role("button", name="Now").click()
    expect(page).to_have_url(f"{server.address}?s=web&w=900&m=value&by=-value&pin=web.latency")
    address = page.url
    other = browser.new_page()
    other.goto(address)
    expect(other.locator("figure.chart")).to_have_count(1)
    expect(other.locator("input[type=search]")).to_have_value("web")
    expect(other.locator("select")).to_have_value("900")
    expect(other.locator("#app li")).to_have_count(3)
    expect(other.get_by_role("button", name="totals")).to_be_visible()
    assert other.url == address
    other.close()


@pytest.mark.parametrize(
    "query", ["?s=%3Cscript%3E&w=x&m=y&by=z&pin=nothing", "?w=-1&pin=&pin=&s=" + "*" * 50]
)
def test_an_address_that_makes_no_sense(page, server, query):
    opened(page, server, query)
    expect(page.locator("figure.chart")).to_have_count(0)


def test_moving_by_keys_alone(page, server):
    opened(page, server)
    expect(page.locator("#app li")).to_have_count(4)
    page.keyboard.press("/")
    page.keyboard.type("web.re*")
    expect(page.locator("#app li")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#app li.chosen .name")).to_have_text("web.requests POST")
    expect(page.locator("figure.chart")).to_have_count(1)
    page.keyboard.press("k")
    expect(page.locator("#app li.chosen .name")).to_have_text("web.requests GET")
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    expect(page.locator("#app li.chosen")).to_have_count(0)
    expect(page.locator("figure.chart")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#app li.chosen")).to_have_count(1)


def test_all_else_by_keys_alone(page, server):
    opened(page, server, "?s=web.re*&pin=db.free")
    expect(page.locator("figure.chart canvas")).to_be_visible()
    page.keyboard.press("+")
    expect(page.locator("select")).to_have_value("900")
    page.keyboard.press("-")
    expect(page.locator("select")).to_have_value("300")
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="totals")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator(".status.paused")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator(".status.live")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator("figure.each canvas")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator("figure.each")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("aside.help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("aside.help")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[aria-live=polite]")).to_have_text(re.compile(r": (rate|value) .+"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("t")
    expect(page.locator("p.span")).to_contain_text("From ")
    page.keyboard.press("t")
    expect(page.locator("p.span")).to_have_count(0)
    page.keyboard.press("s")
    expect(page.locator("[aria-live=polite]")).to_have_text(re.compile("the link"))
    before = page.evaluate("document.documentElement.dataset.theme ?? ''")
    page.keyboard.press("d")
    expect(page.locator("html")).not_to_have_attribute("data-theme", before)
    with page.expect_download() as table:
        page.keyboard.press("c")
    text = Path(table.value.path()).read_text()
    assert text.startswith('time,"web.requests')
    with page.expect_download() as picture:
        page.keyboard.press("i")
    assert picture.value.suggested_filename.endswith(".png")
    assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")


def test_every_key_of_the_help_is_tried():
    """A key that is told, and never pressed above, may do nothing."""
    told = re.findall(r"^  \['(.+?)', '", (PAGE / "keys.ts").read_text(), re.MULTILINE)
    pressed = set(re.findall(r'keyboard\.press\("(.+?)"\)', Path(__file__).read_text()))
    assert len(told) > 10
    assert set(told) <= pressed


def test_a_time_that_is_told_by_the_address(page, server):
    opened(page, server, "?pin=db.free")
    expect(page.locator("figure.chart canvas")).to_be_visible()
    page.wait_for_timeout(1500)
    page.keyboard.press("t")
    expect(page.locator("p.span")).to_contain_text("From ")
    expect(page).to_have_url(re.compile(r"[?&]t=\d+\.\d%2C\d+\.\d"))
    page.reload()
    expect(page.locator("p.span")).to_contain_text("From ")
    page.get_by_role("button", name="to what is now").click()
    expect(page).to_have_url(f"{server.address}?pin=db.free")
    opened(page, server, "?pin=db.free&t=1000,2000")
    expect(page.locator("p.span")).to_contain_text("not in memory any more")


def test_texts(page, server):
    opened(page, server)
    page.get_by_text("Texts and states").click()
    told = page.locator("details.texts tr", has_text="web.phase")
    expect(told.locator("td").last).to_have_text("<b>warming up</b>")


def test_pause_keeps_what_is_shown(page, server, web):
    opened(page, server)
    expect(row(page, "db.free").locator(".now")).to_have_text("7")
    page.get_by_role("button", name="pause").click()
    web.free = 321
    page.wait_for_timeout(1000)
    expect(row(page, "db.free").locator(".now")).to_have_text("7")
    page.get_by_role("button", name="go on").click()
    expect(row(page, "db.free").locator(".now")).to_have_text("321")


OTHER = """
class Web(mmstats.BaseMmStats):
    free = mmstats.GaugeField(label="db.free")
web = Web(group=sys.argv[1])
web.free = 40
print(os.getpid(), flush=True)
input()
"""


def test_who_has_the_most(page, server, web, tmp_path):
    group = mmstats.snapshot(tmp_path)[0].origin.group
    other = subprocess.Popen(
        [sys.executable, "-c", programs.MODEL + OTHER, group],
        env=programs.environment("pure", tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = other.stdout.readline().strip()
    opened(page, server)
    row(page, "db.free").locator("button.stat").click()
    expect(page.locator("table.processes tr").first).to_contain_text("the most")
    expect(page.locator("table.processes tr").first).to_contain_text(f" {pid}")
    page.get_by_role("button", name="together").click()
    legend = page.locator("figure.each .u-legend")
    expect(legend).to_contain_text(f" {pid}")
    expect(legend).to_contain_text(f" {os.getpid()}")
    expect(page).to_have_url(re.compile("each=process"))
    other.communicate("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (768, 1024), (360, 800)], ids=lambda size: str(size[0]))
def test_wide_and_narrow_light_and_dark(page, server, scheme, size):
    """Nothing to scroll sideways, nothing that axe finds serious."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    opened(page, server, "?pin=web.latency")
    expect(page.locator("figure.chart canvas")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    page.keyboard.press("?")
    checked(page)


def checked(page):
    page.evaluate((PAGE / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run()")["violations"]
    serious = [
        (one["id"], one["nodes"][0]["html"][:200])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_two_thousand_stats(page, server, tmp_path):
    """Only rows in sight are made, and all of them can be scrolled to."""
    fields = {f"s{at}": mmstats.CounterField(label=f"many.s{at:04}") for at in range(2_000)}
    many = type(mmstats.BaseMmStats)("Many", (mmstats.BaseMmStats,), fields)(path=tmp_path)
    opened(page, server, "?s=many")
    expect(page.locator(".status")).to_contain_text("2004 stats")
    assert page.locator("#app li").count() < 60
    page.locator(".rows").evaluate("place => { place.scrollTop = place.scrollHeight }")
    expect(page.get_by_text("many.s1999", exact=True)).to_be_visible()
    assert page.locator("#app li").count() < 60
    many.remove()


def test_behind_a_path(browser, tmp_path, web):
    server = Server(tmp_path, "--base-path", "/debug/stats")
    page = browser.new_page()
    for path in ("", "graph/"):
        opened(page, server, f"{path}?pin=db.free")
        expect(page.locator("figure.chart")).to_have_count(1)
    page.close()
    server.kill()


def test_without_scripts(browser, server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.address)
    expect(page.get_by_role("link", name="db.free")).to_be_visible()
    page.get_by_role("link", name="db.free").click()
    assert json.loads(page.locator("body").inner_text()) == {"db.free": [7.0]}
    context.close()


def test_the_page_is_built_alike_each_time_and_is_small(tmp_path):
    words = shlex.split(
        json.loads((PAGE / "package.json").read_text())["scripts"]["build"].partition("&&")[0]
    )
    built = []
    for name in ("one", "other"):
        out = [word for word in words if not word.startswith("--outfile=")]
        path = tmp_path / name / "app.js"
        command = [f"node_modules/.bin/{out[0]}", *out[1:], f"--outfile={path}"]
        subprocess.run(command, cwd=PAGE, check=True, env={**os.environ, "NODE_ENV": "production"})
        built.append((path.read_bytes(), path.with_suffix(".css").read_bytes()))
    assert built[0] == built[1]
    assert built[0] == ((STATIC / "app.js").read_bytes(), (STATIC / "app.css").read_bytes())
    assert len(gzip.compress(built[0][0])) <= 60 * 1024
    assert "MIT" in (STATIC / "app.LICENSES.txt").read_text()
