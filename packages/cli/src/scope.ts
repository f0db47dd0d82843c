import type { ProviderPackage } from "./provider-packages.ts";
import { type Remembered, rememberedLaunches } from "./remembered.ts";
import type { Session } from "./session.ts";

/** A provider that is installed, and that nothing here configures. */
export interface LeftOut {
  readonly name: string;
  /** One of these would configure it. */
  readonly variables: readonly string[];
}

/** Which providers a command without an id asks. */
export interface Scope {
  readonly asked: readonly string[];
  readonly leftOut: readonly LeftOut[];
  /** What is remembered here; what it throws is thrown again by whoever asks for it. */
  readonly remembered: () => Promise<Remembered>;
}

/**
 * The named provider; else every one that is configured here: slipway.config names it, one of its variables is set, or a
 * launch on it is remembered. One whose package does not say its variables counts as configured, and where the launches
 * cannot all be read every one does.
 */
export async function scopeOf(session: Session): Promise<Scope> {
  const launches = rememberedLaunches(session);
  // Told by whoever asks for them.
  launches.catch(() => undefined);
  const remembered = (): Promise<Remembered> => launches;
  if (session.namedProvider !== undefined) return { asked: [session.namedProvider], leftOut: [], remembered };

  const known = await launches.catch(() => null);
  const isReadable = known !== null && known.unread === undefined;
  const launchedOn = new Set(known?.launches.map(({ identity }) => identity.provider));
  const { provider: chosen, providers: named } = await session.providers.config();
  const packages = Map.groupBy(await session.providers.packages(), ({ name }) => name);
  const asked: string[] = [];
  const leftOut: LeftOut[] = [];
  for (const name of await session.providers.names()) {
    const found = packages.get(name) ?? [];
    const isConfigured =
      !isReadable ||
      name === chosen ||
      Object.hasOwn(named, name) ||
      launchedOn.has(name) ||
      found.length === 0 ||
      found.some((one) => saysSo(one, session.world.env));
    if (isConfigured) asked.push(name);
    else leftOut.push({ name, variables: found.flatMap(({ variables }) => variables ?? []) });
  }
  return { asked, leftOut, remembered };
}

function saysSo({ variables, problem, origin }: ProviderPackage, env: Session["world"]["env"]): boolean {
  if (variables === null || problem !== undefined || origin === "config") return true;
  return variables.some((variable) => (env[variable] ?? "") !== "");
}

/** Names those that were not asked on stderr, with `--json` as a document: an empty list proves nothing of them. */
export function noteLeftOut({ json, output }: Session, leftOut: readonly LeftOut[]): void {
  if (leftOut.length === 0) return;
  const message = sentenceAbout(leftOut);
  if (!json) return output.note(message);
  const providers = leftOut.map(({ name }) => name);
  output.rawError(`${JSON.stringify({ name: "Note", code: "NOT_ASKED", message, providers })}\n`);
}

function sentenceAbout(leftOut: readonly LeftOut[]): string {
  const names = leftOut.map(({ name, variables: [variable] }) =>
    variable === undefined ? name : `${name} (${variable})`,
  );
  return `Not asked, since nothing here configures them: ${names.join(", ")}. Set the variable, name it in slipway.config, or use --provider.`;
}
