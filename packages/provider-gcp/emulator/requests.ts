import { z } from "zod";
import { refuse, refuseField, refuseMissing } from "./answers.ts";
import { ACCELERATORS, IMAGES, typeIn } from "./catalogue.ts";

// What an insert may hold here: unknown fields are refused, as by the real one.

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const text = z.string();
const labels = z.record(z.string(), z.string());

const body = z.strictObject({
  name: text.regex(NAME),
  description: text.optional(),
  machineType: text,
  canIpForward: z.boolean().optional(),
  deletionProtection: z.boolean().optional(),
  labels: labels.optional(),
  metadata: z
    .strictObject({
      kind: text.optional(),
      items: z.array(z.strictObject({ key: text.regex(/^[a-zA-Z0-9-_]{1,128}$/), value: text.optional() })).optional(),
    })
    .optional(),
  tags: z.strictObject({ items: z.array(text).optional() }).optional(),
  disks: z
    .array(
      z.strictObject({
        boot: z.boolean().optional(),
        autoDelete: z.boolean().optional(),
        kind: text.optional(),
        deviceName: text.optional(),
        mode: z.enum(["READ_ONLY", "READ_WRITE"]).optional(),
        type: z.enum(["PERSISTENT", "SCRATCH"]).optional(),
        source: text.optional(),
        diskSizeGb: text.regex(/^\d+$/).optional(),
        initializeParams: z
          .strictObject({
            diskName: text.regex(NAME).optional(),
            sourceImage: text.optional(),
            diskSizeGb: text.regex(/^\d+$/).optional(),
            diskType: text.optional(),
            labels: labels.optional(),
            description: text.optional(),
          })
          .optional(),
      }),
    )
    .min(1),
  networkInterfaces: z
    .array(
      z.strictObject({
        kind: text.optional(),
        network: text.optional(),
        subnetwork: text.optional(),
        accessConfigs: z
          .array(
            z.strictObject({
              kind: text.optional(),
              type: z.literal("ONE_TO_ONE_NAT").optional(),
              name: text.optional(),
              networkTier: text.optional(),
            }),
          )
          .max(1)
          .optional(),
      }),
    )
    .min(1),
  scheduling: z
    .strictObject({
      automaticRestart: z.boolean().optional(),
      preemptible: z.boolean().optional(),
      onHostMaintenance: z.enum(["MIGRATE", "TERMINATE"]).optional(),
      provisioningModel: z.enum(["STANDARD", "SPOT"]).optional(),
      instanceTerminationAction: z.enum(["DELETE", "STOP"]).optional(),
      terminationTime: text.optional(),
      maxRunDuration: z.strictObject({ seconds: text.regex(/^\d{1,12}$/), nanos: z.int().optional() }).optional(),
    })
    .optional(),
  guestAccelerators: z
    .array(z.strictObject({ acceleratorType: text, acceleratorCount: z.int().positive() }))
    .optional(),
  serviceAccounts: z
    .array(z.strictObject({ email: text, scopes: z.array(text) }))
    .max(1)
    .optional(),
});

/** What an insert holds, once it has been checked. */
export interface InsertBody {
  readonly name: string;
  readonly description?: string | undefined;
  readonly machineType: string;
  readonly deletionProtection?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly metadata?:
    | { readonly items?: readonly { readonly key: string; readonly value?: string | undefined }[] | undefined }
    | undefined;
  readonly tags?: { readonly items?: readonly string[] | undefined } | undefined;
  readonly disks: readonly {
    readonly boot?: boolean | undefined;
    readonly autoDelete?: boolean | undefined;
    readonly deviceName?: string | undefined;
    readonly source?: string | undefined;
    readonly diskSizeGb?: string | undefined;
    readonly initializeParams?:
      | {
          readonly diskName?: string | undefined;
          readonly sourceImage?: string | undefined;
          readonly diskSizeGb?: string | undefined;
          readonly labels?: Readonly<Record<string, string>> | undefined;
        }
      | undefined;
  }[];
  readonly networkInterfaces: readonly {
    readonly network?: string | undefined;
    readonly subnetwork?: string | undefined;
    readonly accessConfigs?: readonly { readonly name?: string | undefined }[] | undefined;
  }[];
  readonly scheduling?:
    | {
        readonly automaticRestart?: boolean | undefined;
        readonly preemptible?: boolean | undefined;
        readonly onHostMaintenance?: "MIGRATE" | "TERMINATE" | undefined;
        readonly provisioningModel?: "STANDARD" | "SPOT" | undefined;
        readonly instanceTerminationAction?: "DELETE" | "STOP" | undefined;
        readonly terminationTime?: string | undefined;
        readonly maxRunDuration?: { readonly seconds: string; readonly nanos?: number | undefined } | undefined;
      }
    | undefined;
  readonly guestAccelerators?:
    | readonly { readonly acceleratorType: string; readonly acceleratorCount: number }[]
    | undefined;
  readonly serviceAccounts?: readonly { readonly email: string; readonly scopes: readonly string[] }[] | undefined;
}

/** An insert that this zone can do. */
export interface InsertRequest {
  readonly body: InsertBody;
  readonly machineTypeName: string;
  readonly isSpot: boolean;
}

const LABEL_KEY = /^[a-z][-_a-z0-9]{0,62}$/;
const LABEL_VALUE = /^[-_a-z0-9]{0,63}$/;
const ITEM_BYTES = 262_144;
const METADATA_BYTES = 524_288;

export function insertRequest(value: unknown, zone: string, project: string): InsertRequest {
  const parsed = body.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    refuseField(`resource.${issue?.path.join(".") ?? ""}`, `${issue?.message ?? "unknown"}.`);
  }
  const request = parsed.data;
  const machineTypeName = lastPart(request.machineType);
  const type = typeIn(zone, machineTypeName);
  if (type === undefined) {
    refuseField(
      "resource.machineType",
      `'${request.machineType}'. Machine type with name '${machineTypeName}' does not exist in zone '${zone}'.`,
    );
  }
  checkLabels(request);
  checkMetadata(request);
  checkDisks(request, project);
  const { scheduling, guestAccelerators = [] } = request;
  const isSpot = scheduling?.provisioningModel === "SPOT" || scheduling?.preemptible === true;
  if (isSpot && scheduling?.automaticRestart === true) {
    refuseField(
      "resource.scheduling.preemptible",
      "'true'. Scheduling must have preemptible be false when AutomaticRestart is true.",
    );
  }
  for (const { acceleratorType, acceleratorCount } of guestAccelerators) {
    const name = lastPart(acceleratorType);
    if (type.gpus !== undefined || !machineTypeName.startsWith("n1-"))
      refuseField("resource.guestAccelerators", `the machine type ${machineTypeName} takes none.`);
    if (ACCELERATORS[name] === undefined)
      refuseField("resource.guestAccelerators", `Accelerator type '${name}' does not exist in zone '${zone}'.`);
    if (acceleratorCount > (ACCELERATORS[name] ?? 0))
      refuseField("resource.guestAccelerators", `at most ${ACCELERATORS[name]} cards.`);
  }
  const hasGpu = guestAccelerators.length > 0 || type.gpus !== undefined;
  if (hasGpu && scheduling?.onHostMaintenance !== "TERMINATE") {
    refuse(400, "badRequest", "Instances with guest accelerators do not support live migration.");
  }
  for (const { network, subnetwork } of request.networkInterfaces) {
    if (network !== undefined && !network.endsWith("networks/default")) refuseMissing(`projects/${project}/${network}`);
    if (subnetwork !== undefined && !subnetwork.endsWith("subnetworks/default"))
      refuseMissing(`projects/${project}/${subnetwork}`);
  }
  return { body: request, machineTypeName, isSpot };
}

function checkLabels({ labels: given = {}, disks }: InsertBody): void {
  const all = [given, ...disks.map(({ initializeParams }) => initializeParams?.labels ?? {})];
  for (const [key, value] of all.flatMap((each) => Object.entries(each))) {
    if (!LABEL_KEY.test(key))
      refuseField("resource.labels", `'${key}'. Label keys are 1 to 63 characters of a-z, 0-9, _ and -.`);
    if (!LABEL_VALUE.test(value))
      refuseField("resource.labels", `'${value}'. Label values are at most 63 characters of a-z, 0-9, _ and -.`);
  }
  if (Object.keys(given).length > 64) refuseField("resource.labels", "more than 64 labels.");
}

function checkMetadata({ metadata }: InsertBody): void {
  const items = metadata?.items ?? [];
  const sizes = items.map(({ value = "" }) => Buffer.byteLength(value));
  const keys = items.map(({ key }) => key);
  if (new Set(keys).size !== keys.length) refuseField("resource.metadata", "a key stands twice.");
  if (sizes.some((size) => size > ITEM_BYTES))
    refuseField("resource.metadata.items", `a value has more than ${ITEM_BYTES} bytes.`);
  if (sizes.reduce((sum, size) => sum + size, 0) >= METADATA_BYTES)
    refuseField("resource.metadata", `more than ${METADATA_BYTES} bytes.`);
}

function checkDisks({ disks }: InsertBody, project: string): void {
  if (disks.filter(({ boot }) => boot === true).length !== 1)
    refuseField("resource.disks", "exactly one disk is the boot disk.");
  for (const { source, initializeParams } of disks) {
    if ((source === undefined) === (initializeParams === undefined))
      refuseField("resource.disks", "either source or initializeParams.");
    const { sourceImage, diskSizeGb } = initializeParams ?? {};
    if (diskSizeGb !== undefined && Number(diskSizeGb) < 10)
      refuseField("resource.disks.initializeParams.diskSizeGb", "at least 10.");
    if (sourceImage === undefined) continue;
    const [, owner = project, family = ""] =
      /projects\/([^/]+)\/(?:global\/images\/family|zones\/[^/]+\/imageFamilyViews)\/([^/]+)$/.exec(sourceImage) ?? [];
    if (IMAGES[owner]?.includes(family) !== true) refuseMissing(`projects/${owner}/global/images/family/${family}`);
  }
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
