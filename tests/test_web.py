"""The inspector's shells and assets: whole, closed to everything foreign, without data or secrets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from houses import check_problem, opened

from app import web
from app.api import create_app

STATIC = Path(web.__file__).parent / "static"
ASSETS = sorted(file.name for file in STATIC.iterdir())
PATHS = ["/ui", *(f"/ui/{name}" for name in web.PAGES if name)]
EMPTY = {"meta", "link", "input", "br", "img", "hr"}
UNSAFE = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc",
    "DOMParser", "localStorage", "cookie", "url(", "@import",
)  # fmt: skip
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    with opened() as built:
        transport = httpx.ASGITransport(web.with_inspector(create_app(built.house)))
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as asking:
            yield asking


class Page(HTMLParser):
    """Holds a page to what well-formed means here: every element closed, in order, ids once."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.inline_scripts = 0
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs), (tag, attrs)
        self.attributes |= set(found)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found[name] or "" for name in ("href", "src", "action") if name in found]
        self.inline_scripts += tag == "script" and "src" not in found
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_whole_and_closed(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert len(page.ids) == len(set(page.ids))
    assert {"main", "key", "problems"} <= set(page.ids)
    assert page.inline_scripts == 0
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}
    for link in page.links:
        assert link == "#main" or (await client.get(link)).status_code == 200, link
    assert answer.text.count('aria-current="page"') == 1


@pytest.mark.parametrize("path", [*PATHS, *(f"/ui/static/{name}" for name in ASSETS)])
async def test_everything_carries_the_policy(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_assets_have_types_and_are_sent_once(client: httpx.AsyncClient) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for name in ASSETS:
        answer = await client.get(f"/ui/static/{name}")
        assert answer.headers["content-type"].startswith(types[Path(name).suffix])
        known = {"if-none-match": answer.headers["etag"]}
        again = await client.get(f"/ui/static/{name}", headers=known)
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/ui/nothing", "/ui/static/nothing.js", "/ui/static/..%2f__init__.py", "/ui/layout"]
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    check_problem(await client.get(path), 404, "not_found")


async def test_the_shells_hold_no_data(client: httpx.AsyncClient) -> None:
    """They are the same for everyone, so they may be read without a key."""
    model = (await client.get("/info")).json()["model"]
    for path in PATHS:
        text = (await client.get(path)).text
        assert model["name"] not in text
        assert model["revision"] not in text
        assert text == (await client.get(path, headers={"authorization": "Bearer x"})).text


@pytest.mark.parametrize("name", ASSETS)
def test_an_asset_makes_no_markup_and_knows_no_other_host(name: str) -> None:
    text = (STATIC / name).read_text()
    assert not re.search(r"[a-z]+://", text.replace(SVG_NAMESPACE, ""))
    assert not [way for way in UNSAFE if way in text]


async def test_it_is_no_part_of_the_api(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert not [path for path in paths if path.startswith("/ui")]
