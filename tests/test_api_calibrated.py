"""What a calibration does to an answer: interval, curve of a policy, steps."""

from __future__ import annotations

import pytest
from houses import ask, item, opened

from app.calibration import sigmoid
from app.schema import ScoreAnswer

OWN = {
    "method": "platt",
    "parameters": {"slope": 1.0, "intercept": 3.0},
    "venn_abers": {"low": [[0, 0.0]], "high": [[0, 1.0]]},
}
BOUNDED = {
    "id": "b",
    "method": "identity",
    "venn_abers": {"low": [[0, 0.2]], "high": [[0, 0.3]]},
    "slices": {"policy": {"flash": OWN}},
}
STEPS = {"id": "s", "for": "steps", "method": "temperature", "parameters": {"temperature": 4.0}}


async def test_the_interval_stands_in_the_answer() -> None:
    with opened(calibrations=(BOUNDED,), active="b") as built:
        async with ask(built) as client:
            said = [item(), item(tags={"policy": "flash"}), item(tags={"policy": "other"})]
            answer = (await client.post("/score", json={"trajectories": said})).json()
    ScoreAnswer.model_validate(answer)
    plain, flash, other = answer["results"]
    assert plain["interval"]["method"] == "venn_abers"
    p = plain["probability"]
    assert p == pytest.approx(sigmoid(plain["logit"]))
    assert plain["interval"]["low"] == pytest.approx(min(p, 0.2))
    assert plain["interval"]["high"] == pytest.approx(max(p, 0.3))
    assert flash["logit"] == plain["logit"]
    assert flash["probability"] == pytest.approx(sigmoid(plain["logit"] + 3))
    assert flash["interval"] == {"low": 0.0, "high": 1.0, "method": "venn_abers"}
    assert other["probability"] == plain["probability"]
    assert {each["calibration"] for each in answer["results"]} == {"b"}


async def test_without_bounds_there_is_no_interval() -> None:
    with opened() as built:
        async with ask(built) as client:
            answer = (await client.post("/score", json={"trajectories": [item()]})).json()
    assert answer["results"][0]["interval"] is None


@pytest.mark.parametrize("calibrated", [True, False])
async def test_steps_have_a_probability_when_they_are_calibrated(calibrated: bool) -> None:
    with opened(step_calibration=STEPS if calibrated else None) as built:
        async with ask(built) as client:
            body = {"trajectories": [item(3)], "steps": "all"}
            answer = (await client.post("/score", json=body)).json()
    steps = answer["results"][0]["steps"]
    assert len(steps) == 3
    for step in steps:
        wanted = pytest.approx(sigmoid(step["logit"] / 4)) if calibrated else None
        assert step["probability"] == wanted


async def test_a_calibration_of_steps_is_none_of_whole_trajectories() -> None:
    with opened(step_calibration=STEPS) as built:
        async with ask(built) as client:
            body = {"trajectories": [item()], "calibration": "s"}
            refused = await client.post("/score", json=body)
    assert refused.status_code == 404
