import type { Volume } from "@slipway/core";
import { byteSize, type Configure, notEmpty } from "../command.ts";
import { mustLocate, requireCapability, supporting } from "../locate.ts";
import type { Column } from "../output.ts";
import { formatByteSize } from "../quantities.ts";
import type { Session } from "../session.ts";

interface CreateFlags {
  readonly key?: string;
  readonly size: number;
  readonly region?: string;
  readonly zone?: string;
}
interface WarmFlags extends CreateFlags {
  readonly pool: string;
  readonly zone: string;
}
interface ClaimFlags {
  readonly pool: string;
}
interface ListFlags {
  readonly owner?: string;
}

const COLUMNS: readonly Column<Volume>[] = [
  { title: "ID", text: (one) => one.id },
  { title: "KEY", text: (one) => one.key ?? "" },
  { title: "STATUS", text: (one) => one.status },
  { title: "SIZE", text: (one) => formatByteSize(one.sizeBytes) },
  { title: "PLACE", text: (one) => one.zone ?? one.region ?? "" },
  { title: "POOL", text: (one) => one.pool ?? "" },
  { title: "ATTACHED TO", text: (one) => one.attachedTo ?? "" },
];

export const configure: Configure = (command, run) => {
  const sized = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .requiredOption("--size <size>", "as 20G", byteSize)
      .option(
        "--key <key>",
        "names the volume among yours: the same key answers the same one (default: a new UUID)",
        notEmpty,
      );
  const makes = sized("create", "make a volume")
    .option("--region <name>", "where", notEmpty)
    .option("--zone <name>", "where exactly", notEmpty);
  run<CreateFlags>(makes, create);
  const lists = command.command("list").description("show your volumes");
  run<ListFlags>(lists.option("--owner <owner>", 'another owner\'s, or "*"', notEmpty), list);
  run(command.command("delete").description("delete volumes").argument("<id...>", "the volumes"), remove);

  const warms = sized("warm", "make a volume ready in a pool")
    .requiredOption("--pool <name>", "volumes of one pool are interchangeable", notEmpty)
    .requiredOption("--zone <name>", "where", notEmpty);
  run<WarmFlags>(warms, warm);
  const claims = command
    .command("claim")
    .description("attach a free volume of a pool")
    .argument("<id-or-key>", "the instance that gets it")
    .requiredOption("--pool <name>", "the pool", notEmpty);
  run<ClaimFlags>(claims, claim);
  run(command.command("release").description("give a claimed volume back").argument("<id>", "the volume"), release);
};

async function create(session: Session, _args: readonly string[], flags: CreateFlags): Promise<void> {
  const provider = await supporting(session, "persistentVolumes");
  const { key = crypto.randomUUID(), size: sizeBytes, region, zone } = flags;
  show(session, await provider.createVolume({ ...session.call, key, sizeBytes, region, zone }));
}

async function list(session: Session, _args: readonly string[], { owner }: ListFlags): Promise<void> {
  const provider = await supporting(session, "persistentVolumes");
  session.output.list(await provider.listVolumes({ owner }, session.call), COLUMNS, "No volumes.");
}

async function remove(session: Session, ids: readonly string[]): Promise<void> {
  const provider = await supporting(session, "persistentVolumes");
  for (const id of ids) {
    await provider.deleteVolume(id, session.call);
    if (!session.json) session.output.text(`${id} is deleted`);
  }
  if (session.json) session.output.document(ids.map((id) => ({ id, result: "deleted" })));
}

async function warm(session: Session, _args: readonly string[], flags: WarmFlags): Promise<void> {
  const provider = await supporting(session, "warmVolumes");
  const { key = crypto.randomUUID(), size: sizeBytes, pool, zone } = flags;
  show(session, await provider.warmVolume({ ...session.call, key, sizeBytes, pool, zone }));
}

async function claim(session: Session, [word = ""]: readonly string[], { pool }: ClaimFlags): Promise<void> {
  const { provider: located, instance } = await mustLocate(session, word);
  const provider = requireCapability(located, "warmVolumes");
  const claimed = await provider.claimWarmVolume({ ...session.call, pool, instanceId: instance.id });
  if (claimed !== null) return show(session, claimed);
  if (session.json) session.output.document(null);
  session.output.note(`No volume of the pool ${pool} is free.`);
}

async function release(session: Session, [id = ""]: readonly string[]): Promise<void> {
  const provider = await supporting(session, "warmVolumes");
  await provider.releaseWarmVolume(id, session.call);
  if (session.json) session.output.document({ id, result: "released" });
  else session.output.text(`${id} is back in its pool`);
}

function show(session: Session, volume: Volume): void {
  if (session.json) session.output.document(volume);
  else session.output.list([volume], COLUMNS, "");
}
