import { scaledClock } from "@slipway/provider-kit/emulator";
import { describe, expect, test, vi } from "vitest";
import { exited, frame, startApiServer } from "./api-server.ts";
import { failure } from "./world.ts";

test("a command has its own exit code, and its output apart", async () => {
  const server = await startApiServer();
  const seen: (readonly [string, string])[] = [];
  let commands: readonly string[] = [];
  server.onSocket = (socket, query) => {
    commands = query.getAll("command");
    const [first, second] = [Buffer.from("ü").subarray(0, 1), Buffer.from("ü").subarray(1)];
    socket.send(Buffer.concat([Uint8Array.of(1), first]));
    socket.send(frame(2, "oops"));
    socket.send(Buffer.concat([Uint8Array.of(1), second]));
    socket.send(frame(1, ""));
    socket.send(exited(42));
    socket.close(1000);
  };
  const result = await server.provider.exec(server.id, ["tool", "a b", "$x"], {
    onStdout: (chunk) => seen.push(["out", chunk]),
    onStderr: (chunk) => seen.push(["err", chunk]),
  });
  expect(result).toEqual({ exitCode: 42, stdout: "ü", stderr: "oops" });
  expect(seen).toEqual([
    ["err", "oops"],
    ["out", "ü"],
  ]);
  // Arguments are no part of a shell's text.
  expect(commands.slice(-3)).toEqual(["tool", "a b", "$x"]);
});

test("input is sent whole and then ended, which needs the fifth protocol", async () => {
  const server = await startApiServer();
  const got: Buffer[] = [];
  server.onSocket = (socket, query) => {
    expect(query.get("stdin")).toBe("true");
    socket.on("message", (message) => {
      const bytes = Buffer.isBuffer(message) ? message : Buffer.alloc(0);
      if (bytes[0] === 0) got.push(bytes.subarray(1));
      if (bytes[0] === 255) socket.send(exited(bytes[1] ?? 1));
    });
  };
  const stdin = "line\n".repeat(200_000);
  expect(await server.provider.exec(server.id, ["cat"], { stdin })).toMatchObject({ exitCode: 0 });
  expect(Buffer.concat(got).toString()).toBe(stdin);

  const old = await startApiServer({ protocols: ["v4.channel.k8s.io"] });
  old.onSocket = (socket) => socket.send(exited(0));
  expect(await old.provider.exec(old.id, ["true"])).toMatchObject({ exitCode: 0 });
  // As a real server says it.
  old.refusal = { status: 403, body: "" };
  const error = await failure(old.provider.exec(old.id, ["cat"], { stdin: "x" }));
  expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
});

describe("a connection that ends without the command's end", () => {
  test.each(["close", "terminate"] as const)("by %s is an unknown outcome", async (how) => {
    const server = await startApiServer();
    server.onSocket = (socket) => {
      socket.send(frame(1, "half"));
      socket[how]();
    };
    const error = await failure(server.provider.exec(server.id, ["sleep", "9"]));
    expect(error).toMatchObject({ code: "NETWORK", effect: "unknown", operation: "exec" });
  });

  test("and is never closed either is noticed, since nobody answers a ping", async () => {
    const clock = scaledClock(100);
    const server = await startApiServer({ runtime: { clock } });
    server.onSocket = (socket) => {
      socket.pause();
    };
    const error = await failure(server.provider.exec(server.id, ["sleep", "9"]));
    expect(error).toMatchObject({ code: "NETWORK", effect: "unknown" });
  });
});

test("an abort ends the command in the pod, by the token that all of its processes bear", async () => {
  const server = await startApiServer();
  const stop = new AbortController();
  const killed: string[] = [];
  const running = new Map<string, () => void>();
  server.onSocket = (socket, query) => {
    const [, , script = "", , token = ""] = query.getAll("command");
    if (script.includes("kill -KILL")) {
      killed.push(token);
      running.get(token)?.();
      socket.send(exited(0));
      return;
    }
    running.set(token, () => socket.send(exited(137)));
    stop.abort();
  };
  const error = await failure(server.provider.exec(server.id, ["sleep", "77"], { signal: stop.signal }));
  expect(error).toMatchObject({ code: "CANCELLED", effect: "unknown" });
  expect(killed).toEqual([...running.keys()]);
});

test.each([
  [403, JSON.stringify({ reason: "Forbidden", message: 'User "u" cannot get resource "pods/exec"' }), "AUTH_ERROR"],
  [500, 'container not found ("main")', "INVALID_STATE"],
  [400, JSON.stringify({ message: "pod x does not have a host assigned", reason: "BadRequest" }), "INVALID_STATE"],
  [502, "Bad gateway", "UNAVAILABLE"],
])("a refusal with %i begins nothing", async (status, body, code) => {
  const server = await startApiServer();
  server.refusal = { status, body };
  expect(await failure(server.provider.exec(server.id, ["true"]))).toMatchObject({ code, effect: "none" });
});

test("a pod that does not run, and words that no program can get, are refused before any socket", async () => {
  const server = await startApiServer();
  const opened = vi.fn();
  server.onSocket = opened;
  expect(await failure(server.provider.exec(server.id, [""]))).toMatchObject({ code: "INVALID_SPEC" });
  expect(await failure(server.provider.exec(server.id, ["a", "b\0c"]))).toMatchObject({ code: "INVALID_SPEC" });
  server.phase = "Succeeded";
  expect(await failure(server.provider.exec(server.id, ["true"]))).toMatchObject({ code: "INVALID_STATE" });
  expect(opened).not.toHaveBeenCalled();
});

test("an end that the runtime does not know, of a command that ran, is an unknown outcome", async () => {
  const server = await startApiServer();
  const message = "error executing command in container: ttrpc: closed";
  server.onSocket = (socket) => {
    socket.send(frame(1, "half of it"));
    socket.send(frame(3, JSON.stringify({ status: "Failure", reason: "InternalError", code: 500, message })));
  };
  const error = await failure(server.provider.exec(server.id, ["migrate"]));
  expect(error).toMatchObject({ code: "INVALID_STATE", effect: "unknown" });
});

test("an image without a shell is named as the reason", async () => {
  const server = await startApiServer();
  const message = 'exec: "/bin/sh": stat /bin/sh: no such file or directory';
  server.onSocket = (socket) => socket.send(frame(3, JSON.stringify({ status: "Failure", code: 500, message })));
  const error = await failure(server.provider.exec(server.id, ["true"]));
  expect(error.message).toContain("no /bin/sh");
  expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
});
