import "@aws-sdk/client-ec2";
import { isProviderError } from "@slipway/core";
import { instanceSchema } from "@slipway/core/schema";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import type { AwsProvider } from "../src/index.ts";
import { type AwsWorld, awsWorld } from "./world.ts";

// Three hundred in `npm run soak:suite`, more in `npm run soak:tests`: SLIPWAY_FUZZ_RUNS.
const RUNS = Number(process.env["SLIPWAY_FUZZ_RUNS"] ?? "30");

type Random = ReturnType<typeof seededRandom>;

const ELEMENT = /<(\w+)>([^<]*)<\/\1>/g;

/** Ways in which an answer comes out of a broken remote or a proxy. */
const MUTATIONS: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => text.slice(0, random.whole(text.length)),
  (text, random) => `${text}${text.slice(random.whole(text.length))}`,
  () => "<html><body>welcome</body></html>",
  () => "",
  (text, random) => changed(text, random, () => ""),
  (text, random) => changed(text, random, (name) => `<${name}/>`),
  (text, random) => changed(text, random, (name) => `<${name}>&#0;\u0000</${name}>`),
  (text, random) => changed(text, random, (name) => `<${name}><item>1</item></${name}>`),
  (text, random) => changed(text, random, (name) => `<${name}>99999999999999999999</${name}>`),
  (text, random) => changed(text, random, (name) => `<${name}>__proto__</${name}>`),
  (text) => text.replaceAll("<item>", "<thing>").replaceAll("</item>", "</thing>"),
  (text) => text.replaceAll("Response", "Result"),
];

function changed(text: string, random: Random, by: (name: string) => string): string {
  const elements = [...text.matchAll(ELEMENT)];
  const chosen = elements[random.whole(elements.length)];
  if (chosen === undefined) return text;
  return `${text.slice(0, chosen.index)}${by(chosen[1] ?? "")}${text.slice(chosen.index + chosen[0].length)}`;
}

/** Every third answer is another one than the remote gave; nothing it does is prevented. */
function mutating(world: AwsWorld, random: Random): AwsProvider {
  const { runtime = {} } = world.options();
  const { fetch = globalThis.fetch } = runtime;
  const broken: typeof globalThis.fetch = async (input, init) => {
    const answer = await fetch(input, init);
    if (random.next() < 0.66) return answer;
    const mutate = MUTATIONS[random.whole(MUTATIONS.length)] ?? ((text: string) => text);
    const status = random.next() < 0.1 ? 500 : answer.status;
    return new Response(mutate(await answer.text(), random), { status, headers: answer.headers });
  };
  return world.another({ runtime: { ...runtime, fetch: broken } });
}

const live = ({ emulator }: AwsWorld) => emulator.control.instances().filter((one) => one.live);

test(`${RUNS} runs over broken answers: true data or a true error, and never a second instance`, async () => {
  let rejected = 0;
  let resolved = 0;
  for (let run = 1; run <= RUNS; run += 1) {
    const random = seededRandom(run);
    const world = awsWorld({ bootMs: 1_000, latencyMs: 0 });
    const provider = mutating(world, random);
    const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
      const before = live(world).length;
      try {
        const value = await work();
        resolved += 1;
        return value;
      } catch (error) {
        rejected += 1;
        if (!isProviderError(error)) throw error;
        if (error.effect === "none") expect(live(world).length, `run ${run}: ${error.message}`).toBe(before);
      }
    };
    for (let tries = 0; tries < 3; tries += 1) {
      const made = await attempt(() => provider.spawn({ key: "k", spec: "t3.micro", ports: [{ port: 22 }] }));
      if (made !== undefined) expect(instanceSchema.safeParse(made).error, `run ${run}`).toBeUndefined();
    }
    expect(live(world).length, `run ${run}`).toBeLessThanOrEqual(1);
    const [there] = live(world);
    const id =
      there === undefined ? "us-east-1/i-0123456789abcdef0" : `us-east-1/${there.id.slice(there.id.indexOf("/") + 1)}`;
    const got = await attempt(() => provider.get(id));
    if (got !== undefined && got !== null) expect(instanceSchema.safeParse(got).error, `run ${run}`).toBeUndefined();
    await attempt(() => provider.list());
    await attempt(() => provider.terminate(id));
    await attempt(() => provider.createVolume({ key: "v", sizeBytes: 1024 ** 3, zone: "us-east-1a" }));
    await attempt(() => provider.listVolumes());
    await attempt(() => provider.getSpotPrices({ specs: ["m5.large"] }));
  }
  expect(rejected).toBeGreaterThan(RUNS);
  expect(resolved).toBeGreaterThan(RUNS);
}, 300_000);
