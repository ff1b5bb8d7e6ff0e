"""Who may come in, and to what: keys, scopes, ceilings, quotas, what dialects answer for the unscored."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from houses import Built, ask, check_problem, item, keeping, listening, opened
from swe_rm_client import AsyncClient, Forbidden, QuotaExceeded, Unauthorized

from app.api import create_app
from app.api.access import Keyring
from app.api.access.keys import SCOPES, make_key
from app.api.access.routes import PUBLIC, door_of
from app.engine.fake import FakeEngine
from app.web import with_inspector

ONE = {"trajectories": [item()]}
TEXT = {"prompt": [{"role": "user", "content": "fix"}], "response": "done"}


class Keyed:
    """A house with keys; `key` makes one and gives its secret."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.admin = make_key(file, "everything", SCOPES)

    def key(self, name: str, *scopes: str, **terms: Any) -> str:
        return make_key(self.file, name, scopes, **terms)

    @contextlib.contextmanager
    def opened(self, **how: Any) -> Iterator[Built]:
        with opened(access=Keyring(self.file), **how) as built:
            yield built

    @asynccontextmanager
    async def asked(self, **how: Any) -> AsyncIterator[httpx.AsyncClient]:
        with self.opened(**how) as built:
            async with ask(built) as client:
                yield client


@pytest.fixture
def keyed(tmp_path: Path) -> Keyed:
    return Keyed(tmp_path / "keys.jsonl")


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_every_route_stands_in_a_table() -> None:
    """A route that nobody gave a scope is shut, and this says so before a user does."""
    with opened() as built:
        routes = [r for r in create_app(built.house).routes if hasattr(r, "path")]
    shut = [
        (path, method)
        for path, methods in ((r.path, getattr(r, "methods", None) or {"GET"}) for r in routes)
        for method in methods
        if path not in PUBLIC and door_of(path.replace("{score_id}", "sc-1"), method) is None
    ]
    assert not shut


async def test_without_a_key_only_probes_answer(keyed: Keyed) -> None:
    with keyed.opened() as built:
        routes = [r for r in create_app(built.house).routes if isinstance(r, APIRoute)]
        async with ask(built) as client:
            for route in routes:
                for method in route.methods:
                    answer = await client.request(method, route.path)
                    if route.path in PUBLIC:
                        assert answer.status_code == 200, route.path
                        assert "0.0.test" not in answer.text
                    else:
                        check_problem(answer, 401, "unauthenticated")
                        schemes = answer.headers.get_list("www-authenticate")
                        assert [each.split()[0] for each in schemes] == ["Bearer", "Basic"]
        assert built.engine.calls == 0


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "//score", "/score/", "/Score", "/%73core/", "/livez/", "//livez", "/livez/../score",
     "/..%2flivez", "/score%00", "/livez;x", "/ui/../score", "/static/x", "/admin"],
)  # fmt: skip
async def test_what_is_not_here_is_not_told_to_strangers(keyed: Keyed, path: str) -> None:
    async with keyed.asked() as client:
        url = httpx.URL("http://house").copy_with(raw_path=path.encode())
        check_problem(await client.get(url), 401, "unauthenticated")
        known = await client.get(url, headers=bearer(keyed.admin))
        assert known.status_code in (404, 405)


async def test_the_inspector_s_pages_need_no_key_and_open_nothing(keyed: Keyed) -> None:
    with keyed.opened() as built:
        transport = httpx.ASGITransport(with_inspector(create_app(built.house)))
        client = httpx.AsyncClient(transport=transport, base_url="http://house")
        assert (await client.get("/ui")).status_code == 200
        assert (await client.get("/ui/compare")).status_code == 200
        check_problem(await client.get("/ui/nowhere"), 401, "unauthenticated")
        check_problem(await client.post("/score", json={}), 401, "unauthenticated")
        await client.aclose()


@pytest.mark.parametrize("host", ["x/livez?", "a/livez#", "livez", "house/livez"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE"])
async def test_the_host_header_opens_nothing(keyed: Keyed, host: str, method: str) -> None:
    async with keyed.asked() as client:
        answer = await client.request(method, "/score", headers={"host": host})
        assert answer.status_code == 401


async def test_an_escaped_probe_is_the_probe_and_an_escaped_route_is_the_route(
    keyed: Keyed,
) -> None:
    async with keyed.asked() as client:
        assert (await client.get("/%6civez")).status_code == 200
        assert (await client.post("/%73core", json=ONE)).status_code == 401


async def test_bearer_and_basic(keyed: Keyed) -> None:
    secret = keyed.key("a", "score")
    good = (
        bearer(secret), {"authorization": f"bEARER   {secret} "}, basic("", secret),
        basic("api", secret),
    )  # fmt: skip
    bad = (
        bearer(secret[:-1]), bearer(""), basic(secret, ""), basic("a", "b"), {"authorization": secret},
        {"authorization": "Basic !!"}, {"authorization": "Basic " + "/" * 9},
        {"authorization": f"Digest {secret}"}, {"x-api-key": secret},
    )  # fmt: skip
    async with keyed.asked() as client:
        for headers in good:
            assert (await client.post("/score", json=ONE, headers=headers)).status_code == 200
        for headers in bad:
            answer = await client.post("/score", json=ONE, headers=headers)
            check_problem(answer, 401, "unauthenticated")
            assert secret not in answer.text
        twice = [("authorization", f"Bearer {secret}")] * 2
        assert (await client.post("/score", json=ONE, headers=twice)).status_code == 401
        assert (await client.post(f"/score?api_key={secret}", json=ONE)).status_code == 401


@pytest.mark.parametrize(
    ("path", "method", "opens"),
    [
        ("/score", "POST", {"score"}),
        ("/rerank", "POST", {"score"}),
        ("/rm", "POST", {"score"}),
        ("/tokenize", "POST", {"score"}),
        ("/metrics", "GET", {"metrics"}),
        ("/load", "GET", {"metrics", "score"}),
        ("/outcomes", "POST", {"outcomes"}),
        ("/scores/sc-1", "GET", {"outcomes", "score"}),
        ("/quality", "GET", {"outcomes", "metrics", "admin"}),
        ("/calibrations", "GET", {"outcomes", "metrics", "admin"}),
        ("/calibrations", "POST", {"admin"}),
        ("/calibrations/active", "PUT", {"admin"}),
        ("/info", "GET", set(SCOPES)),
        ("/docs", "GET", set(SCOPES)),
    ],
)
async def test_a_scope_opens_its_routes_alone(
    keyed: Keyed, path: str, method: str, opens: set[str]
) -> None:
    secrets = {scope: keyed.key(f"only-{scope.replace('_', '-')}", scope) for scope in SCOPES}
    async with keyed.asked() as client:
        for scope, secret in secrets.items():
            answer = await client.request(method, path, headers=bearer(secret))
            if scope in opens:
                assert answer.status_code not in (401, 403), scope
                continue
            problem = check_problem(answer, 403, "forbidden")
            assert any(each in problem["detail"] for each in opens)


async def test_prompts_need_their_scope(keyed: Keyed) -> None:
    plain, trusted = keyed.key("a", "score"), keyed.key("b", "score", "trusted_prompt")
    body = {"trajectories": [{"prompt": "<|im_start|>user\nx<|im_end|>\n"}]}
    async with keyed.asked() as client:
        answers = [
            (await client.post("/score", json=body, headers=bearer(each))).json()["results"][0]
            for each in (plain, trusted)
        ]
        assert answers[0]["error"]["code"] == "invalid"
        assert "trusted_prompt" in answers[0]["error"]["message"]
        assert answers[1]["status"] == "scored"
        for secret, known in ((plain, False), (trusted, True)):
            features = (await client.get("/info", headers=bearer(secret))).json()["features"]
            assert ("trusted_prompt" in features) is known


async def test_a_class_above_the_ceiling_is_refused_and_a_default_lowered(keyed: Keyed) -> None:
    low = bearer(keyed.key("low", "score", priority_ceiling="backfill"))
    async with keyed.asked() as client:
        for asked in ("interactive", "rollout"):
            answer = await client.post("/score", json=ONE | {"priority": asked}, headers=low)
            detail = check_problem(answer, 403, "forbidden")["detail"]
            assert all(word in detail for word in (asked, "backfill", "low"))
        allowed = [
            await client.post("/score", json=ONE | {"priority": "backfill"}, headers=low),
            await client.post("/score", json=ONE, headers=low),
            await client.post("/rerank", json={"candidates": [item()]}, headers=low),
            await client.post("/rm", json=TEXT, headers=low),
        ]
        assert [each.status_code for each in allowed] == [200] * 4


async def test_a_quota_ends_the_day_of_its_key_alone(keyed: Keyed) -> None:
    poor = bearer(keyed.key("poor", "score", quota_tokens_per_day=10))
    async with keyed.asked() as client:
        first = await client.post("/score", json=ONE, headers=poor)
        assert first.json()["counts"]["scored"] == 1
        for path in ("/score", "/rerank", "/rm", "/get_reward", "/v1/chat/completions"):
            problem = check_problem(await client.post(path, headers=poor), 429, "quota")
            assert problem["limits"]["allowed"] == 10
            assert problem["limits"]["measured"] == first.json()["usage"]["computed_tokens"]
        again = await client.post("/score", json=ONE, headers=poor)
        assert 1 <= int(again.headers["retry-after"]) <= 86_400
        assert (await client.post("/tokenize", json=item(), headers=poor)).status_code == 200
        assert (await client.get("/info", headers=poor)).status_code == 200
        other = await client.post("/score", json=ONE, headers=bearer(keyed.admin))
        assert other.status_code == 200
        page = (await client.get("/metrics", headers=bearer(keyed.admin))).text
        tokens = float(first.json()["usage"]["computed_tokens"])
        assert f'swe_rm_key_tokens_total{{key="poor"}} {tokens}' in page


async def test_scores_belong_to_the_key_that_asked(keyed: Keyed, tmp_path: Path) -> None:
    mine, theirs = (bearer(keyed.key(n, "score", "outcomes")) for n in ("mine", "theirs"))
    with keyed.opened() as built:
        async with keeping(built, f"sqlite:///{tmp_path}/o.db"), ask(built) as client:
            ids = {}
            for name, key in (("mine", mine), ("theirs", theirs)):
                answer = (await client.post("/score", json=ONE, headers=key)).json()
                ids[name] = answer["results"][0]["score_id"]
            assert ids["mine"] != ids["theirs"]
            told = {"score_id": ids["mine"], "resolved": True, "evidence": "tests"}
            for key, status in ((mine, "recorded"), (theirs, "unknown_score")):
                answer = await client.post("/outcomes", json={"outcomes": [told]}, headers=key)
                assert answer.json()["results"][0]["status"] == status
            path = f"/scores/{ids['mine']}"
            assert (await client.get(path, headers=mine)).status_code == 200
            assert (await client.get(path, headers=theirs)).status_code == 404


async def test_pages_of_other_sites_may_not_write(keyed: Keyed) -> None:
    admin = bearer(keyed.admin)
    for access in (None, Keyring(keyed.file)):
        with opened(access=access) as built:
            async with ask(built) as client:
                other = admin | {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
                answer = await client.post("/score", json=ONE, headers=other)
                check_problem(answer, 403, "forbidden")
                own = admin | {"sec-fetch-site": "same-origin"}
                assert (await client.post("/score", json=ONE, headers=own)).status_code == 200
                preflight = await client.options("/score", headers=other)
                assert preflight.status_code == 405
                assert not [h for h in preflight.headers if h.startswith("access-control")]


async def test_a_websocket_is_turned_away(keyed: Keyed) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    with keyed.opened() as built:
        scope = {"type": "websocket", "path": "/livez", "headers": [], "query_string": b""}
        await create_app(built.house)(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_a_refused_body_is_never_read(keyed: Keyed) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        pytest.fail("more of the body was asked for")

    async with keyed.asked() as client:
        answer = await client.post("/score", content=endless())
        assert answer.status_code == 401


UNSCORED = "x-swe-rm-unscored"
EMPTY = {"prompt": "", "response": ""}


async def test_without_a_stand_in_an_error_stays_an_error(keyed: Keyed) -> None:
    key = bearer(keyed.key("a", "score"))
    async with keyed.asked(allowed_tokens=64) as client:
        answer = await client.post("/rm", json=TEXT | {"response": "x " * 500}, headers=key)
        check_problem(answer, 413, "too_long")
        assert UNSCORED not in answer.headers


async def test_a_stand_in_is_said_aloud_and_counted(keyed: Keyed) -> None:
    key = bearer(keyed.key("a", "score", unscored_reward=-0.5))
    long = "x " * 500
    row = {"responses_create_params": {"input": "fix"}, "response": {"output": []}}
    async with keyed.asked(allowed_tokens=200) as client:
        bare = await client.post("/rm", json=TEXT | {"response": long}, headers=key)
        assert (bare.json(), bare.headers[UNSCORED]) == (-0.5, "too_long")
        full = await client.post("/rm?full=1", json=TEXT | {"response": long}, headers=key)
        assert full.json() == {"reward": -0.5}
        broken = await client.post("/rm", json={"prompt": [5], "response": "x"}, headers=key)
        assert broken.status_code == 200, broken.text
        assert (broken.json(), bool(broken.headers[UNSCORED])) == (-0.5, True)
        many = await client.post(
            "/get_reward", json={"query": ["fix it\ndone", f"fix\n{long}"], "prompts": ["", ""]},
            headers=key,
        )  # fmt: skip
        assert many.json()["rewards"][1] == many.json()["scores"][1] == -0.5
        assert 0 < many.json()["rewards"][0] < 1
        assert many.json()["extra_logs"] == {}
        judged = await client.post("/verify", json=row, headers=key)
        assert judged.json() == row | {"reward": -0.5}
        classes = await client.post(
            "/classify", json={"model": "critic", "input": long}, headers=key
        )
        assert classes.json()["data"][0]["probs"] == [-0.5] + [0.0] * 26
        scored = await client.post("/rm", json=TEXT, headers=key)
        assert UNSCORED not in scored.headers
        page = (await client.get("/metrics", headers=bearer(keyed.admin))).text
        said = Counter(
            each.headers[UNSCORED] for each in (bare, full, broken, many, judged, classes)
        )
        for code, count in said.items():
            assert f'swe_rm_unscored_rewards_total{{code="{code}"}} {count}.0' in page


async def test_a_stand_in_is_never_for_what_a_retry_may_mend(keyed: Keyed) -> None:
    key = bearer(keyed.key("a", "score", unscored_reward=0.0))
    async with keyed.asked(engine=FakeEngine(fault="nan")) as client:
        answer = await client.post("/rm", json=TEXT, headers=key)
        check_problem(answer, 503, "engine_failed")
        assert UNSCORED not in answer.headers
        request = await client.post("/rm", json={"prompt": "x"}, headers=key)
        check_problem(request, 400, "invalid")  # the request is wrong, not the trajectory
    native = await _native_error(keyed, key)
    assert native["status"] == "failed"
    assert "reward" not in native


async def _native_error(keyed: Keyed, key: dict[str, str]) -> dict[str, Any]:
    async with keyed.asked(allowed_tokens=64) as client:
        body = {"trajectories": [item(word="x " * 500)]}
        result: dict[str, Any] = (await client.post("/score", json=body, headers=key)).json()
        return result["results"][0]


async def test_the_client_with_a_key(keyed: Keyed) -> None:
    score = keyed.key("a", "score")
    admin = keyed.key("b", "admin")
    poor = keyed.key("c", "score", quota_tokens_per_day=1)
    with keyed.opened() as built:
        async with listening(built) as url:
            async with AsyncClient(url, score) as client:
                assert (await client.score([item()])).counts.scored == 1
            for key, problem in ((None, Unauthorized), ("wrong", Unauthorized), (admin, Forbidden)):
                async with AsyncClient(url, key) as client:
                    with pytest.raises(problem):
                        await client.score([item()])
            async with AsyncClient(url, poor, timeout_s=2) as client:
                await client.score([item()])
                with pytest.raises(QuotaExceeded):
                    await client.score([item()])


async def test_curl_and_a_url_that_holds_the_key(keyed: Keyed) -> None:
    secret = keyed.key("a", "score")
    with keyed.opened() as built:
        async with listening(built) as url:
            curl = await asyncio.create_subprocess_exec(
                "curl", "-sS", "-u", f":{secret}", f"{url}/version", stdout=asyncio.subprocess.PIPE
            )
            said, _ = await curl.communicate()
            assert b"0.0.test" in said
            async with httpx.AsyncClient() as client:
                with_key = url.replace("http://", f"http://api:{secret}@")
                assert (await client.post(f"{with_key}/rm", json=TEXT)).status_code == 200
