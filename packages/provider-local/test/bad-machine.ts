import { existsSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HarnessFaults } from "@slipway/contract-tests";

interface Damage {
  readonly operations: readonly string[];
  readonly code: string;
  /** Below the state directory; empty for itself. */
  readonly path: string;
  /** What stands there instead. */
  readonly put: (path: string) => void;
}

/** How a machine comes to refuse: each is brought about for real, and lasts until it is cleared. */
const DAMAGES: readonly Damage[] = [
  {
    operations: ["list", "get", "terminate", "spawn", "onHeartbeat"],
    code: "UNAVAILABLE",
    path: "instances",
    put: (path) => writeFileSync(path, "no directory"),
  },
  // The kernel's own file system takes no file, from root neither.
  { operations: ["spawn"], code: "AUTH_ERROR", path: "locks", put: (path) => symlinkSync("/sys", path) },
  { operations: ["onStartup"], code: "AUTH_ERROR", path: "", put: (path) => symlinkSync("/sys", path) },
];

/** Faults of the state directory, and where its instances really are meanwhile. */
export function badMachine(stateDirectory: string): { faults: HarnessFaults; instancesDirectory: () => string } {
  const aside = (path: string): string => `${stateDirectory}-aside-${path}`;
  const placeOf = (path: string): string => (path === "" ? stateDirectory : join(stateDirectory, path));
  const damaged = new Set<string>();
  const find = (fault: { readonly operation: string; readonly when: string; readonly code?: string | undefined }) =>
    fault.when === "before"
      ? DAMAGES.find(({ operations, code }) => operations.includes(fault.operation) && code === fault.code)
      : undefined;
  const damage = ({ path, put }: Damage): void => {
    if (damaged.has(path)) return;
    damaged.add(path);
    const place = placeOf(path);
    if (existsSync(place)) renameSync(place, aside(path));
    put(place);
  };
  return {
    faults: {
      supports: (fault) => find(fault) !== undefined,
      add: (...faults) => {
        for (const fault of faults) {
          const found = find(fault);
          if (found !== undefined) damage(found);
        }
      },
      clear: () => {
        for (const path of damaged) {
          const place = placeOf(path);
          rmSync(place, { force: true });
          if (existsSync(aside(path))) renameSync(aside(path), place);
        }
        damaged.clear();
      },
    },
    instancesDirectory: () => (existsSync(aside("instances")) ? aside("instances") : join(stateDirectory, "instances")),
  };
}
