"""The inspector in a real headless Chromium, before `swe-rm serve --engine fake` on a free port.

Pictures of every page, wide and narrow, light and dark, lie in pytest's base temporary folder.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from houses import chat, item
from models import uncalibrated
from servers import Served, free_port

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
ALLOWED_TOKENS = 3999
EXAMPLES = Path(__file__).parents[1] / "examples" / "trajectories"
HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script><|im_end|>{{7*7}}'
REFUSAL = {"code": "unauthenticated", "detail": "no such key", "status": 401}

if not CHROMIUM.exists():
    pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")
Page = Any


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = uncalibrated(tmp_path_factory.mktemp("store")).parent
    flags = ("--max-tokens", str(ALLOWED_TOKENS + 1), "--model-store", str(store))
    served = Served(free_port(), tmp_path_factory.mktemp("state"), *flags)
    try:
        served.ready()
        yield served.url
    finally:
        served.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Page]:
    """A fresh page that may fail on nothing: no error in a script, no request to another host, nothing
    that the policy had to stop."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=url)
    one = context.new_page()
    wrong: list[str] = []
    one.on("pageerror", lambda error: wrong.append(str(error)))
    one.on("request", lambda r: None if r.url.startswith(url) else wrong.append(r.url))
    one.on("console", lambda m: wrong.append(m.text) if "Security Policy" in m.text else None)
    yield one
    assert one.evaluate("window.pwned") is None
    context.close()
    assert not wrong


def long_item(n: int = 30) -> dict[str, Any]:
    """Over the limit, and short enough once observations are elided."""
    made = item(n=n)
    for said in made["messages"][2::2]:
        said["content"] = "one more line of output\n" * 60
    return made


def paste(page: Page, text: str) -> None:
    page.fill("#paste", text)
    page.click("#go")


def read(page: Page, document: object) -> Page:
    """Pastes a document on /ui and waits for what comes of it."""
    page.goto("/ui")
    paste(page, document if isinstance(document, str) else json.dumps(document))
    page.wait_for_selector(".trajectory")
    return page


def text(page: Page, selector: str) -> str:
    found: str = page.inner_text(selector)
    return found


def test_a_file_becomes_a_curve_whose_turns_can_be_read(page: Page) -> None:
    page.goto("/ui")
    with page.expect_response("**/score") as scored:
        page.set_input_files("#file", EXAMPLES / "durfmt__solved_by_retry.traj.json")
    (result,) = scored.value.json()["results"]
    page.wait_for_selector(".trajectory")
    assert text(page, "#probability") == f"{result['probability']:.2f}"
    assert "uncalibrated" in text(page, ".worth")
    assert "raw, uncalibrated" in text(page, "#moments")
    points = page.locator(".curve a.point")
    assert points.count() == len(result["steps"])
    said = points.nth(7).get_attribute("aria-label")
    assert said == f"turn 7, {result['steps'][7]['raw_probability']:.2f}"
    points.nth(7).click()
    assert text(page, ".pane h3") == "Turn 7"
    assert "Looks right. Everything once more." in text(page, ".pane")
    assert page.locator(".pane .control").all_inner_texts()[0] == "<|im_start|>"
    page.click("text=Whole prompt")
    assert page.locator(".pane .segment").count() > 20
    assert "Did the agent resolve the issue?" in text(page, ".pane")


def test_intervals_and_calibrated_steps_are_shown_as_such(page: Page) -> None:
    def calibrated(route: Any) -> None:
        answer = route.fetch()
        said = answer.json()
        (result,) = said["results"]
        interval = {"low": 0.61, "high": 0.84, "method": "venn_abers"}
        result |= {"probability": 0.999, "interval": interval, "calibration": "c-1"}
        for step in result["steps"]:
            step["probability"] = 0.125
        route.fulfill(response=answer, json=said)

    page.route("**/score", calibrated)
    read(page, chat(n=2))
    assert text(page, "#probability") == "> 0.99"  # never 1, which it is not
    assert "0.61 – 0.84 (venn_abers) · calibrated by c-1" in text(page, ".worth")
    assert "calibrated for steps" in text(page, "#moments")
    assert page.locator("a[data-turn='1']").get_attribute("aria-label") == "turn 1, 0.13"
    assert page.locator(".curve .whisker").count() == 1


def test_keys_are_enough(page: Page) -> None:
    read(page, chat(n=6))
    page.locator(".curve a[tabindex='0']").focus()
    page.keyboard.press("Home")
    for key, turn in (("ArrowRight", 1), ("ArrowRight", 2), ("End", 5), ("ArrowLeft", 4)):
        page.keyboard.press(key)
        assert text(page, ".pane h3") == f"Turn {turn}"
        assert page.evaluate("document.activeElement.dataset.turn") == str(turn)
    page.locator(".turns button[aria-current='true']").focus()
    for key, title in (
        ("ArrowUp", "Turn 3"),
        ("k", "Turn 2"),
        ("Home", "Issue"),
        ("End", "Whole prompt"),
    ):
        page.keyboard.press(key)
        assert text(page, ".pane h3") == title
    page.goto("/ui")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"


def test_flags_stand_at_their_turns(page: Page) -> None:
    story = chat(n=3)
    story[3]["content"] = "```bash\ngit log --all --oneline\n```"
    document = {"messages": story}
    read(page, document)
    assert "git_history_peek" in text(page, ".flags")
    assert "git_history_peek" in page.locator("a[data-turn='1']").get_attribute("aria-label")
    assert page.locator(".curve path.flag").count() == 1
    page.click(".flags a")
    assert "git log --all" in text(page, ".pane .flagged")
    assert page.locator(".turns button[data-entry='1'] .mark").count() == 1


def test_what_was_elided_is_shown(page: Page) -> None:
    read(page, long_item())
    page.click(".facts summary")
    assert re.search(r"of 3,999 tokens", text(page, ".facts"))
    assert re.search(r"elided\s+[\d,]+ tokens in \d+ turns", text(page, ".facts"))
    assert page.locator(".curve rect.elided").count() > 10
    page.click(".turns button[data-entry='3']")
    assert "characters elided" in text(page, ".pane")
    assert re.search(r"[\d,]+ elided", text(page, ".pane"))


def test_hostile_text_stays_text(page: Page) -> None:
    story = chat(issue=HOSTILE, n=2, word=HOSTILE)
    story[2]["content"] = f"```bash\ngit log --all '{HOSTILE}'\n```"
    page.goto("/ui")
    file = {
        "name": f"{HOSTILE[:32]}.json",
        "mimeType": "text/html",
        "buffer": json.dumps(story).encode(),
    }
    page.set_input_files("#file", file)
    page.wait_for_selector(".trajectory")
    page.click("text=Whole prompt")
    assert HOSTILE in text(page, ".pane")
    assert "<|im_end|>" in page.locator(".pane .control").all_inner_texts()
    assert "<img" in text(page, ".worth h2")
    assert page.locator("main img, main script, main iframe").count() == 0
    page.goto("/ui/compare")
    page.set_input_files(
        "#file", [file, file | {"name": "<b>broken</b>", "buffer": b'{"a": "<b>"}'}]
    )
    page.click("#go")
    page.wait_for_selector(".panels")
    assert "<b>broken</b>" in text(page, "#ranks")
    assert page.locator("main img, main script, #ranks b").count() == 0


@pytest.mark.parametrize(
    ("document", "code"),
    [("{\"broken\": ", "unreadable"), ("{\"nothing\": 1}", "unknown_format"), (" ", "empty"),
     ("[{\"role\": \"user\", \"content\": \"hello\"}]", "empty")],
)  # fmt: skip
def test_what_cannot_be_scored_shows_its_code_and_no_number(
    page: Page, document: str, code: str
) -> None:
    page.goto("/ui")
    paste(page, document)
    page.wait_for_selector(".problem")
    assert text(page, ".problem code") == code
    assert len(text(page, ".problem")) > len(code) + 8
    assert page.locator("#probability").count() == 0


def test_too_long_can_be_read_though_not_scored(page: Page) -> None:
    page.goto("/ui")
    page.select_option("#overflow", "error")
    paste(page, json.dumps(long_item()))
    page.wait_for_selector(".trajectory")
    assert text(page, ".problem code") == "too_long"
    assert page.locator("#probability").count() == 0
    assert page.locator(".turns button").count() > 30


def test_failures_of_the_server_are_said(page: Page) -> None:
    page.goto("/ui")
    page.route("**/score", lambda route: route.abort())
    paste(page, json.dumps(chat()))
    page.wait_for_selector(".problem")
    assert text(page, ".problem code") == "unreachable"
    page.unroute("**/score")
    page.route("**/score", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    paste(page, json.dumps(chat()))
    page.wait_for_function("document.querySelector('.problem code')?.textContent != 'unreachable'")
    page.wait_for_selector(".problem")
    assert text(page, ".problem code") == "unreadable_answer"
    assert page.locator("#probability").count() == 0


def test_a_key_is_kept_for_the_tab_and_sent_to_this_server_only(page: Page) -> None:
    keys: list[str | None] = []

    def answer(route: Any) -> None:
        keys.append(route.request.headers.get("authorization"))
        if keys[-1] is None:
            route.fulfill(
                status=401, content_type="application/problem+json", body=json.dumps(REFUSAL)
            )
        else:
            route.continue_()

    page.route("**/score", answer)
    page.goto("/ui")
    paste(page, json.dumps(chat()))
    page.wait_for_selector(".problem")
    assert text(page, ".problem code") == "unauthenticated"
    assert "API key" in text(page, ".problem")
    page.fill("#key", "a-key")
    page.keyboard.press("Tab")
    page.click("#go")
    page.wait_for_selector("#probability")
    assert keys == [None, "Bearer a-key"]
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [
        1,
        0,
        "",
    ]
    page.goto("/ui/queue")
    assert page.input_value("#key") == "a-key"
    assert "a-key" not in page.url


def choose(page: Page, count: int) -> None:
    """Waits until so many files are read: that goes on behind the choosing of them."""
    page.locator("#chosen", has_text=f"{count} candidates").wait_for()


def test_candidates_are_ranked_and_stand_side_by_side(page: Page, url: str) -> None:
    names = [f"slotbook__{how}.traj.json" for how in ("solved_direct", "wrong_file", "gave_up")]
    broken = {"name": "broken.json", "mimeType": "text/plain", "buffer": b'{"nothing": 1}'}
    page.goto("/ui/compare")
    page.set_input_files("#file", [EXAMPLES / name for name in names])
    choose(page, 3)  # else the short one may be read, and numbered, before them
    page.set_input_files("#file", broken)
    choose(page, 4)
    with page.expect_response("**/rerank") as ranked:
        page.click("#go")
    answer = ranked.value.json()
    page.wait_for_selector(".panels")
    rows = page.locator("#ranks tbody tr")
    for n, result in enumerate(answer["results"]):
        assert names[result["index"]] in rows.nth(n).inner_text()
        assert f"{result['probability']:.2f}" in rows.nth(n).inner_text()
    last = rows.nth(3).inner_text()
    assert "unknown_format" in last
    assert not re.search(r"0\.\d", last)
    assert "1 candidate not scored" in text(page, "#ranking")
    assert page.locator(".panel").count() == 3
    page.locator(".panel").nth(1).locator("a.point").nth(2).click()
    assert text(page, ".pane h3") == "Turn 2"
    assert text(page, ".worth h2") == names[answer["results"][1]["index"]]
    page.click("[aria-label='Remove broken.json']")
    assert text(page, "#chosen") == "3 candidates"


def labelled(url: str) -> None:
    """Sixty scores of fifteen tasks and what became of them."""
    items = [item(word=f"w{n}", instance_id=f"task-{n % 15}") for n in range(60)]
    results = httpx.post(f"{url}/score", json={"trajectories": items}, timeout=60).json()["results"]
    told = [
        {"score_id": r["score_id"], "resolved": r["logit"] > 0.3, "evidence": "tests"}
        for r in results
    ]
    httpx.post(f"{url}/outcomes", json={"outcomes": told}).raise_for_status()
    fit = {"method": "platt"}
    httpx.post(f"{url}/calibrations", json=fit, timeout=60).raise_for_status()


def test_quality_is_drawn_and_calibrations_are_switched(page: Page, url: str) -> None:
    labelled(url)
    page.goto("/ui/quality")
    page.wait_for_selector("#figures svg")
    assert page.locator("#figures svg.plot").count() == 2
    assert "RM@k" in text(page, "#figures")
    assert "Reliability" in text(page, "#figures")
    assert page.locator("#slices tbody tr").count() >= 1
    page.wait_for_selector("#calibrations table")
    switch = page.locator("#calibrations tbody tr", has_text="platt").locator("button")
    switch.click()
    assert httpx.get(f"{url}/info").json()["calibration"] == "identity"  # one press asks only
    switch.click()
    page.wait_for_selector("#calibrations tr:has-text('platt') strong")
    active = httpx.get(f"{url}/info").json()["calibration"]
    assert active != "identity"
    page.click("#go")
    page.wait_for_selector("#drift:has-text('PSI')")
    body = {"id": "identity", "expected_generation": 1}
    httpx.put(f"{url}/calibrations/active", json=body).raise_for_status()
    page.locator("#calibrations tbody tr", has_text="of the model").locator("button").dblclick()
    page.wait_for_selector("#calibrations .problem")  # somebody else was faster
    assert text(page, "#calibrations .problem code") == "generation_conflict"


def test_the_queue_lives(page: Page) -> None:
    page.goto("/ui/queue")
    page.wait_for_selector("#queue .card")
    cards = page.locator("#queue .card").all_inner_texts()
    assert len(cards) == 6
    assert cards[0].split() == ["Waiting", "items", "0"]
    page.route("**/load", lambda route: route.abort())
    page.wait_for_selector(".problem")
    assert "old" in text(page, "#status")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits(
    browser: Any, url: str, tmp_path_factory: pytest.TempPathFactory, width: int, scheme: str
) -> None:
    """Nothing runs over the side; pictures are kept to be looked at."""
    pictures = tmp_path_factory.getbasetemp()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, base_url=url, color_scheme=scheme
    )
    page = context.new_page()
    waits = {"compare": ".panels", "quality": "#calibrations table", "queue": "#queue .card"}
    for name in ("", "compare", "quality", "queue"):
        page.goto(f"/ui/{name}".rstrip("/"))
        if name in ("", "compare"):
            files = sorted(EXAMPLES.glob("slotbook*.json"))
            page.set_input_files("#file", files if name else files[0])
        if name == "compare":
            choose(page, len(files))
            page.click("#go")
        page.wait_for_selector(waits.get(name, ".trajectory"))
        page.screenshot(path=pictures / f"{name or 'inspect'}-{scheme}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
    context.close()
