import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { abortError, deadline, type Receipt } from "@slipway/core";
import { EXIT } from "../cli-error.ts";
import type { Configure } from "../command.ts";
import { isRecord } from "../config-file.ts";
import { classify, type Finding } from "../error-report.ts";
import { refuseForeignOwner, trustedOwners } from "../file-owner.ts";
import type { Column } from "../output.ts";
import { entryFile, findPackage } from "../package-manifest.ts";
import type { Tone } from "../printable.ts";
import { rememberedLaunches, unreachable } from "../remembered.ts";
import { type LeftOut, scopeOf } from "../scope.ts";
import type { Session } from "../session.ts";

const TONES: Readonly<Record<Finding["state"], Tone>> = { ok: "good", warning: "warn", failed: "bad" };

const COLUMNS: readonly Column<Finding>[] = [
  { title: "", text: (finding) => finding.state, tone: (finding) => TONES[finding.state] },
  { title: "CHECK", text: (finding) => finding.check },
  { title: "", text: (finding) => (finding.hint === undefined ? finding.says : `${finding.says}. ${finding.hint}`) },
];

export const configure: Configure = (command, run) => {
  command.addHelpText(
    "after",
    "\nIt starts, changes and ends no instance; each provider's own start-up check is called. Exit code 1 if one failed.\n",
  );
  run(command, doctor);
};

async function doctor(session: Session): Promise<number> {
  const found = await session.progress.during("looking", () => findings(session));
  session.output.list(found, COLUMNS, "");
  return found.some(({ state }) => state === "failed") ? EXIT.failure : EXIT.ok;
}

type Check = (session: Session) => Promise<readonly Finding[]>;

const CHECKS: readonly (readonly [string, Check])[] = [
  ["node", nodeFinding],
  ["state directory", stateFinding],
  ["owner", ownerFinding],
  ["launches", launchesFinding],
  ["shared store", sharedStoreFinding],
  ["config", configFinding],
  ["core", coreFinding],
  ["providers", providerFindings],
];

/** Everything that `doctor` looks at. A check that fails is a finding, and does not hide the others. */
export async function findings(session: Session): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const [check, look] of CHECKS) {
    try {
      found.push(...(await look(session)));
    } catch (error) {
      found.push(failed(check, error));
    }
  }
  return found;
}

function failed(check: string, error: unknown): Finding {
  const { code, message, hint } = classify(error);
  return { check, state: "failed", says: `${code}: ${message}`, hint };
}

async function nodeFinding({ world }: Session): Promise<readonly Finding[]> {
  return [{ check: "node", state: "ok", says: world.nodeVersion }];
}

async function stateFinding({ state }: Session): Promise<readonly Finding[]> {
  await state.checkTrust();
  await state.checkWritable();
  return [{ check: "state directory", state: "ok", says: state.path }];
}

async function ownerFinding({ providers }: Session): Promise<readonly Finding[]> {
  return [{ check: "owner", state: "ok", says: await providers.owner() }];
}

async function launchesFinding(session: Session): Promise<readonly Finding[]> {
  let count = 0;
  const keys: string[] = [];
  for await (const { record } of (await session.store()).entries({ kind: "launch" })) {
    count += 1;
    if (record.kind === "launch" && record.state === "intended") keys.push(record.identity.key);
  }
  const says = `${count} remembered in ${session.state.launches}`;
  const unseen = await unreachable(session, (await rememberedLaunches(session)).launches);
  if (unseen.length > 0) return unseen.map((error) => failed("launches", error));
  if (keys.length === 0) return [{ check: "launches", state: "ok", says }];
  return [
    {
      check: "launches",
      state: "warning",
      says: `${says}; begun and not known to be finished: ${keys.join(", ")}`,
      hint: "Spawn the same key with the same options again: it is then completed or repeated.",
    },
  ];
}

async function configFinding({ providers }: Session): Promise<readonly Finding[]> {
  const { file } = await providers.config();
  return [{ check: "config", state: "ok", says: file ?? "no slipway.config: the defaults hold" }];
}

/** Two copies of core in one project: the second one's capabilities do not merge with the first one's. */
async function coreFinding({ providers, world }: Session): Promise<readonly Finding[]> {
  const copies = new Map<string, string[]>();
  for (const { directory, packageName } of await providers.packages()) {
    if (directory === null) continue;
    const core = await findPackage("@slipway/core", await realpath(directory));
    if (core === null) continue;
    const at = await realpath(core.directory);
    copies.set(at, [...(copies.get(at) ?? []), packageName]);
  }
  const own = await findPackage("@slipway/core", world.cwd);
  if (own !== null) {
    const at = await realpath(own.directory);
    copies.set(at, [...(copies.get(at) ?? []), "this directory"]);
  }
  if (copies.size < 2) return [{ check: "core", state: "ok", says: "one copy" }];
  const says = [...copies].map(([at, users]) => `${dirname(at)} (${users.join(", ")})`).join(" and ");
  return [
    {
      check: "core",
      state: "warning",
      says: `two copies of @slipway/core: ${says}`,
      hint: "Bring them to one: npm dedupe",
    },
  ];
}

async function providerFindings(session: Session): Promise<readonly Finding[]> {
  const { asked, leftOut } = await scopeOf(session);
  const found = await Promise.all(asked.map((name) => providerFinding(session, name)));
  return [...found.flat(), ...leftOut.map(leftOutFinding)];
}

function leftOutFinding({ name, variables }: LeftOut): Finding {
  const others = variables.length === 0 ? "" : `set ${variables.join(" or ")}, or `;
  const hint = `To use it, ${others}name it in slipway.config.`;
  return { check: `provider ${name}`, state: "ok", says: "nothing here configures it, and it was not asked", hint };
}

/** A start-up check takes no time limit of its own: what `--timeout` says holds for all of it. */
async function providerFinding(session: Session, name: string): Promise<readonly Finding[]> {
  const check = `provider ${name}`;
  const limit = deadline(session.world.clock, session.call.timeoutMs, session.call.signal);
  const over = new Promise<readonly Finding[]>((resolve) => {
    const at = { provider: name, operation: "onStartup", effect: "none" } as const;
    const end = (): void => resolve([failed(check, abortError(limit.signal, at))]);
    if (limit.signal.aborted) end();
    limit.signal.addEventListener("abort", end, { once: true });
  });
  try {
    return await Promise.race([ownFinding(session, name, check), over]);
  } finally {
    limit.release();
  }
}

async function ownFinding(session: Session, name: string, check: string): Promise<readonly Finding[]> {
  try {
    const { package: from } = await session.providers.load(name);
    const [receipt] = await session.providers.startup(name);
    if (receipt?.ok === false) return [failed(check, receipt.error)];
    const packageName = `${from.packageName}${from.version === null ? "" : ` ${from.version}`}`;
    const [health] = await session.providers.health(name);
    return [healthFinding(check, packageName, health)];
  } catch (error) {
    return [failed(check, error)];
  }
}

/** What the provider itself tells: for one on this machine also how its instances are kept apart. */
function healthFinding(check: string, packageName: string, health: Receipt | undefined): Finding {
  if (health?.ok === false) return failed(check, health.error);
  const { warning, ...counts } = health?.details ?? {};
  const details = Object.entries(counts).map(([name, value]) => `, ${name} ${value}`);
  const says = `${packageName} is ready${details.join("")}`;
  return warning === undefined
    ? { check, state: "ok", says }
    : { check, state: "warning", says: `${says}; ${String(warning)}` };
}

const PACKAGE = "@slipway/store-postgres";
const CHECK = "shared store";

/**
 * Is the database of a shared store as its package needs it? Only where the user names it with SLIPWAY_DATABASE_URL, which
 * is never shown: it holds a password.
 */
async function sharedStoreFinding({ world, secrets, providers }: Session): Promise<readonly Finding[]> {
  const url = world.env["SLIPWAY_DATABASE_URL"];
  if (url === undefined || url === "") return [];
  secrets.add(url);
  const password = URL.parse(url)?.password ?? "";
  for (const secret of [password, decoded(password)]) if (secret !== "") secrets.add(secret);
  const manifest = await findPackage(PACKAGE, world.cwd);
  const entry = manifest === null ? null : entryFile(manifest);
  if (manifest === null || entry === null) {
    const says = `SLIPWAY_DATABASE_URL is set, and ${PACKAGE} is not installed here`;
    return [{ check: CHECK, state: "warning", says, hint: `Install it: npm install ${PACKAGE} pg` }];
  }
  const file = join(manifest.directory, entry);
  // As of a provider package: what is loaded here runs with this user's rights.
  const owners = trustedOwners(world, await providers.config());
  for (const path of [manifest.directory, join(manifest.directory, "package.json"), file]) {
    await refuseForeignOwner(path, owners);
  }
  const module: unknown = await world.loadModule(pathToFileURL(file).href);
  const check: unknown = isRecord(module) ? module["checkDatabase"] : undefined;
  if (typeof check !== "function") {
    const says = `${PACKAGE} ${String(manifest.fields["version"])} here has no checkDatabase`;
    return [{ check: CHECK, state: "failed", says, hint: `Upgrade it: npm install ${PACKAGE}@latest` }];
  }
  const schema = world.env["SLIPWAY_DATABASE_SCHEMA"] ?? "slipway";
  let found: unknown;
  try {
    found = await Reflect.apply(check, undefined, [url, { schema }]);
  } catch (error) {
    // What a driver says may repeat the address.
    const reason = secrets.redact(error instanceof Error ? error.message : String(error));
    const hint = isRecord(error) && typeof error["hint"] === "string" ? secrets.redact(error["hint"]) : undefined;
    return [{ check: CHECK, state: "failed", says: `the database cannot be checked: ${reason}`, hint }];
  }
  const { state, version, needed } = isRecord(found) ? found : {};
  const says = `schema ${schema}, version ${String(version)} of ${String(needed)}`;
  if (state === "current") return [{ check: CHECK, state: "ok", says }];
  const hint =
    state === "newer"
      ? `Update ${PACKAGE} here to the version that is used elsewhere.`
      : `Apply its migrations: \`await applyMigrations(pool)\`, or the SQL of migrationsFor("${schema}").`;
  return [{ check: CHECK, state: "failed", says: `${says}: ${String(state)}`, hint }];
}

/** A percent sign that encodes nothing stays one: a password may hold it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
