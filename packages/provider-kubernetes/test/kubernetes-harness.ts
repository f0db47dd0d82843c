import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ErrorTableRow, Harness, HarnessFactory } from "@slipway/contract-tests";
import { type Clock, type ProviderRegistration, type RegisterEnvironment, systemClock, timestamp } from "@slipway/core";
import {
  adminOf,
  GPU_PRODUCT,
  killMain,
  kubeconfigOf,
  MACHINE_IMAGE,
  type TestCluster,
} from "slipway-kubernetes-cluster";
import { z } from "zod";
import manifest from "../package.json" with { type: "json" };
import { clusterFetch } from "../src/access/cluster-fetch.ts";
import {
  type KubernetesOptions,
  type KubernetesProvider,
  kubernetes,
  kubernetesErrorTable,
  register,
} from "../src/index.ts";
import { newNamespace } from "./cluster/namespaces.ts";
import type { Recorder } from "./cluster/open-api.ts";
import { SMALL_PODS } from "./cluster/small-pods.ts";
import { faultyFetch } from "./faulty-fetch.ts";

const OWNER = "contract-tests";
// The provider's own pauses are short. What it reads of the time is true: the cluster ends pods by its own clock.
const SPEED = 10;
const CLOCK: Clock = { now: systemClock.now, sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal) };
const IMAGE = MACHINE_IMAGE;

// What no answer, or none of the API's, means; the HTTP client sees to that, and not the provider's table.
const CONNECTION_ROWS: readonly ErrorTableRow[] = [
  { id: "connection-refused", operation: "spawn", code: "NETWORK", effect: "none" },
  { id: "connection-reset", operation: "spawn", code: "NETWORK", effect: "unknown" },
  { id: "answer-timeout", operation: "spawn", code: "TIMEOUT", effect: "unknown" },
  { id: "garbled-answer", operation: "spawn", code: "INTERNAL", effect: "applied" },
  { id: "page-instead", operation: "terminate", code: "INTERNAL", effect: "unknown" },
];

const wirePod = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  status: z.object({ phase: z.string().optional() }),
});
const wirePods = z.object({ items: z.array(wirePod) });

const named = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
/** What is under test: this package, or one that is made of it. */
export interface PackageUnderTest {
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly register: (
    config: unknown,
    env: RegisterEnvironment,
  ) => Promise<ProviderRegistration & { readonly provider: KubernetesProvider }>;
  readonly make: (options: KubernetesOptions) => KubernetesProvider;
  readonly gpuType: string;
  readonly badConfigs: readonly unknown[];
  /** Two contexts of one server, each with a namespace of its own, are two regions. */
  readonly contexts: readonly string[] | undefined;
}

const KUBERNETES: PackageUnderTest = {
  manifest,
  register,
  make: kubernetes,
  gpuType: GPU_PRODUCT,
  badConfigs: [{ namespace: "Not A Name" }, { profile: "mainframe" }, { kubeconfig: "" }, { contexts: ["a", "a"] }],
  contexts: undefined,
};

export interface HarnessParts {
  readonly of?: PackageUnderTest;
  /** A fetch that keeps what passes; faults are placed before it. */
  readonly recorded?: Recorder["recorded"];
}

/** The provider on a real API server; each case in a namespace of its own. */
export function kubernetesHarness(
  cluster: TestCluster,
  { of = KUBERNETES, recorded = (real) => real }: HarnessParts = {},
): HarnessFactory {
  const admin = adminOf(cluster);
  return async (): Promise<Harness> => {
    const namespace = await newNamespace(cluster, admin);
    const more = of.contexts === undefined ? [] : [await newNamespace(cluster, admin)];
    const home = await mkdtemp(path.join(tmpdir(), "slipway-kubernetes-"));
    const kubeconfig = path.join(home, "config");
    await writeFile(kubeconfig, kubeconfigOf(cluster, cluster.tenantToken, namespace, ...more), { mode: 0o600 });
    const wire = faultyFetch(
      recorded(
        clusterFetch(() => ({
          ca: cluster.ca,
          cert: undefined,
          key: undefined,
          servername: undefined,
          insecure: false,
        })),
      ),
      CLOCK,
    );
    const transcript: string[] = [];
    const note = (level: string) => (message: string, data?: object) => {
      transcript.push(`${timestamp(CLOCK)} ${level} ${message} ${JSON.stringify(data ?? {})}`);
    };
    const runtime = {
      clock: CLOCK,
      fetch: wire.fetch,
      onEvent: (event: object) => note("event")("", event),
      log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
    };
    const config = { kubeconfig, image: IMAGE, contexts: of.contexts, ...SMALL_PODS };
    const pods = `api/v1/namespaces/${namespace}/pods`;
    const nativeId = ({ metadata }: z.infer<typeof wirePod>): string =>
      `${metadata.namespace}/${metadata.name}/${metadata.uid}`;
    const podOf = async (id: string): Promise<z.infer<typeof wirePod> | null> => {
      const [, name = "", uid] = id.split("/");
      const parsed = wirePod.safeParse((await admin.request("GET", `${pods}/${name}`)).json);
      return parsed.success && parsed.data.metadata.uid === uid ? parsed.data : null;
    };
    return {
      registration: await of.register(config, { owner: OWNER, variables: {}, runtime }),
      spawnOptions: () => ({ image: IMAGE }),
      capabilityOptions: {
        gpu: { gpu: { type: of.gpuType, count: 1 } },
        persistentVolumes: async () => {
          const own = of.make({ ...config, owner: OWNER, runtime });
          const { id } = await own.createVolume({ key: crypto.randomUUID(), sizeBytes: 1024 ** 3 });
          return { volumes: [{ id, mountPath: "/data" }] };
        },
      },
      another: async ({ owner = OWNER } = {}) => of.make({ ...config, owner, runtime }),
      inspector: {
        instances: async () => {
          const found = [namespace, ...more].map((each) => admin.request("GET", `api/v1/namespaces/${each}/pods`));
          const all = (await Promise.all(found)).flatMap(({ json }) => wirePods.parse(json).items);
          return all.map((pod) => ({
            nativeId: nativeId(pod),
            owner: pod.metadata.annotations?.["slipway.dev/owner"] ?? null,
            key: pod.metadata.annotations?.["slipway.dev/key"] ?? null,
            live: !["Succeeded", "Failed"].includes(pod.status.phase ?? ""),
          }));
        },
        volumes: async () => {
          const { json } = await admin.request("GET", `api/v1/namespaces/${namespace}/persistentvolumeclaims`);
          return named.parse(json).items.map(({ metadata: { name } }) => name);
        },
        addUnmanaged: async (name = `made-by-hand-${crypto.randomUUID()}`) => {
          const theirs = { name: "theirs", image: IMAGE, command: ["/bin/sleep", "3600"] };
          const spec = { containers: [theirs], terminationGracePeriodSeconds: 0 };
          const body = { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { team: "somebody" } }, spec };
          return nativeId(wirePod.parse((await admin.request("POST", pods, body)).json));
        },
        hasUnmanaged: async (id) => {
          const pod = await podOf(id);
          return pod !== null && pod.metadata.deletionTimestamp === undefined;
        },
        crash: async (id) => {
          const [held = "", name = ""] = id.split("/");
          await killMain(cluster, `api/v1/namespaces/${held}/pods/${name}`);
        },
        changes: async () => wire.changes(),
      },
      faults: {
        add: wire.faults.add,
        clear: () => {
          wire.faults.clear();
          wire.fail(undefined);
        },
        supports: wire.supports,
        failRegion: (region) => wire.fail(`/namespaces/${region === "test" ? namespace : more[0]}/`),
      },
      errorTable: [...kubernetesErrorTable, ...CONNECTION_ROWS],
      clock: systemClock,
      unknownId: `test/${namespace}/slip-aaaaaaaa-aaaaaaaaaaaaaaaaaaaa/00000000-0000-4000-8000-000000000000`,
      secrets: [cluster.tenantToken],
      transcript: () => transcript.join("\n"),
      patienceMs: 60_000,
      terminateByLeadMs: 8_000,
      package: {
        manifest: of.manifest,
        register: of.register,
        config,
        badConfigs: of.badConfigs,
      },
      close: async () => {
        for (const each of [namespace, ...more]) {
          await admin.request("DELETE", `api/v1/namespaces/${each}/pods`, { gracePeriodSeconds: 0 });
        }
        await rm(home, { recursive: true, force: true });
      },
    };
  };
}
