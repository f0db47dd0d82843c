import type {
  GetCostAndUsageCommandInput,
  GetCostAndUsageCommandOutput,
  GetCostAndUsageWithResourcesCommandInput,
  GetCostAndUsageWithResourcesCommandOutput,
} from "@aws-sdk/client-cost-explorer";
import type * as ec2 from "@aws-sdk/client-ec2";
import type { GetProductsCommandInput, GetProductsCommandOutput } from "@aws-sdk/client-pricing";
import type { GetParameterCommandInput, GetParameterCommandOutput } from "@aws-sdk/client-ssm";
import type { GetCallerIdentityCommandInput, GetCallerIdentityCommandOutput } from "@aws-sdk/client-sts";

/** Every action of EC2 that this package calls: what it takes and answers. */
export interface Ec2Actions {
  AttachVolume: [ec2.AttachVolumeCommandInput, ec2.AttachVolumeCommandOutput];
  AuthorizeSecurityGroupIngress: [
    ec2.AuthorizeSecurityGroupIngressCommandInput,
    ec2.AuthorizeSecurityGroupIngressCommandOutput,
  ];
  CancelSpotInstanceRequests: [ec2.CancelSpotInstanceRequestsCommandInput, ec2.CancelSpotInstanceRequestsCommandOutput];
  CreateFleet: [ec2.CreateFleetCommandInput, ec2.CreateFleetCommandOutput];
  CreateImage: [ec2.CreateImageCommandInput, ec2.CreateImageCommandOutput];
  CreateLaunchTemplate: [ec2.CreateLaunchTemplateCommandInput, ec2.CreateLaunchTemplateCommandOutput];
  CreateSecurityGroup: [ec2.CreateSecurityGroupCommandInput, ec2.CreateSecurityGroupCommandOutput];
  CreateVolume: [ec2.CreateVolumeCommandInput, ec2.CreateVolumeCommandOutput];
  DeleteLaunchTemplate: [ec2.DeleteLaunchTemplateCommandInput, ec2.DeleteLaunchTemplateCommandOutput];
  DeleteSecurityGroup: [ec2.DeleteSecurityGroupCommandInput, ec2.DeleteSecurityGroupCommandOutput];
  DeleteSnapshot: [ec2.DeleteSnapshotCommandInput, ec2.DeleteSnapshotCommandOutput];
  DeleteVolume: [ec2.DeleteVolumeCommandInput, ec2.DeleteVolumeCommandOutput];
  DeregisterImage: [ec2.DeregisterImageCommandInput, ec2.DeregisterImageCommandOutput];
  DescribeAvailabilityZones: [ec2.DescribeAvailabilityZonesCommandInput, ec2.DescribeAvailabilityZonesCommandOutput];
  DescribeImages: [ec2.DescribeImagesCommandInput, ec2.DescribeImagesCommandOutput];
  DescribeInstances: [ec2.DescribeInstancesCommandInput, ec2.DescribeInstancesCommandOutput];
  DescribeInstanceTypeOfferings: [
    ec2.DescribeInstanceTypeOfferingsCommandInput,
    ec2.DescribeInstanceTypeOfferingsCommandOutput,
  ];
  DescribeInstanceTypes: [ec2.DescribeInstanceTypesCommandInput, ec2.DescribeInstanceTypesCommandOutput];
  DescribeLaunchTemplates: [ec2.DescribeLaunchTemplatesCommandInput, ec2.DescribeLaunchTemplatesCommandOutput];
  DescribeRegions: [ec2.DescribeRegionsCommandInput, ec2.DescribeRegionsCommandOutput];
  DescribeSecurityGroups: [ec2.DescribeSecurityGroupsCommandInput, ec2.DescribeSecurityGroupsCommandOutput];
  DescribeSnapshots: [ec2.DescribeSnapshotsCommandInput, ec2.DescribeSnapshotsCommandOutput];
  DescribeSpotInstanceRequests: [
    ec2.DescribeSpotInstanceRequestsCommandInput,
    ec2.DescribeSpotInstanceRequestsCommandOutput,
  ];
  DescribeSpotPriceHistory: [ec2.DescribeSpotPriceHistoryCommandInput, ec2.DescribeSpotPriceHistoryCommandOutput];
  DescribeSubnets: [ec2.DescribeSubnetsCommandInput, ec2.DescribeSubnetsCommandOutput];
  DescribeVolumes: [ec2.DescribeVolumesCommandInput, ec2.DescribeVolumesCommandOutput];
  DescribeVpcs: [ec2.DescribeVpcsCommandInput, ec2.DescribeVpcsCommandOutput];
  DetachVolume: [ec2.DetachVolumeCommandInput, ec2.DetachVolumeCommandOutput];
  RevokeSecurityGroupEgress: [ec2.RevokeSecurityGroupEgressCommandInput, ec2.RevokeSecurityGroupEgressCommandOutput];
  RunInstances: [ec2.RunInstancesCommandInput, ec2.RunInstancesCommandOutput];
  StartInstances: [ec2.StartInstancesCommandInput, ec2.StartInstancesCommandOutput];
  StopInstances: [ec2.StopInstancesCommandInput, ec2.StopInstancesCommandOutput];
  TerminateInstances: [ec2.TerminateInstancesCommandInput, ec2.TerminateInstancesCommandOutput];
}

/** Those that answer in pages. */
export type PagedAction = {
  [A in keyof Ec2Actions]: "NextToken" extends keyof Ec2Actions[A][1] ? A : never;
}[keyof Ec2Actions];

/** The actions of the other services. */
export interface PricingActions {
  GetProducts: [GetProductsCommandInput, GetProductsCommandOutput];
}

export interface CostExplorerActions {
  GetCostAndUsage: [GetCostAndUsageCommandInput, GetCostAndUsageCommandOutput];
  GetCostAndUsageWithResources: [GetCostAndUsageWithResourcesCommandInput, GetCostAndUsageWithResourcesCommandOutput];
}

export interface SsmActions {
  GetParameter: [GetParameterCommandInput, GetParameterCommandOutput];
}

export interface StsActions {
  GetCallerIdentity: [GetCallerIdentityCommandInput, GetCallerIdentityCommandOutput];
}

/** What one action takes, and what it answers. */
export type InputOf<M, A extends keyof M> = M[A] extends [infer I, unknown] ? I : never;
export type OutputOf<M, A extends keyof M> = M[A] extends [unknown, infer O] ? O : never;

const READS = /^(Describe|Get)/;

/** Can the action change anything at AWS? */
export function isWrite(action: string): boolean {
  return !READS.test(action);
}

// A record, so that the compiler demands every one.
const EC2: Readonly<Record<keyof Ec2Actions, true>> = {
  AttachVolume: true,
  AuthorizeSecurityGroupIngress: true,
  CancelSpotInstanceRequests: true,
  CreateFleet: true,
  CreateImage: true,
  CreateLaunchTemplate: true,
  CreateSecurityGroup: true,
  CreateVolume: true,
  DeleteLaunchTemplate: true,
  DeleteSecurityGroup: true,
  DeleteSnapshot: true,
  DeleteVolume: true,
  DeregisterImage: true,
  DescribeAvailabilityZones: true,
  DescribeImages: true,
  DescribeInstances: true,
  DescribeInstanceTypeOfferings: true,
  DescribeInstanceTypes: true,
  DescribeLaunchTemplates: true,
  DescribeRegions: true,
  DescribeSecurityGroups: true,
  DescribeSnapshots: true,
  DescribeSpotInstanceRequests: true,
  DescribeSpotPriceHistory: true,
  DescribeSubnets: true,
  DescribeVolumes: true,
  DescribeVpcs: true,
  DetachVolume: true,
  RevokeSecurityGroupEgress: true,
  RunInstances: true,
  StartInstances: true,
  StopInstances: true,
  TerminateInstances: true,
};
const OTHERS: Readonly<
  Record<keyof PricingActions | keyof CostExplorerActions | keyof SsmActions | keyof StsActions, true>
> = {
  GetProducts: true,
  GetCostAndUsage: true,
  GetCostAndUsageWithResources: true,
  GetParameter: true,
  GetCallerIdentity: true,
};

/** The names of all actions, as a policy and a budget list them. */
export const ACTIONS: readonly string[] = [...Object.keys(EC2), ...Object.keys(OTHERS)];
