import { describeRegistry } from "@slipway/contract-tests/vitest";
import { ProviderRegistry } from "@slipway/core";
import { harnesses } from "./harnesses.ts";
import { registrations } from "./registrations.ts";

// Exact and projected, for every provider: what each package proves of itself, proven once more of what is released together.
describeRegistry(new ProviderRegistry(await registrations()), harnesses);
