import type { Node } from "./records.ts";
import { Refusal } from "./refusals.ts";
import { newId, type Remote } from "./remote.ts";
import type { NodeRunResult } from "./settings.ts";

export interface CreateNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly fingerprint: string;
}

export interface NodeCommand {
  readonly argv: readonly string[];
  readonly stdin: string;
}

/** Container names are unique: the same name and request give the same node. */
export function createNode(world: Remote, body: CreateNode, at: number): Node {
  const existing = world.nodes.all().find((node) => node.name === body.name);
  if (existing !== undefined) {
    if (existing.fingerprint === body.fingerprint) return existing;
    throw new Refusal("name-taken", `${body.name} is the name of another node`, { thing: existing.id });
  }
  const node: Node = {
    id: newId(world, "memnode"),
    name: body.name,
    labels: body.labels,
    state: "creating",
    image: body.image,
    fingerprint: body.fingerprint,
    address: null,
    hostPort: null,
    createdAt: at,
  };
  world.changes += 1;
  world.nodes.put(node, at);
  bringUp(world, node.id, at + world.settings.bootMs);
  return node;
}

/** A node that starts gets another address and port than it had. */
export function bringUp(world: Remote, id: string, at: number): void {
  world.timeline.plan(at, (when) => {
    const node = world.nodes.current(id);
    if (node === undefined || node.state === "up") return;
    const number = ++world.addresses;
    const address = `172.20.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
    world.nodes.put({ ...node, state: "up", address, hostPort: 30_000 + (number % 30_000) }, when);
  });
}

export function deleteNode(world: Remote, id: string, at: number): null {
  if (world.nodes.current(id) === undefined) throw new Refusal("not-found", `there is no node ${id}`);
  world.changes += 1;
  world.nodes.remove(id, at);
  return null;
}

type Program = (node: Node, argv: readonly string[], stdin: string) => NodeRunResult;
const said = (stdout: string, exitCode = 0): NodeRunResult => ({ exitCode, stdout, stderr: "" });

/** What a node without a kernel can do. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  true: () => said(""),
  false: () => said("", 1),
  echo: (_, argv) => said(`${argv.slice(1).join(" ")}\n`),
  cat: (_, __, stdin) => said(stdin),
  hostname: (node) => said(`${node.name}\n`),
};

export function runInNode(world: Remote, id: string, { argv, stdin }: NodeCommand): NodeRunResult {
  const node = world.nodes.current(id);
  if (node === undefined) throw new Refusal("not-found", `there is no node ${id}`);
  if (node.state === "creating") throw new Refusal("in-transition", `node ${node.name} is not up yet`);
  if (node.state !== "up") throw new Refusal("wrong-state", `node ${node.name} is ${node.state}`);
  const own = world.settings.runInNode?.({ node: node.name, argv, stdin });
  if (own !== undefined) return own;
  const name = argv[0] ?? "";
  const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  return program?.(node, argv, stdin) ?? { exitCode: 127, stdout: "", stderr: `${name}: not found\n` };
}
