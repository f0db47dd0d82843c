import type { Clock, Logger } from "@slipway/core";
import type { IsolationReport } from "@slipway/provider-kit/sandbox";
import type { State } from "./state/state.ts";

/** What every part of one provider works with. */
export interface LocalContext {
  readonly owner: string;
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
  /** Which isolation this machine has; found out once. Throws where the one that was asked for does not work. */
  readonly isolation: () => Promise<IsolationReport>;
}
