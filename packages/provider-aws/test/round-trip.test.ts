import "@aws-sdk/client-ec2";
import type { Instance as Ec2Instance } from "@aws-sdk/client-ec2";
import { projectInstance, projectSnapshot } from "@slipway/core";
import { instanceSchema, snapshotSchema } from "@slipway/core/schema";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { materialize, materializeSnapshot } from "../src/index.ts";
import { awsWorld } from "./world.ts";

const SEED = 20_261_121;
const key = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 128,
});
const label = fc
  .string({ unit: "binary", minLength: 1, maxLength: 128 })
  .filter((name) => !/^(slipway:|aws:|Name$)/i.test(name) && isXml(name));
const value = fc.string({ unit: "binary", maxLength: 64 }).filter(isXml);
const labels = fc.dictionary(label, value, { maxKeys: 12, noNullPrototype: true });

/** What XML can carry at all, and carries unchanged. */
function isXml(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot carry
  return !/[\u0000-\u001f\ud800-\udfff\ufffe\uffff]/.test(text) && text.trim() === text;
}

test("key, labels, name and expiry come back as they were given, whatever they hold", async () => {
  await fc.assert(
    fc.asyncProperty(
      key,
      labels,
      value.filter((text) => text !== ""),
      async (given, tags, name) => {
        const { provider, another } = awsWorld();
        const expiresAt = "2030-01-01T00:00:00Z";
        const { id } = await provider.spawn({ spec: "t3.micro", key: given, labels: tags, name, expiresAt });
        const [found] = await another().list({ keys: [given] });
        expect(found).toMatchObject({ id, key: given, name, expiresAt, owner: "tests" });
        expect(found?.labels).toEqual(tags);
      },
    ),
    { numRuns: 60, seed: SEED },
  );
});

const text = fc.option(fc.string({ maxLength: 20 }), { nil: undefined });
const time = fc.option(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") }), {
  nil: undefined,
});
const wire: fc.Arbitrary<Ec2Instance> = fc
  .record(
    {
      InstanceId: text,
      InstanceType: text,
      ImageId: text,
      State: fc.record({
        Name: fc.constantFrom("pending", "running", "stopped", "shutting-down", "terminated", "asleep"),
      }),
      StateReason: fc.option(fc.record({ Code: text, Message: text }), { nil: undefined }),
      StateTransitionReason: text,
      PublicIpAddress: text,
      PrivateIpAddress: text,
      LaunchTime: time,
      InstanceLifecycle: fc.constantFrom("spot", "scheduled", "new-market", undefined),
      Placement: fc.option(fc.record({ AvailabilityZone: text }), { nil: undefined }),
      CpuOptions: fc.option(fc.record({ CoreCount: fc.nat(200), ThreadsPerCore: fc.nat(2) }), { nil: undefined }),
      SecurityGroups: fc.option(fc.array(fc.record({ GroupId: text, GroupName: text })), { nil: undefined }),
      BlockDeviceMappings: fc.option(
        fc.array(fc.record({ DeviceName: text, Ebs: fc.option(fc.record({ VolumeId: text }), { nil: undefined }) })),
        { nil: undefined },
      ),
      NetworkInterfaces: fc.option(
        fc.array(fc.record({ Attachment: fc.record({ DeviceIndex: fc.nat(2), AttachTime: time }) })),
        { nil: undefined },
      ),
      Tags: fc.option(
        fc.array(
          fc.record({
            Key: fc.oneof(text, fc.constantFrom("slipway:owner", "slipway:key", "slipway:generation", "__proto__")),
            Value: text,
          }),
        ),
        { nil: undefined },
      ),
    },
    { requiredKeys: [] },
  )
  // Narrower than EC2's own lists of names on purpose: what it adds later comes as text as well.
  .map((instance) => instance as Ec2Instance);

describe("materialize", () => {
  test("makes an instance of the contract out of whatever EC2 may tell, and invents nothing", () => {
    fc.assert(
      fc.property(wire, (instance) => {
        const made = materialize("us-east-1", instance);
        expect(JSON.parse(JSON.stringify(made))).toEqual(made);
        const contract = projectInstance(made);
        expect(instanceSchema.safeParse(contract).error).toBeUndefined();
        if (instance.PublicIpAddress === undefined) expect(contract.ssh).toBeUndefined();
        if (instance.State?.Name === undefined || String(instance.State.Name) === "asleep")
          expect(made.status).toBe("unknown");
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  test("tells the launch, and not the last start, as the time of its making", () => {
    const NetworkInterfaces = [{ Attachment: { DeviceIndex: 0, AttachTime: new Date("2026-01-01T00:00:00Z") } }];
    const made = materialize("us-east-1", { LaunchTime: new Date("2026-02-01T00:00:00Z"), NetworkInterfaces });
    expect(made.createdAt).toBe("2026-01-01T00:00:00.000Z");
  });

  test("hibernated is a stop with a reason", () => {
    const State = { Name: "stopped" } as const;
    const by = (Code: string) => materialize("us-east-1", { State, StateReason: { Code } }).status;
    expect(by("Client.UserInitiatedHibernate")).toBe("hibernated");
    expect(by("Client.UserInitiatedShutdown")).toBe("stopped");
  });

  test("of an image makes a snapshot of the contract", () => {
    fc.assert(
      fc.property(text, text, text, (ImageId, CreationDate, state) => {
        const image = {
          ...(ImageId === undefined ? {} : { ImageId }),
          ...(CreationDate === undefined ? {} : { CreationDate }),
        };
        const made = materializeSnapshot("us-east-1", { ...image, State: state as "available" | undefined });
        expect(snapshotSchema.safeParse(projectSnapshot(made)).error).toBeUndefined();
      }),
      { numRuns: 200, seed: SEED },
    );
  });
});
