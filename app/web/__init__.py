"""The inspector: pages under `/ui` that show what the API answers.

templates/  one shell a page; holds no data and no secret     static/  style, script and icon

The shells are made once, when the inspector is added; the script asks the API with the key that the
reader typed, so limits, access and errors are the API's own. Nothing comes from another host.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from app.errors import NotFound

PAGES = {"": "Inspect", "compare": "Compare", "quality": "Quality", "queue": "Queue"}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _Document:
    """Bytes that never change while the server runs; `tag` is their ETag."""

    content: bytes
    media_type: str
    tag: str

    def answer(self, request: Request) -> Response:
        headers = HEADERS | {"ETag": self.tag}
        if request.headers.get("if-none-match") == self.tag:
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers, media_type=self.media_type)


def with_inspector(app: FastAPI) -> FastAPI:
    """The same application, with the inspector at `/ui`."""
    pages, assets = _pages(), _assets()
    router = APIRouter(prefix="/ui", include_in_schema=False)

    @router.get("")
    async def first(request: Request) -> Response:
        return pages[""].answer(request)

    @router.get("/static/{name}")
    async def asset(request: Request, name: str) -> Response:
        return _of(assets, name).answer(request)

    @router.get("/{name}")
    async def page(request: Request, name: str) -> Response:
        return _of(pages, name).answer(request)

    app.include_router(router)
    return app


def _of(documents: dict[str, _Document], name: str) -> _Document:
    if name not in documents:
        message = f"the inspector has {', '.join(f'/ui/{each}' for each in PAGES if each)}"
        raise NotFound(message)
    return documents[name]


def _pages() -> dict[str, _Document]:
    environment = Environment(
        loader=PackageLoader("app.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return {
        name: _document(
            environment.get_template(f"{title.lower()}.html").render(pages=PAGES, here=name),
            "text/html",
        )
        for name, title in PAGES.items()
    }


def _assets() -> dict[str, _Document]:
    return {
        each.name: _document(each.read_text(encoding="utf-8"), _TYPES[each.name.split(".")[-1]])
        for each in files("app.web").joinpath("static").iterdir()
    }


def _document(text: str, media_type: str) -> _Document:
    content = text.encode()
    return _Document(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
