# This file was written where there is no Docker engine. What was run instead, on Node 24: the commands of each stage, in
# folders that held only what .dockerignore lets through; then CMD as user 1000 on a read-only tree, the health check on
# it and without it, and SIGTERM. What was not run: docker build itself, and the base image.
#
#   docker build --tag trivial-api .
#   docker run --env-file .env --publish 3000:3000 --volume trivial-data:/data trivial-api
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
# No scripts, so no compiler: what is native comes compiled, better-sqlite3 13 too, which is the one that Node 24 uses.
RUN npm ci --omit=dev --ignore-scripts

FROM packages AS build
COPY . .
RUN node build/build.js && chown node:node dist
# A start loads compiled code from here. Node keeps it for each user apart, so the user of the service makes it.
USER node
RUN node dist/cli/trivial.js openapi > /dev/null && chmod -R a+rX dist/.compile-cache

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Trivial API" org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATABASE_URL=file:/data/trivial.db
WORKDIR /app
# The commands: docker exec <container> trivial key list
RUN ln -s /app/dist/cli/trivial.js /usr/local/bin/trivial && install -d -o node -g node -m 700 /data
COPY LICENSE package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# The user node, as a number: Kubernetes must see that it is not root.
USER 1000:1000
EXPOSE 3000
# Whether the process answers, not whether the database does: no restart mends that. /ready tells it to a proxy.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/up').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The service stops on SIGTERM, within 11 seconds: docker stop --time 15
CMD ["node", "dist/server.js"]
