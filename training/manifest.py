"""What makes a folder with weights a model of the store: manifest, canary, hashes.

The canary's logits are computed here with transformers, in float32 and in bfloat16; the server then
holds every engine to them.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from app import adapters
from app.render import Renderer
from app.store import write_files_entry
from app.types import LabelSpec, Prompt, TemplateSpec

_LABELS = LabelSpec(yes=("<YES>",), no=("<NO>",))
# Some times what was measured between vLLM and transformers on 94 trajectories: 0.055 at most in bfloat16.
_TOLERANCE = {"bfloat16": 0.2, "float32": 0.002}
_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
_CANARY_EXAMPLES = 2


def write_manifest(
    folder: Path, template_file: Path, examples: Path, context_tokens: int, facts: dict[str, Any]
) -> None:
    """Writes canary.jsonl and manifest.json. `facts` are the manifest's keys that describe the
    training: description, trained, notes, calibrations…"""
    template = json.loads(template_file.read_text(encoding="utf-8"))
    names = {field.name for field in fields(TemplateSpec)}
    spec = TemplateSpec(**{key: value for key, value in template.items() if key in names})
    renderer = Renderer(folder / "tokenizer.json", spec, "", context_tokens - 1)
    _write_canary(folder, renderer, examples)
    manifest = {
        "manifest_version": 1,
        "name": folder.name,
        "licence": "Apache-2.0",
        "source": {"repository": None, "revision": None, "base_model": None, "paper": None},
        "architecture": "Qwen3MoeForCausalLM",
        "context_tokens": context_tokens,
        "dtype": "bfloat16",
        "files": write_files_entry(folder),
        "template": template,
        "labels": {"yes": ["<YES>"], "no": ["<NO>"], "tokens": "single", "reduction": "single"},
        "label_mass_floor": 0.0,
        "canary": {"tolerance": _TOLERANCE, "file": "canary.jsonl"},
        "calibrations": {"active": "identity", "files": []},
        "notes": [],
    }
    text = json.dumps(manifest | facts, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def _write_canary(folder: Path, renderer: Renderer, examples: Path) -> None:
    labels = renderer.labels(_LABELS)
    files = sorted(examples.glob("*.traj.json"))[:_CANARY_EXAMPLES]
    documents = [_plain(json.loads(file.read_text(encoding="utf-8"))) for file in files]
    prompts = [renderer.render(adapters.adapt(document).trajectory) for document in documents]
    answers = {dtype: [0.0] * len(prompts) for dtype in _DTYPES}
    for dtype, kind in _DTYPES.items():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind).eval()
        answers[dtype] = [_logit(model, p, labels.yes_ids[0], labels.no_ids[0]) for p in prompts]
    lines = [
        {
            "id": f"canary-{at}",
            "document": document,
            "prompt_sha256": prompt.digest.removeprefix("sha256:"),
            "expected_logit": {dtype: answers[dtype][at] for dtype in _DTYPES},
        }
        for at, (document, prompt) in enumerate(zip(documents, prompts, strict=True))
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "canary.jsonl").write_text(text, encoding="utf-8")


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """The story of an example as plain chat messages, without what its tool saved beside it."""
    trajectory = adapters.adapt(document).trajectory
    messages: list[dict[str, Any]] = [{"role": "user", "content": trajectory.issue}]
    for turn in trajectory.turns:
        calls = [
            {
                "type": "function",
                "function": {"name": c.name, "arguments": json.dumps(dict(c.arguments))},
            }
            for c in turn.calls
        ]
        messages.append({"role": "assistant", "content": turn.text, "tool_calls": calls})
        messages += [{"role": "tool", "content": seen.text} for seen in turn.observations]
    return {"messages": messages, "model_patch": trajectory.patch}


def _logit(model: Any, prompt: Prompt, yes: int, no: int) -> float:
    with torch.inference_mode():
        hidden = model.base_model(torch.tensor([prompt.ids.tolist()])).last_hidden_state[0, -1]
        logits = model.get_output_embeddings().weight[[yes, no]].float() @ hidden.float()
    return float(logits[0] - logits[1])  # in float32, as the engines compute them
