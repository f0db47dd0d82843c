import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compileCache } from "../src/start.ts";

const uid = process.getuid?.() ?? null;
let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "slipway-compiled-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe.skipIf(uid === null)("where compiled code is kept", () => {
  it("is a directory of the user's own, below XDG_CACHE_HOME or ~/.cache", () => {
    const own = join(home, ".cache", "slipway", "compiled");
    expect(compileCache({ env: {}, uid }, home)).toBe(own);
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(compileCache({ env: {}, uid }, home)).toBe(own);
    const env = { XDG_CACHE_HOME: join(home, "elsewhere") };
    expect(compileCache({ env, uid }, home)).toBe(join(home, "elsewhere", "slipway", "compiled"));
    expect(compileCache({ env: { XDG_CACHE_HOME: "relative" }, uid }, home)).toBe(own);
  });

  it("is nowhere that somebody else can write to", () => {
    const above = join(home, ".cache", "slipway");
    mkdirSync(join(above, "compiled"), { recursive: true });
    expect(compileCache({ env: {}, uid: (uid ?? 0) + 1 }, home)).toBeNull();
    for (const each of [above, join(above, "compiled")]) {
      chmodSync(each, 0o777);
      expect(compileCache({ env: {}, uid }, home)).toBeNull();
      chmodSync(each, 0o700);
    }
    rmSync(join(above, "compiled"), { recursive: true });
    mkdirSync(join(home, "target"));
    symlinkSync(join(home, "target"), join(above, "compiled"));
    expect(compileCache({ env: {}, uid }, home)).toBeNull();
  });

  it("is nowhere where none can be made", () => {
    writeFileSync(join(home, ".cache"), "");
    expect(compileCache({ env: {}, uid }, home)).toBeNull();
  });
});
