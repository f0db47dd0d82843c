import { context, trace } from "@opentelemetry/api";
import { compose, launch, memoryStore } from "@slipway/control";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { spanLayer, telemetry, traced } from "../src/index.ts";
import { asyncContexts, recorder, recordingMeter } from "./recorder.ts";

beforeAll(() => void context.setGlobalContextManager(asyncContexts()));
afterAll(() => context.disable());

function instrumented() {
  const { tracer, spans } = recorder();
  const { meter, values } = recordingMeter();
  const { onEvent, reportPlan, reportPrice, observePool } = telemetry({ meter });
  const emulator = lambdaEmulator({ limits: null });
  // As an instrumentation of fetch would.
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const span = tracer.startSpan(`HTTP ${init?.method ?? "GET"}`);
    const response = await emulator.fetch(input, init);
    span.end();
    return response;
  };
  const provider = compose(
    lambda({
      apiKey: EMULATOR_API_KEY,
      owner: "o",
      regions: ["us-west-1"],
      sshKeyName: "laptop",
      runtime: { fetch, onEvent },
    }),
    spanLayer({ tracer }),
  );
  emulator.control.addSshKey("laptop", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop");
  return { provider, tracer, spans, values, onEvent, reportPlan, reportPrice, observePool };
}

test("the spans of one launch nest: what was asked for, the provider's call, its requests", async () => {
  const { provider, tracer, spans, values, onEvent } = instrumented();
  const instance = await traced(
    "launch",
    { "slipway.key": "job" },
    () => launch(provider, { key: "job", spec: "gpu_1x_a10" }, { store: memoryStore(), onEvent }),
    { tracer },
  );
  const requests = spans.filter(({ name }) => name.startsWith("HTTP"));
  expect(requests.length).toBeGreaterThan(1);
  expect(new Set(requests.map(({ parent }) => parent))).toEqual(new Set(["lambda spawn"]));
  expect(spans.find(({ name }) => name === "lambda spawn")).toMatchObject({
    parent: "launch",
    attributes: { "slipway.key": "job", "slipway.instance.id": instance.id, "cloud.region": "us-west-1" },
  });
  expect(spans.every(({ ended }) => ended)).toBe(true);
  expect(values.find((value) => value.includes("operation=spawn"))).toMatch(/^slipway.call.duration\{provider=lambda/);
  // Nothing that names one instance is on a metric.
  expect(values.join("\n")).not.toMatch(/job|key=/);
});

test("an error's code and effect are on its span, its message is not; a span is ended once whatever a function answers", async () => {
  const { provider, spans } = instrumented();
  await expect(provider.spawn({ key: "job", spec: "no such type" })).rejects.toThrow("no such type");
  const span = spans.find(({ name }) => name === "lambda spawn");
  expect(span).toMatchObject({ status: 2, ended: true, attributes: { "slipway.effect": "none" } });
  expect(span?.attributes["error.type"]).toMatch(/^[A-Z_]+$/);
  expect(JSON.stringify(span)).not.toContain("no such type");
  provider.generateBootstrap({ script: "true" });
  expect(spans.find(({ name }) => name === "lambda generateBootstrap")).toMatchObject({ ended: true });
});

test("events are on the active span, and the plan, the price and the pool are metrics, zero included", async () => {
  const { tracer, spans, values, onEvent, reportPlan, reportPrice } = instrumented();
  const event = { at: "2026-01-01T00:00:00.000Z", provider: "lambda" } as const;
  await traced(
    "work",
    {},
    async () => {
      onEvent({ ...event, type: "launch.adopted", key: "k", id: "i" });
      onEvent({ ...event, type: "wait", reason: "retry-after", operation: "list", ms: 1500 });
      onEvent({ ...event, type: "placement.tried", placement: "us-west-1", outcome: "CAPACITY_ERROR" });
    },
    { tracer },
  );
  expect(trace.getActiveSpan()).toBeUndefined();
  expect(spans[0]?.events).toEqual(["slipway.launch.adopted", "slipway.wait", "slipway.placement.tried"]);
  reportPlan({ provider: "lambda", items: [{ kind: "orphan" }] });
  reportPrice("lambda", 1.5);
  expect(values).toEqual([
    "slipway.launch.adopted{provider=lambda} 1",
    "slipway.wait.duration{provider=lambda,operation=list,reason=retry-after} 1.5",
    "slipway.placement.tries{provider=lambda,outcome=CAPACITY_ERROR} 1",
    "slipway.reconcile.findings{provider=lambda,kind=orphan} 1",
    ...["unknown-run", "duplicate", "expired", "missing", "drifted"].map(
      (kind) => `slipway.reconcile.findings{provider=lambda,kind=${kind}} 0`,
    ),
    "slipway.reconcile.findings{provider=lambda,kind=unread} 0",
    "slipway.price{provider=lambda} 1.5",
  ]);
});

test("a plan that could not read every record does not say that there are no orphans", () => {
  const { values, reportPlan } = instrumented();
  const unread = { code: "CORRUPT", message: "m", hint: "h" };
  reportPlan({ provider: "lambda", items: [{ kind: "duplicate" }, { kind: "missing" }], unread });
  expect(values).toEqual([
    // These are certain all the same; of orphans nothing is known.
    "slipway.reconcile.findings{provider=lambda,kind=duplicate} 1",
    "slipway.reconcile.findings{provider=lambda,kind=expired} 0",
    "slipway.reconcile.findings{provider=lambda,kind=missing} 1",
    "slipway.reconcile.findings{provider=lambda,kind=drifted} 0",
    "slipway.reconcile.findings{provider=lambda,kind=unread} 1",
  ]);
});

test("every state of a pool is observed, so that one that nothing is in any more shows zero", async () => {
  const { meter, values, collect } = recordingMeter();
  let states = ["launching", "launching", "empty"];
  telemetry({ meter }).observePool("runners", { slots: async () => states.map((state) => ({ state })) });
  await collect();
  expect(values).toContain("slipway.pool.size{pool=runners,state=launching} 2");
  values.length = 0;
  states = ["idle", "idle", "empty"];
  await collect();
  expect(values).toEqual(
    Object.entries({ empty: 1, launching: 0, idle: 2, claimed: 0, draining: 0, ending: 0, failed: 0 }).map(
      ([state, count]) => `slipway.pool.size{pool=runners,state=${state}} ${count}`,
    ),
  );
});
