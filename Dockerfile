FROM python:3.13-slim

WORKDIR /opt/duban
COPY duban requirements.lock ./
RUN PIP_NO_CACHE_DIR=1 ./duban setup

COPY . .
RUN useradd --system --home-dir /data --create-home --uid 10001 duban \
    && /opt/duban/.venv/bin/python -m compileall -q api engine services

USER duban
ENV DUBAN_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["./duban"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
