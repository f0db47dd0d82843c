import {
  type BootstrapConfig,
  type BootstrapScript,
  canExec,
  canReadBootstrap,
  isProviderError,
  type Provider,
} from "@slipway/core";
import {
  addBootstrapOptions,
  type BootstrapFlags,
  bootstrapFrom,
  type LineSource,
  linesOf,
  showingLines,
} from "../bootstrap.ts";
import { CliError } from "../cli-error.ts";
import { type Configure, notEmpty, oneOf } from "../command.ts";
import { mustLocate, oneProvider } from "../locate.ts";
import type { Session } from "../session.ts";
import { bootstrapInside, identityFor, WayIn } from "../way-in.ts";

interface Flags {
  readonly follow?: boolean;
  readonly identity?: string;
}

export const configureLogs: Configure = (command, run) => {
  command
    .argument("<id-or-key>", "the instance")
    .option("-f, --follow", "go on with what is yet to come, until the bootstrap or the instance ends")
    .option(
      "-i, --identity <file>",
      "a private key, where the provider has no logs: reads the bootstrap's log inside",
      notEmpty,
    );
  run<Flags>(command, logs);
};

async function logs(session: Session, [word = ""]: readonly string[], flags: Flags): Promise<void> {
  const { provider, instance } = await mustLocate(session, word);
  const { signal, clock } = session.world;
  const way = new WayIn(session, provider, instance.id, await identityFor(session, flags));
  const show = (line: string): void => {
    if (session.json) session.output.line({ id: instance.id, line });
    else session.output.remote(`${line}\n`);
  };
  try {
    const lines = linesOf(provider, instance.id, way, clock);
    if (lines === null) {
      throw new CliError(
        "UNSUPPORTED",
        `${provider.name} has no logs`,
        `Name a private key, which reads the bootstrap's log inside: slipway logs ${instance.id} --identity <file>`,
      );
    }
    const end = flags.follow === true ? await endOfBootstrap(session, provider, instance.id, way) : null;
    if (end !== null) return await followed(lines, (watched) => showingLines(watched, clock, show, end));
    for await (const line of lines({ signal, follow: flags.follow === true })) show(line);
  } finally {
    await way.close();
  }
}

/** Here the lines are the result: throws where they could never be read. */
async function followed(lines: LineSource, follow: (watched: LineSource) => Promise<void>): Promise<void> {
  let wasRead = false;
  const failures: unknown[] = [];
  const watched: LineSource = async function* (options) {
    try {
      for await (const line of lines(options)) {
        wasRead = true;
        yield line;
      }
      // One that is stopped may end as if it had read.
      wasRead ||= !options.signal.aborted;
    } catch (error) {
      // The last one: a log that cannot be read is tried every second.
      if (!options.signal.aborted) failures.splice(0, 1, error);
      throw error;
    }
  };
  await follow(watched);
  if (!wasRead && failures.length > 0) throw failures[0];
}

const LOOK_MS = 1000;

/** Waits until the bootstrap or its instance has ended. Null: no bootstrap is known there. */
async function endOfBootstrap(
  session: Session,
  provider: Provider,
  id: string,
  way: WayIn,
): Promise<(() => Promise<void>) | null> {
  const { signal, clock } = session.world;
  const own = canReadBootstrap(provider) ? [provider] : [];
  const sources = [...own, ...(way.exists && !canExec(provider) ? [bootstrapInside(session, provider, way)] : [])];
  /** Null: it has none. */
  const hasEnded = async (): Promise<boolean | null> => {
    let known: boolean | null = null;
    for (const source of sources) {
      const truth = await source.readBootstrap(id, session.call).catch((error: unknown) => {
        if (!isProviderError(error) || !error.retryable) throw error;
      });
      if (truth === null) continue;
      if (truth?.state === "succeeded" || truth?.state === "failed") return true;
      known = false;
    }
    if (known === null) return null;
    const instance = await provider.get(id, session.call);
    return instance === null || instance.status === "terminated" || instance.status === "error";
  };
  if ((await hasEnded()) === null) return null;
  return async () => {
    while ((await hasEnded()) === false) await clock.sleep(LOOK_MS, signal);
  };
}

interface Flags extends BootstrapFlags {
  readonly format?: BootstrapScript["format"];
}

export const configureBootstrap: Configure = (command, run) => {
  const renders = command
    .command("render")
    .description("print the script or cloud-init that would run at first boot")
    .argument("[file]", "the script, as --bootstrap; - reads it from stdin");
  addBootstrapOptions(renders)
    .option("--format <format>", "cloud-init or shell (default: the provider's own)", oneOf("cloud-init", "shell"))
    .addHelpText(
      "after",
      "\nThe result holds every value of --env and the registration token as they are: it is meant to be read and kept by you.\n",
    );
  run<Flags>(renders, render);
};

async function render(session: Session, [file]: readonly string[], flags: Flags): Promise<void> {
  if (file !== undefined && flags.bootstrap !== undefined) {
    throw new CliError("UNEXPECTED_ARGUMENT", "the script is named twice", "Give it once.");
  }
  const config = await bootstrapFrom(session, file === undefined ? flags : { ...flags, bootstrap: file });
  if (config === undefined) {
    throw new CliError(
      "MISSING_ARGUMENT",
      "there is nothing to render",
      "Name a script: slipway bootstrap render setup.sh",
    );
  }
  const rendered = await renderedBy(session, config, flags.format);
  if (session.json) return session.output.document(rendered);
  session.output.raw(rendered.content.endsWith("\n") ? rendered.content : `${rendered.content}\n`);
  session.output.note(`${rendered.format}, ${rendered.byteLength} bytes, ${rendered.checksum}`);
}

async function renderedBy(
  session: Session,
  config: BootstrapConfig,
  format: Flags["format"],
): Promise<BootstrapScript> {
  if (format === undefined) return (await oneProvider(session)).provider.generateBootstrap(config);
  const { renderBootstrap } = await import("@slipway/provider-kit/bootstrap");
  return renderBootstrap(config, { format, provider: "slipway", operation: "bootstrap render" });
}
