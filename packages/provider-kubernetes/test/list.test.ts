import { expect, test } from "vitest";
import { kubernetes } from "../src/index.ts";
import { ownershipAnnotations, ownershipLabels } from "../src/ownership.ts";
import { failure, kubeconfig, writeKubeconfig } from "./world.ts";

const pod = (key: string) => ({
  metadata: {
    ...{ name: `pod-${key}`, namespace: "machines", uid: `uid-${key}` },
    ...{
      labels: ownershipLabels("o"),
      annotations: ownershipAnnotations({ owner: "o", key, specHash: "h", labels: {} }),
    },
  },
  spec: { containers: [{ name: "main" }] },
  status: { phase: "Running" },
});

/** A server of one kind of answer after the other. */
async function listing(answers: readonly (() => Response)[]) {
  const asked: (string | null)[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(new URL(String(input)).searchParams.get("continue"));
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer === undefined) throw new Error("no answer");
    return answer();
  };
  const file = await writeKubeconfig(kubeconfig());
  return { asked, provider: kubernetes({ owner: "o", kubeconfig: file, runtime: { fetch } }) };
}

const page = (keys: readonly string[], token?: string) => (): Response =>
  Response.json({ kind: "PodList", metadata: { continue: token }, items: keys.map(pod) });
const expired = (): Response => {
  const message = "The provided continue parameter is too old to display a consistent list result.";
  return Response.json({ kind: "Status", reason: "Expired", message, code: 410 }, { status: 410 });
};

test("a snapshot that ends between its pages counts for nothing: the listing is another one, from its first page", async () => {
  const { asked, provider } = await listing([
    page(["gone-since", "a"], "old-1"),
    expired,
    page(["a"], "new-1"),
    page(["b"]),
  ]);
  const listed = await provider.list();
  expect(listed.map(({ key }) => key)).toEqual(["a", "b"]);
  expect(asked).toEqual([null, "old-1", null, "new-1"]);
});

test("a server whose snapshots always end is told, after a few", async () => {
  const { asked, provider } = await listing(
    Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? page(["a"], "t") : expired)),
  );
  expect(await failure(provider.list())).toMatchObject({ code: "INVALID_STATE", operation: "list" });
  expect(asked.length).toBeLessThanOrEqual(12);
});
