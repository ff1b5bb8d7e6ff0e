"""Engine: is it alive, is it right, is it busy. vLLM's own names where it knows best."""

from deploy.grafana.board import Board, Panel, Row

_HEALTH = Row(
    "Health",
    (
        Panel(
            "State",
            "1 for the state that each engine is in.",
            "none",
            {"{{instance}} {{state}}": "swe_rm_engine_state{@} == 1"},
            "stat",
        ),
        Panel(
            "Restarts",
            "Engines that were replaced in place within the shown time.",
            "none",
            {"{{instance}}": "increase(swe_rm_engine_restarts_total{@}[$__range])"},
            "stat",
        ),
        Panel(
            "Since the last answered probe",
            "Grows while the engine is silent; long steps stretch it.",
            "s",
            {"{{instance}}": "swe_rm_probe_age_seconds{@}"},
            "stat",
        ),
        Panel(
            "Canary drift",
            "Largest difference between a canary's logit and its recorded one. Over the manifest's "
            "tolerance the server is not ready.",
            "none",
            {"{{instance}}": "swe_rm_canary_drift{@}"},
            width=12,
        ),
        Panel(
            "Ready",
            "0: the engine is silent, wrong, or the server is going down.",
            "none",
            {"{{instance}}": "swe_rm_ready{@}"},
            width=12,
        ),
    ),
)

_WORK = Row(
    "Work",
    (
        Panel(
            "Prefill, tokens a second",
            "Computed: of finished items. Fitted: what the door believes of the engine. Steps: all "
            "that vLLM computed.",
            "short",
            {
                "computed": 'sum(rate(swe_rm_tokens_total{@,kind="computed"}[$__rate_interval]))',
                "fitted": "sum(swe_rm_prefill_tokens_per_second{@})",
                "vLLM steps": "sum(rate(vllm:iteration_tokens_total_sum{@}[$__rate_interval]))",
            },
        ),
        Panel(
            "Prefix-hit share",
            "Prompt tokens that the engine's cache held already. Ours: of finished items.",
            "percentunit",
            {
                "ours": 'sum(rate(swe_rm_tokens_total{@,kind="cached"}[$__rate_interval])) / '
                'sum(rate(swe_rm_tokens_total{@,kind=~"cached|computed"}[$__rate_interval]))',
                "vLLM": "sum(rate(vllm:prefix_cache_hits_total{@}[$__rate_interval])) / "
                "sum(rate(vllm:prefix_cache_queries_total{@}[$__rate_interval]))",
            },
        ),
        Panel(
            "KV cache in use",
            "At 1 requests are preempted and computed again.",
            "percentunit",
            {"{{instance}}": "vllm:kv_cache_usage_perc{@}"},
        ),
        Panel(
            "vLLM's queue",
            "Items wait at our door; a long queue in vLLM means that the window is too wide.",
            "short",
            {
                "running": "sum(vllm:num_requests_running{@})",
                "waiting": "sum(vllm:num_requests_waiting{@})",
            },
        ),
        Panel(
            "Preemptions",
            "Work thrown away for want of KV memory.",
            "ops",
            {"preemptions": "sum(rate(vllm:num_preemptions_total{@}[$__rate_interval]))"},
        ),
        Panel(
            "Time in vLLM, p95",
            "Queue and prefill of one request, by vLLM's own clocks.",
            "s",
            {
                "queue": "histogram_quantile(0.95, sum by (le) "
                "(rate(vllm:request_queue_time_seconds_bucket{@}[$__rate_interval])))",
                "prefill": "histogram_quantile(0.95, sum by (le) "
                "(rate(vllm:request_prefill_time_seconds_bucket{@}[$__rate_interval])))",
            },
        ),
        Panel(
            "Fitted cost of a token",
            "Seconds; the part that grows with the length of the prompt is the pair's.",
            "s",
            {"{{instance}}": "swe_rm_token_seconds{@}"},
            width=12,
        ),
        Panel(
            "Fitted cost of a pair of tokens",
            "Attention: times half the square of the length.",
            "s",
            {"{{instance}}": "swe_rm_token_pair_seconds{@}"},
            width=12,
        ),
    ),
)

ENGINE = Board("engine", "Engine", "Health, canary, prefill, cache, queue.", (_HEALTH, _WORK))
