# syntax=docker/dockerfile:1
# Targets: cpu (default), gpu. What changes seldom stands first: system, packages, models, the server.
#   docker build --target cpu -t swe-rm-server:cpu .
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS wheels
WORKDIR /src
COPY locks/build.txt locks/build.txt
RUN python -m pip install --no-cache-dir --no-deps --require-hashes -r locks/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY client client
COPY app app
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels ./client .

FROM ${PYTHON} AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/swe-rm \
    XDG_CACHE_HOME=/tmp/cache \
    VLLM_NO_USAGE_STATS=1 \
    SWE_RM_HOST=0.0.0.0 \
    SWE_RM_MODEL_STORE=/models \
    SWE_RM_STATE_DIR=/var/lib/swe-rm \
    SWE_RM_PROPAGATE_S=5
RUN groupadd --gid 10001 swe-rm && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/swe-rm swe-rm && \
    install -d -o swe-rm -g swe-rm /var/lib/swe-rm && \
    python -m venv /opt/venv
# The keys of an image that listens to all are mounted; without them it says so and does not start.
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["swe-rm"]
CMD ["serve"]

FROM base AS gpu-packages
# Triton compiles its launchers at run time.
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install -y --no-install-recommends gcc libc6-dev libnuma1 && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY locks/gpu.txt locks/
RUN python -m pip install --no-cache-dir --no-deps --require-hashes -r locks/gpu.txt

FROM gpu-packages AS gpu
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY model_store /models
COPY --from=wheels /wheels /wheels
RUN python -m pip install --no-cache-dir --no-deps --no-index /wheels/*.whl
WORKDIR /var/lib/swe-rm
USER 10001:10001

FROM base AS cpu-packages
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install -y --no-install-recommends libnuma1 libstdc++6 && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY locks/torch.txt locks/cpu.txt locks/postgres.txt locks/
# The CPU build of PyTorch's own index, pinned by version: the hash differs by index.
RUN python -m pip install --no-cache-dir --no-deps --index-url https://download.pytorch.org/whl/cpu -r locks/torch.txt
# hadolint ignore=DL3059
RUN python -m pip install --no-cache-dir --no-deps --require-hashes -r locks/cpu.txt -r locks/postgres.txt

FROM cpu-packages AS cpu
COPY model_store /models
COPY --from=wheels /wheels /wheels
RUN python -m pip install --no-cache-dir --no-deps --no-index /wheels/*.whl
WORKDIR /var/lib/swe-rm
USER 10001:10001
