import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { bootstrapReports, memoryStore, nodeListener } from "../src/index.ts";

async function statusOf(port: number, head: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(`${head}\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text.split(" ")[1] ?? "";
}

test("whatever a client sends has an answer, and ends no server", async () => {
  const reports = bootstrapReports({ secret: "a secret of at least 32 characters", store: memoryStore() });
  const server = createServer(nodeListener(reports.handle)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // No Request takes this method, or this address.
  expect(await statusOf(port, "TRACE / HTTP/1.1")).toBe("400");
  expect(await statusOf(port, "POST http://a:b@x/ HTTP/1.1")).toBe("400");
  expect(await statusOf(port, "GET // HTTP/1.1")).toBe("405");
  expect(await statusOf(port, "POST / HTTP/1.1")).toBe("401");
});

test("a handler that fails, or whose response cannot be read, is a 500", async () => {
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("broken")) });
  for (const handle of [async () => Promise.reject(new Error("no")), async () => new Response(broken)]) {
    const server = createServer(nodeListener(handle)).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await statusOf(port, "POST / HTTP/1.1")).toBe("500");
  }
});
