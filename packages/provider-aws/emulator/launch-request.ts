import { z } from "zod";
import { filled, flag, list, moment, type TagSpecification, tagSpecifications, text, whole } from "./action.ts";

export interface EbsRequest {
  readonly VolumeSize?: number | undefined;
  readonly VolumeType?: string | undefined;
  readonly Iops?: number | undefined;
  readonly Throughput?: number | undefined;
  readonly Encrypted?: boolean | undefined;
  readonly KmsKeyId?: string | undefined;
  readonly SnapshotId?: string | undefined;
  readonly DeleteOnTermination?: boolean | undefined;
  readonly VolumeInitializationRate?: number | undefined;
}

export interface DeviceRequest {
  readonly DeviceName: string;
  readonly NoDevice?: string | undefined;
  readonly VirtualName?: string | undefined;
  readonly Ebs?: EbsRequest | undefined;
}

export interface InterfaceRequest {
  readonly DeviceIndex?: number | undefined;
  readonly SubnetId?: string | undefined;
  readonly SecurityGroupId?: readonly string[] | undefined;
  readonly AssociatePublicIpAddress?: boolean | undefined;
  readonly DeleteOnTermination?: boolean | undefined;
  readonly Description?: string | undefined;
  readonly PrivateIpAddress?: string | undefined;
}

export interface MarketRequest {
  readonly MarketType?: string | undefined;
  readonly SpotOptions?:
    | {
        readonly MaxPrice?: string | undefined;
        readonly SpotInstanceType?: string | undefined;
        readonly InstanceInterruptionBehavior?: string | undefined;
        readonly ValidUntil?: number | undefined;
      }
    | undefined;
}

/** What describes a machine, in RunInstances and in a launch template alike. */
export interface MachineRequest {
  readonly ImageId?: string | undefined;
  readonly InstanceType?: string | undefined;
  readonly KeyName?: string | undefined;
  readonly SecurityGroupId?: readonly string[] | undefined;
  readonly SecurityGroup?: readonly string[] | undefined;
  readonly UserData?: string | undefined;
  readonly Placement?:
    | {
        readonly AvailabilityZone?: string | undefined;
        readonly Tenancy?: string | undefined;
        readonly GroupName?: string | undefined;
      }
    | undefined;
  readonly Monitoring?: { readonly Enabled?: boolean | undefined } | undefined;
  readonly BlockDeviceMapping?: readonly DeviceRequest[] | undefined;
  readonly NetworkInterface?: readonly InterfaceRequest[] | undefined;
  readonly IamInstanceProfile?: { readonly Name?: string | undefined; readonly Arn?: string | undefined } | undefined;
  readonly InstanceInitiatedShutdownBehavior?: "stop" | "terminate" | undefined;
  readonly DisableApiTermination?: boolean | undefined;
  readonly EbsOptimized?: boolean | undefined;
  readonly MetadataOptions?: Readonly<Record<string, string | number | undefined>> | undefined;
  readonly HibernationOptions?: { readonly Configured?: boolean | undefined } | undefined;
  readonly InstanceMarketOptions?: MarketRequest | undefined;
  readonly CreditSpecification?: { readonly CpuCredits: string } | undefined;
  readonly TagSpecification?: readonly TagSpecification[] | undefined;
}

export interface LaunchRequest extends MachineRequest {
  readonly MinCount: number;
  readonly MaxCount: number;
  readonly ClientToken?: string | undefined;
  readonly SubnetId?: string | undefined;
  readonly PrivateIpAddress?: string | undefined;
  readonly LaunchTemplate?: TemplateReference | undefined;
}

export interface TemplateReference {
  readonly LaunchTemplateId?: string | undefined;
  readonly LaunchTemplateName?: string | undefined;
  readonly Version?: string | undefined;
}

const ebs = z.strictObject({
  VolumeSize: whole.optional(),
  VolumeType: z.enum(["standard", "gp2", "gp3", "io1", "io2", "st1", "sc1"]).optional(),
  Iops: whole.optional(),
  Throughput: whole.optional(),
  Encrypted: flag.optional(),
  KmsKeyId: filled.optional(),
  SnapshotId: filled.optional(),
  DeleteOnTermination: flag.optional(),
  VolumeInitializationRate: whole.optional(),
});

const networkInterface = z.strictObject({
  DeviceIndex: whole.optional(),
  SubnetId: filled.optional(),
  SecurityGroupId: list(filled).optional(),
  AssociatePublicIpAddress: flag.optional(),
  DeleteOnTermination: flag.optional(),
  Description: text.optional(),
  PrivateIpAddress: filled.optional(),
});

const metadata = z.strictObject({
  HttpTokens: z.enum(["optional", "required"]).optional(),
  HttpEndpoint: z.enum(["enabled", "disabled"]).optional(),
  HttpPutResponseHopLimit: whole.refine((hops) => hops >= 1 && hops <= 64, "Must be between 1 and 64").optional(),
  HttpProtocolIpv6: z.enum(["enabled", "disabled"]).optional(),
  InstanceMetadataTags: z.enum(["enabled", "disabled"]).optional(),
});

const market = z.strictObject({
  MarketType: z.enum(["spot"]).optional(),
  SpotOptions: z
    .strictObject({
      MaxPrice: z
        .string()
        .regex(/^\d+(\.\d+)?$/)
        .optional(),
      SpotInstanceType: z.enum(["one-time", "persistent"]).optional(),
      InstanceInterruptionBehavior: z.enum(["terminate", "stop", "hibernate"]).optional(),
      ValidUntil: moment.optional(),
    })
    .optional(),
});

const machine = {
  ImageId: filled.optional(),
  InstanceType: filled.optional(),
  KeyName: filled.optional(),
  SecurityGroupId: list(filled).optional(),
  SecurityGroup: list(filled).optional(),
  UserData: text.optional(),
  Placement: z
    .strictObject({
      AvailabilityZone: filled.optional(),
      Tenancy: z.enum(["default", "dedicated", "host"]).optional(),
      GroupName: text.optional(),
    })
    .optional(),
  Monitoring: z.strictObject({ Enabled: flag.optional() }).optional(),
  BlockDeviceMapping: list(
    z.strictObject({
      DeviceName: filled,
      NoDevice: text.optional(),
      VirtualName: filled.optional(),
      Ebs: ebs.optional(),
    }),
  ).optional(),
  NetworkInterface: list(networkInterface).optional(),
  IamInstanceProfile: z.strictObject({ Name: filled.optional(), Arn: filled.optional() }).optional(),
  InstanceInitiatedShutdownBehavior: z.enum(["stop", "terminate"]).optional(),
  DisableApiTermination: flag.optional(),
  EbsOptimized: flag.optional(),
  MetadataOptions: metadata.optional(),
  HibernationOptions: z.strictObject({ Configured: flag.optional() }).optional(),
  InstanceMarketOptions: market.optional(),
  CreditSpecification: z.strictObject({ CpuCredits: z.enum(["standard", "unlimited"]) }).optional(),
  TagSpecification: tagSpecifications.optional(),
};

const template = z.strictObject({
  LaunchTemplateId: filled.optional(),
  LaunchTemplateName: filled.optional(),
  Version: filled.optional(),
});

export const machineRequest: z.ZodType<MachineRequest> = z.strictObject(machine);
export const templateReference: z.ZodType<TemplateReference> = template;
export const launchRequest: z.ZodType<LaunchRequest> = z.strictObject({
  ...machine,
  MinCount: whole,
  MaxCount: whole,
  ClientToken: text.optional(),
  SubnetId: filled.optional(),
  PrivateIpAddress: filled.optional(),
  LaunchTemplate: template.optional(),
});
