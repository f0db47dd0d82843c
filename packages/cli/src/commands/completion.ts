import { type Configure, oneOf } from "../command.ts";
import { COMPLETION_SCRIPTS } from "../completion-scripts.ts";
import type { Session } from "../session.ts";

const shell = oneOf("bash", "zsh", "fish");

export const configure: Configure = (command, run) => {
  command.argument("<shell>", "bash, zsh or fish", shell).addHelpText(
    "after",
    `
Put one of these lines where your shell reads it at its start:
  source <(slipway completion bash)
  source <(slipway completion zsh)
  slipway completion fish | source`,
  );
  run(command, completion);
};

async function completion({ output }: Session, [name = ""]: readonly string[]): Promise<void> {
  output.raw(COMPLETION_SCRIPTS[shell(name, undefined)]);
}
