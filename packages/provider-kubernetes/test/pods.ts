import { podAnswer, type WirePod } from "../src/wire.ts";

export interface PodParts {
  readonly status?: unknown;
  readonly metadata?: object;
  readonly spec?: object;
}

/** A pod as the API server answers it, with the parts that a test is about. */
export function podOf({ status, metadata, spec }: PodParts = {}): WirePod {
  return podAnswer.parse({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "slip-aaaaaaaa-bbbbbbbbbbbbbbbbbbbb",
      namespace: "machines",
      uid: "8d0c1a52-0000-4000-8000-000000000001",
      creationTimestamp: "2026-11-29T08:00:00Z",
      ...metadata,
    },
    spec: { containers: [{ name: "main", image: "debian" }], ...spec },
    status: status ?? {},
  });
}
