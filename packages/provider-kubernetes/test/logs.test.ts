import { once } from "node:events";
import { connect, Server } from "node:net";
import { scaledClock } from "@slipway/provider-kit/emulator";
import { expect, test, vi } from "vitest";
import { startApiServer } from "./api-server.ts";
import { all, failure } from "./world.ts";

const at = (second: number, fraction: string): string => `2026-11-29T08:00:0${second}${fraction}Z`;

test("lines come whole, without the time that the server puts before them", async () => {
  const server = await startApiServer();
  server.onLog = (query, answer) => {
    expect(Object.fromEntries(query)).toEqual({ container: "main", timestamps: "true", tailLines: "3" });
    answer.write(`${at(0, ".5")} one\n${at(0, ".61")} tw`);
    answer.end(`o\n${at(1, "")} \n${at(2, ".1")} without an end`);
  };
  const lines = await all(server.provider.logs(server.id, { tailLines: 3 }));
  expect(lines).toEqual(["one", "two", "", "without an end"]);
});

test("followed, a stream that ends early goes on, with each line once, until the pod ends", async () => {
  const server = await startApiServer({ runtime: { clock: scaledClock(100) } });
  const asked: (string | null)[] = [];
  server.onLog = (query, answer) => {
    asked.push(query.get("sinceTime"));
    if (asked.length === 1) return answer.end(`${at(1, ".1")} one\n${at(1, ".2")} two\n`);
    server.phase = "Succeeded";
    return answer.end(`${at(1, ".1")} one\n${at(1, ".2")} two\n${at(1, ".3")} three\n`);
  };
  expect(await all(server.provider.logs(server.id, { follow: true }))).toEqual(["one", "two", "three"]);
  expect(asked.slice(0, 2)).toEqual([null, "2026-11-29T08:00:01.200000000Z"]);
});

test("lines of one time, of an earlier one, and of another time zone are all there", async () => {
  const server = await startApiServer({ runtime: { clock: scaledClock(100) } });
  // CRI-O gives all lines of a write one time; stdout and stderr are timed apart; times are those of the node's zone.
  const first = `${at(1, ".5")} one\n${at(1, ".5")} two\n${at(1, ".5")} two\n${at(1, ".4")} three\n`;
  const zoned = "2026-11-29T09:00:01.600000000+01:00 four\n";
  const asked: (string | null)[] = [];
  server.onLog = (query, answer) => {
    asked.push(query.get("sinceTime"));
    if (asked.length === 1) return answer.end(first + zoned);
    server.phase = "Succeeded";
    return answer.end(`${first}${zoned}${at(2, "")} five`);
  };
  const lines = await all(server.provider.logs(server.id, { follow: true }));
  expect(lines).toEqual(["one", "two", "two", "three", "four", "five"]);
  expect(asked[1]).toBe("2026-11-29T08:00:01.600000000Z");
});

test("followed, a connection that is reset in the middle of a line goes on too", async () => {
  const server = await startApiServer({ runtime: { clock: scaledClock(100) } });
  let isFirst = true;
  server.onLog = (_, answer) => {
    if (!isFirst) return answer.end(`${at(1, ".1")} one\n${at(1, ".2")} two\n`);
    isFirst = false;
    answer.write(`${at(1, ".1")} one\n${at(1, ".2")} tw`, () => {
      server.phase = "Succeeded";
      answer.destroy();
    });
  };
  expect(await all(server.provider.logs(server.id, { follow: true }))).toEqual(["one", "two"]);
});

test("followed, it ends quietly with the signal", async () => {
  const server = await startApiServer();
  const stop = new AbortController();
  server.onLog = (_, answer) => {
    answer.write(`${at(1, ".1")} one\n`);
  };
  const lines: string[] = [];
  for await (const line of server.provider.logs(server.id, { follow: true, signal: stop.signal })) {
    lines.push(line);
    stop.abort();
  }
  expect(lines).toEqual(["one"]);
});

test("what is no log is an error", async () => {
  const server = await startApiServer();
  server.onLog = (_, answer) => answer.end("unable to retrieve container logs for containerd://abc");
  expect(await failure(all(server.provider.logs(server.id)))).toMatchObject({ code: "UNAVAILABLE" });
  server.onLog = (_, answer) => {
    answer.writeHead(400);
    answer.end(
      JSON.stringify({ reason: "BadRequest", message: 'container "main" is waiting to start: ContainerCreating' }),
    );
  };
  expect(await failure(all(server.provider.logs(server.id)))).toMatchObject({ code: "INVALID_STATE" });
  server.onLog = (query, answer) => {
    expect(query.get("previous")).toBe("true");
    answer.writeHead(400);
    answer.end(
      JSON.stringify({ reason: "BadRequest", message: 'previous terminated container "main" in pod not found' }),
    );
  };
  const previous = await failure(all(server.provider.logs(server.id, { previous: true })));
  expect(previous).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  server.phase = "Pending";
  expect(await failure(all(server.provider.logs(server.id)))).toMatchObject({ code: "INVALID_STATE" });
});

test("a forwarded port carries each connection both ways, and is closed with its connections", async () => {
  const server = await startApiServer();
  server.onSocket = (socket, query) => {
    expect(query.get("ports")).toBe("8080");
    for (const channel of [0, 1]) socket.send(Uint8Array.of(channel, 0x90, 0x1f));
    socket.on("message", (message) => {
      const bytes = Buffer.isBuffer(message) ? message : Buffer.alloc(0);
      socket.send(Buffer.concat([Uint8Array.of(0), Buffer.from(bytes.subarray(1).toString().toUpperCase())]));
    });
  };
  const forward = await server.provider.portForward(server.id, 8080);
  const local = connect(forward.port, forward.host);
  local.write("hello");
  const [answer] = (await once(local, "data")) as [Buffer];
  expect(answer.toString()).toBe("HELLO");
  await forward.close();
  await once(local, "close");
  expect(await failure(server.provider.portForward(server.id, 0))).toMatchObject({ code: "INVALID_SPEC" });
});

test("a forwarded port leads to its own pod, and to no younger one of the same name", async () => {
  const server = await startApiServer();
  let sockets = 0;
  server.onSocket = (socket) => {
    sockets += 1;
    socket.close();
  };
  await using forward = await server.provider.portForward(server.id, 8080);
  server.uid = "uid-2";
  const local = connect(forward.port, forward.host);
  local.write("a secret of the first");
  await once(local, "close");
  expect(sockets).toBe(0);
});

test("a port whose signal aborts while it is being opened is closed again", async () => {
  const server = await startApiServer();
  const stop = new AbortController();
  const opened: Server[] = [];
  const listen = vi.spyOn(Server.prototype, "listen");
  listen.mockImplementationOnce(function (this: Server, ...args: readonly unknown[]) {
    listen.mockRestore();
    opened.push(this);
    stop.abort();
    return Reflect.apply(Reflect.get(this, "listen"), this, args);
  });
  const forward = server.provider.portForward(server.id, 8080, { signal: stop.signal });
  expect(await failure(forward)).toMatchObject({ code: "CANCELLED", effect: "none" });
  expect(opened.map(({ listening }) => listening)).toEqual([false]);
});
