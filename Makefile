# Five verbs: install, run, check, test, bench. Each makes .venv by itself and does no work twice.
.DEFAULT_GOAL := help
.PHONY: help install run serve check test test-fast test-clients test-frameworks test-grafana acceptance soak bench audit sbom examples world model lock clean

VENV := .venv/bin

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
	@locks/install-clients
	@.venv-clients/bin/python -m pytest tests/clients

test-grafana: install ## Dashboards and alerts against a real Prometheus (Debian: prometheus)
	@WITH_PROMETHEUS=1 $(VENV)/python -m pytest tests/test_deploy_prometheus.py tests/test_deploy_grafana.py

test-frameworks: install ## The reward functions, inside the RL frameworks' own published code
	@locks/install-frameworks
	@.venv-frameworks/bin/python -m pytest tests/frameworks

acceptance: install ## The forty checks of docs/reliability.md at their full counts; an hour or two (ACCEPTANCE_SEED=n repeats)
	@ACCEPTANCE=full $(VENV)/python -m pytest -s tests/acceptance tests/test_render_forgery.py tests/test_engine_real.py tests/test_supervisor_real.py

soak: install ## Mixed load and a fault a minute on the fake engine (MINUTES=30, ENGINE=fake|vllm)
	@$(VENV)/python -m bench.soak --minutes $(or $(MINUTES),30) --engine $(or $(ENGINE),fake)

bench: install ## The server against offline vLLM and against vLLM's own server
	@$(VENV)/python -m bench.throughput

audit: ## Known vulnerabilities of what the lock files pin; asks PyPI, so it needs the internet
	@locks/install-audit
	@.venv-audit/bin/pip-audit --disable-pip --require-hashes $(foreach lock,cpu dev gpu training,-r locks/$(lock).txt)
	@.venv-audit/bin/pip-audit --disable-pip --no-deps -r locks/torch.txt

sbom: ## What the server on a CPU is made of, as CycloneDX: sbom.cdx.json
	@locks/install-audit
	@.venv-audit/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o sbom.cdx.json locks/cpu.txt

examples: ## Make examples/trajectories anew with the real mini-swe-agent
	@locks/install training
	@$(VENV)/python examples/make.py

world: ## Make .world: labelled trajectories to train on, about an hour; goes on where it ended
	@locks/install training
	@$(VENV)/python -m training.world --out .world

model: install ## Make the untrained model_store/swe-rm-nano anew
	@$(VENV)/python -m training.seed_model model_store/swe-rm-nano

lock: ## Make the lock files anew from pyproject.toml
	@locks/compile

clean: ## Remove .venv and what tools left behind
	rm -rf .venv .venv-clients .venv-frameworks .venv-audit .mypy_cache .ruff_cache .pytest_cache .hypothesis
