import { INSTANCE_STATUSES, type Instance, type InstanceStatus, type Provider } from "@slipway/core";
import { waitForBootstrapOf } from "../bootstrap.ts";
import { assignments, type Configure, notEmpty, oneOf, several, someOf } from "../command.ts";
import { instanceColumns, instanceFields } from "../instance-view.ts";
import { mustLocate } from "../locate.ts";
import { unreachable } from "../remembered.ts";
import { noteLeftOut, type Scope, scopeOf } from "../scope.ts";
import type { Session } from "../session.ts";
import { totalOf } from "../spent.ts";
import { identityFor, WayIn } from "../way-in.ts";

interface Flags {
  readonly all?: boolean;
  readonly id?: readonly string[];
  readonly key?: readonly string[];
  readonly status?: readonly InstanceStatus[];
  readonly label?: Readonly<Record<string, string>>;
  readonly owner?: string;
  readonly region?: string;
}

export const configureList: Configure = (command, run) => {
  command
    .option("--all", "also those that have ended")
    .option("--id <id>", "only this one; several times", several)
    .option("--key <key>", "only the one with this key; several times", several)
    .option("--status <status>", "only those with this status; several times", someOf(...INSTANCE_STATUSES))
    .option("--label <name=value>", "only those with this label; several times", assignments)
    .option("--owner <owner>", 'another owner\'s, or "*" for everything that Slipway launched', notEmpty)
    .option("--region <name>", "only this region", notEmpty)
    .addHelpText(
      "after",
      "\nWithout --provider all providers are asked that are configured here: slipway.config names them, their variable is set, or\na launch on it is remembered. The others are not asked, and named on stderr: what another machine launched there is not\nshown. If one cannot answer, the rest is shown, and the exit code is 1.\n",
    );
  run<Flags>(command, list);
};

async function list(session: Session, _args: readonly string[], flags: Flags): Promise<void> {
  const { output, world } = session;
  await session.state.checkTrust();
  const scope = await scopeOf(session);
  const names = scope.asked;
  const answers = await session.progress.during("asking the providers", () =>
    Promise.allSettled(
      names.map(async (name) => listOn((await session.providers.load(name)).provider, flags, session)),
    ),
  );
  const failures = [
    ...answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : [])),
    ...(await outOfSight(session, scope, flags)),
  ];
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const hasAnswer = session.json && answers.some(({ status }) => status === "fulfilled");
  if (hasAnswer || found.length > 0 || failures.length === 0) {
    // A program that takes a part for the whole has not looked at the exit code.
    const nothing = scope.leftOut.length === 0 ? "No instances." : `No instances on ${names.join(", ")}.`;
    output.list(found, instanceColumns(world.clock, names.length > 1), nothing);
  }
  noteLeftOut(session, scope.leftOut);
  const total = session.json ? null : totalOf(found, world.clock);
  if (total !== null) output.note(total);
  for (const failure of failures.slice(1)) session.report(failure);
  if (failures.length > 0) throw failures[0];
}

/** Remembered launches that the filter does not exclude, and that no provider here can show. */
async function outOfSight(
  session: Session,
  scope: Scope,
  { id, key, owner, region }: Flags,
): Promise<readonly unknown[]> {
  try {
    const { launches, unread } = await scope.remembered();
    const records = launches.filter(
      ({ identity, instanceId, region: at }) =>
        (id === undefined || instanceId === undefined || id.includes(instanceId)) &&
        (key === undefined || key.includes(identity.key)) &&
        (owner === undefined || owner === "*" || owner === identity.owner) &&
        (region === undefined || at === undefined || region === at),
    );
    return [...(await unreachable(session, records)), ...(unread === undefined ? [] : [unread])];
  } catch (error) {
    return [error];
  }
}

function listOn(provider: Provider, flags: Flags, session: Session): Promise<readonly Instance[]> {
  const { id, key, label, owner, region } = flags;
  const status = flags.status ?? (flags.all === true ? INSTANCE_STATUSES : undefined);
  const filter = { ids: id, keys: key, status, labels: label, owner };
  // A region on a provider without regions is refused by core, with the reason.
  return provider.list(region === undefined ? filter : Object.assign(filter, { region }), session.call);
}

export const configureGet: Configure = (command, run) => {
  command.argument("<id-or-key>", "the instance");
  run(command, get);
};

async function get(session: Session, [word = ""]: readonly string[]): Promise<void> {
  const { instance } = await mustLocate(session, word);
  if (session.json) session.output.document(instance);
  else session.output.fields(instanceFields(instance, session.world.clock));
}

interface Flags {
  readonly for?: InstanceStatus | "bootstrap";
  readonly identity?: string;
}

export const configureWait: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .option(
      "--for <status>",
      "running (the default), terminated, another status, or bootstrap: its success",
      oneOf("bootstrap", ...INSTANCE_STATUSES),
    )
    .option("-i, --identity <file>", "a private key with which --for bootstrap looks inside", notEmpty)
    .addHelpText("after", "\nWithout --timeout it waits ten minutes.\n");
  run<Flags>(command, wait);
};

async function wait(session: Session, [word = ""]: readonly string[], flags: Flags): Promise<void> {
  const { provider, instance } = await mustLocate(session, word);
  const { waitForStatus } = await import("@slipway/control");
  const options = { ...session.call, clock: session.world.clock, onEvent: session.onEvent };
  const wanted = flags.for ?? "running";
  const way = new WayIn(session, provider, instance.id, await identityFor(session, flags));
  const reached = await session.progress.during(`waiting for ${instance.id}: ${wanted}`, async () => {
    if (wanted !== "bootstrap") return await waitForStatus(provider, instance.id, wanted, options);
    try {
      return await waitForBootstrapOf(session, provider, instance.id, way);
    } finally {
      await way.close();
    }
  });
  if (session.json) session.output.document(reached);
  else session.output.fields(instanceFields(reached, session.world.clock));
}
