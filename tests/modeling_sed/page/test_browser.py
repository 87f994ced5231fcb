"""The page in a real browser, with a server of its own: Debian's Chromium, headless, driven by Playwright."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile

from modeling_sed.annotations.files import FORMATS, read_annotations
from tests.conftest import REPOSITORY
from tests.modeling_sed.page.conftest import BROWSER, PATIENCE, Server

if BROWSER is None:
    pytest.skip("there is no Chromium: the page is not tested in a browser", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="there is no Playwright to drive a browser")
expect, Page = playwright.expect, playwright.Page

PHONE = {"width": 390, "height": 844}
SECONDS = 5


@pytest.fixture(scope="module")
def browser() -> Iterator:
    expect.set_options(timeout=1000 * PATIENCE)
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        chromium = driver.chromium.launch(executable_path=BROWSER, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, server: Server) -> Iterator[Page]:
    """The page, just opened; at the end, whom it asked and what it said is checked."""
    tab = browser.new_page()
    tab.set_default_timeout(1000 * PATIENCE)
    requests, told, errors = [], [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("response", lambda response: told.append(_text(response)))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(server.address)
    tab.wait_for_selector("#recording input[type=file]", state="attached")
    yield tab
    hosts = {urlsplit(url).netloc for url in requests if urlsplit(url).scheme not in ("data", "blob")}
    assert hosts == {urlsplit(server.address).netloc}
    for secret in (str(server.folder), str(Path.home()), str(REPOSITORY)):
        assert not [text for text in told if secret in text], secret
    assert errors == []
    tab.close()


def _text(response) -> str:
    if urlsplit(response.url).path.startswith("/assets/"):  # gradio's own files
        return ""
    try:
        return response.text()
    except (playwright.Error, UnicodeDecodeError):  # gone, or not text
        return ""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "my call.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000 * SECONDS), 16_000)
    return path


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#recording input[type=file]", path)
    page.wait_for_selector(f"#result .file-name:text-is({json.dumps(path.name)})")


def compare(page: Page, path: Path) -> None:
    page.set_input_files("#annotation input[type=file]", path)
    page.wait_for_selector("#comparison table, #comparison .message")


def position(page: Page) -> float:
    return float(page.get_attribute("#result .timeline", "aria-valuenow"))


def test_the_server_asks_nobody_else(page: Page, server: Server, recording: Path):
    upload(page, recording)
    assert set(server.asked.read_text().split()) <= {"127.0.0.1", "localhost", "::1"}


def test_a_recording_is_uploaded_and_its_timeline_shown(page: Page, recording: Path):
    upload(page, recording)
    assert page.locator("#result .row-name").all_inner_texts() == ["emotions", "posteriors"]
    shares = re.findall(r"([\d.]+) %", page.inner_text("#result table"))
    assert len(shares) == 4 and sum(map(float, shares)) == pytest.approx(100, abs=0.2)
    page.click("#recording [aria-label=Clear]")
    expect(page.locator("#result .timeline")).to_have_count(0)


def test_the_cursor_follows_the_player_and_moves_it(page: Page, recording: Path):
    upload(page, recording)
    timeline, left = page.locator("#result .timeline"), "parseFloat(document.querySelector('.cursor').style.left)"
    box = timeline.bounding_box()
    timeline.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    assert position(page) == pytest.approx(SECONDS / 2, abs=0.05)
    assert page.evaluate(left) == pytest.approx(50, abs=1)
    assert page.evaluate("document.querySelector('#recording audio').currentTime") == pytest.approx(2.5, abs=0.05)
    page.evaluate("document.querySelector('#recording audio').play()")
    page.wait_for_function(f"{left} > 70")  # it moves on its own
    page.wait_for_function("document.querySelector('#recording audio').ended")
    page.wait_for_function(f"{left} > 99")
    assert re.fullmatch(r"0:05\.0 \w+", page.inner_text("#result .position"))


def test_every_format_can_be_downloaded(page: Page, recording: Path, tmp_path: Path):
    upload(page, recording)
    timelines = []
    for link in page.locator("#result .downloads a").all():
        with page.expect_download() as waiting:
            link.click()
        path = tmp_path / "saved" / waiting.value.suggested_filename
        waiting.value.save_as(path)
        (found,) = read_annotations(path).values()
        timelines.append([(round(s["start"], 3), round(s["end"], 3), s["label"]) for s in found.segments])
    assert len(timelines) == len(FORMATS) and all(timeline == timelines[0] for timeline in timelines)
    assert path.name == "my call.vtt"


def test_an_annotation_is_compared(page: Page, recording: Path, tmp_path: Path):
    upload(page, recording)
    truth = tmp_path / "truth.json"
    wrong = [{"start": 1.0, "end": 2.0, "label": "<img src=x onerror=\"document.title='broken in'\">${1}{{this}}"}]
    truth.write_text(json.dumps([{"name": "anything", "duration": SECONDS, "segments": wrong}]))
    compare(page, truth)
    table = page.inner_text("#comparison table")
    eder, *parts = map(float, re.findall(r"([\d.]+) %", table))
    assert eder == pytest.approx(sum(parts), abs=0.3) and eder >= 20
    rows = page.locator("#result .row-name").all_inner_texts()
    assert rows[:2] == ["emotions", "annotation"] and rows[-1] == "posteriors"
    assert page.locator("#result img, #comparison img").count() == 0
    assert wrong[0]["label"] in page.inner_text("#result table") and page.title() == "Speech Emotion Diarization"
    with page.expect_download() as waiting:
        page.click("#result .downloads a >> text=JSONL")
    page.click("#annotation [aria-label=Clear], #annotation [aria-label='Remove file']")
    expect(page.locator("#comparison table")).to_have_count(0)
    page.wait_for_selector("#annotation input[type=file]", state="attached")
    waiting.value.save_as(tmp_path / "same.jsonl")
    compare(page, tmp_path / "same.jsonl")
    assert "EDER\t0.0 %" in page.inner_text("#comparison table")


def test_what_cannot_be_used_is_said_with_the_name_only(page: Page, recording: Path, tmp_path: Path):
    broken, large, truth = tmp_path / "broken.wav", tmp_path / "large.wav", tmp_path / "truth.json"
    broken.write_text("text")
    truth.write_text("{")
    soundfile.write(large, np.zeros(16_000 * 60), 16_000)  # 1.9 MB
    page.set_input_files("#recording input[type=file]", broken)
    message = page.locator("#result [role=alert]")
    expect(message).to_contain_text("broken.wav: not audio")
    assert "/" not in message.inner_text()
    page.click("#recording [aria-label=Clear]")
    expect(message).to_have_count(0)
    page.set_input_files("#recording input[type=file]", large)
    expect(page.locator("body")).to_contain_text('exceed the maximum allowed size of 1.0 Mb: "large.wav"')
    upload(page, recording)
    compare(page, truth)
    expect(page.locator("#comparison [role=alert]")).to_contain_text(re.compile(r"^truth\.json"))


def test_a_phone_does_not_scroll_sideways(page: Page, recording: Path, tmp_path: Path):
    page.set_viewport_size(PHONE)
    upload(page, recording.rename(tmp_path / f"{'a_long_name' * 12}.wav"))
    truth = tmp_path / "truth.json"
    label = "an_emotion_that_has_a_very_long_name_indeed"
    truth.write_text(json.dumps([{"name": "x", "segments": [{"start": 0, "end": 2, "label": label}]}]))
    compare(page, truth)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    elements = "[...document.querySelectorAll('#result *, #comparison *')]"
    assert page.evaluate(f"Math.max(...{elements}.map(e => e.getBoundingClientRect().right))") <= PHONE["width"]


def test_the_keyboard_is_enough(page: Page, recording: Path):
    choosers = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # waiting for one comes too late for the key

    def choose(path: Path) -> None:
        page.keyboard.press("Enter")
        for _ in range(10 * PATIENCE):
            if choosers:
                break
            page.wait_for_timeout(100)
        choosers.pop().set_files(path)

    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        raise AssertionError(f"Tab never comes to {selector}")

    tab_to("#recording button")
    choose(recording)
    page.wait_for_selector("#result .timeline")
    tab_to("#result .timeline")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for key, seconds in (("ArrowRight", 1), ("ArrowUp", 2), ("ArrowLeft", 1), ("End", 5), ("PageUp", 5), ("Home", 0)):
        page.keyboard.press(key)
        assert position(page) == pytest.approx(seconds, abs=0.05), key
    assert page.get_attribute("#result .timeline", "aria-valuetext").startswith("0:00.0 ")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#recording audio').currentTime > 0.3")
    page.keyboard.press("Space")
    assert page.evaluate("document.querySelector('#recording audio').paused")
    tab_to("#result .downloads a")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    waiting.value.save_as(recording.with_suffix(".json"))
    tab_to("#annotation button")
    choose(recording.with_suffix(".json"))
    expect(page.locator("#comparison table")).to_contain_text("EDER")


def test_speech_is_recorded(page: Page):
    page.click("#recording [aria-label='Record audio']")
    page.click("#recording button:has-text('Record')")
    page.wait_for_timeout(1500)
    page.click("#recording button:has-text('Stop'):visible")
    page.wait_for_selector("#result .timeline")
    assert page.locator("#recording audio").count() == 1
