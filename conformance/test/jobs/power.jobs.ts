import { spawnSync } from "node:child_process";
import { launch, memoryStore, waitForStatus } from "@slipway/control";
import { isProviderError } from "@slipway/core";
import { EMULATOR_PROJECT, EMULATOR_TOKEN } from "@slipway/provider-gcp/emulator";
import { EMULATOR_API_KEY } from "@slipway/provider-lambda/emulator";
import { openSession } from "@slipway/reach";
import { describe, it } from "vitest";
import { PLACES } from "./clouds.ts";
import { missing, useMachines } from "./machines.ts";

type Act = (nativeId: string) => Request;

const post = (url: string, authorization: string, body: string, type = "application/json"): Request =>
  new Request(url, {
    method: "POST",
    headers: { authorization, "content-type": type, "user-agent": "slipway-tests" },
    body,
  });

const ec2 =
  (action: string): Act =>
  (id) =>
    post(
      "https://ec2.us-east-1.amazonaws.com/",
      "AWS4-HMAC-SHA256 Credential=AKIAEMULATOREMULATOR/20261129/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0",
      new URLSearchParams({ Action: action, Version: "2016-11-15", "InstanceId.1": id }).toString(),
      "application/x-www-form-urlencoded",
    );
const pod =
  (action: string): Act =>
  (id) =>
    post(`https://api.runpod.io/v2/pods/${id}/action`, "Bearer any", JSON.stringify({ action }));
const gcpInstance =
  (action: string): Act =>
  (id) =>
    post(
      `https://compute.googleapis.com/compute/v1/projects/${EMULATOR_PROJECT}/zones/us-central1-a/instances/${id}/${action}`,
      `Bearer ${EMULATOR_TOKEN}`,
      "",
    );
const lambdaRestart: Act = (id) =>
  post(
    "https://cloud.lambda.ai/api/v1/instance-operations/restart",
    `Bearer ${EMULATOR_API_KEY}`,
    JSON.stringify({ instance_ids: [id] }),
  );

/** What each remote can do with a machine beside ending it, by its own API. */
const POWER: Readonly<Record<string, { readonly reboot?: Act; readonly stop?: Act; readonly start?: Act }>> = {
  aws: { reboot: ec2("RebootInstances"), stop: ec2("StopInstances"), start: ec2("StartInstances") },
  lambda: { reboot: lambdaRestart },
  runpod: { reboot: pod("restart"), stop: pod("stop"), start: pod("start") },
  gcp: { stop: gcpInstance("suspend"), start: gcpInstance("resume") },
};

describe.skipIf(missing !== null)("a machine does what its cloud is asked", () => {
  const open = useMachines();

  it.concurrent.for(Object.entries(POWER))("on %s", async ([name, { reboot, stop, start }], { expect }) => {
    const { machines, directory, identityFile } = open();
    const place = PLACES[name]?.(machines, directory, false);
    if (place?.fetch === undefined) throw new Error(`${name} has no API here`);
    const { provider, machine, fetch } = place;
    const access = { identityFile, endpoint: machines.endpoint };
    const sshKeys = [spawnSync("ssh-keygen", ["-y", "-f", identityFile]).stdout.toString().trim()];
    const launched = await launch(provider, { ...machine, key: "power", sshKeys }, { store: memoryStore() });
    const { id, nativeId } = await waitForStatus(provider, launched.id, "running");
    const ask = async (act: Act): Promise<void> => {
      const response = await fetch(act(nativeId));
      expect(response.ok, await response.text()).toBe(true);
    };
    /** What a command says there; the error's code where it cannot be reached. */
    const say = async (script: string): Promise<string> => {
      try {
        await using session = await openSession(provider, id, access);
        const { stdout } = await session.exec(["/bin/sh", "-c", script], { timeoutMs: 20_000 });
        return stdout.trim();
      } catch (error) {
        if (isProviderError(error)) return error.code;
        throw error;
      }
    };
    const LOOK =
      'cat kept 2>/dev/null; [ -d "/proc/$(cat pid)" ] && [ "$(cat boot)" = "$(stat -c %Y /proc/1)" ] && echo alive';
    await expect.poll(() => say("echo up"), { timeout: 60_000 }).toBe("up");
    const begin = "echo kept >kept; stat -c %Y /proc/1 >boot; sleep 4242 >/dev/null 2>&1 & echo $! >pid; cat pid >&2";
    await say(begin);
    expect(await say(LOOK)).toBe("kept\nalive");
    if (reboot !== undefined) {
      await ask(reboot);
      await expect.poll(() => say(LOOK), { timeout: 60_000 }).toBe("kept");
      await say(begin);
    }
    if (stop !== undefined && start !== undefined) {
      await ask(stop);
      await expect.poll(() => say(LOOK), { timeout: 60_000 }).toBe("UNAVAILABLE");
      await expect
        .poll(async () => (await provider.get(id))?.status, { timeout: 60_000 })
        .toMatch(/^(stopped|hibernated)$/);
      await ask(start);
      await waitForStatus(provider, id, "running");
      await expect.poll(() => say(LOOK), { timeout: 60_000 }).toBe("kept");
    }
    await provider.terminate(id);
    expect(await place.left()).toBe(0);
    expect(await say("echo up")).not.toBe("up");
  });
});
