"""Client of swe-rm-server: a score or a typed error, never a default.

    from swe_rm_client import Client

    with Client() as client:
        print(client.score([trajectory]).probabilities())

How a call travels: `items` encodes and batches, `calls` plans (`scoring`, `streams`), `client` or
`aclient` send through `transports`, which send again as `retries` decides, `boundary` turns httpx's
errors into ours (`errors`), `fields`, `reading`, `ranking` and `feedback` check the answers, `answers`
are the nouns that come back, `values` the plain numbers. `integrations` has one file per framework.
It knows nothing of the server's code, only API.md.
"""

from .aclient import AsyncClient
from .answers import (
    Counts,
    Failed,
    Flag,
    Group,
    Info,
    Interval,
    Model,
    OutcomeRecord,
    Ranked,
    RerankResponse,
    Rewarded,
    Scored,
    ScoreResponse,
    ScoreResult,
    Step,
    Tokens,
    Usage,
)
from .client import Client
from .errors import (
    BadRequest,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    Forbidden,
    InternalServerError,
    ItemFailed,
    ItemProblem,
    NotFound,
    Overloaded,
    Problem,
    ProtocolError,
    QuotaExceeded,
    ServerError,
    SweRmError,
    TimedOut,
    TooLarge,
    TransportError,
    Unauthorized,
    Unavailable,
    UsageError,
)
from .items import Document, Item
from .retries import NO_RETRIES, Retries
from .values import Tally, Values
from .version import __version__

__all__ = [
    "AsyncClient",
    "BadRequest",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "Counts",
    "DeadlineExceeded",
    "Document",
    "Failed",
    "Flag",
    "Forbidden",
    "Group",
    "Info",
    "InternalServerError",
    "Interval",
    "Item",
    "ItemFailed",
    "ItemProblem",
    "Model",
    "NO_RETRIES",
    "NotFound",
    "OutcomeRecord",
    "Overloaded",
    "Problem",
    "ProtocolError",
    "QuotaExceeded",
    "Ranked",
    "RerankResponse",
    "Retries",
    "Rewarded",
    "ScoreResponse",
    "ScoreResult",
    "Scored",
    "ServerError",
    "Step",
    "SweRmError",
    "Tally",
    "TimedOut",
    "Tokens",
    "TooLarge",
    "TransportError",
    "Unauthorized",
    "Unavailable",
    "Usage",
    "UsageError",
    "Values",
    "__version__",
]
