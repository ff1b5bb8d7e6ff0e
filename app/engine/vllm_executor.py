"""How vLLM's scheduler waits for a step on a CPU. Imported where vLLM is, and there only."""

from __future__ import annotations

from vllm.v1.executor.multiproc_executor import MultiprocExecutor


class PatientExecutor(MultiprocExecutor):  # type: ignore[misc]  # vLLM tells no types
    """vLLM looks again and again for a step's end, for up to a second, before it waits to be told. Who
    looks takes time from the cores that compute the step, and tenths of a second are long: here it
    waits to be told at once."""

    def _init_executor(self) -> None:
        super()._init_executor()
        for queue in self.response_mqs:
            queue._spin_condition.busy_loop_s = 0.0
