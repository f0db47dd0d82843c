import type { Capability } from "./capability.ts";
import {
  absolutePath,
  anyText,
  at,
  type Check,
  each,
  entriesOf,
  fields,
  flag,
  isRecord,
  isText,
  key,
  oneOf,
  own,
  portNumber,
  positive,
  publicKey,
  signal,
  text,
  textMap,
  utcTime,
  whole,
} from "./checks.ts";
import { checksumOf } from "./digest.ts";
import { INSTANCE_STATUSES } from "./instance.ts";
import type { ProviderLimits } from "./limits.ts";

type Checks = Readonly<Record<string, Check>>;

interface RequestChecks {
  /** The base options of `spawn`, and what each must be. */
  readonly spawn: Checks;
  /** The base fields of `list`'s filter. */
  readonly list: Checks;
  /** The options and filters that the eleven capabilities unlock. */
  readonly unlocked: Checks;
  /** What every call takes. */
  readonly call: Checks;
  /** The options of other calls. What is not named here is the provider's own. */
  readonly calls: Readonly<Record<string, { readonly required: Checks; readonly optional?: Checks }>>;
  readonly bootstrapConfig: Check;
}

const labels: Check = (value, limits) => {
  const count = isRecord(value) ? Object.keys(value).length : 0;
  return count > limits.maxLabels
    ? `has ${count} entries, and this provider takes ${limits.maxLabels}`
    : textMap(value, limits);
};
const bootstrap: Check = (value, limits) => {
  if (!isRecord(value)) return "must be a config or a rendered script";
  if (value["content"] === undefined) return requestChecks().bootstrapConfig(value, limits);
  const { content, format, checksum, byteLength, stableChecksum } = value;
  if (!isText(content)) return "has content that is not a text";
  if (format !== "cloud-init" && format !== "shell") return "has a format other than cloud-init and shell";
  if (checksum !== checksumOf(content)) return "has a checksum that is not its content's: render it again";
  if (stableChecksum !== undefined && !isText(stableChecksum)) return "has a stableChecksum that is not a text";
  return byteLength === new TextEncoder().encode(content).length ? null : "has a byteLength that is not its content's";
};

const report: Check = fields({ url: text, token: text }, "url", "token");

let made: RequestChecks | undefined;

/** Made at the first need, so that importing core costs nothing. */
export function requestChecks(): RequestChecks {
  made ??= makeChecks();
  return made;
}

function makeChecks(): RequestChecks {
  const call: Checks = { signal, timeoutMs: positive };
  return {
    call,
    spawn: {
      ...call,
      key,
      name: (value, limits) =>
        isText(value) && value.length > 0 && value.length <= limits.nameMaxLength
          ? null
          : `must be 1 to ${limits.nameMaxLength} characters`,
      spec: text,
      resources: fields({ cpus: positive, memoryBytes: positive, diskBytes: positive }),
      image: text,
      bootstrap,
      ports: each(fields({ port: portNumber, hostPort: portNumber, protocol: oneOf("tcp", "udp") }, "port")),
      sshKeys: each(publicKey),
      labels,
      expiresAt: utcTime,
      maxUsdPerHour: positive,
    },
    list: {
      ids: each(text),
      keys: each(text),
      status: each(oneOf(...INSTANCE_STATUSES)),
      labels: textMap,
      owner: text,
    },
    unlocked: {
      fromSnapshot: text,
      spot: fields({ maxUsdPerHour: positive }),
      gpu: fields({ type: text, count: whole }, "count"),
      region: text,
      volumes: each(fields({ id: text, mountPath: absolutePath }, "id", "mountPath")),
      warmVolume: text,
      hibernation: flag,
      tailscale: fields({ authKey: text, hostname: text, tags: each(text) }, "authKey"),
      terminateBy: utcTime,
      network: fields({ id: text, subnet: text, firewalls: each(text), isolated: flag }),
    },
    calls: {
      createSnapshot: { required: { key }, optional: { name: text } },
      createVolume: { required: { key, sizeBytes: whole }, optional: { region: text, zone: text } },
      warmVolume: { required: { key, pool: text, sizeBytes: whole, zone: text } },
      claimWarmVolume: { required: { pool: text, instanceId: text } },
      getCosts: { required: { from: utcTime, to: utcTime }, optional: { groupBy: oneOf("day", "instance", "spec") } },
    },
    bootstrapConfig: fields(
      {
        script: anyText,
        environment: textMap,
        files: each(fields({ path: absolutePath, content: anyText, mode: text }, "path", "content")),
        features: each(oneOf("docker", "tailscale")),
        controlPlaneUrl: text,
        registrationToken: text,
        report: (value, limits) => (value === true ? null : report(value, limits)),
      },
      "script",
    ),
  };
}

/** Why a request is refused before any call: the code, and the sentence. */
export interface Refusal {
  readonly code: "INVALID_SPEC" | "UNSUPPORTED";
  readonly message: string;
  readonly capability?: Capability;
}

export interface RequestRules {
  readonly limits: ProviderLimits;
  readonly base: Checks;
  readonly unlocked: Checks;
  /** Option -> the capability that unlocks it. */
  readonly owners: ReadonlyMap<string, Capability>;
  /** The provider's own options beyond the contract. */
  readonly own: ReadonlySet<string>;
  readonly capabilities: Readonly<Record<string, boolean | undefined>>;
  readonly refuses: Readonly<Record<string, string | undefined>>;
  readonly noun: "option" | "filter";
}

/** What is wrong with the options of a call that is no request of the tables above, or null. */
export function callFault(operation: string, call: unknown, limits: ProviderLimits): string | null {
  const checks = requestChecks();
  const { required, optional } = own(checks.calls, operation) ?? {};
  if (call === undefined) return required === undefined ? null : "needs options";
  if (!isRecord(call)) return "must be an object";
  for (const name in required) if (call[name] === undefined) return `needs ${name}`;
  for (const [name, check] of Object.entries({ ...checks.call, ...required, ...optional })) {
    const wrong = call[name] === undefined ? null : check(call[name], limits);
    if (wrong !== null) return `${name} ${wrong}`;
  }
  return null;
}

/** A copy, so that a caller who goes on using the object does not change a request that is under way. */
export function copiedRequest(request: unknown): unknown {
  if (!isRecord(request)) return request;
  // What is inherited is read as well, so it is copied as well.
  return Object.getPrototypeOf(request) === Object.prototype ? { ...request } : Object.fromEntries(entriesOf(request));
}

/** What is wrong with a bootstrap config, or null. */
export function configFault(config: unknown, limits: ProviderLimits): string | null {
  const wrong = requestChecks().bootstrapConfig(config, limits);
  return wrong === null ? null : at("bootstrap", wrong);
}

/** The first thing that is wrong with a request, or null. `undefined` counts as absent. */
export function refusalOf(request: unknown, rules: RequestRules): Refusal | null {
  if (!isRecord(request)) return { code: "INVALID_SPEC", message: `the ${rules.noun}s must be an object` };
  for (const name in request) {
    const refused = request[name] === undefined ? null : refusedOption(name, request[name], rules);
    if (refused !== null) return refused;
  }
  const hasBoth = request["spec"] !== undefined && request["resources"] !== undefined;
  if (hasBoth && rules.noun === "option" && rules.limits.specTakesResources !== true) {
    return { code: "INVALID_SPEC", message: "spec and resources exclude each other: give one of them" };
  }
  return null;
}

function refusedOption(name: string, value: unknown, rules: RequestRules): Refusal | null {
  const capability = rules.owners.get(name);
  if (capability !== undefined && rules.capabilities[capability] !== true) {
    return { code: "UNSUPPORTED", message: `${name} needs ${capability}`, capability };
  }
  const sentence = own(rules.refuses, name);
  if (sentence !== undefined) return { code: "UNSUPPORTED", message: `${name} is not supported: ${sentence}` };
  const check = own(rules.base, name) ?? (capability === undefined ? undefined : own(rules.unlocked, name));
  if (check === undefined) {
    if (capability !== undefined || rules.own.has(name)) return null;
    return { code: "INVALID_SPEC", message: `unknown ${rules.noun} ${JSON.stringify(name)}` };
  }
  const wrong = check(value, rules.limits);
  return wrong === null ? null : { code: "INVALID_SPEC", message: at(name, wrong) };
}
