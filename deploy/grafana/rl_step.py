"""RL step: rollouts come as a burst at the end of each step, and the trainer waits for the last one."""

from deploy.grafana.board import Board, Panel, Row

_SLOW = "swe_rm_http_request_duration_seconds"

_BURST = Row(
    "The burst",
    (
        Panel(
            "Burst drain time",
            "Seconds since the house was last empty: each tooth is a burst, its height the time that "
            "the burst took to drain.",
            "s",
            {"{{instance}}": "instance:swe_rm_burst_age_seconds:now{@}"},
            width=12,
        ),
        Panel(
            "Longest drain of an hour",
            "What a step has to reckon with.",
            "s",
            {"longest": "max(max_over_time(instance:swe_rm_burst_age_seconds:now{@}[1h]))"},
            "stat",
            6,
        ),
        Panel(
            "Predicted wait of a rollout",
            "Of one that would come in now.",
            "s",
            {"{{instance}}": 'swe_rm_backlog_seconds{@,class="rollout"}'},
            "stat",
            6,
        ),
        Panel(
            "Items left of the burst",
            "By replica: lines that end far apart are bad balance.",
            "short",
            {"{{instance}}": "instance:swe_rm_in_house_items:sum{@}"},
            width=12,
        ),
        Panel(
            "Scored rollouts a second",
            "Of all replicas.",
            "ops",
            {"scored": 'sum(rate(swe_rm_items_total{@,outcome="scored"}[$__rate_interval]))'},
            width=12,
        ),
    ),
)

_LAST = Row(
    "Stragglers",
    (
        Panel(
            "Rollout requests",
            "One request is one group: what the trainer waits for.",
            "s",
            {
                f"p{share * 100:.0f}": f"histogram_quantile({share}, sum by (le) "
                f'(rate({_SLOW}_bucket{{@,class="rollout"}}[$__rate_interval])))'
                for share in (0.5, 0.95, 0.99)
            },
        ),
        Panel(
            "Stragglers: p99 over p50",
            "How much longer the last groups take than the middle one.",
            "none",
            {
                "ratio": "histogram_quantile(0.99, sum by (le) "
                f'(rate({_SLOW}_bucket{{@,class="rollout"}}[$__rate_interval]))) / '
                "histogram_quantile(0.5, sum by (le) "
                f'(rate({_SLOW}_bucket{{@,class="rollout"}}[$__rate_interval])))'
            },
        ),
        Panel(
            "Balance: longest queue over the mean",
            "1 is even. Only where there are items.",
            "none",
            {
                "max / mean": "max(instance:swe_rm_in_house_items:sum{@}) / "
                "(avg(instance:swe_rm_in_house_items:sum{@}) > 0)"
            },
        ),
    ),
)

_LOST = Row(
    "What the step does not get",
    (
        Panel(
            "Groups by state",
            "Dead: all rewards equal, no gradient. Incomplete: an item was not scored.",
            "ops",
            {"{{state}}": "sum by (state) (rate(swe_rm_groups_total{@}[$__rate_interval]))"},
            stacked=True,
        ),
        Panel(
            "Share of dead groups",
            "Among groups that were scored whole.",
            "percentunit",
            {
                "dead": 'sum(rate(swe_rm_groups_total{@,state="dead"}[$__rate_interval])) / '
                'sum(rate(swe_rm_groups_total{@,state=~"dead|spread"}[$__rate_interval]))'
            },
        ),
        Panel(
            "Unscored share",
            "Rollouts that the trainer gets no reward for.",
            "percentunit",
            {"{{job}}": 'job:swe_rm_unscored:ratio_rate5m{job=~"$job"}'},
        ),
        Panel(
            "Unscored items by reason",
            "`deadline`, `engine_failed`, `draining` ask for the operator; the rest lies in the rollouts.",
            "ops",
            {
                "{{outcome}}": "sum by (outcome) "
                '(rate(swe_rm_items_total{@,outcome!="scored"}[$__rate_interval]))'
            },
            width=12,
            stacked=True,
        ),
        Panel(
            "Rewards that stand in",
            "Values that the operator set for what could not be scored, by why not.",
            "ops",
            {
                "{{code}}": "sum by (code) (rate(swe_rm_unscored_rewards_total{@}[$__rate_interval]))"
            },
            width=12,
            stacked=True,
        ),
    ),
)

RL_STEP = Board("rl-step", "RL step", "Bursts, stragglers, groups.", (_BURST, _LAST, _LOST))
