"""Quality: what the scores look like, and what outcomes say of them."""

from deploy.grafana.board import Board, Panel, Row

_SCORES = Row(
    "Scores",
    (
        Panel(
            "Probability",
            "Calibrated probabilities of scored items. A shape that changes is drift, or another policy.",
            "short",
            {
                "{{le}}": "sum by (le) (increase(swe_rm_probability_ratio_bucket{@}[$__rate_interval]))"
            },
            "heatmap",
            12,
        ),
        Panel(
            "Label mass",
            "P(yes) + P(no). Below 1 the model wanted to say something else.",
            "short",
            {
                "{{le}}": "sum by (le) (increase(swe_rm_label_mass_ratio_bucket{@}[$__rate_interval]))"
            },
            "heatmap",
            12,
        ),
        Panel(
            "Mean probability",
            "The trainer's average reward before it is scaled.",
            "percentunit",
            {
                "mean": "sum(rate(swe_rm_probability_ratio_sum{@}[$__rate_interval])) / "
                "sum(rate(swe_rm_probability_ratio_count{@}[$__rate_interval]))"
            },
        ),
        Panel(
            "Share of low label mass",
            "Scores whose label mass is 0.5 or less.",
            "percentunit",
            {"{{job}}": 'job:swe_rm_label_mass_low:ratio_rate15m{job=~"$job"}'},
        ),
        Panel(
            "Flags",
            "Scored items that show a sign of reward hacking, by kind.",
            "ops",
            {"{{kind}}": "sum by (kind) (rate(swe_rm_flagged_items_total{@}[$__rate_interval]))"},
            stacked=True,
        ),
    ),
)

_TOLD = Row(
    "Against outcomes, last 7 days",
    (
        Panel(
            "AUC by policy",
            "How well scores order resolved before unresolved. Only policies in `metric_names` are named.",
            "percentunit",
            {"{{value}}": 'max by (value) (swe_rm_quality_auc{@,by="policy"})'},
        ),
        Panel(
            "ECE by policy",
            "Calibration error: how far probabilities are from rates.",
            "percentunit",
            {"{{value}}": 'max by (value) (swe_rm_quality_ece_ratio{@,by="policy"})'},
        ),
        Panel(
            "AUC and ECE by calibration",
            "Compare before and after a switch.",
            "percentunit",
            {
                "AUC {{value}}": 'max by (value) (swe_rm_quality_auc{@,by="calibration"})',
                "ECE {{value}}": 'max by (value) (swe_rm_quality_ece_ratio{@,by="calibration"})',
            },
        ),
        Panel(
            "Brier score by policy",
            "Mean squared error of the probabilities; 0.25 is a coin.",
            "none",
            {"{{value}}": 'max by (value) (swe_rm_quality_brier{@,by="policy"})'},
        ),
        Panel(
            "Drift",
            "PSI of the scores against those that the calibration was fitted on. Over 0.25: fit anew.",
            "none",
            {"{{calibration}}": "max by (calibration) (swe_rm_quality_drift_psi{@})"},
        ),
        Panel(
            "Outcomes told",
            "By evidence and by what became of them.",
            "ops",
            {
                "{{evidence}} {{status}}": "sum by (evidence, status) "
                "(rate(swe_rm_quality_outcomes_total{@}[$__rate_interval]))"
            },
            stacked=True,
        ),
        Panel(
            "Disputed trajectories",
            "Two keys say different things of each, on equal evidence; no figure and no fit counts them.",
            "short",
            {"{{instance}}": "swe_rm_quality_disputed_trajectories{@}"},
            "stat",
            8,
        ),
        Panel(
            "Calibration in use",
            "Replicas that disagree for longer than 5 s are a fault.",
            "none",
            {"{{calibration}}": "count by (calibration) (swe_rm_calibration_info{@})"},
            "stat",
            8,
        ),
        Panel(
            "Calibration generation",
            "Counts switches; 0 is the model's own choice.",
            "none",
            {"{{instance}}": "swe_rm_calibration_generation{@}"},
            "stat",
            8,
        ),
    ),
)

QUALITY = Board("quality", "Quality", "Scores, flags, and outcomes told.", (_SCORES, _TOLD))
