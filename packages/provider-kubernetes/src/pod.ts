import type { BootstrapScript } from "@slipway/core";
import { BOOTSTRAP_DIRECTORY } from "@slipway/provider-kit/bootstrap";
import type { Call, SpawnRequest } from "@slipway/provider-kit/driver";
import { checkEnd, type End, TERMINATE_BY_ANNOTATION } from "./end-job.ts";
import { GPU_ANNOTATION, MAIN_CONTAINER } from "./instance.ts";
import { gpusOf, isWholeNode, typesWith } from "./machines.ts";
import {
  DEFAULT_CPUS,
  DEFAULT_GRACE_SECONDS,
  DEFAULT_IMAGE,
  DEFAULT_MEMORY_BYTES,
  type PodSettings,
  podSettingsSchema,
} from "./options.ts";
import { ownershipAnnotations, ownershipLabels } from "./ownership.ts";
import { INSTANCE_TYPE_LABEL, type Profile } from "./profiles.ts";
import { cpuQuantity } from "./quantities.ts";
import type { KubernetesRemote, KubernetesSpawnOptions } from "./remote.ts";
import type { PodBody, WirePod } from "./wire.ts";

const BOOTSTRAP_VOLUME = "slipway-bootstrap";
const BOOTSTRAP_FILE = "bootstrap.sh";
const MOUNT_PATH = "/var/run/slipway";

// A container's first process gets no signal that it does not handle. `wait` lets the shell hear one at once.
const STAY = `while :; do sleep 3600 & wait $!; done`;
// The arguments after the script are the command that was asked for, if there is one.
const THEN = `if [ $# -gt 0 ]; then exec "$@"; fi; ${STAY}`;
const ON_SIGNAL = `trap 'exit 0' TERM INT`;
const RUN_BOOTSTRAP = `${MOUNT_PATH}/${BOOTSTRAP_FILE} & wait $!`;

/** The options as they are compared: with what the config fills in. */
export function specOf({ config }: KubernetesRemote, options: KubernetesSpawnOptions): KubernetesSpawnOptions {
  const { image = config.image ?? DEFAULT_IMAGE, pod } = options;
  const settings = settingsOf(config.pod, pod);
  return { ...options, image, ...(Object.keys(settings).length === 0 ? {} : { pod: settings }) };
}

/** Throws INVALID_SPEC for what only a pod has. */
export function checkPod(
  remote: KubernetesRemote,
  call: Call,
  { options }: SpawnRequest<KubernetesSpawnOptions>,
): void {
  const parsed = podSettingsSchema.safeParse(options.pod === undefined ? {} : options.pod);
  if (parsed.success) return checkEnd(remote, call, options);
  const [issue] = parsed.error.issues;
  throw remote.refuse(
    "INVALID_SPEC",
    call.operation,
    `pod.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is wrong"}`,
  );
}

/** What a pod names besides: the Secret where its bootstrap will be, the claims of `volumes` in their order, and its end. */
export interface PodNames {
  readonly secretName: string;
  readonly claims: readonly string[];
  readonly end: End | undefined;
}

/** The pod of a spawn. */
export function podBody(
  remote: KubernetesRemote,
  { name, ownership, options, script }: SpawnRequest<KubernetesSpawnOptions>,
  { secretName, claims, end }: PodNames,
): PodBody {
  const { config, profile } = remote;
  const settings = settingsOf(config.pod, options.pod);
  const { command, imagePullSecrets, labels, nodeSelector, tolerations = [], ...plain } = settings;
  const gpu = gpusOf(profile, options);
  const affinity = affinityOf(options, profile);
  const selector = { ...nodeSelector, ...selectorOf(options, profile) };
  const volumes = [
    ...(script === undefined ? [] : [bootstrapVolume(secretName)]),
    ...claims.map((claimName, at) => ({
      volume: { name: `volume-${at}`, persistentVolumeClaim: { claimName } },
      mount: { name: `volume-${at}`, mountPath: options.volumes?.[at]?.mountPath },
    })),
  ];
  const taints = gpu === undefined ? [] : profile.gpuTaints.map((key) => ({ key, operator: "Exists" }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      labels: { ...labels, ...ownershipLabels(ownership.owner) },
      annotations: {
        ...ownershipAnnotations(ownership),
        ...(gpu?.type === undefined ? {} : { [GPU_ANNOTATION]: gpu.type }),
        ...(options.terminateBy === undefined ? {} : { [TERMINATE_BY_ANNOTATION]: options.terminateBy }),
      },
      ...(end === undefined ? {} : { ownerReferences: [end.job] }),
    },
    spec: {
      // A machine that ends has ended: nothing brings it back behind the contract.
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      // Else every service of the namespace is a variable in the machine.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: DEFAULT_GRACE_SECONDS,
      // A node that hears nothing more of the cluster ends the pod by itself.
      ...(end === undefined ? {} : { activeDeadlineSeconds: end.seconds }),
      ...plain,
      containers: [
        {
          name: MAIN_CONTAINER,
          image: options.image ?? config.image ?? DEFAULT_IMAGE,
          command: commandOf(script, command),
          resources: resourcesOf(remote, options),
          ...(volumes.length === 0 ? {} : { volumeMounts: volumes.map(({ mount }) => mount) }),
        },
      ],
      ...(volumes.length === 0 ? {} : { volumes: volumes.map(({ volume }) => volume) }),
      ...(imagePullSecrets === undefined
        ? {}
        : { imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })) }),
      ...(Object.keys(selector).length === 0 ? {} : { nodeSelector: selector }),
      ...(affinity === undefined ? {} : { affinity }),
      ...(taints.length + tolerations.length === 0 ? {} : { tolerations: [...tolerations, ...taints] }),
    },
  };
}

function bootstrapVolume(secretName: string) {
  return {
    volume: { name: BOOTSTRAP_VOLUME, secret: { secretName, defaultMode: 0o500 } },
    mount: { name: BOOTSTRAP_VOLUME, mountPath: MOUNT_PATH, readOnly: true },
  };
}

/** The Secret that carries the bootstrap. It belongs to the pod, and is removed with it. */
export function secretBody(pod: WirePod, secretName: string, owner: string, script: BootstrapScript): object {
  const { name, uid } = pod.metadata;
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    immutable: true,
    metadata: {
      name: secretName,
      labels: ownershipLabels(owner),
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid }],
    },
    data: { [BOOTSTRAP_FILE]: Buffer.from(script.content, "utf8").toString("base64") },
  };
}

/** Which Secret a pod waits for; undefined if it was made without a bootstrap. */
export function bootstrapSecretOf({ spec }: WirePod): string | undefined {
  return spec.volumes?.find(({ name }) => name === BOOTSTRAP_VOLUME)?.secret?.secretName;
}

function commandOf(script: BootstrapScript | undefined, command: readonly string[] = []): readonly string[] {
  const isPlain = script === undefined && command.length > 0;
  if (isPlain) return command;
  const bootstrap = script === undefined ? [] : [`mkdir -p ${BOOTSTRAP_DIRECTORY}`, RUN_BOOTSTRAP];
  return ["/bin/sh", "-c", [ON_SIGNAL, ...bootstrap, THEN].join("; "), "sh", ...command];
}

function resourcesOf({ config, profile }: KubernetesRemote, options: KubernetesSpawnOptions) {
  const { resources } = options;
  const gpu = gpusOf(profile, options);
  const gpus = gpu === undefined ? {} : { [profile.gpuResource]: String(gpu.count) };
  const cpus = resources?.cpus ?? config.resources?.cpus ?? DEFAULT_CPUS;
  const memoryBytes = resources?.memoryBytes ?? config.resources?.memoryBytes ?? DEFAULT_MEMORY_BYTES;
  const amounts = {
    cpu: cpuQuantity(cpus),
    memory: String(Math.ceil(memoryBytes)),
    ...(resources?.diskBytes === undefined ? {} : { "ephemeral-storage": String(Math.ceil(resources.diskBytes)) }),
    ...gpus,
  };
  // Nobody else can use such a node: its pod may have all processors and memory of it.
  if (resources === undefined && isWholeNode(profile, options)) return { requests: amounts, limits: gpus };
  // Both: a quota wants both, and a limit above the request would be killed for another pod's sake.
  return { requests: amounts, limits: amounts };
}

function selectorOf({ spec, gpu }: KubernetesSpawnOptions, profile: Profile): Readonly<Record<string, string>> {
  const isInCatalogue = gpu?.type !== undefined && typesWith(profile, gpu.type).length > 0;
  return {
    ...(spec === undefined ? {} : { [INSTANCE_TYPE_LABEL]: spec }),
    ...(gpu?.type === undefined || isInCatalogue ? {} : { [profile.gpuLabel]: gpu.type }),
  };
}

/** What a selector cannot say: one of several values. */
function affinityOf({ spec, gpu }: KubernetesSpawnOptions, profile: Profile) {
  const types = gpu?.type === undefined || spec !== undefined ? [] : typesWith(profile, gpu.type);
  const wanted = { ...profile.nodeLabels, ...(types.length === 0 ? {} : { [INSTANCE_TYPE_LABEL]: types }) };
  const matchExpressions = Object.entries(wanted).map(([key, values]) => ({ key, operator: "In", values }));
  if (matchExpressions.length === 0) return undefined;
  const required = { nodeSelectorTerms: [{ matchExpressions }] };
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
}

function settingsOf(defaults: PodSettings | undefined, own: PodSettings | undefined): PodSettings {
  return Object.fromEntries(Object.entries({ ...defaults, ...own }).filter(([, value]) => value !== undefined));
}
