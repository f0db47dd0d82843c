import { isProviderError, operationTable, type Provider, projectProvider, type ResultKind } from "@slipway/core";
import type { Project } from "../../src/case-context.ts";

/** A projection with one behaviour changed. */
export interface BrokenProjection {
  readonly id: string;
  readonly project: Project;
}

type Method = (...args: readonly unknown[]) => unknown;

/** Every method whose answer is projected, with the kind of its answer. */
const METHODS = Object.entries(operationTable());
const NAMES = METHODS.map(([name]) => name);
const methodsOf = (kind: ResultKind): readonly string[] =>
  METHODS.flatMap(([name, { result }]) => (result === kind ? [name] : []));

// What follows was found by running the whole suite, every case projected, over each change that a projection can make:
// these are the changes that some case sees. Those that none sees are core's own: its projection's types demand every
// field of every kind, and its tests compare whole answers of every method.
const DESCRIPTION = "name owner contractVersion tier capabilities limits refuses generateBootstrap";
const WITHOUT_ARGUMENTS = ["listRegions"];
const WITH_OPTIONS = "terminate list get createSnapshot";
const WITH_ERRORS = "spawn terminate list get createSnapshot createVolume deleteVolume hibernate resume";
const LISTS = "list listSnapshots listVolumes";
const MAYBE_NONE = "get claimWarmVolume";
const FIELDS: { readonly [K in ResultKind]?: string } = {
  instance:
    "id status provider nativeId key owner region zone spec image resources addresses ssh.host ssh.port ssh.user isSpot bootstrap.state bootstrap.exitCode labels price.usdPerHour price.per price.asOf price.source createdAt expiresAt",
  instances: "id status provider nativeId key owner region zone spec image resources isSpot labels createdAt",
  snapshot: "id provider status key owner instanceId createdAt",
  snapshots: "id",
  volume: "id provider status key owner sizeBytes attachedTo pool createdAt",
  volumes: "id status attachedTo",
  spotRequest: "requestId status instanceId",
  spotPrices: "usdPerHour per asOf source spec region",
  regions: "id name",
  costs: "usd from to group estimated",
};

/** Core's projection, with some members replaced. */
function projecting(change: (members: Record<string, unknown>) => void): Project {
  return (provider) => {
    const members: Record<string, unknown> = { ...projectProvider(provider) };
    change(members);
    // The members of a projected provider, one of them wrong on purpose.
    return members as unknown as Provider;
  };
}

function around(names: readonly string[], change: (next: Method, args: readonly unknown[]) => unknown): Project {
  return projecting((members) => {
    for (const name of names) {
      const next = members[name];
      if (typeof next === "function")
        members[name] = (...args: readonly unknown[]) => change((...a) => next(...a), args);
    }
  });
}

const answering = (names: readonly string[], change: (answer: unknown) => unknown): Project =>
  around(names, async (next, args) => change(await next(...args)));

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function without(value: unknown, [name = "", ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => without(each, [name, ...rest]));
  if (!isRecord(value) || !(name in value)) return value;
  const { [name]: member, ...others } = value;
  return rest.length === 0 ? others : { ...others, [name]: without(member, rest) };
}

const withMore = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(withMore) : isRecord(value) ? { ...value, added: 1 } : value;

const each = (words: string, broken: (word: string) => BrokenProjection): readonly BrokenProjection[] =>
  words.split(" ").map(broken);

const missing = (name: string): BrokenProjection => ({
  id: `${name} is not there`,
  project: projecting((members) => {
    delete members[name];
  }),
});

/** Ways to project wrongly: each forgets, loses or adds one thing. */
export const brokenProjections: readonly BrokenProjection[] = [
  ...each(DESCRIPTION, missing),
  ...NAMES.map(missing),
  ...NAMES.filter((name) => !WITHOUT_ARGUMENTS.includes(name)).map((name) => ({
    id: `${name} loses its arguments`,
    project: around([name], (next) => next()),
  })),
  ...each(WITH_OPTIONS, (name) => ({
    id: `${name} loses what comes after its first argument`,
    project: around([name], (next, args) => next(args[0])),
  })),
  ...each(WITH_ERRORS, (name) => ({
    id: `${name} fails with an error of another kind`,
    project: around([name], async (next, args) => {
      try {
        return await next(...args);
      } catch (error) {
        throw isProviderError(error) ? new Error(error.message) : error;
      }
    }),
  })),
  ...each(LISTS, (name) => ({
    id: `${name} answers the first alone`,
    project: answering([name], (answer) => (Array.isArray(answer) ? answer.slice(0, 1) : answer)),
  })),
  ...each(MAYBE_NONE, (name) => ({
    id: `${name} answers an empty object for none`,
    project: answering([name], (answer) => answer ?? {}),
  })),
  ...(["instance", "instances"] as const).map((kind) => ({
    id: `${kind} with a field that the contract does not have`,
    project: answering(methodsOf(kind), withMore),
  })),
  // The keys of FIELDS are kinds.
  ...(Object.keys(FIELDS) as ResultKind[]).flatMap((kind) =>
    each(FIELDS[kind] ?? "", (path) => ({
      id: `${kind} without ${path}`,
      project: answering(methodsOf(kind), (answer) => without(answer, path.split("."))),
    })),
  ),
];
