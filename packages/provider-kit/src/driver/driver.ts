import type {
  BaseSpawnOptions,
  BootstrapConfig,
  BootstrapScript,
  Instance,
  InstanceStatus,
  Operation,
} from "@slipway/core";

/** One call of the contract: every request made for it carries its operation's name and ends with its signal. */
export interface Call {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

/** What Slipway writes on a machine in the call that creates it: tags, labels, a comment, a file or just a name. */
export interface Ownership {
  readonly owner: string;
  /** Null where the remote keeps only a name, from which a known key is recognised by `nameFor`. */
  readonly key: string | null;
  /** Undefined for a machine whose creation was cut off before it was written: `finish` decides. */
  readonly specHash: string | undefined;
  /** The display name that was asked for. */
  readonly displayName?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the life cycle needs to know about a machine. */
export interface Identity {
  /** The contract's id: the bare native id unless the remote needs more to address it (a region, a generation). */
  readonly id: string;
  readonly nativeId?: string | undefined;
  /** The name at the remote. Nothing else may have `nameFor(owner, key)`. */
  readonly name?: string | undefined;
  readonly status: InstanceStatus;
  /** Null: unmanaged. It is never listed, changed or deleted. */
  readonly ownership: Ownership | null;
  /** Where the remote says it: then a very young machine is not taken for gone. */
  readonly createdAt?: string | null | undefined;
}

/** The fields of an instance that follow from its identity; `toInstance` spreads them. */
export type InstanceBase = Pick<
  Instance,
  "id" | "nativeId" | "provider" | "status" | "key" | "owner" | "labels" | "expiresAt"
> & { readonly specHash: string; readonly name?: string; readonly remoteName?: string };

/** A spawn after every check that needs no call. */
export interface SpawnRequest<O, T = unknown> {
  readonly options: O;
  readonly key: string;
  /** `nameFor(owner, key)`. */
  readonly name: string;
  readonly specHash: string;
  readonly ownership: Ownership & { readonly key: string; readonly specHash: string };
  readonly script: BootstrapScript | undefined;
  /** What `prepare` answered. */
  readonly prepared: T;
}

/** What a list is asked for. Only a hint for server-side filters: the kit filters again, so ignoring it is correct. */
export interface ListHint {
  /** Undefined: of any owner, as `owner: "*"`. */
  readonly owner?: string | undefined;
  readonly keys?: readonly string[] | undefined;
  /** Machines with one of these names are wanted too, whoever made them. */
  readonly names?: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly region?: string | undefined;
  /** Terminated ones are wanted too, as far as the remote still shows them. */
  readonly terminated?: boolean | undefined;
}

export interface CreateAttempt<M> {
  /** 0, and one more at each retry. */
  readonly attempt: number;
  /** Terminated machines of this key that the lookup saw: for tokens that count generations. */
  readonly previous: readonly M[];
  /** To be called when the request leaves; only of use with `createQueue`. */
  readonly sent: () => void;
  /** Looks the key up again, as before the creation: its instance now, or null. Throws CONFLICT for another spec. */
  readonly find: () => Promise<M | null>;
}

/** `isProvisional`: it holds only what was asked for, so the kit reads it once. */
export type Accepted<M> = { readonly machine: M; readonly isProvisional?: boolean };
/**
 * Not accepted, and something may stand there all the same. The kit looks first (`lookUp`, as long as reads may lag), then
 * asks again (`retry`) or throws `error`. A name that is taken: both. A token whose instance has ended: `retry` alone. No
 * answer where a look tells what became of it: `lookUp` alone.
 */
export type Refused = { readonly error: unknown; readonly lookUp: boolean; readonly retry: boolean };
/** Another creation of the key was faster: what `find` returned where the remote answered that. */
export type Found<M> = { readonly found: M };
export type Created<M> = Accepted<M> | Found<M> | Refused;
/** `unclear`: the remote's answer may mean that it is ending already. The kit looks, waits for the lag, looks again. */
export type Destroyed = "accepted" | "gone" | { readonly unclear: unknown };

/** Thrown by `finish` for a creation that it has undone: nothing is left, so the error has no effect. */
export class Undone extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super("the creation was undone");
    this.error = error;
  }
}

/** All that a provider says about its remote. M: a machine on the wire. I: the instance. O: spawn's options. T: see `prepare`. */
export interface Driver<M, I extends Instance, O, T = unknown> {
  /** Could this be an id of the remote's? Anything else is null at `get` and done at `terminate`, without a call. */
  readonly isId: (id: string) => boolean;
  /** The native id in an id, where both name a machine: what one of them ended is ended under the other. */
  readonly nativeIdOf?: (id: string) => string;
  readonly identify: (machine: M) => Identity;
  readonly toInstance: (machine: M, base: InstanceBase) => I;

  /** Every machine that the hint wants, in pages; all regions, unmanaged ones too. Throws rather than leave one out. */
  readonly list: (call: Call, hint: ListHint) => AsyncIterable<readonly M[]>;
  /** Null only if the remote itself says that there is none. */
  readonly get: (call: Call, id: string) => Promise<M | null>;
  /** A cheaper read before a write, as out of a shared listing; it may lag. `get` if absent. */
  readonly peek?: (call: Call, id: string) => Promise<M | null>;

  /** The options as they are compared: with the defaults that this provider fills in. */
  readonly specOf?: (options: O) => BaseSpawnOptions;
  /** Checks that need no call, and whatever they yield. Throws INVALID_SPEC or UNSUPPORTED. */
  readonly prepare: (call: Call, request: SpawnRequest<O>) => T;
  /** One creation. Writes name and ownership in the creating call. Throws with the true `effect`. */
  readonly create: (call: Call, request: SpawnRequest<O, T>, attempt: CreateAttempt<M>) => Promise<Created<M>>;
  /** Of a machine that is ours, or that nobody can see yet (null). Throws where the outcome is not known. */
  readonly destroy: (call: Call, id: string, machine: M | null) => Promise<Destroyed>;

  /**
   * A second half of a spawn (attach, tag, start): also of one that was cut off. Null: it went away meanwhile. Whatever it
   * throws has the effect `applied`, unless it throws `Undone`.
   */
  readonly finish?: (
    call: Call,
    machine: M,
    request: SpawnRequest<O, T>,
    origin: "found" | "created",
  ) => Promise<M | null>;
  /** One more question about one machine (a probe, a bootstrap's sentinel): for `get` and `spawn`, never for `list`. */
  readonly enrich?: (call: Call, machine: M, instance: I) => Promise<I>;

  /** How a bootstrap is rendered, and which scripts are taken. */
  readonly bootstrap: {
    readonly format: BootstrapScript["format"];
    readonly formats?: readonly BootstrapScript["format"][] | undefined;
    readonly executed?: boolean | undefined;
    readonly maxBytes?: number | undefined;
    readonly render?: ((config: BootstrapConfig) => BootstrapScript) | undefined;
  };
  /** Which rule of the remote a label breaks, as the end of a sentence; null if none. */
  readonly labelFault?: (name: string, value: string) => string | null;
  /** A listing may show what is gone: each machine found by it is read once more with `get`. */
  readonly confirmsListed?: boolean;
  /** An instance that this process created and nobody can see yet is waited for by `terminate`; else that is BUSY. */
  readonly waitsForUnseen?: boolean;
  /**
   * The remote refuses no second one, and a creation costs nothing before `finish`: after each one the kit looks again,
   * every process keeps the oldest, and ends its own if it is another.
   */
  readonly elects?: boolean;
  /** Creations of this process leave one after the other; one that waited longer than this is looked up again. */
  readonly createQueue?: { readonly lookupMaxAgeMs: number };
}
