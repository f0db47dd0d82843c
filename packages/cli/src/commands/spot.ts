import { assertAccepts, type Capability, type SpawnOptions } from "@slipway/core";
import { type Configure, several } from "../command.ts";
import type { Session } from "../session.ts";
import { addSpawnOptions, type SpawnFlags } from "../spawn-flags.ts";
import { spawnRequest } from "../spawn-request.ts";
import { spotPriceColumns } from "../spot-price-columns.ts";
import { supporting } from "../supported.ts";
import { withExpiry } from "../with-expiry.ts";

interface PriceFlags {
  readonly spec?: readonly string[];
  readonly region?: readonly string[];
}

export const configure: Configure = (command, run) => {
  const requests = addSpawnOptions(
    command.command("request").description("ask for a spot instance; it may come later"),
  );
  requests.addHelpText(
    "after",
    "\nAn instance that it makes is shown by `slipway list --key <key>`, and ended as every other.\n",
  );
  run<SpawnFlags>(requests, request);
  run(
    command
      .command("cancel")
      .description("end a request, and an instance that it made")
      .argument("<request-id>", "what `spot request` answered"),
    cancel,
  );
  const prices = command
    .command("prices")
    .description("what spot instances cost now")
    .option("--spec <name>", "only this machine type; several times", several)
    .option("--region <name>", "only this region; several times", several);
  run<PriceFlags>(prices, showPrices);
};

async function request(session: Session, _args: readonly string[], flags: SpawnFlags): Promise<void> {
  const wanted = await spawnRequest(session, flags);
  const provider = await supporting(session, "spot");
  assertAccepts(provider, wanted);
  session.context.key = wanted.key;
  const options: SpawnOptions<Capability> = {
    ...(await withExpiry(session, provider, wanted, flags)),
    ...session.call,
  };
  assertAccepts(provider, options);
  const answer = await session.progress.during("asking for a spot instance", () =>
    provider.requestSpotInstance(options),
  );
  if (session.json) return session.output.document({ key: wanted.key, ...answer });
  session.output.fields([
    ["request", answer.requestId],
    ["status", answer.status],
    ["instance", answer.instanceId ?? "not yet"],
    ["key", wanted.key],
  ]);
}

async function cancel(session: Session, [id = ""]: readonly string[]): Promise<void> {
  const provider = await supporting(session, "spot");
  await provider.cancelSpotRequest(id, session.call);
  if (session.json) session.output.document({ requestId: id, result: "cancelled" });
  else session.output.text(`${id} is cancelled`);
}

/** Also what `slipway prices` shows. */
export async function showPrices(
  session: Session,
  _args: readonly string[],
  { spec, region }: PriceFlags,
): Promise<void> {
  const provider = await supporting(session, "spot");
  const prices = await session.progress.during("asking for prices", () =>
    provider.getSpotPrices({ specs: spec, regions: region }, session.call),
  );
  const cheapestFirst = [...prices].sort((a, b) => a.usdPerHour - b.usdPerHour);
  session.output.list(cheapestFirst, spotPriceColumns, "No prices.");
}
