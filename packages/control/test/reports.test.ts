import { isProviderError, type ProviderError } from "@slipway/core";
import { beforeEach, describe, expect, test } from "vitest";
import {
  allEntries,
  apply,
  type BootstrapReports,
  bootstrapReports,
  type DataRecord,
  launch,
  launchId,
  memoryStore,
  reconcile,
  type Store,
  StoreError,
  terminateAndConfirm,
  waitForBootstrap,
} from "../src/index.ts";
import {
  newWorld,
  type PlainProvider,
  plainProvider,
  safeProvider,
  setStatus,
  type World,
} from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

const SECRET = "a secret of at least 32 characters";
const YEAR_MS = 365 * 24 * 3_600_000;
const ESCAPE = String.fromCodePoint(0x1b);
const BELL = String.fromCodePoint(0x07);
const URL_OF_REPORTS = "https://control.example/reports";
const bootstrap = { script: "exit 0", controlPlaneUrl: URL_OF_REPORTS, report: true } as const;

let clock: SimulatedClock;
let world: World;
let provider: PlainProvider;
let store: Store;
let reports: BootstrapReports;

beforeEach(() => {
  // Time limits of a body are time in the background.
  clock = simulatedClock(5000);
  world = newWorld(clock);
  provider = plainProvider(world);
  store = memoryStore();
  reports = bootstrapReports({ secret: SECRET, store, clock });
});

const identity = (key: string) => ({ provider: provider.name, account: "", owner: provider.owner, key });

/** What was put on the machine that was launched last. */
function tokenOnMachine(): string {
  const script = world.requests.at(-1)?.bootstrap;
  const content = script !== undefined && "content" in script ? script.content : "";
  return /^REPORT=\S+ (\S+)$/m.exec(content)?.[1] ?? "none";
}

interface Sent {
  readonly event?: string;
  readonly seq?: number | string;
  readonly exitCode?: number | string;
  readonly output?: string;
}

function body({ event = "alive", seq = 1, exitCode, output = "" }: Sent): string {
  return `event=${event}\nseq=${seq}\n${exitCode === undefined ? "" : `exitCode=${exitCode}\n`}\n${output}`;
}

async function post(token: string, sent: Sent | string | ReadableStream<Uint8Array>): Promise<number> {
  const text = typeof sent === "string" || sent instanceof ReadableStream ? sent : body(sent);
  const headers = { authorization: `Bearer ${token}` };
  const request = new Request(URL_OF_REPORTS, { method: "POST", headers, body: text, duplex: "half" });
  return (await reports.handle(request)).status;
}

async function launched(key = "k"): Promise<{ readonly id: string; readonly token: string }> {
  const { id } = await launch(provider, { key, bootstrap }, { store, clock, reports });
  return { id, token: tokenOnMachine() };
}

async function nameOf(key: string): Promise<string> {
  const record = await store.read(launchId(identity(key)));
  return (record?.kind === "launch" ? record.reports : undefined) ?? "none";
}

async function rows(): Promise<DataRecord[]> {
  const entries = await allEntries(store, { kind: "report" });
  return entries.flatMap(({ record }) => (record.kind === "report" ? [record] : []));
}

async function failureOf(work: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await work.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (isProviderError(error)) return error;
  throw error;
}

describe("a launch with reports", () => {
  test("is waited for until it reports success", async () => {
    const { id, token } = await launched();
    setStatus(world, id, "running");
    expect(await reports.readBootstrap(id)).toEqual({ state: "pending" });
    // What a report takes of real time, the clock's sleepers do not wait: on a busy machine hours of its time go by.
    const waiting = waitForBootstrap(provider, id, { clock, from: reports, timeoutMs: YEAR_MS });
    expect(await post(token, { event: "started", seq: 1 })).toBe(204);
    expect(await reports.readBootstrap(id)).toEqual({ state: "running" });
    expect(await post(token, { seq: 2, output: "one\ntwo\n" })).toBe(204);
    expect(await reports.readBootstrap(id)).toEqual({ state: "running", lastLines: ["one", "two"] });
    expect(await post(token, { event: "exited", seq: 3, exitCode: 0, output: "three\n" })).toBe(204);
    expect((await waiting).bootstrap).toEqual({ state: "succeeded", exitCode: 0 });
  });

  test("that failed ends the wait with its exit code and its last lines", async () => {
    const { id, token } = await launched();
    setStatus(world, id, "running");
    await post(token, { event: "exited", seq: 3, exitCode: 7, output: "no such file\n" });
    const error = await failureOf(waitForBootstrap(provider, id, { clock, from: reports }));
    expect(error.code).toBe("INVALID_STATE");
    expect(error.message).toContain("exit code 7; its last lines:\nno such file");
  });

  test("that reports nothing ends the wait with TIMEOUT, and one without reports with UNSUPPORTED", async () => {
    const { id } = await launched();
    setStatus(world, id, "running");
    const silent = await failureOf(waitForBootstrap(provider, id, { clock, from: reports, timeoutMs: 60_000 }));
    expect(silent.code).toBe("TIMEOUT");
    const other = await launch(provider, { key: "o", bootstrap: { script: "exit 0" } }, { store, clock, reports });
    setStatus(world, other.id, "running");
    const unasked = await failureOf(waitForBootstrap(provider, other.id, { clock, from: reports, timeoutMs: 60_000 }));
    expect(unasked.code).toBe("UNSUPPORTED");
    expect(unasked.message).toContain("nor does the reports");
  });

  test("is the same launch when it is repeated, and its token stays", async () => {
    const { id, token } = await launched();
    const again = await launch(provider, { key: "k", bootstrap }, { store, clock, reports });
    expect(again.id).toBe(id);
    expect(world.requests).toHaveLength(1);
    expect(await post(token, { event: "started" })).toBe(204);
  });

  test("that is sent again is sent with the same bytes", async () => {
    const safe = safeProvider(world);
    world.spawnFaults.push("lost");
    const options = { key: "s", bootstrap };
    await launch(safe, options, { store, clock, reports, failpoint: crashAt("after-intent") }).catch(() => undefined);
    const intent = await allEntries(store, { kind: "launch" });
    clock.advance(1);
    await launch(safe, options, { store, clock, reports });
    const [record] = intent.map(({ record: one }) => one);
    expect(record).toMatchObject({ kind: "launch", state: "intended", reports: expect.any(String) });
    expect(record?.kind === "launch" && record.request?.["bootstrap"]).toEqual(world.requests.at(-1)?.bootstrap);
  });

  test("needs a place and a store", async () => {
    const { controlPlaneUrl: _none, ...placeless } = bootstrap;
    const error = await failureOf(launch(provider, { key: "k", bootstrap: placeless }, { store, clock, reports }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.message).toContain("controlPlaneUrl");
    const storeless = await failureOf(launch(safeProvider(world), { key: "k", bootstrap }, { clock, reports }));
    expect(storeless.message).toContain("store");
    expect(world.requests).toEqual([]);
  });

  test("takes its report along when it is forgotten, by whoever saw its end", async () => {
    for (const forget of [
      async (id: string) => {
        await terminateAndConfirm(provider, id, { clock, store });
      },
      async (id: string) => {
        await provider.terminate(id);
        clock.advance(world.lagMs + 60_000);
        setStatus(world, id, "terminated");
        const plan = await reconcile(provider, { store, clock });
        expect((await apply(provider, plan, { store, clock })).map(({ outcome }) => outcome)).toEqual(["forgotten"]);
      },
    ]) {
      const { id, token } = await launched();
      expect(await post(token, { event: "exited", exitCode: 0 })).toBe(204);
      expect(await rows()).toHaveLength(1);
      await forget(id);
      expect(await allEntries(store)).toEqual([]);
      expect(await post(token, { event: "started", seq: 9 })).toBe(410);
      expect(await rows()).toEqual([]);
    }
  });

  test("an earlier machine under the key that sends too much keeps the next one's reports from nobody", async () => {
    const first = await launched();
    await terminateAndConfirm(provider, first.id, { clock, store });
    const second = await launched();
    for (let seq = 1; seq <= 30; seq += 1) await post(first.token, { seq });
    expect(await post(first.token, { seq: 99 })).toBe(429);
    expect(await post(second.token, { event: "started" })).toBe(204);
  });

  test("whose record was forgotten is not taken for the next one", async () => {
    const first = await launched();
    await terminateAndConfirm(provider, first.id, { clock, store });
    const id = launchId(identity("k"));
    const lease = await store.acquire(id);
    await store.remove(id);
    if (lease !== null) await store.release(lease);
    expect(await post(first.token, { event: "exited", exitCode: 0 })).toBe(410);
    const second = await launched();
    expect(await post(first.token, { event: "exited", exitCode: 0 })).toBe(410);
    expect(await reports.readBootstrap(second.id)).toEqual({ state: "pending" });
  });

  test("keeps no token in its record, once the instance is known", async () => {
    const { token } = await launched();
    expect(JSON.stringify(await allEntries(store))).not.toContain(token);
  });
});

function crashAt(point: string): (name: string) => void {
  return (name) => {
    if (name === point) throw new Error("killed");
  };
}

describe("nothing but its own row is affected by", () => {
  test("a token that nobody made, was changed, has another secret or is too old", async () => {
    const { token } = await launched();
    const [version = "", payload = "", mac = ""] = token.split(".");
    const forged = Buffer.from(JSON.stringify(["scripted", "", provider.owner, "k", "name", 9e15])).toString(
      "base64url",
    );
    const other = bootstrapReports({ secret: "another secret of 32 characters, or more", store, clock });
    const false_ = [
      ...["", "x", "1..", `${version}.${payload}`, `${version}.${payload}.`, `${version}.${payload}.${mac}x`],
      ...[`2.${payload}.${mac}`, `${version}.${forged}.${mac}`, `${version}.${payload}.${"A".repeat(43)}`],
      ...["A".repeat(100_000), await other.token(identity("k"), await nameOf("k"))],
    ];
    for (const one of false_) expect(await post(one, { event: "exited", exitCode: 0 })).toBe(401);
    const noHeader = new Request(URL_OF_REPORTS, { method: "POST", body: body({}) });
    expect((await reports.handle(noHeader)).status).toBe(401);
    clock.advance(8 * 24 * 3_600_000);
    expect(await post(token, { event: "exited", exitCode: 0 })).toBe(401);
    expect(await rows()).toEqual([]);
  });

  test("the token of another machine", async () => {
    const [a, b] = [await launched("a"), await launched("b")];
    await post(a.token, { event: "started", seq: 1 });
    // Whatever it claims in its text.
    expect(await post(b.token, `event=exited\nseq=5\nexitCode=0\nkey=a\nname=a\nid=${a.id}\n\n`)).toBe(204);
    expect(await reports.readBootstrap(a.id)).toEqual({ state: "running" });
    expect(await reports.readBootstrap(b.id)).toMatchObject({ state: "succeeded" });
  });

  test("an earlier machine under the same key, before and after the later one reports", async () => {
    const first = await launched();
    await post(first.token, { event: "exited", seq: 5, exitCode: 0 });
    await terminateAndConfirm(provider, first.id, { clock, store });
    const second = await launched();
    expect(second.id).not.toBe(first.id);
    expect(second.token).not.toBe(first.token);
    expect(await reports.readBootstrap(second.id)).toEqual({ state: "pending" });
    expect(await post(first.token, { event: "exited", seq: 6, exitCode: 0 })).toBe(410);
    expect(await reports.readBootstrap(second.id)).toEqual({ state: "pending" });
    expect(await post(second.token, { event: "started", seq: 1 })).toBe(204);
    expect(await post(first.token, { event: "exited", seq: 7, exitCode: 0 })).toBe(410);
    expect(await reports.readBootstrap(second.id)).toEqual({ state: "running" });
    expect(await reports.readBootstrap(first.id)).toBeNull();
  });

  test("replays, and reports that come too late", async () => {
    const { id, token } = await launched();
    expect(await post(token, { event: "started", seq: 1 })).toBe(204);
    expect(await post(token, { event: "exited", seq: 3, exitCode: 7 })).toBe(204);
    expect(await post(token, { event: "exited", seq: 3, exitCode: 0 })).toBe(409);
    expect(await post(token, { event: "started", seq: 1 })).toBe(409);
    expect(await post(token, { event: "alive", seq: 2 })).toBe(409);
    // Its number is high enough, but how it ended is final until a bootstrap begins.
    expect(await post(token, { event: "alive", seq: 4 })).toBe(409);
    expect(await post(token, { event: "exited", seq: 4, exitCode: 0 })).toBe(409);
    expect(await reports.readBootstrap(id)).toMatchObject({ state: "failed", exitCode: 7 });
    expect(await post(token, { event: "started", seq: 5 })).toBe(204);
    expect(await reports.readBootstrap(id)).toEqual({ state: "running" });
  });

  test("escape sequences, in whatever they hide", async () => {
    const { id, token } = await launched();
    const output = [
      `${ESCAPE}[2J${ESCAPE}[1;31mred${ESCAPE}[0m`,
      `${ESCAPE}]0;title${BELL}titled ${ESCAPE}]8;;http://evil${ESCAPE}\\link${ESCAPE}]8;;${ESCAPE}\\`,
      "a\u0000b\u0007c\u009b2Jd",
      "overwritten\rwith",
      "left\u202eright\u200b",
      `${ESCAPE}[`,
      "\ud800",
    ].join("\n");
    await post(token, { event: "exited", exitCode: 1, output });
    const { lastLines = [] } = (await reports.readBootstrap(id)) ?? {};
    expect(lastLines.slice(0, 3)).toEqual(["red", "titled link", "a b c 2Jd"]);
    expect(lastLines.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(lastLines).toContain("left right");
  });

  test("an output without an end, also one that says a small length, and one that never goes on", async () => {
    const { token } = await launched();
    const chunk = new TextEncoder().encode("x".repeat(4096));
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(chunk);
      },
    });
    expect(await post(token, endless)).toBe(413);
    expect(pulled).toBeLessThan(10);
    expect(await post(token, "x".repeat(20_000))).toBe(413);
    const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    reports = bootstrapReports({ secret: SECRET, store, clock: { ...clock, sleep: () => Promise.resolve() } });
    expect(await post(token, silent)).toBe(408);
    reports = bootstrapReports({ secret: SECRET, store, clock });
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("gone")) });
    expect(await post(token, broken)).toBe(500);
    expect(await rows()).toEqual([]);
  });

  test("lines without an end: what is kept is short", async () => {
    const { token } = await launched();
    await post(token, { event: "alive", output: "y".repeat(12_000) });
    await post(token, { event: "alive", seq: 2, output: "z\n".repeat(6000) });
    for (const row of await rows()) expect(JSON.stringify(row).length).toBeLessThan(4000);
  });

  test.each([
    ["nothing", ""],
    ["no border", "event=alive\nseq=1\n"],
    ["an event that is none", body({ event: "adopt" })],
    ["a number that is none", body({ seq: "1e3" })],
    ["a number without an end", body({ seq: "9".repeat(40) })],
    ["an end without its code", body({ event: "exited" })],
    ["a code that is none", body({ event: "exited", exitCode: "-1" })],
    ["a code that is too high", body({ event: "exited", exitCode: 999 })],
    ["bytes", "\u0000\ud83d\n\n\n"],
  ])("%s", async (_, text) => {
    const { token } = await launched();
    expect(await post(token, text)).toBe(400);
    expect(await rows()).toEqual([]);
  });

  test("a machine that reports all the time: it alone is told to wait", async () => {
    const [loud, quiet] = [await launched("loud"), await launched("quiet")];
    const answers: number[] = [];
    for (let seq = 1; seq <= 50; seq += 1) answers.push(await post(loud.token, { seq }));
    expect(answers.filter((status) => status === 204)).toHaveLength(20);
    expect(answers.filter((status) => status === 429)).toHaveLength(30);
    expect(await post(quiet.token, { event: "started" })).toBe(204);
    clock.advance(3000);
    expect(await post(loud.token, { seq: 99 })).toBe(204);
  });

  test("a method that is none of ours", async () => {
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
      expect((await reports.handle(new Request(URL_OF_REPORTS, { method }))).status).toBe(405);
    }
  });

  test("a report while another one is written, or while the store cannot write: it comes again", async () => {
    const { token } = await launched();
    const id = `report:scripted::${encodeURIComponent(provider.owner)}:k`;
    const lease = await store.acquire(id);
    expect(await post(token, { event: "started" })).toBe(503);
    if (lease !== null) await store.release(lease);
    const write = store.write;
    const full = new StoreError("FULL", { message: "no space", hint: "Make space." });
    reports = bootstrapReports({ secret: SECRET, clock, store: { ...store, write: () => Promise.reject(full) } });
    expect(await post(token, { event: "started" })).toBe(503);
    reports = bootstrapReports({ secret: SECRET, clock, store: { ...store, write } });
    expect(await post(token, { event: "started" })).toBe(204);
  });

  test("twenty reports at once: the row is one of theirs, and no later one is undone", async () => {
    const { id, token } = await launched();
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        post(token, { event: at === 19 ? "exited" : "alive", seq: at + 1, exitCode: 3 }),
      ),
    );
    expect(statuses.filter((status) => ![204, 409, 503].includes(status))).toEqual([]);
    await post(token, { event: "exited", seq: 20, exitCode: 3 });
    clock.advance(3000);
    await post(token, { event: "exited", seq: 20, exitCode: 3 });
    expect(await reports.readBootstrap(id)).toMatchObject({ state: "failed", exitCode: 3 });
  });
});

describe("a secret", () => {
  test("can be changed while machines run", async () => {
    const { id, token } = await launched();
    const next = "the next secret of at least 32 characters";
    reports = bootstrapReports({ secret: [next, SECRET], store, clock });
    expect(await post(token, { event: "started" })).toBe(204);
    expect(
      await post(await reports.token(identity("k"), await nameOf("k")), { event: "exited", seq: 2, exitCode: 0 }),
    ).toBe(204);
    expect(await reports.readBootstrap(id)).toMatchObject({ state: "succeeded" });
    reports = bootstrapReports({ secret: next, store, clock });
    expect(await post(token, { event: "alive", seq: 9 })).toBe(401);
  });

  test("that is short is refused", () => {
    expect(() => bootstrapReports({ secret: "short", store })).toThrow("at least 32 characters");
  });
});
