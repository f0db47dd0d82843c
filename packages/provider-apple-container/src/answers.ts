import { type Operation, ProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type * as z from "zod/mini";
import { PROVIDER } from "./errors.ts";
import { isAtLeast, NEXT_MAJOR, OLDEST, parseVersion, type Version, versionText } from "./version.ts";
import { isOldShape } from "./wire.ts";

/** What a command printed, as the schema wants it. INTERNAL for anything else, UNSUPPORTED for the shape of an old version. */
export function readAnswer<T>(stdout: string, schema: z.ZodMiniType<T>, verb: string, { operation }: Call): T {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch (cause) {
    throw misread(`container ${verb} answered something that is no JSON`, operation, cause);
  }
  if (isOldShape(answer)) {
    throw new ProviderError("UNSUPPORTED", {
      message: `container ${verb} answered in the shape of a version before ${versionText(OLDEST)}`,
      provider: PROVIDER,
      operation,
      effect: "none",
      hint: UPGRADE,
    });
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join(".") ?? "";
  throw misread(`container ${verb} answered another shape at ${where === "" ? "the top" : where}`, operation);
}

function misread(message: string, operation: Operation, cause?: unknown): ProviderError {
  return new ProviderError("INTERNAL", { message, provider: PROVIDER, operation, effect: "none", cause });
}

const UPGRADE = "Install container 1.2.2 or newer from https://github.com/apple/container/releases.";

/** The version that `container --version` printed; UNSUPPORTED for one whose answers are of another shape. */
export function supportedVersion(printed: string, { operation }: Call): Version {
  const version = parseVersion(printed);
  const unsupported = (message: string): ProviderError =>
    new ProviderError("UNSUPPORTED", { message, provider: PROVIDER, operation, effect: "none", hint: UPGRADE });
  if (version === null) throw unsupported("`container --version` names no version that can be read");
  if (!isAtLeast(version, OLDEST)) {
    throw unsupported(`container ${versionText(version)} is too old: ${versionText(OLDEST)} to 1.4.x are supported`);
  }
  if (isAtLeast(version, NEXT_MAJOR)) {
    throw unsupported(
      `container ${versionText(version)} is not known yet: ${versionText(OLDEST)} to 1.4.x are supported`,
    );
  }
  return version;
}
