"""Ray Serve's request router: the replica with the least backlog, in seconds.

Runs in every proxy of Ray Serve and in every handle. See loads.py for what it reckons.
"""

from __future__ import annotations

from typing import Any

from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

from deploy.ray.loads import Asked, Loads

# Of a body on the wire: native JSON is 4 to 8 bytes a token, compressed a quarter of that. A wrong
# guess is wrong for all alike, and only until the next report.
_BYTES_A_TOKEN = 6.0
_PACKED_BYTES_A_TOKEN = 1.5
_INTERACTIVE = ("/rerank", "/v1/rerank", "/v2/rerank", "/v1/chat/completions")


class LeastBacklog(RequestRouter):
    """One rank a replica, the best first: who does not take a request passes it on."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._loads = Loads()

    def update_replicas(self, replicas: list[RunningReplica]) -> None:
        super().update_replicas(replicas)
        self._loads.keep(each.replica_id.unique_id for each in replicas)
        for each in replicas:
            self._loads.report(each.replica_id.unique_id, each.routing_stats)

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        named = {each.replica_id.unique_id: each for each in candidate_replicas}
        asked = asked_of(pending_request) if pending_request else Asked()
        order = self._loads.order(list(named), asked)
        if pending_request and order:  # at once: others choose before this one is on its way
            request = pending_request.metadata.internal_request_id
            self._loads.sent(request, order[0], asked.tokens)
            pending_request.routing_context.should_backoff = True
        return [[named[name]] for name in order]

    def on_request_routed(
        self, pending_request: PendingRequest, replica_id: ReplicaID, result: Any
    ) -> None:
        request = pending_request.metadata.internal_request_id
        self._loads.sent(request, replica_id.unique_id, asked_of(pending_request).tokens)

    def on_request_completed(self, replica_id: ReplicaID, internal_request_id: str) -> None:
        self._loads.finished(internal_request_id)


def asked_of(request: PendingRequest) -> Asked:
    """Out of the head of the request; its body stays unread."""
    scope = getattr(request.args[0], "asgi_scope", {}) if request.args else {}
    headers = dict(scope.get("headers", ()))
    length = headers.get(b"content-length", b"0")
    packed = headers.get(b"content-encoding", b"identity") != b"identity"
    bytes_a_token = _PACKED_BYTES_A_TOKEN if packed else _BYTES_A_TOKEN
    tokens = int(length) / bytes_a_token if length.isdigit() else 0.0
    kind = "interactive" if scope.get("path") in _INTERACTIVE else "rollout"
    return Asked(kind, tokens, request.metadata.session_id)
