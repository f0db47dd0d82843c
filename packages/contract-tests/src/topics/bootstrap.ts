import {
  type BootstrapConfig,
  type BootstrapScript,
  type BootstrapState,
  canReadBootstrap,
  checksumOf,
} from "@slipway/core";
import { type CaseContext, honoured } from "../case-context.ts";
import { must, mustEqual, mustReject, mustResolve, NotApplicable, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { RuleId, Rules } from "../ids.ts";
import { eventually } from "../waiting.ts";

const HOSTILE = `'"\`$(touch /tmp/x)\${HOME}\\\n\tend %s !! é 漢字 🚢 EOF\r\n#cloud-config\n`;
const CONFIG: BootstrapConfig = {
  script: "echo ready",
  environment: { GREETING: "hello", TARGET: "world" },
  files: [{ path: "/etc/motd", content: "welcome\n", mode: "0644" }],
};
// Nobody packs more than this; a larger limit cannot be tried in reasonable time.
const LARGEST_TRIED_BYTES = 4 * 1024 * 1024;

export const bootstrapRules: Rules<"BOOT"> = {
  "BOOT-01":
    "`generateBootstrap` answers `content`, `format`, the `checksum` and the `byteLength` of the content's UTF-8 bytes.",
  "BOOT-02": "The same config gives the same bytes, in every process; another config gives others.",
  "BOOT-03": "`generateBootstrap` makes no call and changes nothing.",
  "BOOT-04": "A rendered script whose checksum, format or length is wrong is INVALID_SPEC before any call.",
  "BOOT-05": "A bootstrap that is larger than `limits.maxUserDataBytes` after packing is INVALID_SPEC before any call.",
  "BOOT-06":
    "Every value of a config may hold every character but NUL; NUL is INVALID_SPEC, and so is a script that a shell would misread: the line ends of Windows in its first line, or blanks before `#!`.",
  "BOOT-07":
    "Where a provider tells of the bootstrap, it tells the true end: `succeeded`, or `failed` with the exit code.",
  "BOOT-08":
    "`stableChecksum` is the checksum without the registration token and without the token of `report`: a rotated token does not change it.",
  "BOOT-09":
    "A provider with `readBootstrap` reports there what `get` reports of the bootstrap, or its true end where `get` reports none, with its last lines free of control characters; null for an instance without one, NOT_FOUND where there is none.",
};

/** What is rendered, what is refused, and how it ended. */
export const bootstrapCases: Cases<"bootstrap"> = {
  "bootstrap.rendered": {
    title: "renders content, format, checksum and length",
    rules: ["BOOT-01"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const { content, format, checksum, byteLength } = context.subject.generateBootstrap(CONFIG);
      must(typeof content === "string" && content !== "", "BOOT-01", "there is no content", "Render a text at once.");
      const known = format === "cloud-init" || format === "shell";
      must(known, "BOOT-01", `the format is ${shown(format)}`, "Say cloud-init or shell.");
      mustEqual("BOOT-01", "the checksum", checksum, checksumOf(content), "Take it over the content's UTF-8 bytes.");
      mustEqual("BOOT-01", "byteLength", byteLength, new TextEncoder().encode(content).length, "Count bytes.");
    },
  },
  "bootstrap.same-bytes": {
    title: "renders the same bytes for the same config in every process, and others for another",
    rules: ["BOOT-02"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const { subject } = context;
      const once = subject.generateBootstrap(CONFIG).content;
      const elsewhere = (await context.another()).generateBootstrap(structuredClone(CONFIG)).content;
      must(once === subject.generateBootstrap(CONFIG).content, "BOOT-02", "two renderings differ", "Use no clock.");
      must(once === elsewhere, "BOOT-02", "another process renders other bytes", "Use no state.");
      const others: readonly BootstrapConfig[] = [
        { ...CONFIG, script: "echo other" },
        { ...CONFIG, environment: { GREETING: "hello" } },
        { ...CONFIG, files: [{ path: "/etc/motd", content: "bye\n" }] },
      ];
      for (const other of others) {
        must(
          subject.generateBootstrap(other).content !== once,
          "BOOT-02",
          `${shown(other)} is lost`,
          "Render all of it.",
        );
      }
    },
  },
  "bootstrap.pure": {
    title: "renders without a call",
    rules: ["BOOT-03"],
    run: async (context) => {
      honoured(context, "bootstrap");
      await context.unchanged("BOOT-03", "generateBootstrap", async () => {
        const script: unknown = context.subject.generateBootstrap(CONFIG);
        must(!(script instanceof Promise), "BOOT-03", "it answers a promise", "Render without waiting.");
      });
    },
  },
  "bootstrap.altered-script": {
    title: "refuses a rendered script whose checksum, format or length is wrong",
    rules: ["BOOT-04"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const script = context.subject.generateBootstrap(CONFIG);
      const altered: readonly object[] = [
        { ...script, content: `${script.content}\nrm -rf /` },
        { ...script, checksum: checksumOf("another") },
        { ...script, checksum: "" },
        { ...script, format: "powershell" },
        { ...script, byteLength: script.byteLength + 1 },
      ];
      // A caller without types may give anything.
      for (const bootstrap of altered) await mustBeRefused(context, "BOOT-04", bootstrap as BootstrapScript);
    },
  },
  "bootstrap.too-large": {
    title: "refuses a bootstrap that is larger than its limit",
    rules: ["BOOT-05"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const { maxUserDataBytes } = context.subject.limits;
      if (maxUserDataBytes > LARGEST_TRIED_BYTES) throw new NotApplicable("the limit is too high to be tried");
      await mustBeRefused(context, "BOOT-05", { script: `: ${incompressible(maxUserDataBytes * 3)}` });
    },
  },
  "bootstrap.any-character": {
    title: "renders every character but NUL, wherever it stands",
    rules: ["BOOT-06"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const config: BootstrapConfig = {
        script: `printf '%s' "$HOSTILE"\n# ${HOSTILE}`,
        environment: { HOSTILE },
        files: [{ path: "/tmp/it's here", content: HOSTILE }],
        registrationToken: "t'o\"k$en",
        controlPlaneUrl: "https://control.example/?a=1&b='2'",
      };
      const render = async (): Promise<BootstrapScript> => context.subject.generateBootstrap(config);
      const next = "Encode values, so that none needs quoting.";
      const script = await mustResolve("BOOT-06", "generateBootstrap with hostile values", render, next);
      mustEqual("BOOT-06", "the checksum", script.checksum, checksumOf(script.content), "Take it over the content.");
      await context.spawn({ bootstrap: script });
    },
  },
  "bootstrap.nul": {
    title: "refuses NUL, wherever it stands",
    rules: ["BOOT-06"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const nul = "a\0b";
      const configs: readonly BootstrapConfig[] = [
        { script: nul },
        { script: "exit 0", environment: { VALUE: nul } },
        { script: "exit 0", files: [{ path: "/tmp/file", content: nul }] },
      ];
      for (const config of configs) await mustBeRefused(context, "BOOT-06", config);
    },
  },
  "bootstrap.misread": {
    title: "refuses a script that a shell would misread",
    rules: ["BOOT-06"],
    run: async (context) => {
      honoured(context, "bootstrap");
      for (const script of ["#!/bin/sh\r\nexit 0\r\n", " #!/bin/sh\nexit 0\n"]) {
        await mustBeRefused(context, "BOOT-06", { script });
      }
    },
  },
  "bootstrap.rotated-token": {
    title: "keeps stableChecksum where only the registration token rotates",
    rules: ["BOOT-08"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const render = (registrationToken: string): BootstrapScript =>
        context.subject.generateBootstrap({ ...CONFIG, registrationToken });
      const [a, b] = [render("first-token"), render("second-token")];
      must(a.checksum !== b.checksum, "BOOT-08", "the token is not in the script", "Render the registration token.");
      const stable = a.stableChecksum;
      must(stable !== undefined, "BOOT-08", "stableChecksum is absent", "Answer it where there is a token.");
      mustEqual("BOOT-08", "the stableChecksum of the rotated", b.stableChecksum, stable, "Leave the token out of it.");
    },
  },
  "bootstrap.report": {
    title: "renders where to report, and keeps stableChecksum where only the report's token rotates",
    rules: ["BOOT-02", "BOOT-08"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const render = (url: string, token: string): BootstrapScript =>
        context.subject.generateBootstrap({ ...CONFIG, report: { url, token } });
      const [here, there] = ["https://control.example/a", "https://control.example/b"];
      const [a, rotated, moved] = [
        render(here, "first-token"),
        render(here, "second-token"),
        render(there, "first-token"),
      ];
      const plain = context.subject.generateBootstrap(CONFIG);
      must(a.content !== plain.content, "BOOT-02", "`report` changes nothing", "Render it, as the kit does.");
      must(a.checksum !== rotated.checksum, "BOOT-02", "the report's token is not in the script", "Render it.");
      must(a.checksum !== moved.checksum, "BOOT-02", "the report's URL is not in the script", "Render it.");
      const stable = a.stableChecksum;
      must(stable !== undefined, "BOOT-08", "stableChecksum is absent", "Answer it where there is a token.");
      mustEqual("BOOT-08", "the stableChecksum of the rotated", rotated.stableChecksum, stable, "Leave the token out.");
      must(moved.stableChecksum !== stable, "BOOT-08", "it is the same for another URL", "Leave out the token alone.");
    },
  },
  "bootstrap.succeeds": {
    title: "tells that a bootstrap succeeded, if it tells anything",
    rules: ["BOOT-07"],
    run: async (context) => {
      const bootstrap = await endOfBootstrap(context, "exit 0");
      const told = shown(bootstrap);
      must(bootstrap.state === "succeeded", "BOOT-07", `it says ${told}`, "Read the sentinel's exit code.");
      must((bootstrap.exitCode ?? 0) === 0, "BOOT-07", `it says ${told}`, "Read the sentinel's exit code.");
    },
  },
  "bootstrap.fails": {
    title: "tells the exit code of a bootstrap that failed, if it tells anything",
    rules: ["BOOT-07"],
    run: async (context) => {
      const bootstrap = await endOfBootstrap(context, "exit 7");
      const told = shown(bootstrap);
      must(bootstrap.state === "failed", "BOOT-07", `it says ${told}`, "Read the sentinel's exit code.");
      mustEqual("BOOT-07", "the exit code", bootstrap.exitCode, 7, "Read the sentinel's exit code.");
    },
  },
  "bootstrap.read": {
    title:
      "reads the bootstrap as get reports it or as it ended, null where there was none, NOT_FOUND without an instance",
    rules: ["BOOT-09"],
    run: async (context) => {
      const { provider, subject, spawn } = context;
      if (!canReadBootstrap(subject)) throw new NotApplicable("the provider has no readBootstrap");
      const read = (id: string) => subject.readBootstrap(id);
      const refused = { codes: ["NOT_FOUND"], effect: "none" } as const;
      const next = "Look the instance up first.";
      await mustReject("BOOT-09", "readBootstrap of nothing", () => read("no-such"), refused, next);
      const without = await spawn();
      mustEqual("BOOT-09", "the answer without a bootstrap", await read(without.id), null, "Answer null.");
      await provider.terminate(without.id);

      const { id } = await spawn({ bootstrap: { script: "printf '\\033[2Ja-line\\n'\nexit 7" } });
      const told = await eventually(context, () => read(id), isEnd);
      if (told === null || told.state === "unknown") throw new NotApplicable("the harness runs no bootstraps");
      const { lastLines = [], ...state } = told;
      // A `get` that would have to look inside may leave it to this one.
      const { bootstrap: seen = { state: "failed", exitCode: 7 } } = (await provider.get(id)) ?? {};
      mustEqual("BOOT-09", "what it reads", state, seen, "Read what get reads, or the sentinel.");
      const clean = lastLines.every((line) => !/\p{Cc}/u.test(line));
      must(clean, "BOOT-09", `a line is ${shown(lastLines)}`, "Take control characters out of the lines.");
    },
  },
};

async function mustBeRefused(
  { subject, request, unchanged }: CaseContext,
  rule: RuleId,
  bootstrap: BootstrapConfig | BootstrapScript,
): Promise<void> {
  await unchanged(rule, "a refused bootstrap", () =>
    mustReject(
      rule,
      `a spawn with the bootstrap ${shown(bootstrap)}`,
      () => subject.spawn(request({ bootstrap })),
      { codes: ["INVALID_SPEC"], effect: "none" },
      "Render and measure the bootstrap before the first call.",
    ),
  );
}

async function endOfBootstrap(context: CaseContext, script: string): Promise<{ state: string; exitCode?: number }> {
  honoured(context, "bootstrap");
  const { id } = await context.spawn({ bootstrap: { script } });
  const { provider, subject } = context;
  const last = await eventually(
    context,
    async () => {
      const seen = await provider.get(id);
      if (seen === null || seen.bootstrap !== undefined || !canReadBootstrap(subject)) return seen?.bootstrap ?? null;
      return await subject.readBootstrap(id);
    },
    isEnd,
  );
  if (last === null) throw new NotApplicable("the provider does not tell of the bootstrap");
  if (last.state === "unknown") throw new NotApplicable("the harness runs no bootstraps");
  return last;
}

function isEnd(told: BootstrapState | null): boolean {
  return told?.state === "succeeded" || told?.state === "failed";
}

// Hexadecimal digits, which gzip halves and no more; the same in every run.
function incompressible(bytes: number): string {
  let text = "";
  for (let i = 0; text.length < bytes; i++) text += checksumOf(`${i}`).slice(7);
  return text;
}
