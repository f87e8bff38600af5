# One image for every process: `docker run ... gatewayz api | projector | migrate | serve`; compose.yaml shows how they fit together.
# An exact tag; a digest is stricter: --build-arg PYTHON_IMAGE=python@sha256:…
ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm
FROM ${PYTHON_IMAGE}

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# The lock first: code changes daily, dependencies do not.
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --compile -r requirements.lock
COPY . ./
RUN pip install --no-build-isolation --no-deps --compile .

# Nothing of the image belongs to the user it runs as, but the home, which is a volume or a tmpfs where the root is read-only.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/gatewayz gatewayz
USER 10001:10001
WORKDIR /var/lib/gatewayz
ENV GATEWAYZ_HOME=/var/lib/gatewayz GATEWAYZ_HOST=0.0.0.0
EXPOSE 8000

ENTRYPOINT ["gatewayz"]
CMD ["serve"]
