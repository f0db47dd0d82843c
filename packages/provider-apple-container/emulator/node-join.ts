import { readInside, writeInside } from "@slipway/provider-kit/sandbox";
import { layoutOf, type Machine } from "./machine.ts";
import { NODE_STATE } from "./node-image.ts";
import type { ContainerRecord } from "./state.ts";

/** Where `kubeadm join --config=<path>` wants to go, and with what; null for any other command. */
function joinOf(
  machine: Machine,
  worker: ContainerRecord,
  argv: readonly string[],
): { readonly address: string; readonly token: string } | null {
  const [program = "", verb, ...words] = argv;
  if (!program.endsWith("kubeadm") || verb !== "join") return null;
  const path = words.find((word) => word.startsWith("--config="))?.slice("--config=".length);
  const text = path === undefined ? null : readInside(layoutOf(machine, worker.id).root, path);
  if (text === null) return null;
  const address = /apiServerEndpoint: "?([\w.-]+):6443"?/.exec(text)?.[1];
  const token = /token: "?([a-z0-9.]+)"?/.exec(text)?.[1];
  return address === undefined || token === undefined ? null : { address, token };
}

/** The running control plane that a join goes to. Containers reach one another on macOS 26 only. */
async function planeOf(
  machine: Machine,
  worker: ContainerRecord,
  argv: readonly string[],
): Promise<ContainerRecord | null> {
  const asked = joinOf(machine, worker, argv);
  if (asked === null) return null;
  const { containers, macos } = await machine.store.read();
  if (macos === 15) return null;
  const plane = Object.values(containers).find(({ sandbox, ipv4 }) => sandbox !== undefined && ipv4 === asked.address);
  if (plane === undefined) return null;
  const { root } = layoutOf(machine, plane.id);
  const tokens = readInside(root, `${NODE_STATE}/tokens`)?.split("\n") ?? [];
  return readInside(root, `${NODE_STATE}/api`) !== null && tokens.includes(asked.token) ? plane : null;
}

/** Is this a join that its control plane takes? */
export async function joins(machine: Machine, worker: ContainerRecord, argv: readonly string[]): Promise<boolean> {
  return (await planeOf(machine, worker, argv)) !== null;
}

/** The control plane knows the worker from now on. */
export async function noteJoin(machine: Machine, worker: ContainerRecord, argv: readonly string[]): Promise<void> {
  const plane = await planeOf(machine, worker, argv);
  if (plane === null) return;
  // A link that the control plane made of its own directory leads nowhere.
  writeInside(layoutOf(machine, plane.id).root, `${NODE_STATE}/nodes/${worker.id}`, "worker\n");
}
