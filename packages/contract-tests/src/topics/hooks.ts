import { HEARTBEAT_TASKS, type HeartbeatTask, type Receipt } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, mustEqual, mustReject, NotApplicable, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";

const LONG_MS = 60_000;
const OFTEN = 50;
const EXPIRY_MS = 500;

export const hooksRules: Rules<"HOOK"> = {
  "HOOK-01": "`onStartup` resolves where credentials, tools and permissions are there, and changes nothing remotely.",
  "HOOK-02": "`onStartup` rejects with a ProviderError that says what is missing.",
  "HOOK-03": "`onShutdown` ends no instance.",
  "HOOK-04": "`onHeartbeat` answers one receipt for each task that was asked for, in the same order.",
  "HOOK-05": "What is not done by the deadline is answered as failed with TIMEOUT.",
  "HOOK-06":
    "A heartbeat task that fails is a failed receipt: the hook does not reject, and the other tasks are answered.",
  "HOOK-07": "`onHeartbeat` ends, deletes and changes nothing.",
  "HOOK-08": "Through a registry no hook throws: a failing hook is a failed receipt.",
};

/** What a provider does when a program starts, lives and ends. */
export const hooksCases: Cases<"hooks"> = {
  "hooks.startup": {
    title: "starts up and changes nothing",
    rules: ["HOOK-01"],
    run: async ({ harness, unchanged }) => {
      await unchanged("HOOK-01", "onStartup", () => harness.registration.hooks.onStartup());
    },
  },
  "hooks.startup-refused": {
    title: "says what is missing where it cannot start up",
    rules: ["HOOK-02"],
    needs: ["faults"],
    run: async ({ harness, fault }) => {
      fault({ operation: "onStartup", when: "before", code: "AUTH_ERROR", times: OFTEN });
      await mustReject(
        "HOOK-02",
        "onStartup without credentials",
        () => harness.registration.hooks.onStartup(),
        { codes: ["AUTH_ERROR"], effect: "none" },
        "Ask the remote something cheap, and map its refusal.",
      );
    },
  },
  "hooks.shutdown": {
    title: "shuts down and ends no instance",
    rules: ["HOOK-03"],
    run: async ({ harness, spawn, watch, unchanged }) => {
      const { id } = await spawn();
      await watch(id, (instance) => instance?.status !== "pending");
      await unchanged("HOOK-03", "onShutdown", () => harness.registration.hooks.onShutdown());
    },
  },
  "hooks.receipts": {
    title: "answers one receipt for each task, in the order asked",
    rules: ["HOOK-04"],
    run: async (context) => {
      await context.spawn();
      const orders: readonly (readonly HeartbeatTask[])[] = [
        HEARTBEAT_TASKS,
        [...HEARTBEAT_TASKS].reverse(),
        ["orphan_scan"],
        [],
      ];
      for (const tasks of orders) {
        const receipts = await heartbeat(context, tasks);
        const failed = receipts.find(({ ok }) => !ok);
        must(
          failed === undefined,
          "HOOK-04",
          `a task failed: ${shown(failed)}`,
          "Answer ok for what has nothing to do.",
        );
      }
    },
  },
  "hooks.deadline": {
    title: "answers TIMEOUT for what is not done by the deadline",
    rules: ["HOOK-05"],
    run: async (context) => {
      const receipts = await heartbeat(context, HEARTBEAT_TASKS, -1_000);
      for (const receipt of receipts) {
        const late = !receipt.ok && receipt.error.code === "TIMEOUT";
        must(late, "HOOK-05", `past the deadline it answers ${shown(receipt)}`, "Count the deadline on the clock.");
      }
    },
  },
  "hooks.failing-task": {
    title: "answers a failed receipt for a task that fails, and does not reject",
    rules: ["HOOK-06"],
    needs: ["faults"],
    run: async (context) => {
      await context.spawn();
      // A harness may know the heartbeat's reads by the hook's name, or as what they are.
      const faults = ["onHeartbeat", "list"].map(
        (operation) => ({ operation, when: "before", code: "UNAVAILABLE" }) as const,
      );
      const placed = faults.filter((fault) => context.harness.faults?.supports(fault));
      if (placed.length === 0) throw new NotApplicable("the harness places no fault at onHeartbeat or list");
      for (const fault of placed) context.fault({ ...fault, times: OFTEN });
      const receipts = await heartbeat(context, HEARTBEAT_TASKS);
      const scan = receipts.find(({ task }) => task === "orphan_scan");
      const told = `the orphan scan answers ${shown(scan)}`;
      must(scan?.ok === false, "HOOK-06", `${told} while the remote is down`, "A task that cannot read has failed.");
    },
  },
  "hooks.heartbeat-changes-nothing": {
    title: "ends, deletes and changes nothing in a heartbeat",
    rules: ["HOOK-07"],
    run: async (context) => {
      const { spawn, watch, unchanged, clock } = context;
      const { id } = await spawn();
      const { id: expired } = await spawn(
        context.subject.refuses.expiresAt === undefined
          ? { expiresAt: new Date(clock.now() + EXPIRY_MS).toISOString() }
          : undefined,
      );
      for (const each of [id, expired]) await watch(each, (instance) => instance?.status !== "pending");
      await clock.sleep(EXPIRY_MS);
      await unchanged("HOOK-07", "a heartbeat", () => heartbeat(context, HEARTBEAT_TASKS));
    },
  },
};

async function heartbeat(
  { harness, clock }: CaseContext,
  tasks: readonly HeartbeatTask[],
  fromNowMs: number = LONG_MS,
): Promise<readonly Receipt[]> {
  const deadline = new Date(clock.now() + fromNowMs).toISOString();
  const outcome = await settled(() => harness.registration.hooks.onHeartbeat({ tasks, deadline }));
  must(
    outcome.ok,
    "HOOK-06",
    `onHeartbeat rejected: ${shown(outcome.ok ? null : outcome.error)}`,
    "Turn a task's failure into its receipt.",
  );
  const answered = outcome.value.receipts.map(({ task }) => task);
  mustEqual("HOOK-04", "the receipts' tasks", answered, tasks, "Answer each task once, in order.");
  return outcome.value.receipts;
}
