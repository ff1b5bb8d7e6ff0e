"""Prompts in, verdicts out. Knows token ids and label ids; no text, no HTTP, no calibration.

protocol.py      what every engine can do
calls.py         the calls inside an engine, so that closing it ends them
reading.py       one reading of an engine's raw output, so that a verdict is complete or an error
vllm.py          the engine of production, the only file that imports vLLM
transformers.py  the reference: the same logit, slowly
fake.py          an engine for tests that can be slow, wrong and dead on request
stepped.py       the same with vLLM's steps and costs, to try an order of work on
supervisor.py    owns the engine: watches it and replaces a dead or stuck one
pulse.py         when an engine is late or dead, and how often it may be replaced
canary.py        prompts with a known logit
device.py        number type and length of a step, where nobody has said
processes.py     an engine's child processes, and how none outlives the server
"""

from app.engine.protocol import Engine, EngineFacts

__all__ = ["Engine", "EngineFacts"]
