"""The training loop on a model of some thousand weights: it learns, goes on, publishes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator, DistributedType
from safetensors.torch import load_file
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

from app import quality
from app.calibration import sigmoid
from app.errors import StartError
from app.store import open_model, write_files_entry
from training.card import card
from training.publish import publish
from training.recipe import Recipe, read_recipe, same_beginning
from training.train.batch import Piece, collate
from training.train.loop import Run
from training.train.loss import Weights, losses
from training.train.optimizer import Muon, orthogonal
from training.train.plan import Planned

ROOT = Path(__file__).resolve().parents[1]
NANO = ROOT / "model_store" / "swe-rm-nano"
YES, NO = 8190, 8191


def shrunken(folder: Path, **over: Any) -> Path:
    """The shipped model with hardly any weights; tokenizer, template and labels are its own."""
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy2(NANO / name, folder / name)
    sizes = {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "head_dim": 8, "moe_intermediate_size": 8, "num_experts": 4, "num_experts_per_tok": 2,
    }  # fmt: skip
    config = Qwen3MoeConfig.from_pretrained(NANO, **sizes, **over)
    torch.manual_seed(0)
    Qwen3MoeForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    manifest = json.loads((NANO / "manifest.json").read_text())
    manifest |= {"name": folder.name, "trained": False, "files": write_files_entry(folder)}
    del manifest["canary"]
    manifest["calibrations"] = {"active": "identity", "files": []}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads that wait for each other take for ever where other work has the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shrunken(tmp_path_factory.mktemp("store") / "tiny")


def recipe(tiny: Path, *stages: dict[str, Any], **over: Any) -> Recipe:
    drills = {
        "name": "drills", "reads": "drills", "length_tokens": 1024, "examples": 24, "batch_tokens": 2048,
        "peak_lr": 0.01, "language_weight": 0.1,
    }  # fmt: skip
    return Recipe.model_validate(
        {
            "name": "tiny",
            "seed": 3,
            "base": {"folder": tiny, "weights": "random"},
            "data": {},
            "stages": [drills | stage for stage in stages or ({},)],
        }
        | over  # fmt: skip
    )


def weights_of(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.export("model") / "model.safetensors")


@pytest.mark.parametrize("muon", [None, {"lr_ratio": 2.0}])
def test_a_run_that_was_stopped_ends_in_the_same_weights(
    muon: dict[str, float] | None, tiny: Path, tmp_path: Path
) -> None:
    text = {"name": "text", "reads": "text", "length_tokens": 128, "examples": 8}
    plan = recipe(tiny, {}, text, muon=muon)
    whole = Run(plan, tmp_path / "whole", cpu=True)
    assert whole.train()
    parts = Run(plan, tmp_path / "parts", cpu=True)
    assert not parts.train(until_s=0.0)
    for stop_at in (1, 2, 100):  # stopped behind these steps, taken up by another process each time
        parts = Run(plan, tmp_path / "parts", cpu=True)
        parts.train(until_steps=stop_at)
    one, two = weights_of(whole), weights_of(parts)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("shape", [(24, 16), (16, 24), (3, 24, 16)])
def test_muon_moves_each_matrix_by_as_much_in_all_directions(shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    gradient = torch.randn(shape) * 10.0
    found = torch.linalg.svdvals(orthogonal(gradient))
    assert found.min() > 0.6
    assert found.max() < 1.3
    matrix = torch.nn.Parameter(torch.zeros(shape))
    optimizer = Muon([matrix], lr=0.1)
    matrix.grad = gradient
    optimizer.step()
    assert float(matrix.detach().square().mean().sqrt()) == pytest.approx(0.1 * 0.2, rel=0.25), (
        "AdamW's"
    )
    if len(shape) == 3:
        torch.testing.assert_close(orthogonal(gradient)[1], orthogonal(gradient[1]))


def test_muon_takes_the_layers_matrices_and_adamw_the_rest(tiny: Path, tmp_path: Path) -> None:
    run = Run(recipe(tiny, muon={"lr_ratio": 4.0}), tmp_path / "run", cpu=True)
    rest, hidden = (o.param_groups[0] for o in run.optimizers)
    names = {id(each): name for name, each in run.model.named_parameters()}
    told = {names[id(each)].split(".", 3)[-1] for each in hidden["params"]}
    assert told == {
        *(f"self_attn.{each}_proj.weight" for each in "qkvo"),
        "mlp.experts.gate_up_proj", "mlp.experts.down_proj",
    }  # fmt: skip
    assert len(rest["params"]) + len(hidden["params"]) == len(names)
    run.train(until_steps=1)
    assert hidden["lr"] == pytest.approx(4 * rest["lr"])
    with pytest.raises(ValueError, match="not \\(3,\\)"):
        Muon([torch.nn.Parameter(torch.zeros(3))], lr=0.1)


def test_muon_is_refused_where_matrices_are_dealt_out(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Accelerator, "distributed_type", DistributedType.FSDP)
    with pytest.raises(StartError, match="FSDP deals out pieces"):
        Run(recipe(tiny, muon={}), tmp_path / "run", cpu=True)


def test_another_run_can_begin_where_a_stage_ended(tiny: Path, tmp_path: Path) -> None:
    first = Run(recipe(tiny), tmp_path / "first", cpu=True)
    first.train()
    base = {"folder": tiny, "weights": tmp_path / "first" / "after-drills"}
    branch = Run(recipe(tiny, base=base), tmp_path / "branch", cpu=True)
    one, two = weights_of(first), weights_of(branch)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_weights_that_are_not_there_are_named(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="laod holds no model"):
        Run(recipe(tiny, base={"folder": tiny, "weights": "laod"}), tmp_path / "run", cpu=True)


def test_another_recipe_may_not_go_on_in_the_same_folder(tiny: Path, tmp_path: Path) -> None:
    Run(recipe(tiny), tmp_path / "run", cpu=True).train(until_steps=1)
    with pytest.raises(StartError, match="another folder"):
        Run(recipe(tiny, {"peak_lr": 0.5}), tmp_path / "run", cpu=True)
    later = recipe(tiny, {}, {"name": "more"})
    assert Run(later, tmp_path / "run", cpu=True).place.step == 1
    assert Run(recipe(tiny), tmp_path / "run", cpu=True).train()
    assert (
        Run(later, tmp_path / "run", cpu=True).place.stage == 1
    )  # a finished run can be gone on with


def test_keys_that_came_after_a_run_was_saved_do_not_stop_it(tiny: Path) -> None:
    plan = recipe(tiny, data={"sources": [{"folder": tiny}]})
    saved = plan.model_dump(mode="json")
    del saved["muon"], saved["data"]["sources"][0]["policies"]
    assert same_beginning(saved, plan, 1)
    assert same_beginning(saved | {"name": "another"}, plan, 1)
    assert not same_beginning(saved | {"clip_norm": 2.0}, plan, 1)
    assert not same_beginning(saved | {"a_key_of_before": 2.0}, plan, 1)


def test_only_what_may_be_said_is_learnt_and_the_answer_stands_last(
    tiny: Path, tmp_path: Path
) -> None:
    run = Run(recipe(tiny), tmp_path / "run", cpu=True)
    ids = torch.arange(5, 25).to(torch.int32).numpy()
    free = [Piece(ids, True), Piece(ids[:12], False)]
    batch = collate(free, YES, NO, 0, 0, 1)
    assert batch.ends.tolist() == [19, 11]
    assert batch.answers.tolist() == [YES, NO]
    every = Weights(answer=1.0, language=1.0, language_share=1.0, aux=0.0)
    told = losses(run.model, batch, every, torch.Generator().manual_seed(0))
    logits = run.model(input_ids=batch.ids[:1]).logits[0].float().detach()
    short = run.model(input_ids=batch.ids[1:, :12]).logits[0].float().detach()
    answer = torch.nn.functional.cross_entropy(
        torch.stack([logits[-1], short[-1]]), torch.tensor([YES, NO])
    )
    said = torch.nn.functional.cross_entropy(
        torch.cat([logits[:-1], short[:-1]]), torch.cat([batch.ids[0, 1:], batch.ids[1, 1:12]])
    )
    assert told.answer == pytest.approx(float(answer), rel=1e-4)
    assert told.language == pytest.approx(float(said), rel=1e-4)
    masked = collate([Piece(ids, True, masked=((0, 20),))], YES, NO, 0, 0, 1)
    silent = losses(run.model, masked, every, torch.Generator().manual_seed(0))
    assert silent.language == 0.0


def test_jumps_of_position_change_distances_and_nothing_else(tiny: Path, tmp_path: Path) -> None:
    ids = torch.arange(5, 205).to(torch.int32).numpy()
    jumped = [collate([Piece(ids, True)], YES, NO, 0, 5_000, seed) for seed in range(40)]
    positions = torch.cat([each.positions for each in jumped])
    assert bool((positions.diff(dim=1) >= 1).all())
    assert int(positions.max()) < 5_000
    still = (positions[:, -1] == 199).sum()
    assert 5 < int(still) < 35
    run = Run(recipe(tiny), tmp_path / "run", cpu=True)
    one = Weights(answer=1.0, language=0.0, language_share=0.0, aux=0.0)
    found = {losses(run.model, b, one, torch.Generator().manual_seed(0)).answer for b in jumped}
    assert len(found) > 5


def test_the_rate_warms_up_and_comes_down(tiny: Path) -> None:
    stage = recipe(tiny, {"warmup_ratio": 0.1, "final_lr_ratio": 0.1}).stages[0]
    planned = Planned(stage, tuple(() for _ in range(100)))
    rates = [planned.lr(step) for step in range(100)]
    assert rates[9] == stage.peak_lr == max(rates)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.1 * stage.peak_lr, rel=0.01)


def test_the_batches_of_a_step_pull_like_one_batch_of_all(tiny: Path, tmp_path: Path) -> None:
    """Whatever rows each of them has."""
    ends = []
    for name, how in {
        "many": {"batch_tokens": 1024, "batches_per_step": 9},
        "one": {"batch_tokens": 100_000},
    }.items():
        run = Run(
            recipe(tiny, {"examples": 8, "language_weight": 0.0} | how, aux_weight=0.0),
            tmp_path / name,
            cpu=True,
        )
        assert run.train()
        ends.append({key: value.clone() for key, value in run.model.state_dict().items()})
        steps = (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(step)["rows"] for step in steps] == [8]
    for key, value in ends[0].items():
        torch.testing.assert_close(value, ends[1][key], rtol=1e-3, atol=1e-5)


def test_a_finished_run_becomes_a_model_of_the_store(tiny: Path, tmp_path: Path) -> None:
    run = Run(recipe(tiny), tmp_path / "run", cpu=True)
    target = tmp_path / "store" / "tiny"
    shutil.copytree(tiny, target)
    how: dict[str, Any] = {
        "template": ROOT / "training" / "template.json", "examples": tmp_path,
        "facts": {"description": "a test", "trained": True},
    }  # fmt: skip
    with pytest.raises(StartError, match="not finished"):
        publish(tmp_path / "run", target, **how)
    assert run.train()
    assert not open_model(target.parent, "tiny").trained
    publish(tmp_path / "run", target, **how)
    assert open_model(target.parent, "tiny").trained
    publish(tmp_path / "run", target.with_name("new"), **how)
    assert (
        open_model(target.parent, "new").tokenizer_path.read_bytes()
        == (tiny / "tokenizer.json").read_bytes()
    )
    assert sorted(each.name for each in target.parent.iterdir()) == ["new", "tiny"]
    assert '"base_model": null' in (target / "manifest.json").read_text()
    revision = open_model(tiny.parent, "tiny").revision
    base = {"folder": tiny, "weights": "load"}
    assert Run(recipe(tiny, base=base), tmp_path / "on", cpu=True).train()
    publish(tmp_path / "on", target, **how)
    assert f'"base_model": "tiny@{revision}"' in (target / "manifest.json").read_text()
    text = card(target, tmp_path / "on", [], None)
    assert f"went on from the weights of `tiny@{revision}`" in text
    assert "`make train-nano`" not in text


def test_a_look_at_few_rows_says_what_it_can_and_the_run_ends(tiny: Path, tmp_path: Path) -> None:
    story = next((ROOT / "examples" / "trajectories").glob("*.traj.json"))
    shutil.copy2(story, tmp_path / "a.json")
    line = {"file": "a.json", "instance_id": "i", "resolved": 1}
    (tmp_path / "labels.jsonl").write_text(json.dumps(line))
    source = [{"folder": tmp_path}]
    data = {"sources": source, "held_out": source, "positives_per_negative": None}
    stage = {"reads": "trajectories", "length_tokens": 8192, "batch_tokens": 8192, "examples": 1}
    assert Run(recipe(tiny, stage, data=data), tmp_path / "run", cpu=True).train()
    look = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert (look["look"], look["auc_within"]) == (1, None)
    assert look["log_loss"] > 0


def test_the_card_says_what_the_reports_say(tiny: Path, tmp_path: Path) -> None:
    Run(recipe(tiny), tmp_path / "run", cpu=True).train(until_steps=2)
    resolved = [n % 3 > 0 for n in range(60)]
    logit = [(1 if yes else -1) + n % 7 / 3 for n, yes in enumerate(resolved)]
    runs = quality.Runs(
        probability=[sigmoid(each) for each in logit], logit=logit, resolved=[*map(int, resolved)],
        instance=[str(n // 4) for n in range(60)], slice=["a"] * 60, tokens=[*map(float, range(60))],
    )  # fmt: skip
    report = quality.evaluate(runs, draws=20)
    (tmp_path / "report.json").write_text(json.dumps(report))
    line = {"pairs": 5, "interval": [0.01, 0.03], "mean_change": 0.02, "towards_claim": -0.004}
    (tmp_path / "prose.json").write_text(json.dumps(line))
    text = card(
        tiny, tmp_path / "run", [("Some", tmp_path / "report.json")], tmp_path / "prose.json"
    )
    auc = report["scorers"][0]["within"]["auc"]
    assert (
        f"| AUC within policy | {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})" in text
    )
    assert "moves by 0.020 (0.010 to 0.030) in the mean, by -0.004 towards the claim" in text
    assert "| drills | 2 |" in text
    assert "None: what is served is the sigmoid of the margin." in text
    assert "`make train-nano`, with the repository alone" in text
    assert "went on" not in text
    assert open_model(tiny.parent, "tiny").revision in text
    assert "Not recalibrated" not in text
    (tmp_path / "report.json").write_text(
        json.dumps(report | {"recalibration_problem": "it falls"})
    )
    text = card(tiny, tmp_path / "run", [("Some", tmp_path / "report.json")], None)
    assert "40 resolved. Not recalibrated: it falls." in text


def test_the_recipe_for_a_large_model_makes_a_step_on_a_shrunken_copy(tmp_path: Path) -> None:
    large = read_recipe(ROOT / "training" / "recipes" / "qwen3-30b-a3b.yaml")
    copy = shrunken(tmp_path / "store" / "copy", norm_topk_prob=True)
    base = large.base.model_copy(update={"folder": copy, "attention": "sdpa"})
    stage = large.stages[0].model_copy(
        update={"reads": "drills", "examples": 2, "length_tokens": 1024, "batch_tokens": 1024}
    )
    data = large.data.model_copy(update={"sources": (), "held_out": ()})
    shrunk = large.model_copy(
        update={"base": base, "stages": (stage,), "precision": "no", "data": data}
    )
    run = Run(shrunk, tmp_path / "run", cpu=True)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    assert run.train()
    moved = [
        name
        for name, value in run.model.state_dict().items()
        if not torch.equal(value, before[name])
    ]
    assert any("experts" in name for name in moved)
