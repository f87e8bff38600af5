# One image for every process: `docker run ... gatewayz api | projector | migrate | serve`; compose.yaml shows how they fit together.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# The lock first: code changes daily, dependencies do not.
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: -r requirements.lock
COPY . ./
RUN pip install --no-build-isolation --no-deps .

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/gatewayz gatewayz
USER gatewayz
WORKDIR /var/lib/gatewayz
ENV GATEWAYZ_HOME=/var/lib/gatewayz GATEWAYZ_HOST=0.0.0.0
EXPOSE 8000

ENTRYPOINT ["gatewayz"]
CMD ["serve"]
