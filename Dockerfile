# The Python parts. `--target product` (control plane and ext_proc) or `--target demo` (the travel agents and their servers).

ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python -m venv /opt/plano
COPY deploy/requirements-product.txt deploy/requirements-demo.txt ./
# Nothing is installed whose hash is not there.
RUN /opt/plano/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements-product.txt
COPY pyproject.toml README.md ./
COPY protos ./protos
COPY control_plane ./control_plane
COPY ext_proc ./ext_proc
COPY process_log ./process_log
RUN /opt/plano/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM build AS build-demo
RUN /opt/plano/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements-demo.txt

FROM ${PYTHON_IMAGE} AS base
ENV PATH=/opt/plano/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --create-home plano
WORKDIR /srv
USER 10001

FROM base AS demo
COPY --from=build-demo /opt/plano /opt/plano
COPY demos ./demos

FROM base AS product
COPY --from=build /opt/plano /opt/plano
