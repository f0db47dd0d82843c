import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BootstrapScript, canonicalJson, checksumOf, specHash } from "../src/index.ts";

const sha = (text: string): string => `sha256:${createHash("sha256").update(text, "utf8").digest("hex")}`;

describe("specHash", () => {
  it("is the checksum of the canonical JSON", () => {
    expect(specHash({ key: "k", spec: "small", labels: { b: "2", a: "1" } })).toBe(
      sha('{"key":"k","labels":{"a":"1","b":"2"},"spec":"small"}'),
    );
  });

  it("ignores the order of keys at every depth, and what is undefined", () => {
    const one = { spec: "s", labels: { a: "1", b: "2" }, ports: [{ port: 80, protocol: "tcp" as const }] };
    const other = {
      image: undefined,
      ports: [{ protocol: "tcp" as const, hostPort: undefined, port: 80 }],
      labels: { b: "2", a: "1" },
      spec: "s",
    };
    expect(specHash(one)).toBe(specHash(other));
  });

  it.each([
    ["spec", { spec: "b" }],
    ["a label", { labels: { a: "2" } }],
    ["the order of a list", { sshKeys: ["b", "a"] }],
    ["an option of a capability", { gpu: { count: 1 } }],
    ["the bootstrap", { bootstrap: { script: "false" } }],
    ["the bootstrap's environment", { bootstrap: { script: "true", environment: { A: "2" } } }],
  ])("sees another %s", (_what, change) => {
    const base = {
      spec: "a",
      labels: { a: "1" },
      sshKeys: ["a", "b"],
      bootstrap: { script: "true", environment: { A: "1" } },
    };
    expect(specHash({ ...base, ...change })).not.toBe(specHash(base));
  });

  it("ignores signal, timeout and the registration token", () => {
    const bootstrap = { script: "true" };
    const plain = specHash({ key: "k", bootstrap });
    expect(specHash({ key: "k", bootstrap, signal: AbortSignal.abort(), timeoutMs: 5 })).toBe(plain);
    expect(specHash({ key: "k", bootstrap: { ...bootstrap, registrationToken: "one" } })).toBe(plain);
    expect(specHash({ key: "k", bootstrap: { ...bootstrap, registrationToken: "two" } })).toBe(plain);
  });

  it("compares a rendered script by its stable checksum, or its checksum where it has none", () => {
    const script = (token: string): BootstrapScript => {
      const content = `TOKEN=${token}\ntrue\n`;
      return { content, format: "shell", checksum: checksumOf(content), byteLength: content.length };
    };
    const stableChecksum = checksumOf("TOKEN=\ntrue\n");
    expect(specHash({ bootstrap: script("one") })).not.toBe(specHash({ bootstrap: script("two") }));
    expect(specHash({ bootstrap: { ...script("one"), stableChecksum } })).toBe(
      specHash({ bootstrap: { ...script("two"), stableChecksum } }),
    );
  });
});

describe("canonicalJson", () => {
  it("is JSON of the same value, whatever the order of its keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it("keeps a key that is called __proto__", () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1},"b":1}');
  });
});

it("checksumOf hashes UTF-8", () => {
  expect(checksumOf("")).toBe("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(checksumOf("Grüße ☃")).toBe(sha("Grüße ☃"));
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
