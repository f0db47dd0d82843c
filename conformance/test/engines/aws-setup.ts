import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineWorld } from "@slipway/contract-tests/workflow-engine";
import { isWorkflowError } from "@slipway/control";
import { serve } from "@slipway/provider-aws/emulator";
import { AWS_INPUTS } from "./aws-flows.ts";
import { ENGINES } from "./engine-hosts.ts";
import { type Kill, POINT_FILE } from "./kills.ts";

/** An engine with a host and an emulated AWS of its own: what is killed in it, no other one notices. */
export interface AwsSetup {
  /** Runs a flow to its end; its host dies after so many points of it, and its engine's server where that is asked for. */
  readonly runWith: (flow: string, points: number, withEngine: boolean) => Promise<SetupRun>;
  readonly stop: () => Promise<void>;
}

export interface SetupRun extends Kill {
  readonly isFailed: boolean;
}

const bare = (id: string): string => id.slice(id.indexOf("/") + 1);

/** The ids of what an output names, whichever workflow's it is. */
function idsOf(output: unknown): readonly string[] {
  type Output = { instanceId?: string; volumeId?: string; members?: readonly { instanceId: string }[] };
  const { instanceId, volumeId, members = [] } = Object(output) as Output;
  return [instanceId, volumeId, ...members.map((member) => member.instanceId)].flatMap((id) =>
    id === undefined ? [] : [bare(id)],
  );
}

export async function startSetup(name: string): Promise<AwsSetup> {
  const start = ENGINES[name];
  if (start === undefined) throw new Error(`no engine ${name}`);
  const folder = await mkdtemp(join(tmpdir(), "slipway-aws-engines-"));
  const aws = await serve({ bootMs: 50, endMs: 50, limits: null });
  const engine = await start(folder, aws.variables);
  const { control } = aws.emulator;

  /** What costs something: living instances, volumes that stand alone, and templates. */
  const there = (): readonly string[] => [
    ...control.instances().flatMap(({ id, live }) => (live ? [bare(id)] : [])),
    ...control
      .volumes()
      .flatMap(({ id, attachment, state }) => (attachment === null && state !== "deleting" ? [id] : [])),
    ...control.launchTemplates().map(({ name: template }) => template),
  ];

  const endOf = (flow: string, runId: string) =>
    engine.result(flow, runId).then(
      (output) => ({ output, leftovers: 0, isFailed: false }),
      (error: unknown) => {
        if (isWorkflowError(error)) return { output: null, leftovers: error.leftovers.length, isFailed: true };
        throw error;
      },
    );

  /** How a run ended, and where its host died before that. */
  const ending = async (flow: string, runId: string, withEngine: boolean) => {
    const input = AWS_INPUTS[flow.replace(" fails", "") as keyof typeof AWS_INPUTS];
    const death = engine.died().then(() => "died" as const);
    const begun = engine.begin(flow, input, { runId }).catch((error: unknown) => {
      // It may have died before it could answer: then the run goes on below.
      if (isWorkflowError(error)) throw error;
    });
    await Promise.race([begun, death]);
    const ended = endOf(flow, runId);
    const first = await Promise.race([ended, death, ended.catch(() => death)]);
    if (first !== "died") return { ...first, point: null };
    const point = await readFile(join(folder, POINT_FILE), "utf8");
    if (withEngine) await engine.restartEngine();
    await engine.restart();
    return { ...(await (name === "dbos" || withEngine ? endOf(flow, runId) : ended)), point };
  };

  return {
    runWith: async (flow, points, withEngine) => {
      engineWorld(folder).dieAfter(points);
      const [before, began] = [there(), performance.now()];
      const { output, leftovers, isFailed, point } = await ending(flow, `${points} ${withEngine}`, withEngine);
      const known = [...before, ...idsOf(output)];
      return {
        engine: name,
        flow,
        point,
        withEngine: point !== null && withEngine,
        leaked: there().filter((id) => !known.includes(id)),
        leftovers,
        isFailed,
        ms: performance.now() - began,
      };
    },
    stop: async () => {
      await engine.stop();
      await aws.close();
      await rm(folder, { recursive: true });
    },
  };
}
