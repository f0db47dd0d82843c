/** A port of the container, and where it appears on 127.0.0.1. */
export interface Publish {
  readonly hostPort: number;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

/** What `container run --detach` is asked for. No field may hold a secret: all of it stands in the process list. */
export interface RunRequest {
  readonly name: string;
  readonly image: string;
  /** Written as they are: a name or a value with `=` in it would be cut or refused (`tags.ts` encodes). */
  readonly labels: Readonly<Record<string, string>>;
  readonly cpus?: number | undefined;
  /** Rounded up to whole MiB, as a virtual machine wants it. */
  readonly memoryBytes?: number | undefined;
  readonly publish?: readonly Publish[] | undefined;
  readonly volumes?: readonly { readonly name: string; readonly path: string }[] | undefined;
  /** A network's name, or `none`. */
  readonly network?: string | undefined;
  readonly tmpfs?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly capabilities?: readonly string[] | undefined;
  /** Nothing of /proc and /sys hidden or read-only. Only for versions from 1.2.1: the caller asks `client.version`. */
  readonly unmasked?: boolean | undefined;
  /** A small process 1 that reaps children and passes signals on. */
  readonly init?: boolean | undefined;
  readonly entrypoint?: string | undefined;
  /** What runs, after the entrypoint. */
  readonly argv?: readonly string[] | undefined;
}

const MEBIBYTE = 1024 ** 2;

/** Whole MiB, upwards, with its suffix: a number without one would be bytes. */
export function sizeText(bytes: number): string {
  return `${Math.ceil(bytes / MEBIBYTE)}m`;
}

const each = <T>(flag: string, values: readonly T[] | undefined, text: (value: T) => string): readonly string[] =>
  (values ?? []).flatMap((value) => [flag, text(value)]);
const one = <T>(flag: string, value: T | undefined, text: (value: T) => string): readonly string[] =>
  value === undefined ? [] : [flag, text(value)];
const asIs = (value: string): string => value;

export function runArguments(request: RunRequest): readonly string[] {
  return [
    "run",
    "--detach",
    // Else it writes its progress where errors are read.
    "--progress",
    "none",
    "--name",
    request.name,
    ...each("--label", Object.entries(request.labels), ([name, value]) => `${name}=${value}`),
    ...one("--cpus", request.cpus, String),
    ...one("--memory", request.memoryBytes, sizeText),
    ...each(
      "--publish",
      request.publish,
      ({ hostPort, port, protocol }) => `127.0.0.1:${hostPort}:${port}/${protocol}`,
    ),
    ...each("--volume", request.volumes, ({ name, path }) => `${name}:${path}`),
    ...one("--network", request.network, asIs),
    ...each("--tmpfs", request.tmpfs, asIs),
    ...each("--env", Object.entries(request.environment ?? {}), ([name, value]) => `${name}=${value}`),
    ...each("--cap-add", request.capabilities, asIs),
    ...(request.unmasked === true ? ["--masked-path", "NONE", "--read-only-path", "NONE"] : []),
    ...(request.init === true ? ["--init"] : []),
    ...one("--entrypoint", request.entrypoint, asIs),
    // Everything after the image goes to the container, unread.
    request.image,
    ...(request.argv ?? []),
  ];
}
