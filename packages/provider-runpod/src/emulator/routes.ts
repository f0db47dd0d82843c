import { cpusAnswer, dataCentersAnswer, gpusAnswer, podAnswer, volumeAnswer } from "./answers.ts";
import { actionRequest, createRequest, volumeRequest } from "./create-request.ts";
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
    answer: (asked) => {
      const pods = listed([...asked.world.pods.values()], asked);
      return page(asked, "pods", pods, (pod) => podAnswer(asked.world, pod));
    },
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
    path: /^\/v2\/network-volumes$/,
    names: name("listVolumes", "volumes.list"),
    answer: (asked) => page(asked, "networkVolumes", listed([...asked.world.volumes.values()], asked), volumeAnswer),
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

function page<T>({ settings, query }: Asked, key: string, things: readonly T[], show: (thing: T) => object): Answer {
  if (settings.pagination === false) return { status: 200, body: { [key]: things.map(show) } };
  const most = settings.pageSize ?? 100;
  const limit = Number(query.get("limit") ?? most);
  if (!Number.isInteger(limit) || limit < 1) throw new Problem(422, "limit: minimum: want 1");
  const cursor = query.get("cursor");
  const from = cursor === null ? 0 : Number(Buffer.from(cursor, "base64url").toString("utf8").replace("at:", ""));
  if (!Number.isInteger(from) || from < 0) throw new Problem(400, "cursor is not valid");
  const to = from + Math.min(limit, most);
  const hasNextPage = to < things.length;
  const nextCursor = hasNextPage ? Buffer.from(`at:${to}`).toString("base64url") : null;
  return {
    status: 200,
    body: { [key]: things.slice(from, to).map(show), pagination: { nextCursor, hasNextPage } },
  };
}
