# docker build -t cabe-arena-api .                        the service under its native supervisor
# docker build -t cabe-arena-api --target distroless .    the same without shell and package manager
# docker build -t cabe-arena-api --target pm2 .           the same worker under pm2-runtime
# See docs/operations.md#containers.

ARG NODE_VERSION=26
ARG BASE=node:${NODE_VERSION}-slim
# The version of package.json; a test compares them.
ARG VERSION=1.0.0
ARG REVISION=unknown

# ---- packages: installed anew only when package.json or yarn.lock change
FROM ${BASE} AS packages
WORKDIR /srv/cabe-arena-api
COPY package.json yarn.lock .yarnrc.yml ./
COPY scripts/yarn.cjs scripts/run.cjs scripts/
RUN node scripts/yarn.cjs install --immutable

FROM packages AS production-packages
RUN node scripts/yarn.cjs workspaces focus --production

# ---- build: needs the packages for development, and the version of Node that runs it (compile cache)
FROM packages AS build
COPY . .
RUN node scripts/build.cjs && rm -rf dist/.compile-cache && install -d -o 1000 dist/.compile-cache
# The compile cache works only for the user who has filled it. The image has it as root's: that user cannot change it there.
USER 1000:1000
RUN node scripts/compile-cache.cjs && chmod -R a+rX dist/.compile-cache

# ---- release: what every image below has in common
FROM scratch AS release
COPY package.json ecosystem.config.js /srv/cabe-arena-api/
COPY deploy/healthcheck.cjs /srv/cabe-arena-api/deploy/
COPY --from=production-packages /srv/cabe-arena-api/node_modules /srv/cabe-arena-api/node_modules
COPY --from=build --chown=0:0 /srv/cabe-arena-api/dist /srv/cabe-arena-api/dist

# ---- init: reaps orphaned processes and passes signals on, which Node as PID 1 does not
FROM ${BASE} AS init
RUN if [ ! -x /usr/bin/tini-static ]; then \
      apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/*; \
    fi

# ---- native: the default
FROM ${BASE} AS native
ARG VERSION REVISION
LABEL org.opencontainers.image.title="cabe-arena-api" \
      org.opencontainers.image.description="The Cabe Arena API under its native supervisor" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=init /usr/bin/tini-static /usr/bin/tini
COPY --from=release / /
WORKDIR /srv/cabe-arena-api
ENV NODE_ENV=production
USER 1000:1000
EXPOSE 3001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["node", "deploy/healthcheck.cjs"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "dist/cluster.js"]

# ---- distroless: node and the libraries it needs, nothing else
FROM ${BASE} AS minimal-root
RUN set -eu; node=$(command -v node); mkdir -p /rootfs/usr/bin /rootfs/etc /rootfs/tmp; chmod 1777 /rootfs/tmp; \
    cp -L "$node" /rootfs/usr/bin/node; \
    for library in $(ldd "$node" | grep -o '/[^ ]*'); do cp -L --parents "$library" /rootfs; done; \
    echo 'node:x:1000:1000::/srv/cabe-arena-api:/sbin/nologin' > /rootfs/etc/passwd; \
    echo 'node:x:1000:' > /rootfs/etc/group; \
    cp -L --parents /etc/nsswitch.conf /rootfs 2> /dev/null || true

FROM scratch AS distroless
ARG VERSION REVISION
LABEL org.opencontainers.image.title="cabe-arena-api" \
      org.opencontainers.image.description="The Cabe Arena API under its native supervisor" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=minimal-root /rootfs /
COPY --from=init /usr/bin/tini-static /usr/bin/tini
COPY --from=release / /
WORKDIR /srv/cabe-arena-api
ENV NODE_ENV=production PATH=/usr/bin
USER 1000:1000
EXPOSE 3001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["node", "deploy/healthcheck.cjs"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "dist/cluster.js"]

# ---- pm2: one more process (PM2 itself) and its packages; PM2 ignores the container's CPU quota
FROM ${BASE} AS pm2
ARG PM2_VERSION=7.0.4
ARG VERSION REVISION
LABEL org.opencontainers.image.title="cabe-arena-api" \
      org.opencontainers.image.description="The Cabe Arena API under pm2-runtime" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN npm install --global --ignore-scripts --no-audit --no-fund pm2@${PM2_VERSION} && npm cache clean --force
COPY --from=init /usr/bin/tini-static /usr/bin/tini
COPY --from=release / /
WORKDIR /srv/cabe-arena-api
ENV NODE_ENV=production PM2_HOME=/tmp/.pm2
USER 1000:1000
EXPOSE 3001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["node", "deploy/healthcheck.cjs"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["pm2-runtime", "start", "ecosystem.config.js"]

# The last stage is what `docker build` makes by default.
FROM native
