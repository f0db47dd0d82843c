import { type Instance, systemClock } from "@slipway/core";
import { expect, it } from "vitest";
import { noteSpent } from "../src/spent.ts";

const NOW = Date.parse("2026-01-31T12:30:00Z");
const instance: Instance = {
  id: "i-1",
  nativeId: "i-1",
  status: "running",
  provider: "fake",
  owner: "tests",
  key: "k",
  addresses: {},
  isSpot: false,
  labels: {},
  createdAt: "2026-01-31T12:00:00Z",
};
const price = { usdPerHour: 1.5, per: "instance", asOf: "2026-01-31T12:00:00Z", source: "live" } as const;

function told(json: boolean) {
  const lines: unknown[] = [];
  const output = { line: (value: unknown) => void lines.push(value), note: (text: string) => void lines.push(text) };
  return { lines, session: { json, output, world: { clock: { ...systemClock, now: () => NOW } } } };
}

it("what a run has cost is said, as a sentence or for a program", () => {
  const [person, program] = [told(false), told(true)];
  noteSpent(person.session, { ...instance, price });
  noteSpent(program.session, { ...instance, price });
  expect(person.lines).toEqual(["It cost about $0.75, at $1.50 per hour."]);
  expect(program.lines).toEqual([{ type: "cost", id: "i-1", usdPerHour: 1.5, spentUsd: 0.75 }]);
});

it("nothing is said where the remote shows no price, or no time", () => {
  const { lines, session } = told(false);
  noteSpent(session, instance);
  noteSpent(session, { ...instance, createdAt: null, price });
  expect(lines).toEqual([]);
});
