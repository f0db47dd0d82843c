import type { ClusterProvider } from "./cluster.ts";
import type { AnyProviderError } from "./errors/provider-error.ts";
import type { CleanupMethods } from "./extras.ts";
import type { Provider } from "./provider.ts";
import type { Runtime } from "./runtime.ts";
import type { Workflow, WorkflowContract, WorkflowInput, WorkflowOutput } from "./workflow.ts";

export type Workflows = Readonly<Record<string, Workflow>>;

/** All that a provider package offers: instances, clusters or both, with hooks and workflows. */
export interface ProviderRegistration<
  P extends Provider = Provider,
  W extends Workflows = Workflows,
  K extends ClusterProvider = ClusterProvider,
> {
  readonly provider?: P;
  readonly cluster?: K;
  readonly hooks: ProviderHooks;
  readonly workflows?: W;
  /** For providers that make things for their own use, as firewalls that many instances share. */
  readonly cleanup?: CleanupMethods;
  readonly contracts?: { readonly [N in keyof W]?: ContractOf<W[N]> };
}

/** The contract of any workflow, where its types are not known. */
export interface AnyWorkflowContract {
  validateInput(input: unknown): unknown;
  readonly requiredOutputFields: readonly string[];
  readonly maxDurationMs: number;
}

// A contract names fields of its output, so that none of a written type would fit that of an unknown one.
type ContractOf<W> =
  unknown extends WorkflowOutput<W> ? AnyWorkflowContract : WorkflowContract<WorkflowInput<W>, WorkflowOutput<W>>;

/** What a package's `register` gets beside its config. */
export interface RegisterEnvironment {
  /** Whose instances these are. */
  readonly owner: string;
  /** The environment variables that credentials and settings are read from. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly runtime?: Partial<Runtime> | undefined;
}

/** The function `register` that every provider package exports. It validates the config and throws INVALID_SPEC. */
export type Register = (config: unknown, env: RegisterEnvironment) => Promise<ProviderRegistration>;

export type HeartbeatTask = "health_check" | "reconcile" | "orphan_scan" | "refresh_prices";

export const HEARTBEAT_TASKS: readonly HeartbeatTask[] = ["health_check", "reconcile", "orphan_scan", "refresh_prices"];

/** What became of one task. */
export type Receipt =
  | {
      readonly task: HeartbeatTask;
      readonly ok: true;
      readonly details?: Readonly<Record<string, string | number | boolean>>;
    }
  | { readonly task: HeartbeatTask; readonly ok: false; readonly error: AnyProviderError };

export interface HeartbeatRequest {
  readonly tasks: readonly HeartbeatTask[];
  /** ISO 8601 UTC: what is not done by then is answered as failed with TIMEOUT. */
  readonly deadline: string;
}

export interface HeartbeatAnswer {
  /** One receipt for each task that was asked for, in the same order. */
  readonly receipts: readonly Receipt[];
}

export interface ProviderHooks {
  /** Credentials, tools and permissions are there, or a ProviderError that says what is missing and how to get it. */
  readonly onStartup: () => Promise<void>;
  /** Lets go of what the process holds. It terminates no instance. */
  readonly onShutdown: () => Promise<void>;
  /** Answers every task with a receipt; a task that fails does not fail the others. It deletes nothing. */
  readonly onHeartbeat: (request: HeartbeatRequest) => Promise<HeartbeatAnswer>;
}
