import { detectIsolation } from "@slipway/provider-kit/sandbox";
import { test } from "vitest";

const { isolation, reason } = await detectIsolation();

/** Why the programs inside a machine cannot be judged here; null if they can. */
export const withoutBubblewrap: string | null = isolation === "bubblewrap" ? null : (reason ?? "it is switched off");

/** A test whose program inside writes to absolute paths: without bubblewrap they would be this machine's own. */
export const testInside: ReturnType<typeof test.skipIf> = test.skipIf(withoutBubblewrap !== null);
