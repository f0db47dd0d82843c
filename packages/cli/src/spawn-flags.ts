import type { Command } from "commander";
import { addBootstrapOptions, type BootstrapFlags } from "./bootstrap.ts";
import { assignments, byteSize, duration, notEmpty, positiveNumber, several } from "./command.ts";

/** What describes an instance on the command line. */
export interface SpawnFlags extends BootstrapFlags {
  readonly key?: string;
  readonly name?: string;
  readonly spec?: string;
  readonly image?: string;
  readonly cpus?: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly port?: readonly string[];
  readonly sshKey?: readonly string[];
  readonly label?: Readonly<Record<string, string>>;
  readonly ttl?: number;
  readonly maxUsdPerHour?: number;
  readonly maxUsdPerDay?: number;
  readonly region?: string;
  readonly gpu?: string | true;
  readonly spot?: number | true;
  readonly fromSnapshot?: string;
  readonly volume?: readonly string[];
  readonly warmVolume?: string;
  readonly hibernation?: boolean;
  readonly tailscaleAuthKeyFile?: string;
  readonly tailscaleHostname?: string;
  readonly tailscaleTag?: readonly string[];
  readonly network?: string;
  readonly subnet?: string;
  readonly firewall?: readonly string[];
  readonly isolated?: boolean;
  /** On whichever provider is cheapest; only of commands that launch. */
  readonly any?: boolean;
}

/** The options of `spawn` and `spot request`. */
export function addSpawnOptions(command: Command): Command {
  command
    .option(
      "--key <key>",
      "names the instance among yours: the same key answers the same instance (default: a new UUID)",
    )
    .option("--name <name>", "a display name", notEmpty)
    .option("--spec <name>", "the provider's machine type, or a place as a partition", notEmpty)
    .option("--image <name>", "the image", notEmpty)
    .option("--cpus <number>", "how many processors", positiveNumber)
    .option("--memory <size>", "as 512M or 8G", byteSize)
    .option("--disk <size>", "as 20G", byteSize);
  addBootstrapOptions(command)
    .option("--ssh-key <key>", "a public key, or the path of its file; several times", several)
    .option("--port <[host:]port[/udp]>", "a port that shall be reachable; several times", several)
    .option("--label <name=value>", "several times", assignments)
    .option("--ttl <duration>", "when it shall be gone; `slipway reap` ends what has expired", duration)
    .option("--max-usd-per-hour <amount>", "refuse to launch where the known price is higher", positiveNumber);
  return addCapabilityOptions(command);
}

/** Of commands that launch through the store, which counts what was launched. */
export function addBudgetOption(command: Command): Command {
  return command.option(
    "--max-usd-per-day <amount>",
    "refuse to launch where all that was launched here with this option would cost more in any 24 hours",
    positiveNumber,
  );
}

function addCapabilityOptions(command: Command): Command {
  return command
    .optionsGroup("Options of capabilities (`slipway providers <name>` shows which a provider has):")
    .option("--region <name>", "where", notEmpty)
    .option("--gpu [type[:count]]", "an accelerator, as --gpu, --gpu=a10 or --gpu=a10:2")
    .option("--spot [max-usd-per-hour]", "interruptible capacity", (text: string) => positiveNumber(text))
    .option("--from-snapshot <id>", "begin with the content of a snapshot", notEmpty)
    .option("--volume <id:path>", "mount a volume at an absolute path; several times", several)
    .option("--warm-volume <pool>", "take a volume of this warm pool", notEmpty)
    .option("--hibernation", "make `slipway hibernate` possible")
    .option("--tailscale-auth-key-file <file>", "join a tailnet with the key in this file", notEmpty)
    .option("--tailscale-hostname <name>", "its name on the tailnet", notEmpty)
    .option("--tailscale-tag <tag>", "several times", several)
    .option("--network <id>", "the network to place it in", notEmpty)
    .option("--subnet <id>", "the subnet to place it in", notEmpty)
    .option("--firewall <id>", "several times", several)
    .option("--isolated", "no way in or out but through the provider");
}
