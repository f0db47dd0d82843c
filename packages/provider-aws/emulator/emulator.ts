import type { Clock } from "@slipway/core";
import {
  answerWithFault,
  type Fault,
  type FaultScript,
  faultScript,
  type HttpAnswer,
  type HttpBreak,
  type HttpEmulator,
  httpEmulator,
  simulatedClock,
} from "@slipway/provider-kit/emulator";
import { type ActionTable, type Call, succeedDry } from "./action.ts";
import { ec2Answer, errorAnswer, jsonAnswer, type Problem, problem, Refused, stsAnswer } from "./answers.ts";
import { attachmentActions } from "./attachments.ts";
import { type Ec2EmulatorControl, newControl, type SeenRequest } from "./control.ts";
import { costExplorerActions } from "./cost-explorer.ts";
import { fixtureFor } from "./fixtures.ts";
import { fleetActions } from "./fleets.ts";
import { identityActions } from "./identity.ts";
import { imageActions } from "./images.ts";
import { instanceAttributeActions } from "./instance-attributes.ts";
import { instanceStateActions } from "./instance-states.ts";
import { instanceActions } from "./instances.ts";
import type { JsonAction } from "./json-action.ts";
import { launchTemplateActions } from "./launch-templates.ts";
import { networkActions } from "./network.ts";
import { parameterStoreActions } from "./parameter-store.ts";
import { priceListActions } from "./price-list.ts";
import { regionActions } from "./regions.ts";
import { securityGroupActions } from "./security-groups.ts";
import { idsOf, isWholeList, namesOf } from "./serves.ts";
import { type Ec2EmulatorSettings, resolved } from "./settings.ts";
import { snapshotActions } from "./snapshots.ts";
import { spotActions } from "./spot.ts";
import { tagActions } from "./tags.ts";
import { throttle } from "./throttle.ts";
import { typeActions } from "./types.ts";
import { volumeActions } from "./volumes.ts";
import { unknownCaller, type WireRequest, wireRequest } from "./wire-request.ts";
import { newWorld, type Region } from "./world.ts";

/** All actions of the Query protocol, by name. */
export const ACTIONS: ActionTable = {
  ...instanceActions,
  ...instanceStateActions,
  ...instanceAttributeActions,
  ...imageActions,
  ...volumeActions,
  ...attachmentActions,
  ...snapshotActions,
  ...securityGroupActions,
  ...networkActions,
  ...typeActions,
  ...spotActions,
  ...fleetActions,
  ...tagActions,
  ...launchTemplateActions,
  ...regionActions,
  ...identityActions,
};

/** All actions of the services that speak JSON, by their target. */
const JSON_ACTIONS: Readonly<Record<string, JsonAction>> = {
  ...parameterStoreActions,
  ...priceListActions,
  ...costExplorerActions,
};

/** EC2 and the services beside it, emulated. */
export interface Ec2Emulator extends HttpEmulator {
  readonly clock: Clock;
  readonly faults: FaultScript;
  readonly control: Ec2EmulatorControl;
}

/**
 * @example
 * ```ts
 * import { aws } from "@slipway/provider-aws";
 * import { EMULATOR_CREDENTIALS } from "@slipway/provider-aws/emulator";
 *
 * const { fetch, clock } = ec2Emulator();
 * const credentials = { ...EMULATOR_CREDENTIALS };
 * const cloud = aws({ owner: "me", regions: ["us-east-1"], credentials, runtime: { fetch, clock } });
 * await cloud.list(); // => []
 * ```
 */
export function ec2Emulator(settings: Ec2EmulatorSettings = {}): Ec2Emulator {
  const clock = settings.clock ?? simulatedClock();
  const all = resolved(settings);
  const world = newWorld(all, clock);
  const faults = faultScript(all.seed);
  const passes = throttle(all.limits, clock);
  const knownKeys = all.credentials.map(({ accessKeyId }) => accessKeyId);
  const requests: SeenRequest[] = [];

  async function recorded(request: Request): Promise<HttpAnswer | HttpBreak> {
    const wire = await wireRequest(request);
    const answer = await answered(request, wire);
    const [serves = null] = namesOf(wire).filter((name) => name !== wire.action);
    const { action: operation, service, region } = wire;
    const seen = { operation, serves, service, region, ids: idsOf(wire.parameters).length, at: clock.now() };
    requests.push({ ...seen, ...outcomeOf(answer) });
    return answer;
  }

  async function answered(request: Request, wire: WireRequest): Promise<HttpAnswer | HttpBreak> {
    // Ids of requests have a source of their own: how many are sent must not decide which instances there are.
    const requestId = `00000000-0000-4000-8000-${String(requests.length).padStart(12, "0")}`;
    const refused = refusal(wire);
    if (refused !== null) return errorAnswer(wire.service, refused, requestId);
    const fault = faults.take(namesOf(wire));
    const fixture = fault === undefined ? null : fixtureFor(fault, wire.service, requestId);
    return await answerWithFault({ fault, fixture, clock }, request.signal, () => performed(wire, fault, requestId));
  }

  /** What stands before the action itself: who asks, where, how often, and whether they may. */
  function refusal(wire: WireRequest): Problem | null {
    const unknown = unknownCaller(wire, knownKeys);
    if (unknown !== null) return unknown;
    const isJson = wire.service !== "ec2" && wire.service !== "sts";
    const known = isJson ? Object.hasOwn(JSON_ACTIONS, wire.target) : Object.hasOwn(ACTIONS, wire.action);
    if (wire.parameters instanceof Refused) return wire.parameters.problem;
    if (!known || (!isJson && ACTIONS[wire.action]?.service !== wire.service)) {
      return isJson
        ? problem("UnknownOperationException", "")
        : problem("InvalidAction", `The action ${wire.action} is not valid for this web service.`);
    }
    const instances = Math.max(1, countOf(wire));
    const { region, action, parameters } = wire;
    if (!passes({ region, action, isWholeList: isWholeList(parameters), instances })) {
      return isJson
        ? problem("ThrottlingException", "Rate exceeded")
        : problem("RequestLimitExceeded", "Request limit exceeded.");
    }
    if (world.denied.has(action)) {
      const code = wire.service === "ec2" ? "UnauthorizedOperation" : "AccessDeniedException";
      return problem(
        code,
        `You are not authorized to perform this operation. User: emulated is not authorized to perform: ${wire.service}:${action}`,
      );
    }
    return null;
  }

  function performed(wire: WireRequest, fault: Fault | undefined, requestId: string): HttpAnswer {
    try {
      const region = regionOf(wire);
      const lag = fault?.when === "stale-read" ? Math.max(all.readLagMs, 1) : all.readLagMs;
      const now = clock.now();
      const { DryRun, ...parameters } = fieldsOf(wire.parameters);
      const dryRun = DryRun === "true";
      const endDryRun = (): void => void (dryRun && succeedDry());
      const call: Call = { world, region, now, seenAt: now - lag, raw: parameters, endDryRun };
      const json = JSON_ACTIONS[wire.target];
      if (json !== undefined) return jsonAnswer(json(call, wire.parameters));
      const fields = ACTIONS[wire.action]?.perform(call, parameters, dryRun) ?? {};
      return (wire.service === "sts" ? stsAnswer : ec2Answer)(wire.action, requestId, fields);
    } catch (error) {
      if (error instanceof Refused) return errorAnswer(wire.service, error.problem, requestId);
      throw error;
    }
  }

  function regionOf({ region, service }: WireRequest): Region {
    const found = world.regions.get(region);
    if (found !== undefined) return found;
    // Pricing and Cost Explorer live in one region, which need not be among those of the account.
    const [first] = world.regions.values();
    if (first !== undefined && service !== "ec2") return first;
    throw new Refused(problem("OptInRequired", `You are not subscribed to this service in ${region}.`));
  }

  return {
    clock,
    faults,
    control: newControl(world, faults, requests),
    ...httpEmulator({ clock, latencyMs: all.latencyMs, answer: recorded }),
  };
}

/** How many instances a request makes or names, as far as it can be read yet. */
function countOf({ action, parameters }: WireRequest): number {
  if (action !== "RunInstances") return idsOf(parameters).length;
  const { MaxCount } = fieldsOf(parameters);
  return typeof MaxCount === "string" ? Number(MaxCount) || 1 : 1;
}

function fieldsOf(parameters: unknown): Readonly<Record<string, unknown>> {
  return typeof parameters === "object" && parameters !== null ? { ...parameters } : {};
}

function outcomeOf(answer: HttpAnswer | HttpBreak): Pick<SeenRequest, "status" | "code"> {
  if (typeof answer === "string") return { status: 0, code: answer };
  const code = /<Code>([^<]+)<\/Code>/.exec(answer.body)?.[1] ?? /"__type":"([^"]+)"/.exec(answer.body)?.[1] ?? null;
  return { status: answer.status, code: answer.status < 300 ? null : code };
}
