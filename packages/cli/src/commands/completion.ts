import { type Configure, oneOf } from "../command.ts";
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

// Each asks `slipway complete -- <the words before the cursor>` and offers the first column of what it prints. The words go
// over as arguments: nothing that stands on the line, and nothing that is offered, is ever read by a shell as a program.
// Where nothing is offered, the shell completes file names.

const bash = `# bash completion for slipway
_slipway() {
  local line word
  local -a words=()
  # Bash takes --gpu=a10 apart at the sign; the command wants it whole.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if ((\${#words[@]})) && [[ $word == = || \${words[-1]} == *= ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  COMPREPLY=()
  while IFS= read -r line; do
    [[ $line == :* ]] || COMPREPLY+=("$(printf %q "\${line%%$'\\t'*}")")
  done < <(slipway complete -- "\${words[@]}" 2>/dev/null)
}
complete -o default -F _slipway slipway
`;

const zsh = `#compdef slipway
# zsh completion for slipway
_slipway() {
  local line
  local -a found
  while IFS= read -r line; do
    [[ $line == :* ]] || found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(slipway complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if ((\${#found})); then _describe slipway found; else _files; fi
}
compdef _slipway slipway
`;

const fish = `# fish completion for slipway
function __slipway_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (slipway complete -- $words[2..-1] 2>/dev/null | string match -v ':*')
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c slipway -f -a '(__slipway_complete)'
`;

/** For each shell, what it reads at its start. */
export const COMPLETION_SCRIPTS: Readonly<Record<"bash" | "zsh" | "fish", string>> = { bash, zsh, fish };
