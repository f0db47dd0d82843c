import { type BootstrapScript, type BootstrapTruth, checksumOf, type Instance, ProviderError } from "@slipway/core";
import { answered, asked, fields, ignoring, intercept, secretWrites, told } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

/** Mutants of the group bootstrap. */
export const bootstrapMutants: MutantsOf<"bootstrap"> = {
  "bootstrap.rendered": {
    does: "counts characters, not bytes",
    mutate: rendering((script, config) =>
      hasFiles(config) ? { ...script, byteLength: script.byteLength - 1 } : script,
    ),
    alsoKills: { "bootstrap.altered-script": "what it alters is refused no longer for the alteration alone" },
  },
  "bootstrap.same-bytes": {
    does: "renders the process into the script",
    mutate: rendering((script, _config, process) => {
      if (process === 0) return script;
      const content = `${script.content}\n# process ${process}`;
      const byteLength = new TextEncoder().encode(content).length;
      return { ...script, content, byteLength, checksum: checksumOf(content) };
    }),
  },
  "bootstrap.pure": {
    does: "writes to the remote while it renders",
    mutate: secretWrites((secretly) =>
      rendering((script) => {
        secretly();
        return script;
      }),
    ),
  },
  "bootstrap.altered-script": {
    does: "takes a script of a format that it does not know",
    mutate: asked("spawn", (options) => {
      const bootstrap = fields(options["bootstrap"]);
      return bootstrap["format"] === "powershell"
        ? { ...options, bootstrap: { ...bootstrap, format: "shell" } }
        : options;
    }),
  },
  "bootstrap.too-large": {
    does: "leaves out a bootstrap that is too large",
    mutate: ignoring("spawn", ["bootstrap"], ({ bootstrap }) => {
      const { script } = fields(bootstrap);
      return typeof script === "string" && script.length > 10_000;
    }),
  },
  "bootstrap.any-character": {
    does: "refuses a path with a quote",
    mutate: rendering((script, config) => {
      if (!JSON.stringify(config).includes("it's here")) return script;
      const message = "a path holds a quote";
      throw new ProviderError("INVALID_SPEC", {
        message,
        provider: "memory",
        operation: "generateBootstrap",
        effect: "none",
      });
    }),
  },
  "bootstrap.nul": {
    does: "leaves out values that hold NUL",
    mutate: asked("spawn", (options) => {
      const { environment, ...bootstrap } = fields(options["bootstrap"]);
      const values = Object.values(fields(environment));
      return values.some((value) => String(value).includes("\0")) ? { ...options, bootstrap } : options;
    }),
  },
  "bootstrap.misread": {
    does: "mends the line ends of a script without a word",
    mutate: asked("spawn", (options) => {
      const bootstrap = fields(options["bootstrap"]);
      const { script } = bootstrap;
      return typeof script === "string"
        ? { ...options, bootstrap: { ...bootstrap, script: script.replaceAll("\r\n", "\n") } }
        : options;
    }),
  },
  "bootstrap.rotated-token": {
    does: "does not tell the checksum without the token",
    mutate: rendering(({ stableChecksum: _left, ...script }) => script),
    alsoKills: { "bootstrap.report": "the token of a report is one of those that it leaves out" },
  },
  "bootstrap.report": {
    does: "counts the token of the report as part of the spec",
    mutate: rendering((script, config) =>
      fields(config)["report"] === undefined ? script : { ...script, stableChecksum: script.checksum },
    ),
  },
  "bootstrap.succeeds": {
    does: "tells that a bootstrap failed that did not",
    mutate: told((instance) => ending(instance, "succeeded", { state: "failed", exitCode: 1 })),
  },
  "bootstrap.fails": {
    does: "tells another exit code",
    mutate: told((instance) => ending(instance, "failed", { state: "failed", exitCode: 1 })),
    alsoKills: { "bootstrap.read": "it compares what it reads with what get tells" },
  },
  "bootstrap.read": {
    does: "reads that a bootstrap succeeded which failed",
    mutate: answered<BootstrapTruth | null>("readBootstrap", (truth) =>
      truth?.state === "failed" ? { ...truth, state: "succeeded", exitCode: 0 } : truth,
    ),
  },
};

function rendering(change: (script: BootstrapScript, config: unknown, process: number) => BootstrapScript): Mutate {
  return intercept({
    generateBootstrap: (args, next, { process }) => change(next(...args) as BootstrapScript, args[0], process),
  });
}

function hasFiles(config: unknown): boolean {
  return JSON.stringify(config).includes("/etc/motd") && JSON.stringify(config).includes("TARGET");
}

function ending(instance: Instance, state: string, bootstrap: NonNullable<Instance["bootstrap"]>): Instance {
  return instance.bootstrap?.state === state ? { ...instance, bootstrap } : instance;
}
