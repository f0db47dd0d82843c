import { endSandbox } from "@slipway/provider-kit/sandbox";
import type { InstanceRecord } from "./state/records.ts";
import { type State, sandboxOf } from "./state/state.ts";

/** Ends all its processes, then takes its directory and record away. The caller holds the name's lock. */
export async function removeInstance(state: State, name: string, record: InstanceRecord): Promise<void> {
  const sandbox = sandboxOf(state, name, record);
  await endSandbox(record.process === null ? sandbox : { ...sandbox, process: record.process });
  await state.instances.remove(name);
}
