# One image for every part of podway; docker-compose.yml says which container runs what.
#
#   docker build -t podway .
#   docker build -t podway --build-arg BASE=some/image:with-python3.11-and-venv .
#
# No syntax of BuildKit's: the classic builder of engine 20.10 builds it too.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
# Two environments: one with pip and what builds wheels, which stays behind, and one without both.
RUN python3 -m venv tools && python3 -m venv --without-pip /opt/podway
# The dependencies are a layer of their own: a change of podway's own code does not fetch them again.
COPY pyproject.toml requirements.lock ./
RUN tools/bin/pip install --quiet --no-cache-dir -c requirements.lock hatchling \
 && tools/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' > dependencies.txt \
 && tools/bin/pip --python /opt/podway/bin/python install --quiet --no-cache-dir -c requirements.lock -r dependencies.txt
COPY . .
RUN tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels . \
 && tools/bin/pip --python /opt/podway/bin/python install --quiet --no-cache-dir --no-deps --no-index wheels/*.whl

FROM ${BASE}
# What outlives a container (the lab's CA) is kept in /state; a new volume takes over its owner.
RUN mkdir /state && chown 10001:10001 /state
COPY --from=build /opt/podway /opt/podway
# Every daemon serves its admin port inside its own container only; the health check asks there.
ENV PATH=/opt/podway/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    XDG_STATE_HOME=/state \
    PODWAY_ADMIN=127.0.0.1:9153
# Ports below 1024 need no capability in a container: net.ipv4.ip_unprivileged_port_start is 0.
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=2 CMD ["python", "-m", "podway.ready"]
CMD ["podway", "--help"]
