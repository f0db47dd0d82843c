export { CliError, type CliErrorCode, type SerializedCliError } from "./cli-error.ts";
export type { ProviderEntry, SlipwayConfig } from "./config-file.ts";
export { main } from "./main.ts";
export { runCli } from "./run-cli.ts";
export type { Prompter, SpawnProcess, TextSink, World } from "./world.ts";
