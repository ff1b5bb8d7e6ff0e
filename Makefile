# Verbs: install, run, check, test, bench, docs, build. Each makes the venv that it needs and does no work twice.
.DEFAULT_GOAL := help
.PHONY: help install run serve check test test-fast test-clients test-deploy test-frameworks test-grafana test-ray test-release acceptance soak \
	bench audit sbom docs build examples world train-nano train-own ablations lock clean

VENV := .venv/bin
SHORTENED := --elide --max-tokens 32768

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

install: ## Everything for the CPU engine and development, into .venv
	@locks/install dev

run: install ## Start the server, score and rank the examples, go on serving (ONCE=1 ends)
	@$(VENV)/swe-rm demo $(if $(ONCE),--once)

serve: install ## Start the server
	@$(VENV)/swe-rm serve

check: install ## ruff, mypy --strict, the doors
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/python -m pytest tests/test_architecture.py

test: install ## All tests, on the fake engine and on real vLLM
	@$(VENV)/python -m pytest

test-fast: install ## All tests but those that start a real engine
	@$(VENV)/python -m pytest -m "not engine"

test-clients: install ## The dialects, with their clients' own published code
	@locks/install-beside clients
	@.venv-clients/bin/python -m pytest tests/clients

test-grafana: install ## Dashboards and alerts against a real Prometheus (Debian: prometheus)
	@WITH_PROMETHEUS=1 $(VENV)/python -m pytest -s tests/test_deploy_prometheus.py tests/test_deploy_grafana.py

test-deploy: install ## Dockerfile, compose file and Kubernetes manifests by hadolint and their schemas (with kubectl installed)
	@locks/install-beside deploy
	@PATH="$(CURDIR)/.venv-deploy/bin:$$PATH" $(VENV)/python -m pytest tests/test_deploy_images.py tests/test_deploy_kubernetes.py

test-frameworks: install ## The reward functions, inside the RL frameworks' own published code
	@locks/install-beside frameworks
	@.venv-frameworks/bin/python -m pytest tests/frameworks

test-ray: install ## Two replicas on Ray Serve, one PostgreSQL, fake engines (Debian: postgresql)
	@locks/install-beside ray
	@PYTHONPATH=.:client:tests .venv-ray/bin/python -m pytest tests/ray

test-release: install ## Build client and server, install the client alone into a clean venv
	@locks/install-beside build
	@WITH_RELEASE=1 $(VENV)/python -m pytest tests/test_release.py

acceptance: install ## The forty checks of docs/reliability.md at their full counts; an hour or two (ACCEPTANCE_SEED=n repeats)
	@ACCEPTANCE=full $(VENV)/python -m pytest -s tests/acceptance tests/test_render_forgery.py tests/test_outcomes_machine.py tests/test_engine_real.py tests/test_supervisor_real.py

soak: install ## Mixed load and a fault a minute on the fake engine (MINUTES=30, ENGINE=fake|vllm)
	@$(VENV)/python -m bench.soak --minutes $(or $(MINUTES),30) --engine $(or $(ENGINE),fake)

bench: install ## The server against offline vLLM and against vLLM's own server
	@$(VENV)/python -m bench.throughput

docs: ## The pages of docs/ as a site, into site; every link is checked
	@locks/install-beside docs
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

build: ## Wheels and source archives of client and server, into dist
	@locks/install-beside build
	@cd client && ../.venv-build/bin/python -m hatchling build -d ../dist
	@.venv-build/bin/python -m hatchling build -d dist

audit: ## Known vulnerabilities of what the lock files pin; asks PyPI, so it needs the internet
	@locks/install-beside audit
	@for lock in cpu gpu training dev; do .venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r locks/$$lock.txt || exit; done
	@.venv-audit/bin/pip-audit --strict --disable-pip --no-deps -r locks/torch.txt

sbom: ## What the server on a CPU is made of, as CycloneDX: sbom.cdx.json
	@locks/install-beside audit
	@PYTHONWARNINGS=ignore .venv-audit/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o sbom.cdx.json locks/cpu.txt

examples: ## Make examples/trajectories anew with the real mini-swe-agent
	@locks/install training
	@$(VENV)/python examples/make.py

world: ## Make .world: labelled trajectories to train on, half an hour to an hour; goes on where it ended
	@locks/install training
	@$(VENV)/python -m training.world --out .world

train-nano: RUN := .train/nano
train-nano: MODEL := swe-rm-nano
train-nano: CALIBRATE_ON ?= .world/calibration.jsonl
train-nano: DESCRIPTION := A small mixture of experts for CPU, trained on made-up repositories (make train-nano).
train-nano: NOTE := It learnt on small made-up Python modules, from runs of 8,192 tokens at most and a few made longer: good for wiring things up and for tests of a pipeline. On runs in real repositories it is not to be relied on: weights made so ordered those of one policy no better than chance, worse than their length does, and with probabilities far off (docs/training.md). Do not train on its scores there.
train-nano: world ## Train, calibrate, measure and publish model_store/swe-rm-nano; some three hours on two cores, goes on where it ended (POOL=labels.jsonl: measured on those runs too)
	$(labels_are_there)
	@$(VENV)/python -m training.train training/recipes/nano.yaml $(RUN)
	$(published)

train-own: RUN := .train/own
train-own: MODEL ?= swe-rm-nano-own
train-own: CALIBRATE_ON ?= runs/calibration.jsonl
train-own: POOL ?= runs/test.jsonl
train-own: DESCRIPTION ?= The small mixture of experts for CPU, gone on with labelled runs of ours (make train-own).
train-own: NOTE ?= How it does on our runs: its card.
train-own: runs/labels.jsonl world ## Go on from the shipped weights with labelled runs in runs/ (docs/training.md); MODEL=swe-rm-nano-own
	$(labels_are_there)
	@$(VENV)/python -m training.train training/recipes/own-runs.yaml $(RUN)
	$(published)

# What is missing is told before hours of training, not after.
define labels_are_there
@for file in $(CALIBRATE_ON) $(POOL); do test -f $$file || { echo "there is no $$file"; exit 2; }; done
endef

# A finished run becomes a model of the store, is calibrated and measured, and says so on its card.
define published
@$(VENV)/python -m training.publish $(RUN) model_store/$(MODEL) --description "$(DESCRIPTION)" --note "$(NOTE)"
@$(VENV)/swe-rm evaluate $(CALIBRATE_ON) --model $(MODEL) $(SHORTENED) --out $(RUN)/calibration
@$(VENV)/swe-rm calibrate $(RUN)/calibration/scores.jsonl --labels $(CALIBRATE_ON) --into model_store/$(MODEL) --activate
@for method in temperature platt isotonic; do ls model_store/$(MODEL)/calibrations/$$method-*.json > /dev/null 2>&1 || \
  $(VENV)/swe-rm calibrate $(RUN)/calibration/scores.jsonl --labels $(CALIBRATE_ON) --method $$method --into model_store/$(MODEL) || exit; done
@$(VENV)/swe-rm evaluate .world/test.jsonl --model $(MODEL) --out $(RUN)/test
@$(if $(POOL),$(VENV)/swe-rm evaluate $(POOL) --model $(MODEL) $(SHORTENED) --out $(RUN)/pool)
@$(VENV)/python -m bench.prose .world --model $(MODEL) > $(RUN)/prose.json
@$(VENV)/python -m training.card model_store/$(MODEL) --run $(RUN) --report "The world, held-out modules=$(RUN)/test/report.json" $(if $(POOL),--report "Real repositories (32k tokens at most)=$(RUN)/pool/report.json") --prose $(RUN)/prose.json
endef

ablations: world ## What data, size and the recipe's parts are worth (docs/training.md); two to three hours on two cores, goes on where it ended
	@test -f .train/sizes/128x2/manifest.json || $(VENV)/python -m training.seed_model .train/sizes/128x2 --hidden 128 --layers 2
	@$(VENV)/python -m training.ablate training/ablations.yaml .train/ablations --picture docs/pictures/ablations.svg

lock: ## Make the lock files anew from pyproject.toml
	@locks/compile

clean: ## Remove .venv and what tools left behind
	rm -rf .venv .venv-* site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
