import { describe, expect, test } from "vitest";
import { failure, lambdaWorld } from "./world.ts";

const LAUNCH = "/instance-operations/launch";
const A10 = { spec: "gpu_1x_a10" } as const;
const GIB = 1024 ** 3;

test("a volume keeps owner, key and the size that was asked for in its name", async () => {
  const { provider, another, sent, emulator } = lambdaWorld();
  const volume = await provider.createVolume({ key: "data", sizeBytes: 5 * GIB, region: "us-east-1" });
  expect(volume).toMatchObject({
    sizeBytes: 5 * GIB,
    region: "us-east-1",
    owner: "tests",
    key: "data",
    status: "available",
    attachedTo: null,
  });
  expect(sent("/filesystems")).toEqual([
    { name: expect.stringMatching(/^slip-.{8}-.{20}-[0-9a-z]+$/), region: "us-east-1" },
  ]);
  expect(volume.createdAt).toBe(new Date(Date.parse(volume.createdAt ?? "")).toISOString());
  const [listed] = await another().listVolumes();
  // The name is a hash: the owner can be recognised, the key only by who knows it.
  expect(listed).toMatchObject({ id: volume.id, owner: "tests", key: null, sizeBytes: 5 * GIB });
  expect((await another({ owner: "else" }).listVolumes({ owner: "*" }))[0]).toMatchObject({ owner: null });
  expect(emulator.control.volumes()).toHaveLength(1);
});

test("one key in two processes at once makes one volume", async () => {
  const { another, emulator } = lambdaWorld();
  const made = await Promise.all(
    [another(), another(), another()].map((provider) => provider.createVolume({ key: "data", sizeBytes: GIB })),
  );
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(emulator.control.volumes()).toHaveLength(1);
});

test("another region under the same key is CONFLICT; without a region the volume is answered", async () => {
  const { provider } = lambdaWorld();
  const { id } = await provider.createVolume({ key: "data", sizeBytes: GIB, region: "us-east-1" });
  expect((await provider.createVolume({ key: "data", sizeBytes: GIB })).id).toBe(id);
  const error = await failure(provider.createVolume({ key: "data", sizeBytes: GIB, region: "us-west-1" }));
  expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id } });
});

test("a volume that a listing does not show yet is still the key's", async () => {
  const { provider } = lambdaWorld({ readLagMs: 4_000 });
  const { id } = await provider.createVolume({ key: "data", sizeBytes: GIB });
  expect((await provider.createVolume({ key: "data", sizeBytes: GIB })).id).toBe(id);
  expect(await failure(provider.createVolume({ key: "data", sizeBytes: 2 * GIB }))).toMatchObject({ code: "CONFLICT" });
  const { region } = await provider.spawn({ ...A10, volumes: [{ id, mountPath: "/data/x" }] });
  expect(region).toBe("us-west-1");
});

test("zones and unconfigured regions are refused", async () => {
  const { provider, sent } = lambdaWorld();
  for (const place of [{ zone: "a" }, { region: "atlantis-1" }]) {
    const error = await failure(provider.createVolume({ key: "data", sizeBytes: GIB, ...place }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  }
  expect(sent("/file-systems")).toEqual([]);
});

test("a filesystem of somebody else's is not deleted", async () => {
  const { provider, emulator } = lambdaWorld();
  const headers = { authorization: "Bearer secret-lambda-key-0f3a", "user-agent": "test" };
  const body = JSON.stringify({ name: "thesis", region: "us-west-1" });
  const made = await emulator.fetch("https://cloud.lambda.ai/api/v1/filesystems", { method: "POST", headers, body });
  const { data } = (await made.json()) as { data: { id: string } };
  expect(await failure(provider.deleteVolume(data.id))).toMatchObject({ code: "CONFLICT", effect: "none" });
  expect(emulator.control.volumes()).toEqual(["thesis"]);
  // It may be used, though.
  await provider.spawn({ ...A10, volumes: [{ id: data.id, mountPath: "/data" }] });
  expect(await provider.listVolumes({ owner: "*" })).toEqual([]);
});

describe("mounts", () => {
  test("where Lambda can mount, Lambda does; below /mnt a link leads there", async () => {
    const { provider, sent } = lambdaWorld();
    const a = await provider.createVolume({ key: "a", sizeBytes: GIB });
    const b = await provider.createVolume({ key: "b", sizeBytes: GIB });
    await provider.spawn({
      ...A10,
      bootstrap: { script: "ls /mnt/b" },
      volumes: [
        { id: a.id, mountPath: "/data/a" },
        { id: b.id, mountPath: "/mnt/deep/b" },
      ],
    });
    const [body] = sent(LAUNCH);
    const names = sent("/filesystems").map(({ name }) => name);
    expect(body).toMatchObject({
      file_system_names: names,
      file_system_mounts: [{ mount_point: "/data/a", file_system_id: a.id }],
    });
    const document = JSON.parse(String(body?.["user_data"]).slice("#cloud-config\n".length)) as { runcmd: unknown[] };
    // The link comes before the bootstrap that may use it.
    expect(document.runcmd).toEqual([
      ["mkdir", "-p", "/mnt/deep"],
      ["ln", "-sfn", `/lambda/nfs/${names[1]}`, "/mnt/deep/b"],
      ["/bin/sh", expect.any(String)],
    ]);
  });

  test.each(["/etc", "/mnt", "/mnt/../etc", "/data/../etc", "/data/a b", "/mnt/a;b", "/var/lib"])(
    "the path %s is refused with the rule",
    async (mountPath) => {
      const { provider, sent } = lambdaWorld();
      const { id } = await provider.createVolume({ key: "a", sizeBytes: GIB });
      const error = await failure(provider.spawn({ ...A10, volumes: [{ id, mountPath }] }));
      expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
      expect(error.message).toContain("/lambda/nfs");
      expect(sent(LAUNCH)).toEqual([]);
    },
  );

  test("volumes of two regions, of another region, or one twice are refused", async () => {
    const { provider } = lambdaWorld();
    const west = await provider.createVolume({ key: "a", sizeBytes: GIB, region: "us-west-1" });
    const east = await provider.createVolume({ key: "b", sizeBytes: GIB, region: "us-east-1" });
    const [here, there] = [
      { id: west.id, mountPath: "/data/a" },
      { id: east.id, mountPath: "/data/b" },
    ];
    const wrong = [
      { volumes: [here, there] },
      { volumes: [here], region: "us-east-1" },
      { volumes: [here, { ...here, mountPath: "/data/c" }] },
    ];
    for (const options of wrong) {
      expect(await failure(provider.spawn({ ...A10, ...options }))).toMatchObject({ code: "INVALID_SPEC" });
    }
    expect((await provider.spawn({ ...A10, volumes: [there] })).region).toBe("us-east-1");
  });
});
