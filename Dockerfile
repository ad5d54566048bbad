FROM python:3.13-slim
WORKDIR /opt/vaxledger
COPY requirements/main.txt requirements/main.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/main.txt
COPY . .
RUN pip install --no-cache-dir hatchling==1.33.0 && pip install --no-cache-dir --no-deps --no-build-isolation . \
 && groupadd --system --gid 10001 vaxledger && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/vaxledger --create-home vaxledger
USER vaxledger
ENTRYPOINT ["vaxledger"]
CMD ["serve"]
