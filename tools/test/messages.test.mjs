import assert from "node:assert/strict";
import { test } from "node:test";
import { messagesIn } from "../words/messages.mjs";

const told = (source) => messagesIn("a.ts", source);

test("what errors are made with, hints, and why a capability is off", () => {
  assert.deepEqual(told('throw new HarborError("CODE", "the harbor is closed");'), ["the harbor is closed"]);
  assert.deepEqual(told('f({ message: "the key is taken", hint: "Use another key." });'), [
    "the key is taken",
    "Use another key.",
  ]);
  assert.deepEqual(told('const x = { whyNot: { spot: "sells no such capacity" } };'), ["sells no such capacity"]);
  assert.deepEqual(told('throw refused("it is not there");'), ["it is not there"]);
});

test("what differs is shown by three dots, and both ways of a choice are told", () => {
  assert.deepEqual(told("throw new E_Error(`the key ${key} is taken`);"), ["the key … is taken"]);
  assert.deepEqual(told('throw new E_Error(a ? "it is too old" : "it is too new" );'), [
    "it is too old",
    "it is too new",
  ]);
  assert.deepEqual(told('throw new E_Error("there is no " + name);'), ["there is no …"]);
});

test("what nobody is told is left out", () => {
  assert.deepEqual(told('const title = "a long enough sentence"; log("another long sentence");'), []);
  assert.deepEqual(told('f({ message: "too short" });'), []);
});
