import { readFileSync } from "node:fs";
import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { execInSandbox, SandboxError } from "@slipway/provider-kit/sandbox";
import { printed, Refusal } from "./answer.ts";
import { allOf, parseArguments, type VerbSpec, valueOf } from "./arguments.ts";
import { isNodeImage } from "./image-reference.ts";
import { environmentOf, isolationOf, layoutOf, type Machine, movedInto, noticeEnds } from "./machine.ts";
import { nodeEnvironment, stepOf, takeStep } from "./node-image.ts";
import { joins, noteJoin } from "./node-join.ts";
import type { ContainerRecord } from "./state.ts";
import type { Call, Verb } from "./verb.ts";

const EXEC: VerbSpec = {
  options: [
    { names: ["-d", "--detach"] },
    { names: ["-i", "--interactive"] },
    { names: ["-t", "--tty"] },
    { names: ["-e", "--env"], value: "text" },
    { names: ["--env-file"], value: "text" },
    { names: ["-u", "--user"], value: "text" },
    { names: ["--uid"], value: "int" },
    { names: ["--gid"], value: "int" },
    { names: ["-w", "--workdir", "--cwd"], value: "text" },
    { names: ["--ulimit"], value: "text" },
    { names: ["--debug"] },
  ],
  needs: ["container-id", "arguments"],
  restFrom: 1,
};
const LOGS: VerbSpec = {
  options: [{ names: ["--boot"] }, { names: ["-f", "--follow"] }, { names: ["-n"], value: "int" }],
  needs: ["container-id"],
  most: 1,
};
const LOOK_AGAIN_MS = 500;

async function exec(machine: Machine, args: readonly string[], call: Call): Promise<ProgramAnswer> {
  const parsed = parseArguments("exec", EXEC, args);
  const [id = "", ...argv] = parsed.words;
  await noticeEnds(machine);
  const record = (await machine.store.read()).containers[id];
  if (record === undefined) throw new Refusal(`get failed: container ${id} not found`);
  if (record.sandbox === undefined) throw new Refusal(`container ${id} is not running`);
  // Without -i the program's input is empty, whatever the command was given.
  const stdin = allOf(parsed, "--interactive").length > 0 ? call.stdin : "";
  const given = Object.fromEntries(
    allOf(parsed, "--env").map((each) => [each.split("=")[0] ?? "", each.slice(each.indexOf("=") + 1)]),
  );
  const environment = { ...given, ...(await emulatedEnvironment(machine, record, argv, stdin)) };
  const answer = await runInside(machine, record, argv, { ...call, stdin }, environment);
  if (answer.code === 0 && isNodeImage(record.image)) await noteJoin(machine, record, argv);
  return answer;
}

/** For a node: which step this is, and how it shall go. */
async function emulatedEnvironment(
  machine: Machine,
  record: ContainerRecord,
  argv: readonly string[],
  stdin: Call["stdin"],
): Promise<Record<string, string>> {
  if (!isNodeImage(record.image)) return {};
  const step = stepOf(argv, typeof stdin === "string" ? stdin : Buffer.from(stdin).toString("utf8"));
  const behaviour =
    step === undefined ? undefined : await machine.store.update((draft) => takeStep(draft, record.id, step));
  const joining = await joins(machine, record, argv);
  return { ...nodeEnvironment(record, behaviour), ...(joining ? { NODE_JOINS: "yes" } : {}) };
}

async function runInside(
  machine: Machine,
  record: ContainerRecord,
  argv: readonly string[],
  call: Call,
  environment: Readonly<Record<string, string>>,
): Promise<ProgramAnswer> {
  const isolation = await isolationOf();
  const { sandbox } = record;
  if (sandbox === undefined) throw new Refusal(`container ${record.id} is not running`);
  const words = movedInto(layoutOf(machine, record.id), isolation, argv);
  const running = execInSandbox(sandbox, words, {
    stdin: call.stdin,
    environment: { ...environmentOf(machine, isolation, record), ...environment },
    onStdout: call.onStdout,
    onStderr: call.onStderr,
  });
  try {
    // Ending the command ends nothing inside: but then nobody waits for it any more, and time may go on.
    const { exitCode, stdout, stderr } = await machine.real(() => Promise.race([running, rejected(call.signal)]));
    if (exitCode === 127 && isMissing(stderr)) {
      const what = `internalError: "failed to find target executable ${argv[0]}"`;
      throw new Refusal(`failed to start process ${record.createdAt} in container ${record.id} (cause: "${what}")`);
    }
    return { stdout, stderr, code: exitCode };
  } catch (error) {
    running.catch(() => undefined);
    if (error instanceof SandboxError && error.reason === "gone") {
      throw new Refusal(`container ${record.id} is not running`);
    }
    throw error;
  }
}

/** What the shell says that hands the command over. */
function isMissing(stderr: string): boolean {
  return /^(?:\/bin\/)?sh: (?:line )?\d+: (?:exec: )?.*not found\n?$/m.test(stderr);
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function logs(machine: Machine, args: readonly string[], call: Call): Promise<ProgramAnswer> {
  const parsed = parseArguments("logs", LOGS, args);
  const [id = ""] = parsed.words;
  const record = (await machine.store.read()).containers[id];
  const refused = (said: string): Refusal =>
    new Refusal(
      `failed to get logs for container ${id} (cause: "internalError: "failed to open container logs: ${said}"")`,
    );
  if (record === undefined) throw refused(`notFound: "container with ID ${id} not found"`);
  if (record.sandbox === undefined && record.startedAt === undefined) throw refused("The file does not exist.");
  const last = valueOf(parsed, "-n");
  const follow = allOf(parsed, "--follow").length > 0;
  const text = logText(machine, id);
  // Blank lines are lost where it follows, or counts.
  const kept = follow || last !== undefined ? withoutBlankLines(text) : text.replace(/\n+$/, "\n");
  const shown =
    last === undefined
      ? kept
      : kept
          .split("\n")
          .slice(-Number(last) - 1)
          .join("\n");
  if (!follow) return printed(shown);
  call.onStdout?.(shown);
  for (let seen = text.length; ; ) {
    // It never ends by itself, also not when the container does.
    await machine.clock.sleep(LOOK_AGAIN_MS, call.signal);
    const now = logText(machine, id);
    if (now.length > seen) call.onStdout?.(withoutBlankLines(now.slice(seen)));
    seen = now.length;
  }
}

function withoutBlankLines(text: string): string {
  return text.replace(/^\n+/, "").replace(/\n{2,}/g, "\n");
}

function logText(machine: Machine, id: string): string {
  try {
    return readFileSync(layoutOf(machine, id).log, "utf8");
  } catch {
    return "";
  }
}

export const insideVerbs: Readonly<Record<string, Verb>> = { exec, logs };
