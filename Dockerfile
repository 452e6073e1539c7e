# One member in a container. The store is the volume /store.
#   docker build -t veche .
#   docker run --rm -v veche:/store veche init --name box --listen /ip4/0.0.0.0/tcp/4710
#   docker run -d --name veche --restart unless-stopped -p 4710:4710 -v veche:/store veche
#   docker exec veche veche status
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Without scripts: the base brings Node, and classic-level loads its prebuilt binary as it is.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json rolldown.config.mjs ./
COPY src src
RUN npm run build \
  && chmod 755 dist/bin/main.js \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# What only other systems, compilers and debuggers read is left behind.
RUN find node_modules -path '*/prebuilds/*' -type d \
      -not -name prebuilds -not -name 'linux-*' -prune -exec rm -r {} + \
  && find node_modules dist -type f \
      \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
  && rm -rf node_modules/classic-level/deps

FROM ${BASE}
ENV NODE_ENV=production VECHE_STORE=/store
COPY --from=build /build/package.json /veche/
COPY --from=build /build/node_modules /veche/node_modules
COPY --from=build /build/dist /veche/dist
RUN ln -s /veche/dist/bin/main.js /usr/local/bin/veche \
  && install -d -m 700 -o node -g node /store
USER node
WORKDIR /store
VOLUME /store
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["veche", "status", "--json"]
ENTRYPOINT ["veche"]
CMD ["start"]
