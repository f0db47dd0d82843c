import { type BootstrapConfig, type BootstrapScript, canLog } from "@slipway/core";
import { addBootstrapOptions, type BootstrapFlags, bootstrapFrom } from "../bootstrap.ts";
import { CliError } from "../cli-error.ts";
import { type Configure, oneOf } from "../command.ts";
import { mustLocate, oneProvider } from "../locate.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly follow?: boolean;
}

export const configureLogs: Configure = (command, run) => {
  command.argument("<id-or-key>", "the instance").option("-f, --follow", "go on with what is yet to come");
  run<Flags>(command, logs);
};

async function logs(session: Session, [word = ""]: readonly string[], flags: Flags): Promise<void> {
  const { provider, instance } = await mustLocate(session, word);
  if (!canLog(provider)) {
    throw new CliError(
      "UNSUPPORTED",
      `${provider.name} has no logs`,
      `Where there is cloud-init: slipway ssh ${instance.id} sudo cat /var/log/cloud-init-output.log`,
    );
  }
  const { signal } = session.world;
  const lines = provider.logs(instance.id, { signal, ...(flags.follow === true ? { follow: true } : {}) });
  for await (const line of lines) {
    if (session.json) session.output.line({ id: instance.id, line });
    else session.output.remote(`${line}\n`);
  }
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
