import type { Provider } from "@slipway/core";
import type { LocalProvider } from "@slipway/provider-local";
import { expectTypeOf, it } from "vitest";
import { openSession, type Session } from "../src/index.ts";

declare const local: LocalProvider;
declare const cloud: Provider;
const access = { identityFile: "id_ed25519" };

it("needs a key where the provider's type has no exec", () => {
  expectTypeOf(openSession(local, "i-1")).resolves.toEqualTypeOf<Session>();
  expectTypeOf(openSession(local, "i-1", access)).resolves.toEqualTypeOf<Session>();
  expectTypeOf(openSession(cloud, "i-1", access)).resolves.toEqualTypeOf<Session>();
  // @ts-expect-error: no exec, so a key is needed.
  void openSession(cloud, "i-1");
});
