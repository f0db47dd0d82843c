// Options built at run time, from a file or a terminal.
import { accepts, assertAccepts, type Capability, type SpawnOptions } from "@slipway/core";
import { aws, erased, lambda } from "./subject.ts";

export function guarded(options: SpawnOptions<Capability>): void {
  // @ts-expect-error it may ask for anything
  void lambda.spawn(options);
  if (accepts(lambda, options)) void lambda.spawn(options);
  // @ts-expect-error proven for Lambda, and only there
  else void lambda.spawn(options);
  if (accepts(erased, options)) {
    void erased.spawn(options);
    void aws.spawn(options);
  }
}

export function asserted(options: SpawnOptions<Capability>): void {
  assertAccepts(lambda, options);
  void lambda.spawn(options);
}
