import type { CommandOptions, Exec } from "@slipway/core";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import { register, slurm } from "../src/index.ts";
import { failure } from "./failure.ts";
import { fixtures } from "./fixtures.ts";

const OWNER = "tests";
const CONFIG = "ClusterName             = c\nSLURM_VERSION           = 22.05.8\n";

type Answer = { readonly stdout?: string; readonly stderr?: string; readonly exitCode?: number };

/** Answers by the first words of a command; the first that fits counts. */
function answering(answers: Readonly<Record<string, Answer>>, sent: CommandOptions[] = []): Exec {
  return async (file, args, options = {}) => {
    sent.push(options);
    const line = [file, ...args].join(" ");
    const [, answer = {}] = Object.entries(answers).find(([words]) => line.startsWith(words)) ?? [];
    return { exitCode: 0, signal: null, stdout: "", stderr: "", ...answer };
  };
}

async function startup(answers: Readonly<Record<string, Answer>>, config: object = {}) {
  const runtime = { exec: answering(answers), clock: simulatedClock() };
  const { hooks } = await register(config, { owner: OWNER, variables: {}, runtime });
  return await hooks.onStartup();
}

describe("register", () => {
  test("takes slurm.conf from the variables, and runs nothing", async () => {
    const sent: CommandOptions[] = [];
    const exec = answering({ "scontrol show config": { stdout: CONFIG } }, sent);
    const variables = { SLURM_CONF: "/etc/slurm/other.conf" };
    const { hooks } = await register({}, { owner: OWNER, variables, runtime: { exec } });
    expect(sent).toEqual([]);
    await hooks.onStartup();
    expect(sent.map(({ env }) => env?.["SLURM_CONF"])).toEqual(sent.map(() => "/etc/slurm/other.conf"));
  });

  test.each([
    [{ partition: "two words" }, /partition/],
    [{ commandPrefix: [] }, /commandPrefix/],
    [{ timeLimitMinutes: 0 }, /timeLimitMinutes/],
    [{ bootstrapDirectory: "relative" }, /bootstrapDirectory/],
  ])("refuses %j", (config, message) => {
    expect(() => slurm({ owner: OWNER, ...config })).toThrow(message);
  });
});

describe("startup", () => {
  test("takes 22.05 and newer, and says that an older one is too old", async () => {
    await startup({ "scontrol show config": { stdout: CONFIG } });
    await startup({ "scontrol show config": { stdout: CONFIG.replace("22.05.8", "26.05.1") } });
    const old = { "scontrol show config": { stdout: CONFIG.replace("22.05.8", "21.08.5") } };
    expect(await failure(startup(old))).toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/21\.08\.5/),
    });
  });

  test("says that there is no such partition", async () => {
    const answers = { "scontrol show config": { stdout: CONFIG }, sinfo: { stdout: "main\nshort\n" } };
    await startup(answers, { partition: "short" });
    const error = await failure(startup(answers, { partition: "nope" }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", hint: expect.stringContaining("sinfo") });
  });

  test("a controller that is down is unavailable", async () => {
    const ping = { exitCode: 1, stdout: "Slurmctld(primary) at host is DOWN\n" };
    expect(await failure(startup({ "scontrol ping": ping }))).toMatchObject({
      code: "UNAVAILABLE",
      hint: expect.stringContaining("scontrol ping"),
    });
  });

  test.each(["no-munge", "no-configuration"])("%s says what to do", async (id) => {
    const stderr = fixtures.find((one) => one.id === id)?.stderr ?? "";
    const error = await failure(startup({ "scontrol ping": { exitCode: 1, stderr } }));
    expect(error).toMatchObject({ effect: "none", hint: expect.stringContaining("login node") });
  });
});
