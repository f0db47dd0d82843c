import { detectIsolation } from "@slipway/provider-kit/sandbox";

const { isolation, reason } = await detectIsolation();

/**
 * Why programs inside a machine cannot be judged here; null if they can. Such a program writes to absolute paths, and
 * without bubblewrap they would be this machine's own.
 */
export const withoutBubblewrap: string | null = isolation === "bubblewrap" ? null : (reason ?? "it is switched off");
