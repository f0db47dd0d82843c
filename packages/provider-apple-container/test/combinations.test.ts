import { runConformance } from "@slipway/contract-tests";
import { type Exec, nameFor } from "@slipway/core";
import { afterEach, describe, expect, test } from "vitest";
import { type ContainerEmulator, containerEmulator, type EmulatedVersion } from "../emulator/index.ts";
import { appleContainer, register } from "../src/index.ts";
import { appleContainerHarness } from "./apple-container-harness.ts";
import { failure } from "./failure.ts";

// The whole suite runs over 1.2.2 on macOS 26 (contract.test.ts): here is what differs on the others.
const COMBINATIONS: readonly { readonly version: EmulatedVersion; readonly macos: 15 | 26 }[] = [
  { version: "1.0.0", macos: 15 },
  { version: "1.0.0", macos: 26 },
  { version: "1.2.2", macos: 15 },
  { version: "1.4.1", macos: 15 },
  { version: "1.4.1", macos: 26 },
];
// The oldest and the newest; all with SLIPWAY_WHOLE_SUITE=1, as `npm run soak:suite` has it.
const isWhole = process.env["SLIPWAY_WHOLE_SUITE"] === "1";
const hasSuite = (version: EmulatedVersion, macos: 15 | 26): boolean =>
  isWhole || (version === "1.0.0" && macos === 15) || (version === "1.4.1" && macos === 26);
/** What goes over the wire and is read back. */
const GROUPS: readonly string[] = ["spawn", "list", "get", "terminate", "networking", "volumes"];

const open: ContainerEmulator[] = [];
afterEach(async () => {
  for (const emulator of open.splice(0)) await emulator.close();
});

describe.each(COMBINATIONS)("container $version on macOS $macos", ({ version, macos }) => {
  const networks = macos === 26;

  function world(escapeSlashes = false) {
    const emulator = containerEmulator({ version, macos, escapeSlashes });
    open.push(emulator);
    const runtime = { exec: emulator.exec, clock: emulator.clock };
    return { emulator, runtime, env: { owner: "t", variables: {}, runtime } };
  }

  test.runIf(hasSuite(version, macos))(
    "the cases of the wire pass",
    async () => {
      const harness = appleContainerHarness({ version, macos, networks });
      const only = ({ group }: { readonly group: string }): boolean => GROUPS.includes(group);
      const { results } = await runConformance(harness, { modes: ["plain"], only });
      const failed = results.filter(({ status }) => status === "failed");
      expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
      expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(30);
    },
    120_000,
  );

  test("it starts up where the service runs, and says how to start it where not", async () => {
    const { emulator, env } = world();
    const { hooks } = await register({}, env);
    await hooks.onStartup();
    for (const service of ["unregistered", "not running"] as const) {
      await emulator.control.setService(service);
      const error = await failure(hooks.onStartup());
      expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
      expect(error.message).toContain("container system start --enable-kernel-install");
    }
  });

  test.each([false, true])("what is listed is read, slashes escaped: %s", async (escapeSlashes) => {
    const { emulator, runtime } = world(escapeSlashes);
    const provider = appleContainer({ owner: "t", variables: {}, runtime });
    const { id } = await provider.spawn({ key: "a", labels: { path: "/a/b" }, ports: [{ port: 80 }] });
    const [listed] = await provider.list();
    expect(listed).toEqual(await provider.get(id));
    expect(listed).toMatchObject({
      image: "docker.io/library/debian:stable-slim",
      labels: { path: "/a/b" },
      addresses: { privateIpv4: expect.stringMatching(/^192\.168\.64\.\d+$/) },
    });
    await emulator.control.crash(nameFor("t", "a"));
    expect((await provider.get(id))?.addresses).toEqual({});
  });

  test(`networks of one's own are ${networks ? "there" : "refused at startup"}`, async () => {
    const { emulator, env } = world();
    const { hooks, provider } = await register({ networks: true }, env);
    if (!networks) {
      expect(await failure(hooks.onStartup())).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
      return;
    }
    await hooks.onStartup();
    await emulator.container(["network", "create", "mine"]);
    expect(provider.capabilities.customNetworking).toBe(true);
    const networked = appleContainer({ networks: true, owner: "t", variables: {}, runtime: env.runtime });
    await networked.spawn({ key: "n", network: { id: "mine" } });
    expect(await failure(networked.spawn({ key: "m", network: { id: "other" } }))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
    });
  });
});

test("the shape before 1.0.0 is refused, by the version and by the answer", async () => {
  const emulator = containerEmulator({ version: "0.12.3" });
  open.push(emulator);
  const byVersion = appleContainer({
    owner: "t",
    variables: {},
    runtime: { exec: emulator.exec, clock: emulator.clock },
  });
  expect(await failure(byVersion.list())).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
  await emulator.container(["run", "--detach", "--name", "old", "alpine", "sleep", "100"]);
  const lying: Exec = (file, args, options) =>
    args[0] === "--version"
      ? Promise.resolve({ exitCode: 0, signal: null, stdout: "container CLI version 1.2.2", stderr: "" })
      : emulator.exec(file, args, options);
  const byAnswer = appleContainer({ owner: "t", variables: {}, runtime: { exec: lying, clock: emulator.clock } });
  const error = await failure(byAnswer.list());
  expect(error).toMatchObject({ code: "UNSUPPORTED" });
  expect(error.hint).toContain("1.2.2 or newer");
});
