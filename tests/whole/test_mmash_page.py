"""mmash's page in a browser: what moves, keys, links, and what is left without scripts."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

import mmstats
import programs
from mmstats.tools.moment import Sample
from mmstats.tools.recordings import Recording

pytestmark = [pytest.mark.main, pytest.mark.slow]

CHROMIUM = shutil.which("chromium")
PAGE = programs.ROOT / "src/mmstats/tools/mmash/page"
STATIC = PAGE.parent / "static"
MMASH = [sys.executable, "-m", "mmstats", "mmash"]
QUIET = ("dev-shm-usage", "gpu", "quic", "background-networking", "component-update", "sync", "extensions")
LONG = 20_000  # milliseconds
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

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

    def asked(chooser):
        page.choosers.append(chooser)

    page.allowed, page.choosers = [], []
    # From the beginning: what is asked for at the last moment may come too late for the browser.
    page.on("filechooser", asked)
    yield page
    context.close()
    assert [one for one in wrong if not any(word in one for word in page.allowed)] == []


def opened(page, server, query=""):
    page.goto(server.address + query)
    expect(page.locator(".status.live")).to_be_visible()
    return page


def kept(page, server):
    """Seconds of which there is a history."""
    times = page.request.get(f"{server.address}api/v1/history").json()["t"]
    return times[-1] - times[0] if times else 0


def filled(page, server, seconds):
    """Until there is so much of a history."""
    until(page, lambda: kept(page, server) >= seconds)


def sampled(page, server, value):
    """Until a sample has it of `db.free`, which a page that moves would show soon."""

    def is_there():
        (free,) = page.request.get(f"{server.address}api/v1/history?select=db.free").json()["series"]
        return value in free["values"]

    until(page, is_there)


def until(page, is_so):
    """Wait for what is no element."""
    end = time.monotonic() + LONG / 1000
    while not is_so():
        assert time.monotonic() < end
        page.wait_for_timeout(20)


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
    page.get_by_label("How long").select_option("900")
    page.get_by_role("button", name="rates").click()
    page.get_by_role("button", name="Now").click()
    expect(page).to_have_url(f"{server.address}?s=web&w=900&m=value&sort=-value&pin=web.latency")
    address = page.url
    other = browser.new_page()
    other.goto(address)
    expect(other.locator("figure.chart")).to_have_count(1)
    expect(other.locator("input[type=search]")).to_have_value("web")
    expect(other.get_by_label("How long")).to_have_value("900")
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
    expect(page.get_by_label("How long")).to_have_value("900")
    page.keyboard.press("-")
    expect(page.get_by_label("How long")).to_have_value("300")
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
    for scale in ("log", "stacked", "linear"):
        page.keyboard.press("y")
        expect(page.get_by_label("Scale")).to_have_value(scale)
    page.keyboard.press("a")
    expect(page.locator("figure.chart .u-legend")).to_contain_text("mean of 10")
    page.keyboard.press("l")
    expect(page.get_by_label("line at")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    until(page, lambda: page.choosers)
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
    filled(page, server, 1.5)
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
    sampled(page, server, 321)
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
    page.get_by_label("By", exact=True).select_option("process")
    legend = page.locator("figure.each .u-legend")
    expect(legend).to_contain_text(f" {pid}")
    expect(legend).to_contain_text(f" {os.getpid()}")
    expect(page).to_have_url(re.compile("by=process"))
    other.communicate("")


def test_what_each_did_before_one_looked(page, server, web):
    filled(page, server, 1)
    with page.expect_response(re.compile("history.*by=process")) as told:
        page.goto(f"{server.address}?pin=db.free&by=process")
    history = told.value.json()
    assert len(history["t"]) > 2
    (free,) = history["series"]
    assert free["process"].endswith(f" {os.getpid()}")
    assert 7 in free["values"]


def test_by_the_values_of_a_tag(page, server, web):
    opened(page, server, '?pin=web.requests{method="GET"}&m=value')
    page.get_by_label("By", exact=True).select_option("method")
    legend = page.locator("figure.each .u-legend")
    expect(legend).to_contain_text("GET")
    expect(legend).to_contain_text("POST")
    first = page.locator("table.processes tbody tr").first
    expect(first).to_contain_text("GET")
    expect(first).to_contain_text("the most")
    expect(first.locator("td").first).to_have_text("3")


def test_a_line_that_nothing_should_be_above(page, server, web):
    opened(page, server, "?pin=db.free")
    box = page.get_by_label("line at")
    box.fill("much")
    expect(box).to_have_attribute("aria-invalid", "true")
    box.fill("10")
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"line=db.free%3A10"))
    expect(row(page, "db.free").locator(".now")).to_have_text("7")
    until(page, lambda: "red" in drawn(page))
    web.free = 12
    expect(row(page, "db.free").locator(".now.above")).to_have_text("! 12")
    page.reload()
    expect(row(page, "db.free").locator(".now.above")).to_have_text("! 12")
    expect(box).to_have_value("10")
    box.fill("")
    box.press("Enter")
    expect(row(page, "db.free").locator(".now")).to_have_text("12")
    until(page, lambda: "red" not in drawn(page))


def drawn(page):
    """Which of the colours of the style sheet a chart has: blue is a line's, red is an alarm's."""
    return page.evaluate(
        """() => {
          const canvas = document.querySelector('figure.chart canvas')
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
          const found = new Set()
          for (let at = 0; at < data.length; at += 4) {
            const [red, green, blue, alpha] = data.slice(at, at + 4)
            if (alpha < 200) continue
            if (red > 150 && green < 80 && blue < 80) found.add('red')
            if (blue > 150 && red < 80) found.add('blue')
          }
          return [...found]
        }"""
    )


def middle(page):
    """Of the first chart."""
    box = page.locator("figure.chart .u-over").first.bounding_box()
    return box, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_click_holds_and_lets_go(page, server, web):
    opened(page, server, "?pin=db.free")
    filled(page, server, 1)
    _, x, y = middle(page)
    page.mouse.click(x, y)
    expect(page.locator(".status.held")).to_contain_text("held at ")
    legend = page.locator("figure.chart .u-legend")
    told = legend.inner_text()
    web.free = 55
    page.mouse.move(x + 60, y)
    sampled(page, server, 55)
    page.evaluate(TWO_FRAMES)
    assert legend.inner_text() == told
    expect(row(page, "db.free").locator(".now")).to_have_text("7")
    page.keyboard.press("Escape")
    expect(page.locator(".status.live")).to_be_visible()
    expect(row(page, "db.free").locator(".now")).to_have_text("55")


def span_of(page):
    """From when to when, as the address has it."""
    expect(page).to_have_url(re.compile(r"[?&]t=\d"))
    return [float(part) for part in re.search(r"[?&]t=([\d.]+)%2C([\d.]+)", page.url).groups()]


def test_a_part_of_the_time_and_back(page, server, web):
    opened(page, server, "?pin=db.free")
    filled(page, server, 2.5)
    box, x, y = middle(page)
    page.mouse.move(x - box["width"] / 4, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 4, y, steps=5)
    page.mouse.up()
    begin, end = span_of(page)
    assert end - begin == pytest.approx(kept(page, server) / 2, rel=0.4)
    expect(page.locator("p.span")).to_contain_text("From ")
    page.evaluate(TWO_FRAMES)
    page.keyboard.down("Shift")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 4, y, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page).not_to_have_url(re.compile(f"t={begin}"))
    earlier = span_of(page)
    assert earlier[0] < begin
    assert earlier[1] - earlier[0] == pytest.approx(end - begin, abs=0.5)
    page.mouse.dblclick(x, y)
    expect(page).to_have_url(f"{server.address}?pin=db.free")
    expect(page.locator(".status.live")).to_be_visible()


def test_with_two_fingers(browser, server, web):
    context = browser.new_context(viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True)
    page = opened(context.new_page(), server, "?pin=db.free")
    filled(page, server, 2.5)
    page.locator("figure.chart").scroll_into_view_if_needed()
    _, x, y = middle(page)
    touch = context.new_cdp_session(page)

    def fingers(kind, *places):
        points = [{"x": place, "y": y, "id": number} for number, place in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", x - 20, x + 20)
    for apart in (30, 40, 60, 80):
        fingers("touchMove", x - apart, x + apart)
    fingers("touchEnd")
    begin, end = span_of(page)
    assert 0 < end - begin < kept(page, server) / 2
    context.close()


@pytest.fixture
def recording(tmp_path, web):
    """A minute of one process, long ago."""
    made = tmp_path / "old.jsonl.gz"
    writing = Recording(str(made))
    for at in range(60):
        web.free = at % 10
        web.requests.tagged("GET").incr(5)
        writing.write(Sample(mmstats.snapshot(tmp_path), 1_600_000_000.0 + at, 1.0))
    writing.close()
    web.free = 7
    return made


def test_a_recording_is_opened(page, server, recording):
    opened(page, server, "?pin=db.free&by=process")
    page.locator("input[type=file]").set_input_files(recording)
    expect(page.locator("p.told")).to_contain_text("The recording old.jsonl.gz, from ")
    expect(page.locator("p.told")).to_contain_text("2020")
    expect(page.locator(".status.recording")).to_be_visible()
    expect(row(page, "db.free").locator(".now")).to_have_text("9")
    expect(row(page, "web.requests GET").locator(".now")).to_have_text("5/s")
    expect(page.locator("figure.each .u-legend")).to_contain_text(f" {os.getpid()}")
    expect(page.locator("a.csv")).to_have_count(0)
    page.get_by_role("button", name="back to what is now").click()
    expect(page.locator(".status.live")).to_be_visible()
    expect(row(page, "db.free").locator(".now")).to_have_text("7")


DROP = """([name, text]) => {
  const carried = new DataTransfer()
  carried.items.add(new File([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], name))
  const drop = new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true })
  document.body.dispatchEvent(drop)
}"""


def test_a_recording_is_dropped(page, server, recording):
    opened(page, server)
    page.evaluate(DROP, ["old.jsonl.gz", base64.b64encode(recording.read_bytes()).decode()])
    expect(page.locator(".status.recording")).to_be_visible()
    expect(row(page, "db.free").locator(".now")).to_have_text("9")


def test_what_is_dropped_is_no_recording(page, server):
    page.allowed = ["status of 400"]
    opened(page, server)
    page.evaluate(DROP, ["notes.txt", base64.b64encode(b"<b>hello</b>\n").decode()])
    expect(page.get_by_role("alert")).to_contain_text("notes.txt: the recording: line 1 is none")
    expect(page.locator(".status.live")).to_be_visible()
    page.get_by_role("button", name="back to what is now").click()
    expect(page.get_by_role("alert")).to_have_count(0)


UNITS = """
export { read, write } from './address'
export { decades, least, stacked } from './heights'
export { human, quantity } from './numbers'
export { rolling } from './rolling'
export { Samples } from './samples'
"""


@pytest.fixture(scope="module")
def units(browser):
    """What the page is made of, to be called in a browser."""
    words = ["--bundle", "--format=iife", "--global-name=units", "--log-level=warning", "--loader=ts"]
    command = ["node_modules/.bin/esbuild", *words]
    made = subprocess.run(command, cwd=PAGE, check=True, input=UNITS, capture_output=True, text=True)
    page = browser.new_page()
    page.add_script_tag(content=made.stdout)
    yield page.evaluate
    page.close()


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("50ms", "seconds", 0.05),
        ("1.5 s", "seconds", 1.5),
        ("200µs", "seconds", 0.0002),
        ("2h", "seconds", 7200),
        ("10Mi", "bytes", 10 << 20),
        ("1.5k", "", 1500),
        ("2K/s", "1/s", 2000),
        ("-3", "", -3),
        ("1e3", "", 1000),
        ("", "", None),
        ("ms", "seconds", None),
        ("5 apples", "", None),
        ("5constructor", "", None),
    ],
)
def test_numbers_that_are_typed(units, text, unit, expected):
    found = units("([text, unit]) => units.quantity(text, unit)", [text, unit])
    assert found == (expected if expected is None else pytest.approx(expected))


def test_lines_on_top_of_each_other(units):
    lines = [[1, None, 3], [10, 20, None], [None, None, 1]]
    assert units("(lines) => units.stacked(lines)", lines) == [[1, None, 3], [11, 20, 3], [11, 20, 4]]


def test_the_least_number_that_is_drawn_apart_from_zero(units):
    assert units("(lines) => units.least(lines)", [[0, None, -4, 0.5], [3, 0.025]]) == 0.01
    assert units("(lines) => units.least(lines)", [[0, None]]) == 1


def test_the_mean_of_some_samples(units):
    values = [1, 3, None, 5, 7, None, None, None, 2]
    assert units("(values) => units.rolling(values, 3)", values) == [1, 2, None, 4, 6, None, None, None, 2]


def test_a_graph_of_0_8_has_its_mean(page, server):
    opened(page, server, "graph/?pin=db.free")
    expect(page.locator("figure.chart .u-legend")).to_contain_text("mean of 10")
    expect(page.locator("h2").first).to_contain_text("gauge, sum of all processes")
    page.get_by_label("Mean").select_option("0")
    expect(page.locator("figure.chart .u-legend")).not_to_contain_text("mean of 10")
    expect(page).to_have_url(re.compile(r"graph/\?avg=0&pin=db.free"))


def test_what_is_told_of_a_logarithmic_axis(units):
    told = units("(places) => units.decades(places, 0)", [-0.01, 0, 0.01, 0.02, 0.1, 0.5, 1, 1000, None])
    assert told == [None, 0, 0.01, None, 0.1, None, 1, 1000, None]


@pytest.mark.parametrize(
    "query",
    [
        "?s=web&w=900&m=value&by=process&y=log&avg=60&t=10.0%2C20.0&sort=-value&pin=a&pin=b%7Bc%3D%22d%22%7D&line=a%3A0.05",
        "?by=method&y=stacked&line=odd%3Aname%3A-2",
    ],
)
def test_an_address_is_read_as_it_was_written(units, query):
    assert units("(query) => units.write(units.read(query))", query).endswith(query)


def history(epoch, first, times, **series):
    """An answer of /api/v1/history, with gauges alone."""
    said = {"name": "", "label": "", "tags": {}, "group": "", "kind": "gauge", "what": "value", "unit": ""}
    rows = [
        {**said, "name": name, "help": "", "aggregate": "", "process": "", "values": values}
        for name, values in series.items()
    ]
    return {
        "epoch": epoch,
        "first": first,
        "last": first + len(times) - 1,
        "t": times,
        "interval": 1,
        "series": rows,
    }


def test_a_history_goes_on_where_it_ended(units):
    told = units(
        """(parts) => {
          const samples = new units.Samples()
          const went = parts.map((part, at) => (at ? samples.more(part) : samples.load(part)))
          const values = samples.series.map((one, at) => [one.name, samples.values(at)])
          return [went.slice(1), samples.times, values]
        }""",
        [
            history("e", 1, [1, 2], a=[1, 2]),
            history("e", 3, [3], a=[3], b=[7]),
            history("e", 4, []),
            history("e", 4, [4], b=[8]),
            history("e", 7, [7], a=[9]),  # what is in between was not kept
            history("f", 1, [8], a=[9]),
        ],
    )
    values = [["a", [1, 2, 3, None]], ["b", [None, None, 7, 8]]]
    assert told == [[True, True, True, False, False], [1, 2, 3, 4], values]


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


def test_where_mmash_looks_while_there_is_nothing(browser, tmp_path):
    place = tmp_path / "empty"
    place.mkdir()
    server = Server(place)
    page = opened(browser.new_page(), server)
    expect(page.locator("#app .charts")).to_contain_text("No files yet")
    expect(page.locator("#app .charts code").first).to_contain_text(str(place))
    stats = Web(path=place)
    expect(row(page, "db.free")).to_be_visible()
    expect(page.locator("#app .charts")).not_to_contain_text("No files yet")
    stats.remove()
    page.close()
    server.kill()


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
