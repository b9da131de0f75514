# The Python parts. `--target product` (control plane and ext_proc) or `--target demo` (the travel agents and their servers).

ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python -m venv /opt/plano
COPY constraints.txt pyproject.toml README.md ./
COPY protos ./protos
COPY control_plane ./control_plane
COPY ext_proc ./ext_proc
COPY process_log ./process_log
RUN /opt/plano/bin/pip install --no-cache-dir --constraint constraints.txt '.[semantic]'

FROM build AS build-demo
RUN /opt/plano/bin/pip install --no-cache-dir --constraint constraints.txt '.[demo]'

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
