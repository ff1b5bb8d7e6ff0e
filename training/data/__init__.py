"""Labelled trajectories → token ids in the serving layout, mixed and ordered for training.

`rows` labels.jsonl → rows · `encode` rows → examples on disk · `masks` failed steps ·
`mix` ratio, shares, curriculum · `text`, `drills` what is read before trajectories · `card` counts
"""
