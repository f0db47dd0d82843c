import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isProviderError } from "@slipway/core";
import { SandboxError } from "@slipway/provider-kit/sandbox";
import { expect, test } from "vitest";
import { failure, LOCAL_ERRORS, translated } from "../src/errors.ts";
import { configSchema, local, register } from "../src/index.ts";
import { provokedIds, UNPROVOKED } from "./error-rows.ts";
import { isolations, world } from "./worlds.ts";

const [best] = isolations;
if (best === undefined) throw new Error("there is always an isolation");

test("every row of the error table is provoked for real, or has its reason here", () => {
  expect([...provokedIds(), ...UNPROVOKED].sort()).toEqual(Object.keys(LOCAL_ERRORS).sort());
});

test("what cannot be provoked on a sound machine is translated as the table says", () => {
  const left = translated(new SandboxError("left-over", "processes of x did not end: 7"), "terminate", "unknown");
  expect(left).toMatchObject({ code: "UNAVAILABLE", effect: "unknown", message: expect.stringContaining("7") });
  const full = new SandboxError(
    "not-started",
    "the sandbox did not start: bwrap: Can't mkdir: No space left on device",
  );
  expect(translated(full, "spawn", "none")).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none" });
  const none = translated(new SandboxError("unsupported", "bwrap does not work here: no"), "onStartup");
  expect(none).toMatchObject({ code: "UNSUPPORTED", effect: "none", hint: expect.stringContaining("SLIPWAY_SANDBOX") });
  const bare = translated(new SandboxError("no-terminal", "neither is here"), "terminalCommand", "none");
  expect(bare).toMatchObject({ code: "UNSUPPORTED", effect: "none", hint: expect.stringContaining("python3") });
  const bug = new TypeError("a fault of the program");
  expect(translated(bug, "spawn", "none")).toBe(bug);
  const known = failure("busy", "spawn", "held");
  expect(translated(known, "terminate")).toBe(known);
});

test("options that it cannot honour are refused with a sentence before anything is done", async () => {
  const { provider, live } = world(best.isolation);
  const refused = [
    { spec: "large" },
    { resources: { cpus: 2 } },
    { image: "debian" },
    { ports: [{ port: 80 }] },
    { sshKeys: ["ssh-ed25519 AAAA me"] },
  ];
  for (const options of refused) {
    const name = Object.keys(options)[0] ?? "";
    await expect(provider.spawn(options)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      effect: "none",
      message: expect.stringMatching(new RegExp(`^${name} is not supported: .{20,}`)),
    });
  }
  expect(live()).toEqual([]);
});

test("requests that no instance could be made of are refused by name", async () => {
  const { provider, live } = world(best.isolation);
  const { id } = await provider.createVolume({ key: "v", sizeBytes: 1 });
  const mounts = ["/", "/proc", "/usr/local", "/etc/ssl", "/a/../b", "/a//b", "/run/slipway", "/nul\0"];
  for (const mountPath of mounts) {
    await expect(provider.spawn({ volumes: [{ id, mountPath }] })).rejects.toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
    });
  }
  const twice = [id, id].map((volume, at) => ({ id: volume, mountPath: `/data${at}` }));
  await expect(provider.spawn({ volumes: twice })).rejects.toMatchObject({ code: "INVALID_SPEC" });
  await expect(provider.createVolume({ key: "w", sizeBytes: 1, zone: "a" })).rejects.toThrow(/zone/);
  const script = { ...provider.generateBootstrap({ script: "exit 0" }), format: "cloud-init" } as const;
  await expect(provider.spawn({ bootstrap: script })).rejects.toMatchObject({ code: "INVALID_SPEC" });
  expect(live()).toEqual([]);
});

test("a network of its own is an option only where it was asked for", async () => {
  const { stateDirectory, owner, provider } = world(best.isolation);
  const network = { isolated: true };
  // A caller without types.
  await expect(provider.spawn({ network } as never)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("isolatedNetworks: true"),
  });
  const variables = { ...process.env, SLIPWAY_SANDBOX: "none" };
  const asked = await register({ stateDirectory, isolatedNetworks: true }, { owner, variables });
  expect(asked.provider?.capabilities.customNetworking).toBe(true);
  await expect(asked.hooks.onStartup()).rejects.toMatchObject({ code: "UNSUPPORTED", effect: "none" });
  const networked = local({ stateDirectory, owner, isolatedNetworks: true, variables });
  await expect(networked.spawn({ network })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  for (const wrong of [{ id: "net" }, { subnet: "s" }, { firewalls: ["f"] }]) {
    await expect(networked.spawn({ network: wrong })).rejects.toMatchObject({ code: "INVALID_SPEC" });
  }
});

test.skipIf(best.isolation !== "bubblewrap")(
  `an instance on a network of its own reaches nothing (${best.reason ?? "tried"})`,
  async () => {
    const { stateDirectory, owner } = world("bubblewrap");
    const provider = local({ stateDirectory, owner, isolatedNetworks: true });
    const { id } = await provider.spawn({ network: { isolated: true } });
    const { stdout } = await provider.exec(id, ["sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"]);
    expect(stdout).toBe("lo\n");
    await provider.terminate(id);
  },
);

test("settings are checked: of the factory with a TypeError, of register with INVALID_SPEC", async () => {
  expect(() => local({ owner: "Not Good" })).toThrow(TypeError);
  expect(() => local({ owner: "me", stateDirectory: "relative" })).toThrow(/stateDirectory/);
  expect(configSchema.safeParse({}).success).toBe(true);
  for (const config of [7, [], { colour: "blue" }, { stateDirectory: "relative" }, { patienceMs: -1 }]) {
    const error: unknown = await register(config, { owner: "me", variables: {} }).catch((thrown: unknown) => thrown);
    expect(isProviderError(error, "INVALID_SPEC")).toBe(true);
  }
});

test("the state lies where the directory specification says", async () => {
  const { defaultStateDirectory } = await import("../src/state/state.ts");
  expect(defaultStateDirectory({ XDG_STATE_HOME: "/x", HOME: "/h" })).toBe(join("/x", "slipway", "local"));
  expect(defaultStateDirectory({ XDG_STATE_HOME: "x", HOME: "/h" })).toBe(join("/h", ".local/state/slipway/local"));
});

test("startup says what is wrong with the machine, and changes nothing where nothing is", async () => {
  const { stateDirectory, owner } = world(best.isolation);
  const demanded = { ...process.env, SLIPWAY_SANDBOX: "docker" };
  const wrong = await register({ stateDirectory }, { owner, variables: demanded });
  await expect(wrong.hooks.onStartup()).rejects.toMatchObject({ message: expect.stringContaining("SLIPWAY_SANDBOX") });
  const elsewhere = await register({ stateDirectory: "/proc/no/such" }, { owner, variables: process.env });
  await expect(elsewhere.hooks.onStartup()).rejects.toMatchObject({ code: "UNAVAILABLE", effect: "none" });
  const right = await register({ stateDirectory }, { owner, variables: process.env });
  await right.hooks.onStartup();
  expect(readdirSync(stateDirectory)).toEqual([]);
});
