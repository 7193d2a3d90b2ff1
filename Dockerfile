# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY ontology ontology
COPY stages stages
COPY spa_cli spa_cli
RUN python -m venv /opt/spa \
    && /opt/spa/bin/pip install --no-cache-dir --constraint constraints.txt ".[demo]"

FROM python:3.11-slim-bookworm
COPY --from=build /opt/spa /opt/spa
RUN useradd --create-home --uid 1000 spa
USER 1000
WORKDIR /home/spa
ENV PATH=/opt/spa/bin:$PATH \
    PYTHONUNBUFFERED=1
ENTRYPOINT ["spa"]
CMD ["--help"]
