import { createHash } from "node:crypto";
import { Refusal } from "./answer.ts";

const NODE_REPOSITORY = "docker.io/kindest/node";
/** Repositories of which every tag is in the registry. */
export const REGISTRY: readonly string[] = [
  ...["alpine", "busybox", "debian", "ubuntu", "fedora"].map((name) => `docker.io/library/${name}`),
  NODE_REPOSITORY,
];

export function digestOf(reference: string): string {
  return createHash("sha256").update(reference).digest("hex");
}

/** `alpine` is `docker.io/library/alpine:latest`. Throws for what is no reference. */
export function normalised(reference: string): string {
  if (!/^[a-z0-9][a-z0-9._/:-]*(:[\w][\w.-]*)?(@sha256:[0-9a-f]{64})?$/.test(reference)) {
    throw new Refusal(`invalid format for image reference ${reference}`);
  }
  const [first = ""] = reference.split("/");
  const hosted = reference.includes("/") && (first.includes(".") || first.includes(":") || first === "localhost");
  const path = hosted ? reference : `docker.io/${reference.includes("/") ? "" : "library/"}${reference}`;
  const last = path.slice(path.lastIndexOf("/"));
  return last.includes(":") || last.includes("@") ? path : `${path}:latest`;
}

export function repositoryOf(reference: string): string {
  const [path = ""] = reference.split("@");
  const at = path.lastIndexOf(":");
  return at > path.lastIndexOf("/") ? path.slice(0, at) : path;
}

export function isNodeImage(reference: string): boolean {
  return repositoryOf(reference) === NODE_REPOSITORY;
}
