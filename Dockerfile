# Two stages: the bundle is made with the project's own tools, the image holds Node and the bundle and nothing else.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --no-audit --no-fund
COPY operator ./operator
RUN node operator/codegen/bundle.ts

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=build /src/dist ./
COPY LICENSE ./
USER 65532:65532
EXPOSE 8080
# A small young generation keeps an idle operator below 80 MB; it costs nothing measurable at this load.
CMD ["--max-semi-space-size=1", "main.js"]
