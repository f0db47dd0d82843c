import type { Harness } from "./harness.ts";

type Path = readonly string[];

// What no case can do without. A module without types may answer anything, and then a sentence helps more than a stack.
const FUNCTIONS: readonly Path[] = [
  ["registration", "provider", "spawn"],
  ["registration", "provider", "terminate"],
  ["registration", "provider", "list"],
  ["registration", "provider", "get"],
  ["registration", "provider", "generateBootstrap"],
  ["registration", "hooks", "onStartup"],
  ["registration", "hooks", "onShutdown"],
  ["registration", "hooks", "onHeartbeat"],
  ["spawnOptions"],
  ["another"],
  ["inspector", "instances"],
  ["clock", "now"],
  ["clock", "sleep"],
  ["close"],
];
const OBJECTS: readonly Path[] = [
  ["registration", "provider", "capabilities"],
  ["registration", "provider", "limits"],
  ["registration", "provider", "whyNot"],
  ["registration", "provider", "refuses"],
  ["secrets"],
];

/** Throws a TypeError that names every part which a harness cannot do without and lacks. */
export function checkHarness(harness: unknown): asserts harness is Harness {
  const missing = [
    ...FUNCTIONS.filter((path) => typeof at(harness, path) !== "function").map((path) => `${path.join(".")}()`),
    ...OBJECTS.filter((path) => typeof at(harness, path) !== "object").map((path) => path.join(".")),
    ...(typeof at(harness, ["unknownId"]) === "string" ? [] : ["unknownId"]),
  ];
  if (missing.length > 0) throw new TypeError(`the harness lacks ${missing.join(", ")}`);
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (member, name) => (typeof member === "object" && member !== null ? Reflect.get(member, name) : undefined),
    value,
  );
}
