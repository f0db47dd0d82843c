import { EC2Client } from "@aws-sdk/client-ec2";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { describe, expect, inject, test } from "vitest";
import { EMULATOR_CREDENTIALS, ec2Emulator } from "../../../emulator/index.ts";
import { handlerOf } from "../../emulator/sdk.ts";
import { type Clients, motoClients, resetMoto } from "../moto-clients.ts";
import { nameNew } from "./naming.ts";
import { compare, type Difference, perform } from "./outcome.ts";
import { newPool, type Pool, type Step } from "./pool.ts";
import type { Quirk } from "./quirk.ts";
import { QUIRKS } from "./quirks.ts";
import { REHEARSALS } from "./rehearsals.ts";
import { newSide, type Side } from "./side.ts";
import { drawStep } from "./steps.ts";

const SEQUENCES = Number(process.env["SLIPWAY_MOTO_SEQUENCES"] ?? 500);
const FIRST_SEED = Number(process.env["SLIPWAY_MOTO_SEED"] ?? 1);
const STEPS = 12;

/** The emulator at moto's pace: what takes time elsewhere has happened by the next call. */
function emulatorClients(seed: number): Clients {
  const { fetch } = ec2Emulator({
    seed,
    latencyMs: 10,
    bootMs: 1,
    endMs: 1,
    stopMs: 1,
    imageMs: 0,
    volumeMs: 0,
    attachMs: 1,
    limits: null,
  });
  const settings = {
    region: "us-east-1",
    credentials: EMULATOR_CREDENTIALS,
    maxAttempts: 1,
    requestHandler: handlerOf(fetch),
  };
  return { ec2: new EC2Client(settings), ssm: new SSMClient(settings), sts: new STSClient(settings) };
}

interface Report {
  readonly unmatched: string[];
  readonly hits: Map<string, number>;
  calls: number;
}

async function sequence(seed: number, report: Report, rehearsal?: readonly Step[]): Promise<void> {
  await resetMoto(inject("motoUrl"));
  const pool = newPool(seededRandom(seed));
  const [ours, theirs] = [await newSide(emulatorClients(seed)), await newSide(motoClients(inject("motoUrl")))];
  for (let at = 0; at < (rehearsal?.length ?? STEPS); at += 1) {
    const step = rehearsal?.[at] ?? drawStep(pool);
    const [here, there] = [
      { side: ours, outcome: await perform(ours, step.call, step.input) },
      { side: theirs, outcome: await perform(theirs, step.call, step.input) },
    ];
    report.calls += 1;
    nameNew(pool, step.call, here, there);
    const refused = here.outcome.error === "OperationNotPermitted" && there.outcome.error === "OperationNotPermitted";
    const found = refused ? await statesAfter(pool, ours, theirs) : compare(step.call, here, there);
    if (noted(report, step, found, `seed ${seed} step ${at}`)) return;
  }
}

/** A refused request may have done a part: what it did shows in the states. */
async function statesAfter(pool: Pool, ours: Side, theirs: Side): Promise<readonly Difference[]> {
  const input = { InstanceIds: (pool.made.get("instance") ?? []).map((id) => ({ id })) };
  const call = "DescribeInstances";
  const [here, there] = [await perform(ours, call, input), await perform(theirs, call, input)];
  const found = compare(call, { side: ours, outcome: here }, { side: theirs, outcome: there });
  return found.filter(({ field }) => field.endsWith(".State"));
}

/** Puts differences to their quirks; true where the two worlds are no longer alike. */
function noted(report: Report, step: Step, found: readonly Difference[], where: string): boolean {
  const quirks = found.map((difference) => ({ difference, quirk: quirkOf(step, difference) }));
  for (const { difference, quirk } of quirks) {
    if (quirk === undefined)
      report.unmatched.push(`${where} ${step.call} ${textOf({ ...difference, input: step.input })}`);
    else report.hits.set(quirk.id, (report.hits.get(quirk.id) ?? 0) + 1);
  }
  return quirks.some(({ quirk }) => quirk === undefined || quirk.parts === true);
}

/** What can be read in a report: user data is long. */
function textOf(value: object): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "string" ? inner.slice(0, 80) : inner));
}

function quirkOf({ call, input }: Step, difference: Difference): Quirk | undefined {
  return QUIRKS.find(
    ({ calls, field, when }) =>
      calls.includes(call) && field.test(difference.field) && when?.(difference, { ...input }) !== false,
  );
}

describe(`${SEQUENCES} random sequences of calls, on the emulator and on moto`, () => {
  const report: Report = { unmatched: [], hits: new Map(), calls: 0 };

  test("differ nowhere but where moto is known to be no EC2", async () => {
    for (const [at, rehearsal] of REHEARSALS.entries()) await sequence(-at, report, rehearsal);
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed += 1) await sequence(seed, report);
    expect(report.calls).toBeGreaterThan(SEQUENCES);
    expect(report.unmatched.slice(0, 40)).toEqual([]);
  });

  test.runIf(SEQUENCES >= 500)("show each of moto's quirks at least once", () => {
    expect(QUIRKS.map(({ id }) => id).filter((id) => !report.hits.has(id))).toEqual([]);
  });
});
