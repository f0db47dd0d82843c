/** A failure of `orbctl`, word for word, by the row of the provider's error table that it is. */
export interface OrbctlFixture {
  readonly row: string;
  /** The subcommand that says it. */
  readonly command: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const INDEX = 'Get "https://cdn-images.orbstack.dev/streams/v1/images.json"';

function said(row: string, command: string, stderr: string, exitCode = 1): OrbctlFixture {
  return { row, command, stderr: `${stderr}\n`, exitCode };
}

export const orbctlFixtures: readonly OrbctlFixture[] = [
  said("home-missing", "create", "panic: $HOME is not defined", 2),
  said("services-late", "create", "panic: timed out waiting for services to start", 2),
  said(
    "client-crashed",
    "delete",
    "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation]",
    2,
  ),
  said("name-taken", "create", "[-32098] create 'web': machine already exists: 'web'"),
  said("name-taken", "clone", "[-32098] clone 'a': machine already exists: 'web'"),
  said(
    "image-not-found",
    "create",
    "[-32098] create 'web': make rootfs: image not found: {ubuntu focal arm64 default}",
  ),
  said("no-address", "create", "[-32098] create 'web': setup: machine didn't start in 30s (missing IP address)"),
  said("no-network", "create", "[-32098] create 'web': setup: timed out waiting for network"),
  said(
    "image-index",
    "create",
    `[-32098] create 'web': make rootfs: fetch index: get index: ${INDEX}: dial tcp: 1.2.3.4:443: i/o timeout`,
  ),
  said(
    "image-index",
    "create",
    "[-32098] create 'web': make rootfs: fetch index: decode index: jsontext: read error: context deadline exceeded",
  ),
  said(
    "image-download",
    "create",
    "[-32098] create 'web': make rootfs: download rootfs: stream to file: unexpected EOF",
  ),
  said(
    "image-download",
    "create",
    "[-32098] create 'web': make rootfs: download metadata: GET download status: 404 Not Found",
  ),
  said("machine-crashed", "create", "[-32098] create 'web': setup: machine crashed on startup"),
  said("setup-cancelled", "create", "create 'web': setup: do initial setup: cancel by machine shutdown"),
  said("in-transition", "delete", "[-32098] cannot transition from creating to deleting"),
  said("in-transition", "delete", "[-32098] invalid transition from creating to deleting"),
  said("in-transition", "start", "[-32098] cannot transition from creating to starting"),
  said("read-only-files", "delete", "[-32098] delete rootfs: remove all: unlinkat /var/lib/x: read-only file system"),
  said("no-space", "create", "[-32098] create 'web': make rootfs: write: no space left on device"),
  said("no-space", "delete", "[-32098] delete rootfs: remove all: unlinkat /x: no space left on device"),
  said("machine-not-found", "info", "[-32098] machine not found: 'web'"),
  said("machine-not-found", "run", "[-32098] machine not found: 'web'"),
  said("machine-not-found", "run", "[-32602] no machine found: 'web'"),
  said("no-console", "logs", "[-32098] machine 'web' has no logs of type console"),
  said("unknown-user", "run", "user: unknown user root"),
  said("usage", "create", "unknown flag: --cpus"),
  said("usage", "delete", "unknown shorthand flag: 'x' in -x"),
  // In no table: not known yet.
  said("unknown", "create", "[-32098] create 'web': setup: something that nobody has seen"),
  said("unknown", "delete", "[-32098] something that nobody has seen"),
];

/** Its words at a subcommand; elsewhere if this one has never said it. */
export function fixtureOf(row: string, command: string): OrbctlFixture | undefined {
  return (
    orbctlFixtures.find((each) => each.row === row && each.command === command) ??
    orbctlFixtures.find((each) => each.row === row)
  );
}
