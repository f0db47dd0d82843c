import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { type NodeHttpServer, nodeHttpAdapter } from "@slipway/provider-kit/emulator";
import { afterEach, expect, test } from "vitest";

const servers: NodeHttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serving(
  handler: (request: Request) => Promise<Response>,
  onError?: (error: unknown) => void,
): Promise<NodeHttpServer> {
  const server = await nodeHttpAdapter(handler, { onError });
  servers.push(server);
  return server;
}

test("hands method, path, query, headers and body to the handler, and its answer back", async () => {
  const { url } = await serving(async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    const seen = { method: request.method, pathname, search, kind: request.headers.get("x-kind"), body };
    return Response.json(seen, { status: 201, headers: { "retry-after": "3" } });
  });
  const response = await fetch(`${url}/v1/things?a=1&a=2`, {
    method: "PUT",
    headers: { "x-kind": "thing" },
    body: "zwölf",
  });
  expect(response.status).toBe(201);
  expect(response.headers.get("retry-after")).toBe("3");
  expect(await response.json()).toEqual({
    method: "PUT",
    pathname: "/v1/things",
    search: "?a=1&a=2",
    kind: "thing",
    body: "zwölf",
  });
});

test("keeps cookies apart, and a status without a body", async () => {
  const { url } = await serving(async () => {
    const headers = new Headers([
      ["set-cookie", "a=1, b"],
      ["set-cookie", "c=2"],
    ]);
    return new Response(null, { status: 204, headers });
  });
  const response = await fetch(url);
  expect(response.status).toBe(204);
  expect(response.headers.getSetCookie()).toEqual(["a=1, b", "c=2"]);
});

test("a large body passes both ways", async () => {
  const { url } = await serving(async (request) => new Response(request.body));
  const megabytes = new Uint8Array(3 * 1024 * 1024).map((_, at) => at % 251);
  const response = await fetch(url, { method: "POST", body: megabytes });
  expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(megabytes))).toBe(true);
});

test("a handler that throws is a 500 that does not say why", async () => {
  const told: unknown[] = [];
  const { url } = await serving(
    () => Promise.reject(new Error("the secret is hunter2")),
    (error) => told.push(error),
  );
  const response = await fetch(url);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("hunter2");
  expect(String(told[0])).toContain("hunter2");
});

test("Response.error() breaks the connection after the handler's work", async () => {
  let done = 0;
  const { url } = await serving(async () => {
    done += 1;
    return Response.error();
  });
  await expect(fetch(url, { method: "POST", body: "x" })).rejects.toThrow("fetch failed");
  expect(done).toBe(1);
});

test("the request's signal aborts when the client goes away", async () => {
  let aborted: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => {
    aborted = resolve;
  });
  let arrived: (() => void) | undefined;
  const there = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { url } = await serving(async (request) => {
    request.signal.addEventListener("abort", () => aborted?.());
    arrived?.();
    await gone;
    return new Response("too late");
  });
  const controller = new AbortController();
  const asking = fetch(url, { signal: controller.signal }).catch((error: Error) => error.name);
  await there;
  controller.abort();
  expect(await asking).toBe("AbortError");
  await gone;
});

test("a strange request target and Host reach the handler as a url of this server", async () => {
  const seen: string[] = [];
  const { port, url } = await serving(async (request) => {
    seen.push(request.url);
    return new Response("ok");
  });
  for (const target of ["//evil.example/x", "http://evil.example/y?z", "/%zz", "*"]) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(`GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
      });
      socket.on("error", reject).on("close", () => resolve());
      socket.resume();
    });
  }
  expect(seen.length).toBe(4);
  for (const target of seen) expect(new URL(target).origin).toBe(url);
});

test("listens on the loopback alone, and close ends what is under way", async () => {
  const server = await nodeHttpAdapter(() => new Promise(() => undefined));
  const broken = new Promise<string>((resolve) => {
    httpRequest(`${server.url}/`)
      .on("error", (error) => resolve(error.message))
      .end();
  });
  const reached = await fetch(`${server.url.replace("127.0.0.1", "127.0.0.2")}/`, {
    signal: AbortSignal.timeout(2_000),
  }).then(
    () => true,
    () => false,
  );
  expect(reached).toBe(false);
  await server.close();
  await server.close();
  expect(await broken).not.toBe("");
});

test("a port that is taken rejects", async () => {
  const { port } = await serving(async () => new Response("mine"));
  await expect(nodeHttpAdapter(async () => new Response("yours"), { port })).rejects.toThrow("EADDRINUSE");
});

test("takes no body above its limit, whether or not its length is announced, and goes on", async () => {
  const failures: unknown[] = [];
  const server = await nodeHttpAdapter(async (request) => new Response(await request.text()), {
    maxBodyBytes: 1000,
    onError: (error) => failures.push(error),
  });
  servers.push(server);
  const whole = await fetch(server.url, { method: "POST", body: "x".repeat(1000) });
  expect([whole.status, (await whole.text()).length]).toEqual([200, 1000]);
  const announced = await fetch(server.url, { method: "POST", body: "x".repeat(1001) });
  expect(announced.status).toBe(413);
  const chunks = ReadableStream.from([Buffer.alloc(600), Buffer.alloc(600)]);
  const streamed = await fetch(server.url, { method: "POST", body: chunks, duplex: "half" });
  expect([streamed.status, await streamed.text()]).toEqual([413, "the body is larger than 1000 bytes\n"]);
  expect((await fetch(server.url, { method: "POST", body: "y" })).status).toBe(200);
  expect(failures).toEqual([]);
});

test("takes 10 MiB without being asked, and not 64", async () => {
  const { url } = await serving(async (request) => new Response(String((await request.arrayBuffer()).byteLength)));
  const send = (mebibytes: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(url, { method: "POST", headers: { "content-length": mebibytes * 1024 * 1024 } });
      request.on("response", (response) => resolve(response.resume().statusCode ?? 0)).on("error", reject);
      if (mebibytes <= 10) request.end(Buffer.alloc(mebibytes * 1024 * 1024));
      else request.flushHeaders();
    });
  expect(await send(10)).toBe(200);
  expect(await send(64)).toBe(413);
});

test("answers TRACE with 405, and not as a fault of the handler", async () => {
  const failures: unknown[] = [];
  const { url } = await serving(
    async () => new Response("fine"),
    (error) => failures.push(error),
  );
  const status = await new Promise((resolve, reject) => {
    httpRequest(url, { method: "TRACE" }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });
  expect([status, failures]).toEqual([405, []]);
});
