"""The Kubernetes manifests: built by kustomize, valid, and with times that fit each other."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.api.house import DEFAULT_TIMEOUT_S
from app.config import Settings

KUBERNETES = Path(__file__).parents[1] / "deploy" / "kubernetes"
OVERLAYS = ("cpu", "gpu")
VERSION = "1.34"  # the first in which preStop's sleep is stable
FOREIGN = {"ServiceMonitor", "PrometheusRule"}  # the operator's; no schema is bundled anywhere


def documents(folder: Path) -> list[dict[str, Any]]:
    """Every document of a folder and of what its kustomization names."""
    found = []
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in kustomization.get("resources", []) + kustomization.get("components", []):
        path = (folder / name).resolve()
        found += documents(path) if path.is_dir() else yaml.safe_load_all(path.read_text())
    return found


@lru_cache
def built(overlay: str) -> list[dict[str, Any]]:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    folder = KUBERNETES / "overlays" / overlay
    done = subprocess.run(
        ["kubectl", "kustomize", folder], capture_output=True, text=True, check=True
    )
    return list(yaml.safe_load_all(done.stdout))


def one(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (only,) = [each for each in found if each["kind"] == kind]
    return only


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_it_builds_and_is_valid(overlay: str, tmp_path: Path) -> None:
    if not shutil.which("kubernetes-validate"):
        pytest.skip("kubernetes-validate is not installed: make test-deploy")
    files = []
    for at, document in enumerate(built(overlay)):
        if document["kind"] not in FOREIGN:
            files.append(tmp_path / f"{at}.yaml")
            files[-1].write_text(yaml.safe_dump(document))
    done = subprocess.run(
        ["kubernetes-validate", "-k", VERSION, "--strict", *files], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(files) > 5


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_lies_in_one_namespace_and_selects_the_server(overlay: str) -> None:
    found = built(overlay)
    assert {each["metadata"].get("namespace") for each in found} == {"swe-rm"}
    labels = one(found, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    for each in found:
        spec = each.get("spec", {})
        chosen = spec.get("podSelector") or spec.get("selector")
        if each["kind"] in ("NetworkPolicy", "PodDisruptionBudget", "Deployment"):
            assert chosen["matchLabels"].items() <= labels
        elif each["kind"] == "Service":
            assert chosen.items() <= labels
    watched = one(found, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items()
    services = [e for e in found if e["kind"] == "Service"]
    assert sum(watched <= e["metadata"].get("labels", {}).items() for e in services) == 1


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_gpus_and_models_are_the_gpu_overlays(overlay: str) -> None:
    pod = one(built(overlay), "Deployment")["spec"]["template"]["spec"]
    limits = pod["containers"][0]["resources"]["limits"]
    assert ("nvidia.com/gpu" in limits) == ("nodeSelector" in pod) == (overlay == "gpu")
    assert ("models" in {volume["name"] for volume in pod["volumes"]}) == (overlay == "gpu")


def test_a_pod_is_given_the_time_it_needs_to_end() -> None:
    pod = one(documents(KUBERNETES / "base"), "Deployment")["spec"]["template"]["spec"]
    (server,) = pod["containers"]
    given = {each["name"]: each.get("value") for each in server["env"]}
    pre_stop_s = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_s, propagate_s = float(given["SWE_RM_DRAIN_S"]), float(given["SWE_RM_PROPAGATE_S"])
    assert drain_s >= DEFAULT_TIMEOUT_S["rollout"]
    assert pod["terminationGracePeriodSeconds"] >= pre_stop_s + propagate_s + drain_s + 30


def test_a_big_model_may_load() -> None:
    pod = one(documents(KUBERNETES / "base"), "Deployment")["spec"]["template"]["spec"]
    probe = pod["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 57e9 / 50e6


def test_the_pod_is_locked_down_and_its_settings_exist() -> None:
    pod = one(documents(KUBERNETES / "base"), "Deployment")["spec"]["template"]["spec"]
    (server,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert server["securityContext"]["readOnlyRootFilesystem"]
    assert server["securityContext"]["capabilities"]["drop"] == ["ALL"]
    settings = {f"SWE_RM_{name.upper()}" for name in (*Settings.model_fields, "keys")}
    assert {each["name"] for each in server["env"]} <= settings
    (keys,) = [each["value"] for each in server["env"] if each["name"] == "SWE_RM_KEYS"]
    mounted = {each["name"]: each["mountPath"] for each in server["volumeMounts"]}
    assert keys == f"{mounted['keys']}/keys.jsonl"  # else it does not start
    (secret,) = [each["secret"] for each in pod["volumes"] if each["name"] == "keys"]
    assert secret["secretName"] == "swe-rm-keys"
    paths = {server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness")}
    assert paths == {"/livez"}  # a broken engine is replaced in place, not with its server
    assert server["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_it_scales_on_the_backlog_slowly_down() -> None:
    scaler = one(documents(KUBERNETES / "base"), "HorizontalPodAutoscaler")["spec"]
    (metric,) = scaler["metrics"]
    assert metric["pods"]["metric"]["name"] == "swe_rm_backlog_seconds"
    assert metric["pods"]["metric"]["selector"]["matchLabels"] == {"class": "rollout"}
    assert scaler["minReplicas"] >= 1
    assert scaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 1800
