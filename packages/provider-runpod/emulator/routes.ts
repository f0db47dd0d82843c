import { cpusAnswer, dataCentersAnswer, gpusAnswer, podAnswer, volumeAnswer } from "./answers.ts";
import { actionRequest, createRequest, sshKeysRequest, volumeRequest } from "./create-request.ts";
import { Problem } from "./problem.ts";
import type { RunpodEmulatorSettings } from "./settings.ts";
import type { EmulatedPod, EmulatedVolume, World } from "./world.ts";

/** One request, let in. */
export interface Asked {
  readonly world: World;
  readonly settings: RunpodEmulatorSettings;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: () => unknown;
}

export interface Answer {
  readonly status: number;
  /** Absent: no body. */
  readonly body?: unknown;
  /** Server-sent events, in the place of a body. */
  readonly events?: readonly object[];
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** By which faults know it: the contract's method first. */
  readonly names: (asked: { readonly query: URLSearchParams; readonly action: string }) => readonly string[];
  readonly answer: (asked: Asked) => Answer;
}

const name =
  (...names: readonly string[]) =>
  (): readonly string[] =>
    names;

export const ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: /^\/v2\/pods$/,
    names: name("spawn", "pods.create"),
    answer: ({ world, body }) => ({ status: 201, body: podAnswer(world, world.create(createRequest(body()))) }),
  },
  {
    method: "GET",
    path: /^\/v2\/pods$/,
    names: ({ query }) => (query.get("limit") === "1" ? ["onStartup", "pods.list"] : ["list", "pods.list"]),
    answer: (asked) => page(asked, "pods", [...asked.world.pods.values()], (pod) => podAnswer(asked.world, pod)),
  },
  {
    method: "GET",
    path: /^\/v2\/pods\/([^/]+)$/,
    names: name("get", "pods.get"),
    answer: (asked) => ({ status: 200, body: podAnswer(asked.world, thePod(asked)) }),
  },
  {
    method: "DELETE",
    path: /^\/v2\/pods\/([^/]+)$/,
    names: name("terminate", "pods.delete"),
    answer: (asked) => {
      asked.world.remove(thePod(asked));
      return { status: 204 };
    },
  },
  {
    method: "POST",
    path: /^\/v2\/pods\/([^/]+)\/action$/,
    names: ({ action }) => [action, "pods.action"],
    answer: (asked) => {
      const action = actionRequest(asked.body());
      const pod = thePod(asked);
      asked.world.act(pod, action);
      return action === "terminate" ? { status: 204 } : { status: 200, body: podAnswer(asked.world, pod) };
    },
  },
  {
    method: "GET",
    path: /^\/v2\/pods\/([^/]+)\/logs$/,
    names: name("pods.logs"),
    answer: (asked) => ({ status: 200, events: logEvents(asked) }),
  },
  {
    method: "GET",
    path: /^\/v2\/catalog\/gpus$/,
    names: name("placements", "catalog.gpus"),
    answer: ({ world, query }) => ({ status: 200, body: { gpus: gpusAnswer(world, query) } }),
  },
  {
    method: "GET",
    path: /^\/v2\/catalog\/cpus$/,
    names: name("catalog.cpus"),
    answer: ({ world }) => ({ status: 200, body: { cpus: cpusAnswer(world) } }),
  },
  {
    method: "GET",
    path: /^\/v2\/catalog\/datacenters$/,
    names: name("listRegions", "catalog.datacenters"),
    answer: ({ world, query }) => ({ status: 200, body: { dataCenters: dataCentersAnswer(world, query) } }),
  },
  {
    method: "GET",
    path: /^\/v2\/account\/ssh-keys$/,
    names: name("account.sshKeys"),
    answer: ({ world }) => ({ status: 200, body: { keys: world.sshKeys } }),
  },
  {
    method: "PUT",
    path: /^\/v2\/account\/ssh-keys$/,
    names: name("account.setSshKeys"),
    answer: ({ world, body }) => {
      // All of them at once: those that are left out are gone.
      world.sshKeys = sshKeysRequest(body());
      world.changes += 1;
      return { status: 200, body: { keys: world.sshKeys } };
    },
  },
  {
    method: "GET",
    path: /^\/v2\/network-volumes$/,
    names: name("listVolumes", "volumes.list"),
    answer: (asked) => page(asked, "networkVolumes", [...asked.world.volumes.values()], volumeAnswer),
  },
  {
    method: "POST",
    path: /^\/v2\/network-volumes$/,
    names: name("createVolume", "volumes.create"),
    answer: ({ world, body }) => ({ status: 201, body: volumeAnswer(world.createVolume(volumeRequest(body()))) }),
  },
  {
    method: "DELETE",
    path: /^\/v2\/network-volumes\/([^/]+)$/,
    names: name("deleteVolume", "volumes.delete"),
    answer: (asked) => {
      asked.world.removeVolume(theVolume(asked));
      return { status: 204 };
    },
  },
];

function thePod({ world, settings, id }: Asked): EmulatedPod {
  const pod = world.pods.get(id);
  const age = world.clock.now() - (pod?.createdAt ?? 0);
  if (pod === undefined || pod.deletedAt !== null || age < (settings.freshNotFoundMs ?? 0)) {
    throw new Problem(404, "pod not found");
  }
  return pod;
}

const MOST_LINES = 5_000;

/** What there is now. The real stream stays open, and its lines have times of their own. */
function logEvents(asked: Asked): readonly object[] {
  const { world, query } = asked;
  const pod = thePod(asked);
  const source = query.get("source") ?? "container";
  if (source !== "container" && source !== "system") throw new Problem(422, "source: must be container or system");
  const tail = Number(query.get("tail") ?? 100);
  if (!Number.isInteger(tail) || tail < 0 || tail > MOST_LINES) throw new Problem(422, "tail: want 0 to 5000");
  const ts = new Date(world.clock.now()).toISOString();
  const lines =
    source === "system"
      ? []
      : world
          .logOf(pod)
          .split("\n")
          .filter((line) => line !== "");
  return lines.slice(Math.max(0, lines.length - tail)).map((line) => ({ source, line, ts }));
}

function theVolume({ world, id }: Asked): EmulatedVolume {
  const volume = world.volumes.get(id);
  if (volume === undefined || volume.deletedAt !== null) throw new Problem(404, "network volume not found");
  return volume;
}

/** What a listing shows now: it misses the last creates and deletes for a while. */
function listed<T extends { readonly createdAt: number; readonly deletedAt: number | null }>(
  things: readonly T[],
  { world, settings }: Asked,
): readonly T[] {
  const seenUntil = world.clock.now() - (settings.listLagMs ?? 0);
  return things.filter(
    ({ createdAt, deletedAt }) => createdAt <= seenUntil && (deletedAt === null || deletedAt > seenUntil),
  );
}

interface Listed {
  readonly id: string;
  readonly createdAt: number;
  readonly deletedAt: number | null;
}

/** One page of all that there ever was, oldest first. */
function page<T extends Listed>(asked: Asked, key: string, all: readonly T[], show: (thing: T) => object): Answer {
  const { settings, query } = asked;
  const { pagination = true, pageSize: most = 100, cursors = "offset" } = settings;
  if (!pagination) return { status: 200, body: { [key]: listed(all, asked).map(show) } };
  const limit = Number(query.get("limit") ?? most);
  if (!Number.isInteger(limit) || limit < 1) throw new Problem(422, "limit: minimum: want 1");
  const { offset = 0, after } = cursorIn(query);
  const rest = listed(all.slice(all.findIndex(({ id }) => id === after) + 1), asked);
  const to = offset + Math.min(limit, most);
  const shown = rest.slice(offset, to);
  const hasNextPage = to < rest.length;
  const next = cursors === "offset" ? `at:${to}` : `after:${shown.at(-1)?.id}`;
  const nextCursor = hasNextPage ? Buffer.from(next).toString("base64url") : null;
  return { status: 200, body: { [key]: shown.map(show), pagination: { nextCursor, hasNextPage } } };
}

function cursorIn(query: URLSearchParams): { readonly offset?: number; readonly after?: string } {
  const cursor = query.get("cursor");
  if (cursor === null) return {};
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const after = /^after:([a-zA-Z0-9]+)$/.exec(text)?.[1];
  if (after !== undefined) return { after };
  const offset = /^at:(\d+)$/.exec(text)?.[1];
  if (offset === undefined) throw new Problem(400, "cursor is not valid");
  return { offset: Number(offset) };
}
