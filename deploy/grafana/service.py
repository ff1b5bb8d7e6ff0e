"""Service: what callers send, what they get, how long it takes, and what the door does."""

from deploy.grafana.board import Board, Panel, Row

_SLOW = "swe_rm_http_request_duration_seconds"
_STAGE = "swe_rm_stage_duration_seconds"
_TIMEOUTS = "15.0|60.0|120.0|180.0|300.0"

_NOW = Row(
    "Now",
    (
        Panel(
            "Ready",
            "1 while the engine answers its probe and the canary scores as recorded.",
            "none",
            {"{{instance}}": "swe_rm_ready{@}"},
            "stat",
        ),
        Panel(
            "Model",
            "Model and revision in the house. More than one is a roll-out under way.",
            "none",
            {
                "{{name}} {{revision}} trained={{trained}}": "count by (name, revision, trained) "
                "(swe_rm_model_info{@})"
            },
            "stat",
        ),
        Panel(
            "Unscored share",
            "Items without a score among all items of five minutes, whatever the reason.",
            "percentunit",
            {"{{job}}": 'job:swe_rm_unscored:ratio_rate5m{job=~"$job"}'},
            "stat",
        ),
    ),
)

_TRAFFIC = Row(
    "Traffic and errors",
    (
        Panel(
            "Requests by route",
            "Answers a second.",
            "reqps",
            {"{{route}}": "sum by (route) (rate(swe_rm_http_requests_total{@}[$__rate_interval]))"},
        ),
        Panel(
            "Requests by status",
            "499: the client left before the answer.",
            "reqps",
            {
                "{{status}}": "sum by (status) (rate(swe_rm_http_requests_total{@}[$__rate_interval]))"
            },
            stacked=True,
        ),
        Panel(
            "Refused requests by code",
            "Refused whole. `overloaded`, `draining`, `engine_restarting` are ours, the rest the caller's.",
            "reqps",
            {
                "{{code}}": "sum by (code) (rate(swe_rm_refused_requests_total{@}[$__rate_interval]))"
            },
            stacked=True,
        ),
        Panel(
            "Items by outcome",
            "Scored, or the error code that stands in the item's place.",
            "ops",
            {"{{outcome}}": "sum by (outcome) (rate(swe_rm_items_total{@}[$__rate_interval]))"},
            stacked=True,
        ),
        Panel(
            "Deadlines and disconnects",
            "Items whose time was up; clients that did not wait for the answer.",
            "ops",
            {
                "deadline {{route}}": "sum by (route) "
                '(rate(swe_rm_items_total{@,outcome="deadline"}[$__rate_interval]))',
                "disconnects": "sum(rate(swe_rm_client_disconnects_total{@}[$__rate_interval]))",
            },
        ),
        Panel(
            "Defects",
            "Exceptions that nobody foresaw. Anything but nothing is a bug to report.",
            "ops",
            {"{{where}}": "sum by (where) (rate(swe_rm_defects_total{@}[$__rate_interval]))"},
        ),
    ),
)

_LATENCY = Row(
    "Latency",
    (
        Panel(
            "p95 by route",
            "Request to last byte, of requests that score.",
            "s",
            {
                "{{route}}": "histogram_quantile(0.95, sum by (le, route) "
                f'(rate({_SLOW}_bucket{{@,class!="none"}}[$__rate_interval])))'
            },
        ),
        Panel(
            "p50 and p95 by class",
            "Interactive should stay flat while rollouts queue.",
            "s",
            {
                f"p{share * 100:.0f} {{{{class}}}}": f"histogram_quantile({share}, sum by (le, class) "
                f'(rate({_SLOW}_bucket{{@,class!="none"}}[$__rate_interval])))'
                for share in (0.5, 0.95)
            },
        ),
        Panel(
            "Share slower than the clients' timeouts",
            "Trainers and agents give up after 15, 60, 120, 180 or 300 s: what they would have lost.",
            "percentunit",
            {
                "over {{le}} s": "1 - sum by (le) "
                f'(rate({_SLOW}_bucket{{@,class!="none",le=~"{_TIMEOUTS}"}}[$__rate_interval])) '
                "/ on () group_left () "
                f'sum(rate({_SLOW}_count{{@,class!="none"}}[$__rate_interval]))'
            },
        ),
        Panel(
            "p95 by stage",
            "Where an item's time goes: rendering, waiting at the door, the engine.",
            "s",
            {
                "{{stage}}": "histogram_quantile(0.95, sum by (le, stage) "
                f"(rate({_STAGE}_bucket{{@}}[$__rate_interval])))"
            },
        ),
        Panel(
            "Wait at the door",
            "Of items that were scored. Growing waits with a busy engine ask for more replicas.",
            "s",
            {
                f"p{share * 100:.0f}": f"histogram_quantile({share}, sum by (le) "
                f'(rate({_STAGE}_bucket{{@,stage="wait"}}[$__rate_interval])))'
                for share in (0.5, 0.95, 0.99)
            },
        ),
        Panel(
            "Predicted wait of a newcomer",
            "By class. The autoscaler follows this one.",
            "s",
            {"{{class}}": "max by (class) (swe_rm_backlog_seconds{@})"},
        ),
    ),
)

_DOOR = Row(
    "Admission and memo",
    (
        Panel(
            "Items in the house",
            "Inside: handed to the engine.",
            "short",
            {
                "waiting": "sum(swe_rm_waiting_items{@})",
                "inside": "sum(swe_rm_inside_items{@})",
            },
            stacked=True,
        ),
        Panel(
            "Tokens in the house",
            "Flat at the top with items waiting: the engine is full.",
            "short",
            {
                "waiting": "sum(swe_rm_waiting_tokens{@})",
                "inside": "sum(swe_rm_inside_tokens{@})",
            },
            stacked=True,
        ),
        Panel(
            "Request bodies held",
            "Bytes being read or rendered.",
            "bytes",
            {"{{instance}}": "swe_rm_bodies_bytes{@}"},
        ),
        Panel(
            "Where scores come from",
            "Computed, shared with a computation in flight, or remembered.",
            "ops",
            {
                "{{source}}": "sum by (source) (rate(swe_rm_item_sources_total{@}[$__rate_interval]))"
            },
            stacked=True,
        ),
        Panel(
            "Memo: bytes",
            "Verdicts and token ids that are remembered.",
            "bytes",
            {
                "verdicts": "sum(swe_rm_memo_bytes{@})",
                "token ids": "sum(swe_rm_token_memo_bytes{@})",
            },
        ),
        Panel(
            "Memo: entries",
            "Verdicts remembered, and computations in flight that others could share.",
            "short",
            {
                "verdicts": "sum(swe_rm_memo_entries{@})",
                "in flight": "sum(swe_rm_shareable_items{@})",
            },
        ),
    ),
)

_TOKENS = Row(
    "Tokens, store, machine",
    (
        Panel(
            "Tokens by kind",
            "Of scored prompts; elided ones were left out and never computed.",
            "short",
            {"{{kind}}": "sum by (kind) (rate(swe_rm_tokens_total{@}[$__rate_interval]))"},
            stacked=True,
        ),
        Panel(
            "Computed tokens by key",
            "What each key costs, and what its quota counts.",
            "short",
            {"{{key}}": "sum by (key) (rate(swe_rm_key_tokens_total{@}[$__rate_interval]))"},
            stacked=True,
        ),
        Panel(
            "Length of prompts",
            "Tokens of scored prompts.",
            "short",
            {
                f"p{share * 100:.0f}": f"histogram_quantile({share}, sum by (le) "
                "(rate(swe_rm_prompt_tokens_bucket{@}[$__rate_interval])))"
                for share in (0.5, 0.95)
            },
        ),
        Panel(
            "Scores kept and lost",
            "Scoring never waits for the store; what it cannot take is lost to it.",
            "ops",
            {
                "written": "sum(rate(swe_rm_store_written_scores_total{@}[$__rate_interval]))",
                "lost": "sum(rate(swe_rm_store_lost_scores_total{@}[$__rate_interval]))",
            },
        ),
        Panel(
            "Scores waiting for the store",
            "A line that only grows: the store is down or too slow.",
            "short",
            {"{{instance}}": "swe_rm_store_waiting_scores{@}"},
        ),
        Panel(
            "Tasks of the event loop",
            "Rises and falls with the load. A floor that rises from day to day is a leak.",
            "short",
            {"{{instance}}": "swe_rm_loop_tasks{@}"},
        ),
        Panel(
            "Disk of the state folder",
            "Share that is free.",
            "percentunit",
            {"{{instance}}": "swe_rm_state_free_bytes{@} / swe_rm_state_size_bytes{@}"},
        ),
        Panel(
            "Memory of the server process",
            "Resident bytes, without the engine's own processes.",
            "bytes",
            {"{{instance}}": "process_resident_memory_bytes{@}"},
        ),
    ),
)

SERVICE = Board(
    "service",
    "Service",
    "Traffic, errors, latency, admission, memo, tokens.",
    (_NOW, _TRAFFIC, _LATENCY, _DOOR, _TOKENS),
)
