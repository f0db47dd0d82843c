import type { CleanupMethods } from "./cleanup.ts";
import type { ClusterProvider } from "./cluster.ts";
import type { ProviderHooks } from "./hooks.ts";
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
