"""Everything that can go wrong, as one tree. Each leaf has a stable code and a status.

ServiceError
├── ItemError             one item's own failure; travels inside a 200 and never hurts its neighbours
│   ├── Invalid           400  a field is missing, unknown, of a wrong type or out of range
│   ├── Empty             400  neither turns nor a patch
│   ├── Unreadable        400  broken JSON or JSONL
│   ├── UnknownFormat     400  parsed, but no adapter knows it
│   ├── NoIssue           400  nothing says what was to be done
│   ├── NoAnswer          400  label mass under the manifest's floor
│   ├── TooLong           413  more tokens than the model, or the whole engine budget, allows
│   ├── EngineFailed      503  the engine gave no usable verdict
│   ├── EngineRestarting  503  the engine is being replaced
│   ├── Draining          503  the server is going down
│   └── Deadline          504  not finished in time
├── RequestError          the whole request is refused, before any engine work
│   ├── Malformed         400  not JSON, not UTF-8, or nested too deep
│   ├── InvalidRequest    400  JSON, but not what the route takes
│   │   ├── NotEnoughLabels    too few labelled scores, or all of one kind, for any number
│   │   └── FallingFit         the labels say that higher scores are resolved less often
│   ├── Unauthenticated 401 · Forbidden 403
│   ├── QuotaSpent        429  the key's own tokens of the day are used up
│   ├── NotFound 404 · ModelNotFound 404 · CalibrationNotFound 404
│   ├── MethodNotAllowed 405 · UnsupportedMediaType 415
│   ├── BodyTooLarge 413 · TooManyItems 413
│   ├── RevisionUnavailable 409
│   ├── IdempotencyInProgress 409 · IdempotencyMismatch 422
│   ├── GenerationConflict 409  the active calibration was switched by somebody else
│   ├── CalibrationRefused 409  too few labels, or it would make things worse
│   ├── Overloaded        503  retry later
│   ├── StoreUnavailable  503  the database does not answer; scoring goes on
│   ├── StoreFull         507  the disk is full; scoring goes on
│   ├── EngineAway        503  the engine is being replaced
│   ├── Closing           503  the server is going down
│   └── Internal          500  a defect of ours
└── StartError            the server does not start; the message names the thing and the way out
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ServiceError(Exception):
    """Root of the tree. `limits` holds the numbers that the message speaks of; `defect` the exception
    of ours or of a library that nobody foresaw, for the log and never for the caller."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        limits: Mapping[str, int | float] | None = None,
        retry_after_s: float | None = None,
        param: str | None = None,
        defect: Exception | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.limits = dict(limits or {})
        self.retry_after_s = retry_after_s
        self.param = param
        self.defect = defect


class ItemError(ServiceError):
    """One item cannot be scored."""


class Invalid(ItemError):
    code, status = "invalid", 400


class Empty(ItemError):
    code, status = "empty", 400


class Unreadable(ItemError):
    code, status = "unreadable", 400


class UnknownFormat(ItemError):
    code, status = "unknown_format", 400


class NoIssue(ItemError):
    code, status = "no_issue", 400


class NoExecution(ItemError):
    code, status = "no_execution", 400


class NoAnswer(ItemError):
    code, status = "no_answer", 400


class Flagged(ItemError):
    code, status = "flagged", 409


class TooLong(ItemError):
    code, status = "too_long", 413


class EngineFailed(ItemError):
    code, status, retryable = "engine_failed", 503, True


class EngineRestarting(ItemError):
    code, status, retryable = "engine_restarting", 503, True


class Draining(ItemError):
    code, status, retryable = "draining", 503, True


class Deadline(ItemError):
    code, status, retryable = "deadline", 504, True


class RequestError(ServiceError):
    """The whole request is refused."""


class Malformed(RequestError):
    code, status = "malformed", 400


class InvalidRequest(RequestError):
    code, status = "invalid", 400


class NotEnoughLabels(InvalidRequest):
    """No measure and no fit: a number from so few labels would be an invention."""


class FallingFit(InvalidRequest):
    """A calibration never falls: the order of scores would be turned round."""


class Unauthenticated(RequestError):
    code, status = "unauthenticated", 401


class Forbidden(RequestError):
    code, status = "forbidden", 403


class QuotaSpent(RequestError):
    code, status, retryable = "quota", 429, True


class NotFound(RequestError):
    code, status = "not_found", 404


class ModelNotFound(RequestError):
    code, status = "model_not_found", 404


class CalibrationNotFound(RequestError):
    code, status = "calibration_not_found", 404


class MethodNotAllowed(RequestError):
    code, status = "method_not_allowed", 405


class UnsupportedMediaType(RequestError):
    code, status = "unsupported_media_type", 415


class RevisionUnavailable(RequestError):
    code, status = "revision_unavailable", 409


class IdempotencyInProgress(RequestError):
    code, status, retryable = "idempotency_in_progress", 409, True


class IdempotencyMismatch(RequestError):
    code, status = "idempotency_mismatch", 422


class GenerationConflict(RequestError):
    code, status = "generation_conflict", 409


class CalibrationRefused(RequestError):
    code, status = "calibration_refused", 409


class BodyTooLarge(RequestError):
    code, status = "body_too_large", 413


class TooManyItems(RequestError):
    code, status = "too_many_items", 413


class Overloaded(RequestError):
    code, status, retryable = "overloaded", 503, True


class StoreUnavailable(RequestError):
    code, status, retryable = "store_unavailable", 503, True


class StoreFull(RequestError):
    code, status, retryable = "store_full", 507, True


class EngineAway(RequestError):
    code, status, retryable = "engine_restarting", 503, True


class Closing(RequestError):
    code, status, retryable = "draining", 503, True


class Internal(RequestError):
    code, status = "internal", 500


class StartError(ServiceError):
    """Raised before the server listens: a wrong hash, a contradiction in the settings, no room."""

    code = "start"
