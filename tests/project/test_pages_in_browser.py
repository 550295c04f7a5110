"""The pages as a reader sees them: Debian's Chromium opens them, wide and narrow.

No name can be resolved in this browser: it reaches 127.0.0.1, where the site is served, and nothing
else. On one machine with several workers `--dist loadgroup` keeps these tests to one browser.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="needs selenium: pip install '.[test]'"
)
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()),
        reason="needs a browser: apt install chromium chromium-driver",
    ),
]
FLAGS = """
--headless=new --no-sandbox --disable-dev-shm-usage --disable-gpu --no-first-run
--disable-background-networking --disable-component-update --disable-sync --no-proxy-server
""".split()
NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
HEADINGS = {
    "index": "myelode",
    "start": "Start",
    "semantics": "Semantics",
    "validation": "Validation",
    "models/melflufen": "Melflufen",
    "models/cereblon": "Cereblon",
    "models/belantamab": "Belantamab mafodotin",
    "lessons/hook": "Why a degrader has a hook",
    "lessons/racemisation": "Why racemisation makes S and R converge",
    "lessons/ec50": "Why an EC50 depends on when it is read",
    "lessons/decoy": "What a decoy does to an EC50",
    "lessons/dose-and-response": "Why a higher dose does not do more",
    "lessons/resistant-line": "My line is lenalidomide-resistant",
}
WIDTHS = (1280, 420)
# A reader may open every fold; what is in a closed one has no size.
UNFOLD = "document.querySelectorAll('details').forEach(fold => fold.open = true)"
UNSEEN = """
return [...document.querySelectorAll('article :is(math, img, svg)')].filter(item => {
    const box = item.getBoundingClientRect();
    return !(box.width > 0 && box.height > 0) || item.naturalWidth === 0;
}).map(item => item.outerHTML.slice(0, 200));
"""
CENTRE = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})"
COUNT = "return document.querySelectorAll(arguments[0]).length"
# How far the page can be moved sideways, and what sticks out (the theme's drawers do not scroll).
OVERHANG = """
const page = document.scrollingElement;
page.scrollTo({left: 10000, behavior: 'instant'});  // the theme scrolls slowly
const moved = page.scrollLeft;
page.scrollTo({left: 0, behavior: 'instant'});
const wide = [...document.querySelectorAll('article *')].filter(item =>
    item.getBoundingClientRect().right > innerWidth).map(item => item.outerHTML.slice(0, 100));
return moved > 0 ? [`moves by ${moved} px`, ...wide.slice(0, 5)] : [];
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: pytest shows what fails."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests, with a profile of its own; Selenium downloads nothing."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, NO_NAMES, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SE_OFFLINE", "true")
        driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def browser(started: Any) -> Any:
    """The browser, 1280 px wide, with nothing in its logs."""
    _resize(started, WIDTHS[0])
    for log in ("browser", "performance"):
        started.get_log(log)
    return started


def _resize(browser: Any, width: int) -> None:
    """Set the width of the page: windows themselves cannot be as narrow as a telephone."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def _follow(browser: Any, text: str) -> None:
    """Click a link in the text of the page, once it has come to rest in view."""
    link = browser.find_element("css selector", "article").find_element("link text", text)
    browser.execute_script(CENTRE, link)
    link.click()


def _requests(browser: Any) -> list[str]:
    """Addresses of everything that was asked for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [item["params"] for item in events if item["method"] == "Network.requestWillBeSent"]
    return [item["request"]["url"] for item in sent]


@pytest.mark.parametrize("page", HEADINGS)
def test_a_page_shows_its_heading_formulas_and_pictures(
    page: str, address: str, browser: Any
) -> None:
    browser.get(f"{address}/{page}.html")
    browser.execute_script(UNFOLD)
    heading = browser.find_element("css selector", "article h1")
    assert heading.is_displayed()
    assert heading.text.rstrip("#¶").startswith(HEADINGS[page])
    assert browser.execute_script(UNSEEN) == []


@pytest.mark.parametrize("page", HEADINGS)
def test_a_page_loads_without_errors_and_from_this_machine_only(
    page: str, address: str, browser: Any
) -> None:
    browser.get(f"{address}/{page}.html")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    requests = _requests(browser)
    assert f"{address}/{page}.html" in requests
    assert any(urlsplit(url).path.endswith(".css") for url in requests)
    assert [url for url in requests if not url.startswith((f"{address}/", "data:"))] == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", HEADINGS)
def test_a_page_does_not_scroll_sideways(page: str, width: int, address: str, browser: Any) -> None:
    _resize(browser, width)
    browser.get(f"{address}/{page}.html")
    browser.execute_script(UNFOLD)
    assert browser.execute_script("return innerWidth") == width
    assert browser.execute_script(OVERHANG) == []


def test_the_index_leads_to_the_model_page(address: str, browser: Any) -> None:
    browser.get(f"{address}/index.html")
    _follow(browser, "Models")
    assert browser.current_url == f"{address}/models/index.html"
    _follow(browser, "melflufen")
    assert browser.current_url == f"{address}/models/melflufen.html"
    assert browser.execute_script(COUNT, "article math") > 100
    assert browser.execute_script(COUNT, "article svg[role]") == 5


def test_what_has_no_size_or_sticks_out_is_found(browser: Any) -> None:
    browser.get(
        "data:text/html,<html style='scroll-behavior:smooth'><article><svg width=0></svg><p style='width:2000px'>a</article>"
    )
    assert len(browser.execute_script(UNSEEN)) == 1
    assert browser.execute_script(OVERHANG)


def test_what_is_asked_of_another_machine_is_found(browser: Any) -> None:
    browser.get("data:text/html,<img src='http://elsewhere.invalid/a.png'>")
    assert "http://elsewhere.invalid/a.png" in _requests(browser)
    assert [entry["level"] for entry in browser.get_log("browser")] == ["SEVERE"]
