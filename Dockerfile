# The service: `docker build -t optionchain-simulator:0.1.0 .`, on any base of Debian or Ubuntu with Python 3.11 to 3.13.
ARG BASE=docker.io/library/python:3.12.12-slim-bookworm

FROM ${BASE} AS builder
RUN python3 -m venv /opt/optionchain
ENV PATH=/opt/optionchain/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# What others have made, by the hashes of the lock, and never built here: there is no compiler.
COPY requirements.lock .
RUN pip install --only-binary :all: --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-deps --no-build-isolation ./optionchain ./optionchain_client . \
    # Where the service's packages are, under a name without Python's version: see optionchain_server/__init__.py.
    && ln -s "$(python -c 'import optionchain_server; print(optionchain_server.FOLDER)')" /opt/optionchain/service \
    && python -m optionchain.numerics
# Java is not spoken here, and nobody tests NumPy in production. What installs and builds has done so.
WORKDIR /opt/optionchain/lib
RUN for packages in python3*/site-packages; do \
        rm -rf "$packages/ray/jars" "$packages/ray/rllib" "$packages/pyarrow/include" "$packages/pyarrow/tests" \
            "$packages/pandas/tests" "$packages"/pip* "$packages"/setuptools* "$packages"/hatchling* "$packages"/virtualenv* \
        && find "$packages/numpy" "$packages/scipy" "$packages/numba" "$packages/llvmlite" \
            -type d -name tests -prune -exec rm -rf {} + || exit 1; \
    done

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="optionchain-simulator" \
    org.opencontainers.image.description="Simulated option-chain market data on a Ray cluster" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# wget is what KubeRay's probes run, tini what reaps Ray's processes. Debian keeps one version of each, so none is named.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bash tini wget \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 optionchain \
    && useradd --uid 1000 --gid 1000 --create-home optionchain \
    && install --directory --owner=1000 --group=1000 --mode=0700 /data /backups
COPY --from=builder /opt/optionchain /opt/optionchain
# An installed service is found by PYTHONPATH where Ray is started by others, and its HAProxy by the path of the script.
ENV PATH=/opt/optionchain/bin:$PATH \
    PYTHONPATH=/opt/optionchain/service \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RAY_SERVE_HAPROXY_BINARY_PATH=/opt/optionchain/service/cluster/haproxy/haproxy.sh \
    OCS_DATA_FOLDER=/data \
    OCS_HTTP_HOST=0.0.0.0
USER 1000:1000
WORKDIR /home/optionchain
VOLUME /data
EXPOSE 7070
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=6 \
    CMD ["bash", "-c", "wget --quiet --output-document=/dev/null http://127.0.0.1:${OCS_HTTP_PORT:-7070}/ready"]
ENTRYPOINT ["tini", "--", "optionchain"]
CMD ["up", "--foreground"]
