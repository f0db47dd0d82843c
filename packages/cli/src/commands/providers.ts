import { BUILTIN_CAPABILITIES, type Provider, type ProviderTier } from "@slipway/core";
import { EXIT } from "../cli-error.ts";
import type { Configure } from "../command.ts";
import { classify } from "../error-report.ts";
import type { Column } from "../output.ts";
import type { ProviderPackage } from "../provider-packages.ts";
import { formatByteSize } from "../quantities.ts";
import type { Session } from "../session.ts";

/** One package, whether or not it can be used. */
interface Row {
  readonly name: string;
  readonly package: string;
  readonly version: string | null;
  readonly foundBy: ProviderPackage["origin"];
  readonly ok: boolean;
  readonly tier: ProviderTier | null;
  readonly capabilities: readonly string[];
  /** Why it cannot be used. */
  readonly problem: string | null;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "PROVIDER", text: (row) => row.name },
  { title: "PACKAGE", text: (row) => row.package },
  { title: "VERSION", text: (row) => row.version ?? "" },
  { title: "FOUND BY", text: (row) => row.foundBy },
  { title: "TIER", text: (row) => row.tier ?? "" },
  {
    title: "CAPABILITIES",
    text: (row) => row.problem ?? row.capabilities.join(", "),
    tone: (row) => (row.ok ? undefined : "bad"),
  },
];

export const configure: Configure = (command, run) => {
  command
    .argument("[provider]", "show what this one can do, and why not")
    .addHelpText(
      "after",
      "\nPackages are found in slipway.config, in the dependencies of the nearest package.json, and beside slipway itself.\n",
    );
  run(command, providers);
};

async function providers(session: Session, [name]: readonly string[]): Promise<number> {
  if (name !== undefined) return details(session, name);
  const order = await session.providers.names();
  const found = await session.providers.packages();
  const packages = [...found].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  const rows = await Promise.all(packages.map((found) => rowOf(session, found)));
  session.output.list(rows, COLUMNS, "No providers.");
  return rows.every(({ ok }) => ok) ? EXIT.ok : EXIT.failure;
}

async function rowOf(session: Session, found: ProviderPackage): Promise<Row> {
  const row = { name: found.name, package: found.packageName, version: found.version, foundBy: found.origin };
  try {
    const { provider } = await session.providers.load(found.name);
    return { ...row, ok: true, tier: provider.tier, capabilities: capabilitiesOf(provider), problem: null };
  } catch (error) {
    const { code, message } = classify(error);
    return { ...row, ok: false, tier: null, capabilities: [], problem: `${code}: ${message}` };
  }
}

function capabilitiesOf(provider: Provider): readonly string[] {
  return Object.entries(provider.capabilities).flatMap(([name, on]) => (on === true ? [name] : []));
}

interface CapabilityLine {
  readonly name: string;
  readonly on: boolean;
  readonly why: string;
}

const CAPABILITY_COLUMNS: readonly Column<CapabilityLine>[] = [
  { title: "CAPABILITY", text: (line) => line.name },
  { title: "", text: (line) => (line.on ? "yes" : "no"), tone: (line) => (line.on ? "good" : "quiet") },
  { title: "WHY NOT", text: (line) => (line.on ? "" : line.why) },
];

async function details(session: Session, name: string): Promise<number> {
  const { provider, package: found } = await session.providers.load(name);
  const { output } = session;
  if (session.json) {
    const { tier, owner, contractVersion, capabilities, whyNot, refuses, limits } = provider;
    const { packageName, version, origin } = found;
    output.document({
      ...{ name, package: packageName, version, foundBy: origin, tier, owner, contractVersion },
      ...{ capabilities, whyNot, refuses, limits },
    });
    return EXIT.ok;
  }
  output.fields(summary(provider, found));
  output.text("");
  const whyNot: Readonly<Record<string, string | undefined>> = provider.whyNot;
  const names = new Set<string>([...BUILTIN_CAPABILITIES, ...Object.keys(provider.capabilities)]);
  const on = new Set(capabilitiesOf(provider));
  const lines = [...names].map((capability) => ({
    name: capability,
    on: on.has(capability),
    why: whyNot[capability] ?? "",
  }));
  output.list(lines, CAPABILITY_COLUMNS, "");
  return EXIT.ok;
}

function summary(provider: Provider, found: ProviderPackage): readonly (readonly [string, string | undefined])[] {
  const { limits, refuses } = provider;
  return [
    ["provider", provider.name],
    ["package", `${found.packageName}${found.version === null ? "" : ` ${found.version}`} (found by: ${found.origin})`],
    ["tier", provider.tier],
    ["owner", provider.owner],
    ["contract", String(provider.contractVersion)],
    [
      "limits",
      `bootstrap ${formatByteSize(limits.maxUserDataBytes)}, ${limits.maxLabels} labels, name ${limits.nameMaxLength} characters, reads lag up to ${limits.readAfterWriteMs} ms`,
    ],
    ...Object.entries(refuses).map(([option, why]) => [`refuses ${option}`, why] as const),
  ];
}
