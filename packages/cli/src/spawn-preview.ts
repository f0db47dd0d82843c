import {
  assertAccepts,
  type BootstrapConfig,
  type BootstrapScript,
  type Capability,
  isProviderError,
  nameFor,
  type Provider,
  type SpawnOptions,
} from "@slipway/core";
import type { Session } from "./session.ts";
import type { SpawnFlags } from "./spawn-flags.ts";
import type { SpawnRequest } from "./spawn-request.ts";

const REDACTED = "[redacted]";

/** `--dry-run`: makes every check that is made before a call, shows what would be sent, and sends nothing. */
export async function preview(
  session: Session,
  provider: Provider,
  request: SpawnRequest,
  flags: SpawnFlags,
): Promise<void> {
  await refuseAsSpawnWould(provider, request);
  const { bootstrap, key, ...options } = request;
  const rendered = bootstrap === undefined ? undefined : renderedBy(provider, bootstrap);
  const document = {
    dryRun: true,
    provider: provider.name,
    owner: provider.owner,
    key: flags.key ?? "a new UUID",
    ...(flags.key === undefined ? {} : { name: nameFor(provider.owner, key) }),
    options: {
      ...withoutSecrets(options),
      ...(flags.ttl === undefined ? {} : { expiresAt: `${flags.ttl} ms after the launch` }),
    },
    ...(rendered === undefined ? {} : { bootstrap: bootstrapShown(rendered, bootstrap) }),
  };
  if (session.json) return session.output.document(document);
  session.output.text(JSON.stringify(document, null, 2));
  session.output.note("Nothing was sent.");
}

/** A spawn that is aborted from the start: the contract checks its options, and then refuses to send anything. */
async function refuseAsSpawnWould(provider: Provider, request: SpawnRequest): Promise<void> {
  const signal = AbortSignal.abort(new DOMException("a dry run sends nothing", "AbortError"));
  const options: SpawnOptions<Capability> = { ...request, signal };
  assertAccepts(provider, options);
  try {
    await provider.spawn(options);
  } catch (error) {
    if (!isProviderError(error, "CANCELLED")) throw error;
  }
}

function renderedBy(provider: Provider, bootstrap: BootstrapConfig | BootstrapScript): BootstrapScript {
  return "content" in bootstrap ? bootstrap : provider.generateBootstrap(bootstrap);
}

function bootstrapShown({ format, byteLength, checksum }: BootstrapScript, source: SpawnRequest["bootstrap"]): object {
  const rendered = { format, byteLength, checksum };
  if (source === undefined || "content" in source) return rendered;
  const { environment, files, features, controlPlaneUrl, registrationToken } = source;
  return {
    ...rendered,
    ...(environment === undefined
      ? {}
      : { environment: Object.fromEntries(Object.keys(environment).map((name) => [name, REDACTED])) }),
    ...(files === undefined
      ? {}
      : { files: files.map(({ path, content, mode }) => ({ path, mode, byteLength: Buffer.byteLength(content) })) }),
    ...(features === undefined ? {} : { features }),
    ...(controlPlaneUrl === undefined ? {} : { controlPlaneUrl }),
    ...(registrationToken === undefined ? {} : { registrationToken: REDACTED }),
  };
}

function withoutSecrets(options: Omit<SpawnRequest, "bootstrap" | "key">): object {
  const { tailscale } = options;
  return tailscale === undefined ? options : { ...options, tailscale: { ...tailscale, authKey: REDACTED } };
}
