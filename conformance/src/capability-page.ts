import {
  type BuiltinCapability,
  canExec,
  canListOfferings,
  canLog,
  canPlace,
  canReadBootstrap,
  type Provider,
  type ProviderRegistration,
} from "@slipway/core";

/** What a provider can do beyond the contract, and how it is seen. */
const EXTRAS: readonly (readonly [string, (registration: ProviderRegistration, provider: Provider) => boolean])[] = [
  ["`exec`", (_registration, provider) => canExec(provider)],
  ["`logs`", (_registration, provider) => canLog(provider)],
  ["`readBootstrap`", (_registration, provider) => canReadBootstrap(provider)],
  ["`listOfferings`", (_registration, provider) => canListOfferings(provider)],
  ["`placements`", (_registration, provider) => canPlace(provider)],
  ["clusters", ({ cluster }) => cluster !== undefined],
  ["workflows", ({ workflows }) => Object.keys(workflows ?? {}).length > 0],
];

/** A table of many columns needs the place of the outline. */
export const WIDE: readonly string[] = ["---", "aside: false", "---", ""];

/** The page of what each provider can do, from the providers themselves. */
export function capabilityPage(registrations: Readonly<Record<string, ProviderRegistration>>): string {
  const rows = Object.entries(registrations).flatMap(([name, registration]) =>
    registration.provider === undefined ? [] : [{ name, registration, provider: registration.provider }],
  );
  const names = rows.map(({ name }) => name);
  const capabilities = Object.keys(rows[0]?.provider.capabilities ?? {}) as BuiltinCapability[];
  const cells = (has: (row: (typeof rows)[number]) => boolean): readonly string[] =>
    rows.map((row) => (has(row) ? "yes" : "–"));
  const reasons = rows.flatMap(({ name, provider }) => [
    `### ${name}`,
    "",
    ...capabilities
      .filter((capability) => !provider.capabilities[capability])
      .map((capability) => `- \`${capability}\`: ${provider.whyNot?.[capability] ?? "not told"}`),
    ...Object.entries(provider.refuses ?? {}).map(([option, why]) => `- the option \`${option}\`: ${why}`),
    "",
  ]);
  return [
    ...WIDE,
    "# What each provider can do",
    "",
    "<!-- Written by the tests of conformance/ from the providers themselves: do not edit. -->",
    "",
    "Each yes is gated by the compiler, and proven by the contract suite over the provider's emulator.",
    "",
    table(
      ["", ...names],
      [
        ["tier", ...rows.map(({ provider }) => provider.tier)],
        ...capabilities.map((capability) => [
          `\`${capability}\``,
          ...cells(({ provider }) => provider.capabilities[capability]),
        ]),
        ...EXTRAS.map(([title, has]) => [title, ...cells(({ registration, provider }) => has(registration, provider))]),
      ],
    ),
    "",
    "## Limits",
    "",
    table(
      ["", ...names],
      [
        ["bootstrap, bytes", ...rows.map(({ provider }) => String(provider.limits.maxUserDataBytes))],
        ["labels", ...rows.map(({ provider }) => String(provider.limits.maxLabels))],
        ["display name, characters", ...rows.map(({ provider }) => String(provider.limits.nameMaxLength))],
        ["reads may lag, ms", ...rows.map(({ provider }) => String(provider.limits.readAfterWriteMs))],
        ["a request may live, ms", ...rows.map(({ provider }) => String(provider.limits.requestLifeMs))],
      ],
    ),
    "",
    "## Why not",
    "",
    "What the compiler refuses, and what a cast would run into at run time.",
    "",
    ...reasons,
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
