import type { Machines } from "@slipway/provider-kit/emulator";
import { expect, it } from "vitest";
import { gcpWorld } from "./world.ts";

/** Machines that only say what is done with them. */
function recordingMachines(): { readonly machines: Machines; readonly done: readonly string[] } {
  const done: string[] = [];
  const note = (what: string) => async (id: string) => void done.push(`${what} ${id}`);
  const machines: Machines = {
    newAddress: () => "127.99.0.1",
    create: async ({ id, address, sshKeys, userData }) =>
      void done.push(`create ${id} ${address} ${sshKeys.join()} ${String(userData).split("\n")[0]}`),
    end: note("end"),
    stop: note("stop"),
    start: note("start"),
    reboot: note("reboot"),
    console: () => "",
    closed: new AbortController().signal,
    endpoint: (shown) => shown,
  };
  return { machines, done };
}

it("an instance's machine gets its keys and user data, and is stopped, started and ended with it", async () => {
  const { machines, done } = recordingMachines();
  const { provider } = gcpWorld({ machines });
  const { id } = await provider.spawn({
    spec: "e2-medium",
    key: "a",
    hibernation: true,
    sshKeys: ["ssh-ed25519 AAAA me"],
    bootstrap: { script: "echo it" },
  });
  expect((await provider.get(id))?.ssh).toEqual({ host: "127.99.0.1", port: 22, user: "slipway" });
  await provider.hibernate(id);
  await provider.resume(id);
  await provider.terminate(id);
  expect(done.map((line) => line.replace(/ \d{19}/, " N"))).toEqual([
    expect.stringMatching(/^create N 127\.99\.0\.1 ssh-ed25519 AAAA me #/),
    "stop N",
    "start N",
    "end N",
  ]);
});

it("without machines no instance shows an address", async () => {
  const { provider } = gcpWorld({ machines: null });
  expect(await provider.spawn({ spec: "e2-medium", key: "a" })).not.toHaveProperty("ssh");
});
