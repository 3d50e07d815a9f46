# This image has never been built, because no Docker engine was available. These parts were run on Node.js 24: each
# stage's commands, in folders with only the files that .dockerignore permits; CMD as user 1000 on a read-only file
# system; the health check with and without the service; and SIGTERM. docker build and the base image weren't run.
#
#   docker build --tag trivial-api .
#   docker run --env-file .env --publish 3000:3000 --volume trivial-data:/data trivial-api
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
# Install scripts aren't needed, because native packages are prebuilt, including better-sqlite3 13 for Node.js 24.
RUN npm ci --omit=dev --ignore-scripts

FROM packages AS build
COPY . .
RUN node build/build.js && chown node:node dist
# Creates the compile cache, which speeds up startup. Node.js stores it per user, so the service's user creates it.
USER node
RUN node dist/cli/trivial.js openapi > /dev/null && chmod -R a+rX dist/.compile-cache

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Trivial API" org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATABASE_URL=file:/data/trivial.db
WORKDIR /app
# For commands such as: docker exec <container> trivial key list
RUN ln -s /app/dist/cli/trivial.js /usr/local/bin/trivial && install -d -o node -g node -m 700 /data
COPY LICENSE package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# The user node, as a number, so that Kubernetes can verify that it isn't root.
USER 1000:1000
EXPOSE 3000
# Checks only the process, because a restart wouldn't help if the database is down. Proxies check that with /ready.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/up').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# On SIGTERM, the service stops within 11 seconds, so use: docker stop --time 15
CMD ["node", "dist/server.js"]
