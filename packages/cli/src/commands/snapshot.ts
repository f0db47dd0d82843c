import type { Snapshot } from "@slipway/core";
import { CliError } from "../cli-error.ts";
import { type Configure, notEmpty } from "../command.ts";
import { mustLocate, requireCapability, supporting } from "../locate.ts";
import type { Column } from "../output.ts";
import { formatByteSize } from "../quantities.ts";
import type { Session } from "../session.ts";

interface CreateFlags {
  readonly key?: string;
  readonly name?: string;
  readonly wait?: boolean;
}
interface ListFlags {
  readonly instance?: string;
  readonly owner?: string;
}

const COLUMNS: readonly Column<Snapshot>[] = [
  { title: "ID", text: (one) => one.id },
  { title: "KEY", text: (one) => one.key ?? "" },
  { title: "STATUS", text: (one) => one.status },
  { title: "INSTANCE", text: (one) => one.instanceId ?? "" },
  { title: "SIZE", text: (one) => (one.sizeBytes === undefined ? "" : formatByteSize(one.sizeBytes)) },
  { title: "CREATED", text: (one) => one.createdAt ?? "" },
];

export const configure: Configure = (command, run) => {
  const makes = command
    .command("create")
    .description("take a snapshot; the same key answers the same one")
    .argument("<id-or-key>", "the instance")
    .option("--key <key>", "names the snapshot among yours (default: a new UUID)", notEmpty)
    .option("--name <name>", "a display name", notEmpty)
    .option("--wait", "wait until it is available");
  run<CreateFlags>(makes, create);

  const lists = command
    .command("list")
    .description("show your snapshots")
    .option("--instance <id>", "only those of this instance", notEmpty)
    .option("--owner <owner>", 'another owner\'s, or "*"', notEmpty);
  run<ListFlags>(lists, list);

  run(command.command("status").description("pending, available or failed").argument("<id>", "the snapshot"), status);
  run(command.command("delete").description("delete snapshots").argument("<id...>", "the snapshots"), remove);
};

async function create(session: Session, [word = ""]: readonly string[], flags: CreateFlags): Promise<void> {
  const { provider: located, instance } = await mustLocate(session, word);
  const provider = requireCapability(located, "snapshots");
  const { key = crypto.randomUUID(), name } = flags;
  const snapshot = await session.progress.during(`taking a snapshot of ${instance.id}`, () =>
    provider.createSnapshot(instance.id, { ...session.call, key, ...(name === undefined ? {} : { name }) }),
  );
  if (flags.wait === true)
    await available(session, () => provider.getSnapshotStatus(snapshot.id, session.call), snapshot);
  const shown: Snapshot = flags.wait === true ? { ...snapshot, status: "available" } : snapshot;
  if (session.json) session.output.document(shown);
  else session.output.list([shown], COLUMNS, "");
}

const POLL_MS = 1000;

async function available(
  session: Session,
  ask: () => Promise<Snapshot["status"] | null>,
  { id }: Snapshot,
): Promise<void> {
  await session.progress.during(`waiting for ${id}`, async () => {
    for (let status = await ask(); status !== "available"; status = await ask()) {
      if (status === "failed")
        throw new CliError("NOT_FOUND", `the snapshot ${id} has failed`, `Delete it: slipway snapshot delete ${id}`);
      await session.world.clock.sleep(POLL_MS, session.world.signal);
    }
  });
}

async function list(session: Session, _args: readonly string[], { instance, owner }: ListFlags): Promise<void> {
  const provider = await supporting(session, "snapshots");
  const found = await provider.listSnapshots({ instanceId: instance, owner }, session.call);
  session.output.list(found, COLUMNS, "No snapshots.");
}

async function status(session: Session, [id = ""]: readonly string[]): Promise<void> {
  const provider = await supporting(session, "snapshots");
  const found = await provider.getSnapshotStatus(id, session.call);
  if (found === null)
    throw new CliError(
      "NOT_FOUND",
      `there is no snapshot ${JSON.stringify(id)}`,
      "`slipway snapshot list` shows yours.",
    );
  if (session.json) session.output.document({ id, status: found });
  else session.output.text(found);
}

async function remove(session: Session, ids: readonly string[]): Promise<void> {
  const provider = await supporting(session, "snapshots");
  for (const id of ids) {
    await provider.deleteSnapshot(id, session.call);
    if (!session.json) session.output.text(`${id} is deleted`);
  }
  if (session.json) session.output.document(ids.map((id) => ({ id, result: "deleted" })));
}
