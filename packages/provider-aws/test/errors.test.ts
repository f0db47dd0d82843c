import { ERROR_CODES } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { bareCode, codeOfReason, codeOfSpotStatus, meaningOf } from "../src/errors.ts";
import { awsErrorTable } from "../src/index.ts";
import { ERROR_PAGE } from "./error-page.ts";

const codes = Object.entries(ERROR_PAGE).flatMap(([kind, all]) => all.map((code) => ({ kind, code })));
// Conflicts of three sorts: what is there already, what is in the wrong state, and what passes by itself.
const SORTS: Readonly<Record<string, readonly string[]>> = { CONFLICT: ["CONFLICT", "INVALID_STATE", "BUSY"] };

describe("EC2's codes", () => {
  test("all of EC2's error page but the success of a dry run are known by name", () => {
    expect(codes).toHaveLength(408);
    const known = new Set(awsErrorTable.map(({ native }) => native));
    expect(codes.filter(({ code }) => !known.has(code))).toEqual([]);
  });

  test.each(Object.keys(ERROR_PAGE))("mean %s", (kind) => {
    for (const code of ERROR_PAGE[kind] ?? []) {
      const meaning = meaningOf(code, "", 400, "createVolume");
      expect(SORTS[kind] ?? [kind], code).toContain(meaning?.code);
      expect(meaning?.effect, code).toBe(kind === "UNAVAILABLE" ? "unknown" : "none");
    }
  });

  test("stand once in the table, with a scope of their own only where it differs", () => {
    const ids = awsErrorTable.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    for (const { id, code, scope } of awsErrorTable) {
      if (scope !== undefined) expect(scope, id).not.toBe(ERROR_CODES[code].scope);
    }
  });

  test("a missing thing at a launch is a wrong launch", () => {
    expect(meaningOf("InvalidSubnetID.NotFound", "", 400, "spawn")).toEqual({ code: "INVALID_SPEC", effect: "none" });
    expect(meaningOf("InvalidVolume.NotFound", "", 400, "deleteVolume")?.code).toBe("NOT_FOUND");
  });

  test.each([
    ["Unsupported", "not supported in your requested Availability Zone (us-east-1e)", "CAPACITY_ERROR"],
    ["Unsupported", "The requested configuration is currently not supported", "INVALID_SPEC"],
    ["InsufficientInstanceCapacity", "exceeds the limit of instances in this spread placement group", "INVALID_SPEC"],
    ["InsufficientInstanceCapacity", "We do not have enough m5.large here", "CAPACITY_ERROR"],
    ["AuthFailure", "Not authorized for images: [ami-1]", "INVALID_SPEC"],
    ["AuthFailure", "AWS was not able to validate the provided access credentials", "AUTH_ERROR"],
  ])("%s with the message %s is %s", (code, message, meaning) => {
    expect(meaningOf(code, message, 400, "spawn")?.code).toBe(meaning);
  });

  test.each([
    ["InsufficientMoonCapacity", 500, "CAPACITY_ERROR", "none"],
    ["MoonLimitExceeded", 400, "QUOTA_EXCEEDED", "none"],
    ["InvalidMoon.NotFound", 400, "NOT_FOUND", "none"],
    ["InvalidMoon.InUse", 400, "INVALID_STATE", "none"],
    ["InvalidMoon.Duplicate", 400, "CONFLICT", "none"],
    ["InvalidMoon", 400, "INVALID_SPEC", "none"],
    ["MoonThrottled", 429, "RATE_LIMIT_ERROR", "none"],
    ["MoonFellDown", 500, "UNAVAILABLE", "unknown"],
  ])("the unheard-of %s with HTTP %i is %s", (code, status, meaning, effect) => {
    expect(meaningOf(code, "", status, "createVolume")).toMatchObject({ code: meaning, effect });
  });

  test("the unheard-of with HTTP 400 has no meaning: it is not guessed", () => {
    expect(meaningOf("MoonFellDown", "", 400, "spawn")).toBeUndefined();
    expect(meaningOf("toString", "", 400, "spawn")).toBeUndefined();
  });

  test.each([
    ["MaxSpotInstanceCountExceeded", "capacity-type"],
    ["AuthFailure.ServiceLinkedRoleCreationNotPermitted", "capacity-type"],
    ["InsufficientFreeAddressesInSubnet", "subnet"],
    ["VcpuLimitExceeded", "region"],
    ["OptInRequired", "region"],
    ["Unsupported", "placement"],
    ["UnfulfillableCapacity", undefined],
  ])("%s says to vary the %s", (code, scope) => {
    expect(meaningOf(code, "", 400, "spawn")?.scope).toBe(scope);
  });
});

test.each([
  "In order to use this AWS Marketplace product you need to accept terms and subscribe.",
  "You must be subscribed to the image before you can use it",
])("a missing opt-in for an image is about the request, and no region helps: %s", (message) => {
  expect(meaningOf("OptInRequired", message, 401, "spawn")).toMatchObject({ code: "AUTH_ERROR", scope: "request" });
});

describe("reasons of a state", () => {
  test.each([
    ["Server.InsufficientInstanceCapacity", "", "CAPACITY_ERROR"],
    ["Server.SpotInstanceTermination", "", "SPOT_INTERRUPTED"],
    ["Server.SpotInstanceShutdown", "", "SPOT_INTERRUPTED"],
    ["Server.InternalError", "Client.VolumeLimitExceeded: Volume limit exceeded", "QUOTA_EXCEEDED"],
    ["Client.InternalError", "Client error on launch", "AUTH_ERROR"],
    ["Client.UserInitiatedShutdown", "User initiated", undefined],
    ["Client.InstanceInitiatedShutdown", "", undefined],
    [undefined, undefined, undefined],
  ])("%s %s is %s", (Code, Message, code) => {
    expect(codeOfReason({ Code, Message })).toBe(code);
  });

  test("a spot request that somebody ended was not interrupted", () => {
    expect(codeOfSpotStatus("instance-terminated-no-capacity")).toBe("SPOT_INTERRUPTED");
    expect(codeOfSpotStatus("instance-terminated-by-user")).toBeUndefined();
    expect(codeOfSpotStatus("fulfilled")).toBeUndefined();
    expect(codeOfSpotStatus("limit-exceeded")).toBe("QUOTA_EXCEEDED");
  });

  test("the side that a code names is not part of it", () => {
    expect(bareCode("Client.VolumeLimitExceeded")).toBe("VolumeLimitExceeded");
    expect(bareCode("AuthFailure.ServiceLinkedRoleCreationNotPermitted")).toContain("AuthFailure.");
  });
});
