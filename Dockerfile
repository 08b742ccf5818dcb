# Two stages: the first has the build tools, the second only Python, the locked packages and Tocsin.
# By digest: a tag may be given to another image. SECURITY.md says how to renew it.
ARG PYTHON=3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM python:${PYTHON} AS build
WORKDIR /app
RUN python -m venv --without-pip /opt/tocsin
COPY requirements.lock requirements-build.lock ./
RUN pip --python /opt/tocsin/bin/python install --no-cache-dir --require-hashes --only-binary :all: \
    -r requirements.lock -r requirements-build.lock
COPY . .
# Editable, so that the package stays beside alembic.ini and migrations/, as in a checkout.
RUN pip --python /opt/tocsin/bin/python install --no-build-isolation --no-deps --editable . \
    && pip --python /opt/tocsin/bin/python uninstall --yes setuptools \
    && /opt/tocsin/bin/python -m compileall -q service migrations

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --home-dir /data --create-home tocsin
COPY --from=build /opt/tocsin /opt/tocsin
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/tocsin/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TOCSIN_HOST=0.0.0.0 \
    TOCSIN_PORT=8400 \
    TOCSIN_DATA_DIR=/data \
    TOCSIN_LOG_FORMAT=json
USER tocsin
VOLUME /data
EXPOSE 8400
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"TOCSIN_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["tocsin"]
CMD ["api"]
