"""The report in a real browser: drawn, sorted, searched, in light and dark, on paper and on a phone."""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.page import write_report

Build = Callable[..., ReportContent]

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "\u202eevil \u05e9\u05dc\u05d5\u05dd",
    "\"quotes\" & 'more' {{ 7*7 }}",
    "x" * 10240,
    "--></style><style>*{display:none}</style>",
)

# Contrast ratio (WCAG 2.2, 1.4.3) of every piece of text that is seen, with what is behind it.
CONTRAST = """
const luminance = ([r, g, b]) => [r, g, b]
  .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const parse = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
}
const found = [];
for (const element of document.querySelectorAll("body *:not(script):not(.sunburst *):not(title):not(desc)")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility() || element.closest(".unseen, option")) continue;
  const style = getComputedStyle(element);
  const ink = parse(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
  const [a, b] = [luminance(ink), luminance(behind(element))].sort((x, y) => y - x);
  found.push([element.className.baseVal ?? element.className, element.textContent.slice(0, 40), (a + 0.05) / (b + 0.05)]);
}
return found;
"""  # noqa: E501 - a script


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Headless Chromium; without one the tests are skipped, or fail where SPA_BROWSER=required."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        lacking = "the report was NOT looked at: chromium or chromedriver is not installed"
        if os.environ.get("SPA_BROWSER") == "required":
            pytest.fail(lacking)
        pytest.skip(lacking)
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


def show(
    browser: webdriver.Chrome,
    page: Path,
    scheme: str = "light",
    width: int = 1280,
    media: str = "screen",
) -> None:
    """Open a page as a window of that kind shows it; drop what was logged before."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [feature]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(page.as_uri())


@pytest.fixture(scope="module")
def report(report_content: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("two") / "report.html"
    write_report(page, report_content())
    return page


def shown_labels(browser: webdriver.Chrome) -> list[str]:
    rows = "#label-table tbody tr:not([hidden]) th > bdi"
    script = f"return [...document.querySelectorAll('{rows}')].map((name) => name.textContent)"
    return list(browser.execute_script(script))


def column(browser: webdriver.Chrome, title: str) -> list[float | None]:
    """The values of a column of the table, from top to bottom."""
    script = """
    const heads = [...document.querySelectorAll("#label-table thead th")];
    const at = heads.findIndex((head) => head.textContent.trim() === arguments[0]);
    return [...document.querySelectorAll("#label-table tbody tr")].map((row) =>
      row.cells[at].dataset.value === undefined ? null : Number(row.cells[at].dataset.value));
    """
    return list(browser.execute_script(script, title))


def head(browser: webdriver.Chrome, title: str) -> WebElement:
    xpath = f"//table[@id='label-table']//th[normalize-space()='{title}']/button"
    return browser.find_element(By.XPATH, xpath)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("models", [1, 2])
def test_quiet_and_alone(
    browser: webdriver.Chrome,
    report_content: Build,
    tmp_path: Path,
    scheme: str,
    width: int,
    models: int,
) -> None:
    page = tmp_path / "report.html"
    write_report(page, report_content(models=models))
    show(browser, page, scheme, width)
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert page.as_uri() in asked
    assert all(url.startswith(("file:", "data:", "about:")) for url in asked)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_policy_stops_what_is_not_ours(
    browser: webdriver.Chrome, report: Path, tmp_path: Path
) -> None:
    """That nothing was logged proves something only if the browser does log."""
    page = tmp_path / "report.html"
    html = report.read_text(encoding="utf-8")
    foreign = "<script>window.foreign = 1</script><img src='https://example.invalid/a.png'></main>"
    page.write_text(html.replace("</main>", foreign), encoding="utf-8")
    show(browser, page)
    assert browser.execute_script("return window.foreign") is None
    messages = [entry["message"] for entry in browser.get_log("browser")]
    assert sum("Content Security Policy" in message for message in messages) == 2


def test_every_plot_is_drawn(
    browser: webdriver.Chrome, report_content: Build, report: Path
) -> None:
    content = report_content()
    show(browser, report)
    script = """
    const count = (marks) => [...document.querySelectorAll(marks)].filter((mark) => {
      const box = mark.getBoundingClientRect();
      return box.width > 0 && box.height > 0;
    }).length;
    return Object.fromEntries(arguments[0].map((marks) => [marks, count(marks)]));
    """
    levels = len(content.model.summary.OmAP_by_coarse_level)
    with_value = sum(row.AP is not None for row in content.model.summary.per_label)
    nodes = {path[: i + 1] for path in content.paths for i in range(len(path))}
    sides = (content.model, content.other)
    seen = sum(int((side.false_positives > 0).sum()) for side in sides if side is not None)
    wanted = {
        "#levels .curve": 2,
        "#levels .band": 2,
        "#levels .point": 2 * levels,
        "#ontology svg[data-by='ap'] .arc": len(nodes),
        "#ontology svg[data-by='difference'] .arc": 0,  # until it is chosen
        "#training .dot": with_value,
        "#distances [data-tip].bar": seen,
        "#figure-OmAP .strip .dot": 2,
        "#label-table .strip": 4 * with_value,
    }
    assert browser.execute_script(script, list(wanted)) == wanted


def test_the_sunburst_changes_its_colours(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)

    def seen() -> list[str]:
        script = """return [...document.querySelectorAll("svg.sunburst")]
            .filter((svg) => svg.getBoundingClientRect().height > 100).map((svg) => svg.dataset.by)"""
        return list(browser.execute_script(script))

    assert seen() == ["ap"]
    button = browser.find_element(By.CSS_SELECTOR, "[data-show='difference']")
    button.send_keys(Keys.ENTER)
    assert seen() == ["difference"]
    assert button.get_attribute("aria-pressed") == "true"
    browser.find_element(By.CSS_SELECTOR, "[data-show='ap']").click()
    assert seen() == ["ap"]
    assert button.get_attribute("aria-pressed") == "false"


@pytest.mark.parametrize("title", ["AP", "OmAP difference", "Positives", "Training clips"])
def test_numbers_sort_both_ways(browser: webdriver.Chrome, report: Path, title: str) -> None:
    show(browser, report)
    for order, by in (("descending", True), ("ascending", False), ("descending", True)):
        head(browser, title).click()
        values = column(browser, title)
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=by)
        assert values[len(known) :] == [None] * (len(values) - len(known))  # last, either way
        orders = browser.execute_script(
            "return [...document.querySelectorAll('#label-table [aria-sort]')]"
            ".map((head) => head.ariaSort).filter((order) => order !== 'none')"
        )
        assert orders == [order]


def test_names_sort_by_keyboard(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)
    head(browser, "Label").send_keys(Keys.SPACE)
    names = shown_labels(browser)
    letters = [name.rstrip("0123456789") for name in names]
    assert letters == sorted(letters)
    head(browser, "Label").send_keys(Keys.ENTER)
    assert shown_labels(browser) == names[::-1]


def test_search_and_filter(browser: webdriver.Chrome, report_content: Build, report: Path) -> None:
    content = report_content()
    show(browser, report)
    count = browser.find_element(By.ID, "shown")
    assert count.text == "61 labels"
    search = browser.find_element(By.ID, "search")
    search.send_keys("DRUM  blown")
    names = shown_labels(browser)
    assert names
    assert all("drum" in name.lower() and "blown" in name.lower() for name in names)
    assert count.text == f"{len(names)} of 61 labels"
    search.clear()
    search.send_keys("/t/60")
    assert len(shown_labels(browser)) == 1
    search.clear()
    search.send_keys("nothing has this name")
    assert shown_labels(browser) == []
    assert count.text == "0 of 61 labels"
    search.clear()
    search.send_keys(" ")
    assert count.text == "61 labels"
    difference = content.model.summary.difference
    assert difference is not None
    outcome = Select(browser.find_element(By.ID, "outcome"))
    outcome.select_by_value("AP-worse")
    labels = {row.mid: row.label for row in content.model.summary.per_label}
    assert sorted(shown_labels(browser)) == sorted(labels[mid] for mid in difference.AP_lost)
    assert count.text == f"{len(difference.AP_lost)} of 61 labels"


def test_more_columns(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)
    assert not head(browser, "AUC").is_displayed()
    browser.find_element(By.ID, "details").click()
    assert head(browser, "AUC").is_displayed()
    head(browser, "Calibration error").click()
    assert column(browser, "Calibration error")[-1] is None
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 1280


def test_tips_come_with_the_pointer_and_go_with_escape(
    browser: webdriver.Chrome, report: Path
) -> None:
    show(browser, report)
    mark = browser.find_element(By.CSS_SELECTOR, "#distances .bar[data-tip]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    webdriver.ActionChains(browser).move_to_element(mark).perform()
    tip = browser.find_element(By.CSS_SELECTOR, ".tip")
    wait = WebDriverWait(browser, 30)  # a busy machine draws later
    wait.until(lambda _: tip.is_displayed())
    assert tip.text.split("\n")[0] in mark.get_attribute("aria-label")
    webdriver.ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    wait.until_not(lambda _: tip.is_displayed())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("media", ["screen", "print"])
def test_all_text_can_be_read(
    browser: webdriver.Chrome, report: Path, scheme: str, media: str
) -> None:
    show(browser, report, scheme, media=media)
    found = browser.execute_script(CONTRAST)
    assert len(found) > 500
    assert [piece for piece in found if piece[2] < 4.5] == []


def test_dark_is_dark_and_paper_is_white(browser: webdriver.Chrome, report: Path) -> None:
    def paper() -> int:
        script = "return getComputedStyle(document.documentElement).backgroundColor"
        return sum(int(part) for part in browser.execute_script(script)[4:-1].split(","))

    show(browser, report, "dark")
    assert paper() < 100
    for media in ("screen", "print"):
        show(browser, report, "light", media=media)
        assert paper() > 700
    show(browser, report, "dark", media="print")
    assert paper() > 700


def test_on_paper_nothing_is_cut(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report, media="print", width=700)
    script = """
    dispatchEvent(new Event("beforeprint"));
    const cut = [...document.querySelectorAll(".sideways")].filter((box) => box.clientHeight < box.scrollHeight);
    const shut = [...document.querySelectorAll("details:not([open])")];
    const hidden = [...document.querySelectorAll(".tools, .switch, audio")].filter((one) => one.checkVisibility());
    const drawn = [...document.querySelectorAll("svg.sunburst")].filter((one) => one.getBoundingClientRect().height > 100);
    dispatchEvent(new Event("afterprint"));
    const left = [...document.querySelectorAll("details[open]")];
    return [cut, shut, hidden, drawn, left].map((found) => found.length);
    """  # noqa: E501 - a script
    assert browser.execute_script(script) == [0, 0, 0, 2, 0]
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF")


def test_without_script_all_is_there(browser: webdriver.Chrome, report: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, report)
        assert browser.find_element(By.XPATH, "//th[normalize-space()='AUC']").is_displayed()
        bursts = browser.find_elements(By.CSS_SELECTOR, "svg.sunburst")
        assert [burst.is_displayed() for burst in bursts] == [True, True]
        assert not browser.find_element(By.ID, "search").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("width", [1280, 400])
def test_hostile_names_show_as_text(
    browser: webdriver.Chrome, report_content: Build, tmp_path: Path, width: int
) -> None:
    page = tmp_path / "report.html"
    write_report(page, report_content(names=HOSTILE))
    show(browser, page, width=width)
    assert set(HOSTILE) <= set(shown_labels(browser))
    assert browser.execute_script("return [document.images.length, document.scripts.length]") == [
        0,
        1,
    ]
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.find_element(By.ID, "search").send_keys("onerror=alert(1)>")
    assert shown_labels(browser) == [HOSTILE[0]]


def test_audio_can_be_played(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)
    script = """
    const done = arguments[arguments.length - 1];
    const players = [...document.querySelectorAll("audio")];
    Promise.all(players.map((player) => new Promise((resolve) => {
      if (player.readyState >= 1 || player.error) return resolve();
      player.addEventListener("loadedmetadata", resolve);
      player.addEventListener("error", resolve);
      player.load();
    }))).then(() => done(players.map((player) => player.error ? null : player.duration)));
    """
    seconds = browser.execute_async_script(script)
    assert len(seconds) == 6
    assert all(duration is not None and 0.2 < duration < 0.5 for duration in seconds)
