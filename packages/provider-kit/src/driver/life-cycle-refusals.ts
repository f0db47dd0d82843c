import type { ProviderError } from "@slipway/core";
import type { Call, SpawnRequest } from "./driver.ts";
import type { DriverContext } from "./driver-context.ts";

type Asked = Pick<SpawnRequest<unknown, unknown>, "key" | "name">;

export const LOOK_AGAIN_MS = 2_000;

/** What the life cycle refuses to do with a machine, in words. */
export class LifeCycleRefusals {
  readonly #context: Pick<DriverContext<unknown>, "refuse" | "provider" | "regions">;

  constructor(context: Pick<DriverContext<unknown>, "refuse" | "provider" | "regions">) {
    this.#context = context;
  }

  checkRegion({ operation }: Call, region: string | undefined): void {
    const { regions, refuse } = this.#context;
    if (region === undefined || regions === undefined || regions.includes(region)) return;
    throw refuse("INVALID_SPEC", operation, `region ${JSON.stringify(region)} is not configured`, {
      hint: `This provider was made with ${regions.join(", ")}.`,
    });
  }

  unmanaged({ operation }: Call, id: string): ProviderError {
    const message = `${id} was not made by Slipway: it is left alone`;
    return this.#context.refuse("CONFLICT", operation, message, { nativeId: id });
  }

  unseen({ operation }: Call, id: string): ProviderError {
    return this.#context.refuse("BUSY", operation, `${id} was created just now and is not known yet`, {
      hint: "Call again in a few seconds.",
      retryAfterMs: LOOK_AGAIN_MS,
    });
  }

  contradicted({ operation }: Call, id: string): ProviderError {
    const { refuse, provider } = this.#context;
    return refuse("UNAVAILABLE", operation, `${provider} says that ${id} is not there, and shows it all the same`, {
      effect: "unknown",
      hint: "Call again; if it stays so, end it in the console of the provider.",
      nativeId: id,
    });
  }

  otherSpec({ operation }: Call, { key }: Asked, nativeId: string): ProviderError {
    const message = `the key ${JSON.stringify(key)} has an instance of another spec: ${nativeId}`;
    return this.#context.refuse("CONFLICT", operation, message, {
      hint: "Use another key, or terminate that instance first.",
      nativeId,
    });
  }

  nameHeld({ operation }: Call, { key }: Asked, nativeId: string): ProviderError {
    const message = `the key ${JSON.stringify(key)} has an instance that is terminating, and its name is not free yet`;
    return this.#context.refuse("BUSY", operation, `${message}: ${nativeId}`, {
      hint: "Call again in a few seconds: then a new instance is made.",
      retryAfterMs: LOOK_AGAIN_MS,
      nativeId,
    });
  }

  nameTaken({ operation }: Call, { name }: Asked, nativeId: string): ProviderError {
    const message = `an instance that Slipway has not made under this key is named ${name}: ${nativeId}`;
    return this.#context.refuse("CONFLICT", operation, message, {
      hint: "Slipway leaves it alone: rename or end it by hand, or use another key.",
      nativeId,
    });
  }
}
