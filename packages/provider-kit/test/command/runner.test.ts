import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { commandRunner, runCommand } from "../../src/command/index.ts";
import { eventually, faultOf, handClock, isRunning, node, pidIn, scratch } from "./programs.ts";

describe("results", () => {
  it("gives exit code and both streams, with their last newline", async () => {
    const result = await runCommand("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"]);
    expect(result).toEqual({ exitCode: 3, signal: null, stdout: "out\n", stderr: "err\n" });
  });

  it("gives the signal that ended the program, without an exit code", async () => {
    const result = await runCommand("/bin/sh", ["-c", "kill -USR1 $$"]);
    expect(result).toMatchObject({ exitCode: null, signal: "SIGUSR1" });
  });

  it("passes every argument as it is: no shell ever sees it", async () => {
    const printed = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
    const argument = fc.string({ unit: "binary", maxLength: 40 }).filter((text) => !text.includes("\0"));
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 6 }), async (args) => {
        const sent = args.map((text) => text.toWellFormed());
        const { stdout } = await runCommand(process.execPath, ["-e", printed, "--", "$(id)", "`id`", "*", ...sent]);
        expect(JSON.parse(stdout)).toEqual(["$(id)", "`id`", "*", ...sent]);
      }),
      { numRuns: 12 },
    );
  });

  it("runs many at once without mixing them", async () => {
    const results = await Promise.all(
      Array.from({ length: 24 }, (_, at) => runCommand("/bin/sh", ["-c", `echo ${at}; exit ${at}`])),
    );
    expect(results.map((result) => [result.exitCode, result.stdout])).toEqual(
      Array.from({ length: 24 }, (_, at) => [at, `${at}\n`]),
    );
  });
});

describe("input and output", () => {
  it("sends bytes and text to stdin as they are", async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256);
    const hash =
      "process.stdout.write(require('crypto').createHash('sha256').update(require('fs').readFileSync(0)).digest('hex'))";
    const { stdout } = await runCommand(...node(hash), { stdin: bytes });
    const { createHash } = await import("node:crypto");
    expect(stdout).toBe(createHash("sha256").update(bytes).digest("hex"));
    const text = await runCommand("cat", [], { stdin: "é\r\n\u{1F680}" });
    expect(text.stdout).toBe("é\r\n\u{1F680}");
  });

  it("survives a program that does not read its input", async () => {
    const result = await runCommand("/bin/sh", ["-c", "exec 0<&-; echo done"], { stdin: "x".repeat(5_000_000) });
    expect(result).toMatchObject({ exitCode: 0, stdout: "done\n" });
    expect((await runCommand("true", [], { stdin: "x".repeat(5_000_000) })).exitCode).toBe(0);
  });

  it("hands a stream on no faster than the program takes it", async () => {
    let given = 0;
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (; given < 64; given += 1) yield new Uint8Array(1_000_000);
    };
    // It reads one piece, and the rest only when it is told to.
    const script = "head -c 1000000 | wc -c; sleep 0.2; echo waited; cat | wc -c";
    let before = 0;
    const onStdout = (chunk: string): void => {
      if (chunk.includes("waited")) before = given;
    };
    const { stdout } = await runCommand("/bin/sh", ["-c", script], { stdin: pieces(), onStdout });
    expect(before).toBeLessThan(10);
    expect(stdout.trim().split(/\s+/)[0]).toBe("1000000");
    expect(given).toBe(64);
  });

  it("lets go of a stream when the program ends without it", async () => {
    let closed = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(100_000);
      } finally {
        closed = true;
      }
    };
    expect((await runCommand("true", [], { stdin: endless() })).exitCode).toBe(0);
    await expect.poll(() => closed).toBe(true);
  });

  it("ends the group where the stream fails, and rejects with its error", async () => {
    const failure = new Error("the source is gone");
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("begun");
      throw failure;
    };
    await expect(runCommand("cat", [], { stdin: failing() })).rejects.toBe(failure);
  });

  it("has an empty stdin where none is given", async () => {
    expect((await runCommand("cat", [])).stdout).toBe("");
  });

  it("never breaks a character between two chunks", async () => {
    const directory = scratch();
    const characters = ["a", "é", "€", "\u{1F680}", "\uFEFFz"];
    const text = characters.join("");
    // Each write ends with the first byte of the next character, and the next one waits until this one was heard.
    const inPieces = `const fs = require("node:fs"); let begun = 0;
      for (const [at, character] of ${JSON.stringify(characters)}.entries()) {
        const [now, next] = [Buffer.from(character), Buffer.from(${JSON.stringify(characters)}[at + 1] ?? "")];
        fs.writeSync(1, Buffer.concat([now.subarray(begun), next.subarray(0, 1)]));
        begun = 1;
        while (!fs.existsSync(process.argv[1] + "/" + at)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }`;
    const chunks: string[] = [];
    const [file, args] = node(inPieces);
    const { stdout } = await runCommand(file, [...args, directory], {
      onStdout: (chunk) => writeFileSync(join(directory, String(chunks.push(chunk) - 1)), ""),
    });
    expect(stdout).toBe(text);
    expect(chunks).toEqual(characters);
  });

  it("shows a broken last character as one, in the result and to the listener", async () => {
    const chunks: string[] = [];
    const { stdout } = await runCommand("printf", ["ab\\303"], { onStdout: (chunk) => chunks.push(chunk) });
    expect(stdout).toBe("ab\uFFFD");
    expect(chunks.join("")).toBe("ab\uFFFD");
  });

  it("streams while the program still runs", async () => {
    const directory = scratch();
    const go = join(directory, "go");
    const script = `echo first; while [ ! -e "$1" ]; do sleep 0.02; done; echo second`;
    const seen: string[] = [];
    await runCommand("/bin/sh", ["-c", script, "sh", go], {
      onStdout: (chunk) => {
        seen.push(chunk);
        // The program waits for this file: it is written because the first line came while it ran.
        if (seen.length === 1) writeFileSync(go, "");
      },
    });
    expect(seen.join("")).toBe("first\nsecond\n");
  });

  it("ends the program and gives back what a listener throws", async () => {
    const fault = new TypeError("the listener's own");
    const onStdout = (): void => {
      throw fault;
    };
    await expect(runCommand("/bin/sh", ["-c", "echo x; sleep 60"], { onStdout })).rejects.toBe(fault);
  });

  it("keeps a flood within the cap, ends the program, and says so", async () => {
    const file = join(scratch(), "pid");
    let heard = 0;
    const exec = commandRunner({ killGraceMs: 300 });
    const flood = exec("/bin/sh", ["-c", 'echo $$ >"$1"; exec yes', "sh", file], {
      maxOutputBytes: 10_000,
      onStdout: (chunk) => {
        heard += chunk.length;
      },
    });
    const error = await faultOf(flood);
    expect(error).toMatchObject({ fault: "outputTooLarge", outputTooLarge: true, started: true, timedOut: false });
    expect(error.message).toContain("10000 bytes");
    expect(heard).toBe(10_000);
    expect(isRunning(await pidIn(file))).toBe(false);
  });

  it("takes exactly as much as the cap allows", async () => {
    const { stdout } = await runCommand("printf", ["%s", "x".repeat(5000)], { maxOutputBytes: 5000 });
    expect(stdout).toHaveLength(5000);
  });
});

describe("ending the whole group", () => {
  // A program with a grandchild, both of which ignore SIGTERM.
  const stubborn = `trap '' TERM; sh -c 'trap "" TERM; echo $$ >"$1/grandchild"; while :; do sleep 0.05; done' sh "$1" & echo $$ >"$1/child"; wait; wait`;

  it("ends grandchildren too when the time is over, also if they ignore SIGTERM", async () => {
    const directory = scratch();
    const clock = handClock();
    const exec = commandRunner({ clock, killGraceMs: 100 });
    const call = faultOf(exec("/bin/sh", ["-c", stubborn, "sh", directory], { timeoutMs: 30_000 }));
    const pids = [await pidIn(join(directory, "child")), await pidIn(join(directory, "grandchild"))];
    expect(pids.map(isRunning)).toEqual([true, true]);
    clock.advance(29_999);
    expect(pids.map(isRunning)).toEqual([true, true]);
    clock.advance(1);
    expect(await call).toMatchObject({ timedOut: true, cancelled: false, started: true, durationMs: 30_000 });
    await eventually(() => pids.every((pid) => !isRunning(pid)));
  });

  it("lets a program clean up on SIGTERM, and keeps what it printed", async () => {
    const controller = new AbortController();
    const script = `trap 'echo cleaned >&2; exit 0' TERM; echo ready; while :; do sleep 0.02; done`;
    const error = await faultOf(
      runCommand("/bin/sh", ["-c", script], {
        signal: controller.signal,
        onStdout: () => controller.abort(new Error("no longer wanted")),
      }),
    );
    expect(error).toMatchObject({ cancelled: true, timedOut: false, started: true, stdout: "ready\n" });
    expect(error.stderr).toContain("cleaned");
    expect(error.cause).toEqual(new Error("no longer wanted"));
  });

  it("calls a signal of AbortSignal.timeout a timeout", async () => {
    const error = await faultOf(runCommand("sleep", ["60"], { signal: AbortSignal.timeout(50) }));
    expect(error.timedOut).toBe(true);
  });

  it("runs nothing if the signal has aborted before", async () => {
    const file = join(scratch(), "made");
    const error = await faultOf(runCommand("touch", [file], { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ cancelled: true, started: false });
    expect(() => readFileSync(file)).toThrow("ENOENT");
  });

  it("does not wait for a grandchild that holds the pipes, and has all that the program printed", async () => {
    const file = join(scratch(), "pid");
    const script = `sleep 60 & echo $! >"$1"; head -c 200000 /dev/zero | tr '\\0' x; echo end`;
    const begun = performance.now();
    const result = await runCommand("/bin/sh", ["-c", script, "sh", file]);
    expect(performance.now() - begun).toBeLessThan(20_000);
    const grandchild = await pidIn(file);
    onTestFinished(() => void process.kill(grandchild));
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toHaveLength(200_004);
    // What a program leaves running on purpose is its own business.
    expect(isRunning(grandchild)).toBe(true);
  });

  it("does not wait for a grandchild that keeps printing either", async () => {
    const file = join(scratch(), "pid");
    const script = `(while :; do echo noise; sleep 0.01; done) & echo $! >"$1"; echo end`;
    const result = await runCommand("/bin/sh", ["-c", script, "sh", file]);
    const grandchild = await pidIn(file);
    onTestFinished(() => void (isRunning(grandchild) && process.kill(grandchild)));
    expect(result.stdout).toContain("end\n");
  });

  it("ends its groups when the parent is told to end", async () => {
    const directory = scratch();
    const index = new URL("../../src/command/index.ts", import.meta.url).href;
    const parentScript = join(directory, "parent.mts");
    writeFileSync(
      parentScript,
      // The child may run before its parent has come so far as to watch for its own end: the parent says when it has.
      `import { existsSync, writeFileSync } from "node:fs";
       import { runCommand } from ${JSON.stringify(index)};
       const directory = ${JSON.stringify(directory)};
       const watch = setInterval(() => {
         if (!existsSync(directory + "/grandchild")) return;
         clearInterval(watch);
         writeFileSync(directory + "/ready", process.pid + "\\n");
       }, 5);
       await runCommand("/bin/sh", ["-c", 'echo $$ >"$1/child"; sleep 60 & echo $! >"$1/grandchild"; wait', "sh", directory]);`,
    );
    const controller = new AbortController();
    const parent = runCommand(process.execPath, ["--conditions=@slipway/source", parentScript], {
      signal: controller.signal,
    });
    await pidIn(join(directory, "ready"));
    const pids = [await pidIn(join(directory, "child")), await pidIn(join(directory, "grandchild"))];
    expect(pids.map(isRunning)).toEqual([true, true]);
    controller.abort();
    await faultOf(parent);
    await eventually(() => pids.every((pid) => !isRunning(pid)));
  });
});

describe("what cannot be started", () => {
  it("tells a missing program", async () => {
    const error = await faultOf(runCommand("no-such-program-anywhere", ["x"]));
    expect(error).toMatchObject({ fault: "notFound", notFound: true, started: false, systemCode: "ENOENT" });
    expect(error.command).toEqual(["no-such-program-anywhere", "x"]);
    expect((await faultOf(runCommand("/no/such/program", []))).notFound).toBe(true);
  });

  it("tells a program that may not be executed from one that is missing", async () => {
    const directory = scratch();
    const plain = join(directory, "plain");
    writeFileSync(plain, "#!/bin/sh\n");
    chmodSync(plain, 0o644);
    expect((await faultOf(runCommand(plain, []))).notExecutable).toBe(true);
    const orphan = join(directory, "orphan");
    writeFileSync(orphan, "#!/no/such/interpreter\n");
    chmodSync(orphan, 0o755);
    expect(await faultOf(runCommand(orphan, []))).toMatchObject({ notExecutable: true, started: false });
    expect(await faultOf(runCommand("orphan", [], { env: { PATH: directory } }))).toMatchObject({
      notExecutable: true,
    });
    expect((await faultOf(runCommand(directory, []))).notExecutable).toBe(true);
  });

  it("tells a working directory that is missing or no directory", async () => {
    const error = await faultOf(runCommand("true", [], { cwd: "/no/such/directory" }));
    expect(error).toMatchObject({ badWorkingDirectory: true, notFound: false, started: false });
    expect(error.message).toContain("/no/such/directory does not exist");
    const file = join(scratch(), "file");
    writeFileSync(file, "");
    expect((await faultOf(runCommand("true", [], { cwd: file }))).message).toContain("not a directory");
  });

  it("tells a list that is too long for the system", async () => {
    const error = await faultOf(runCommand("true", ["x".repeat(3_000_000)]));
    expect(error).toMatchObject({ notStarted: true, started: false, systemCode: "E2BIG" });
  });

  it.each([
    ["a NUL in an argument", "true", ["a\0b"], {}],
    ["a NUL in a variable", "true", [], { env: { A: "\0" } }],
    ["a name with an equals sign", "true", [], { env: { "A=B": "x" } }],
    ["an empty program", "", [], {}],
  ])("refuses %s", async (_, file, args, options) => {
    expect(await faultOf(runCommand(file, args, options))).toMatchObject({ invalid: true, started: false });
  });
});
