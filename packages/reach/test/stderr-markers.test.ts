import { describe, expect, it } from "vitest";
import { StderrMarkers } from "../src/stderr-markers.ts";

const NONCE = "0b7c2d1e";
const PRINTED = `a login script\n${NONCE}:began:42\nfirst\nno newline${NONCE}:ended:137\n`;

describe("the markers on stderr", () => {
  it.each([1, 2, 5, 7, 1000])("are found in pieces of %i characters, and the listener gets the rest", (size) => {
    const heard: string[] = [];
    const stderr = new StderrMarkers(NONCE, (chunk) => heard.push(chunk));
    for (let at = 0; at < PRINTED.length; at += size) stderr.add(PRINTED.slice(at, at + size));
    stderr.end();
    expect(stderr).toMatchObject({ pid: 42, exitCode: 137, preface: "a login script\n" });
    expect(heard.join("")).toBe("first\nno newline");
    expect(stderr.text).toBe("first\nno newline");
  });

  it("hands over what looks like the beginning of a marker and is none", () => {
    const stderr = new StderrMarkers(NONCE);
    stderr.add(`${NONCE}:began:1\n${NONCE.slice(0, 4)}`);
    expect(stderr.text).toBe("");
    stderr.add(`!\n${NONCE}:ended:x`);
    stderr.end();
    expect(stderr).toMatchObject({ exitCode: null, text: `${NONCE.slice(0, 4)}!\n${NONCE}:ended:x` });
  });

  it("says that nothing began where no marker came", () => {
    const stderr = new StderrMarkers(NONCE);
    stderr.add("Connection refused\n");
    stderr.end();
    expect(stderr).toMatchObject({ pid: null, exitCode: null, preface: "Connection refused\n", text: "" });
  });
});
