import type { ExecMethods, Provider } from "@slipway/core";
import type { LocalProvider } from "@slipway/provider-local";
import { expectTypeOf, it } from "vitest";
import {
  type ForwardMethod,
  type NativeSession,
  openSession,
  type PortForwardMethods,
  type Session,
  type TtyMethod,
} from "../src/index.ts";

declare const local: LocalProvider;
declare const cloud: Provider;
declare const bare: Provider & ExecMethods;
declare const pods: Provider & ExecMethods & PortForwardMethods;
const access = { identityFile: "id_ed25519" };

it("needs a key where the provider's type has no exec", () => {
  expectTypeOf(openSession(local, "i-1")).resolves.toExtend<NativeSession>();
  expectTypeOf(openSession(local, "i-1", access)).resolves.toExtend<NativeSession>();
  expectTypeOf(openSession(cloud, "i-1", access)).resolves.toEqualTypeOf<Session>();
  // @ts-expect-error: no exec, so a key is needed.
  void openSession(cloud, "i-1");
});

it("has a terminal where the provider's type can open one, or over SSH", async () => {
  expectTypeOf((await openSession(local, "i-1")).tty).toEqualTypeOf<TtyMethod>();
  const without = await openSession(bare, "i-1");
  // @ts-expect-error: this exec has no terminal.
  void without.tty(["sh"]);
  const unknown = await openSession(cloud, "i-1", access);
  // @ts-expect-error: nobody has asked which session it is.
  void unknown.tty(["sh"]);
  if (unknown.via === "ssh") expectTypeOf(unknown.tty).toEqualTypeOf<TtyMethod>();
});

it("forwards a port where the provider's type can, or over SSH", async () => {
  expectTypeOf((await openSession(pods, "i-1")).forward).toEqualTypeOf<ForwardMethod>();
  const shared = await openSession(local, "i-1");
  // @ts-expect-error: an instance of local is on this machine's own network.
  void shared.forward(80);
  const unknown = await openSession(cloud, "i-1", access);
  // @ts-expect-error: nobody has asked which session it is.
  void unknown.forward(80);
  if (unknown.via === "ssh") expectTypeOf(unknown.forward).toEqualTypeOf<ForwardMethod>();
});
