# A server of fitted models: docker build -t scansion . ; models are mounted, see docs/serving.md.
FROM python:3.11-slim AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m venv /opt/scansion \
 && /opt/scansion/bin/pip install --no-cache-dir torch==2.13.0 --index-url "$TORCH_INDEX" \
 && /opt/scansion/bin/pip install --no-cache-dir -c constraints.txt '.[serve]' \
 && /opt/scansion/bin/pip uninstall --yes pip

FROM python:3.11-slim
RUN useradd --system --uid 10001 scansion
COPY --from=build /opt/scansion /opt/scansion
USER scansion
ENV PATH=/opt/scansion/bin:$PATH PYTHONDONTWRITEBYTECODE=1 SCANSION_HOST=0.0.0.0 SCANSION_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --start-period=60s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"SCANSION_PORT\"]}/ready', timeout=5)"]
ENTRYPOINT ["scansion", "serve"]
