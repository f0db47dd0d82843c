import type { Step } from "./pool.ts";
import { IMAGE_PARAMETER, ZONES } from "./side.ts";

export const NO_IMAGE = "ami-0123456789abcdef0";

/** Questions that need nothing to be there. */
export const READS: readonly Step[] = [
  { call: "DescribeSnapshots", input: { OwnerIds: ["self"] } },
  { call: "DescribeImages", input: { Owners: ["self"] } },
  { call: "DescribeImages", input: { ImageIds: [{ id: NO_IMAGE }] } },
  { call: "DescribeSecurityGroups", input: { Filters: [{ Name: "group-name", Values: ["web", "db"] }] } },
  { call: "DescribeLaunchTemplates", input: { LaunchTemplateNames: ["template-1"] } },
  { call: "DescribeSpotInstanceRequests", input: {} },
  {
    call: "DescribeSpotPriceHistory",
    input: { InstanceTypes: ["m5.large"], Filters: [{ Name: "availability-zone", Values: ZONES }] },
  },
  { call: "DescribeAvailabilityZones", input: { ZoneNames: ZONES } },
  { call: "DescribeRegions", input: { RegionNames: ["us-east-1", "us-west-2"] } },
  { call: "DescribeInstanceTypes", input: { InstanceTypes: ["t3.micro", "g4dn.xlarge", "m7i.large"] } },
  { call: "DescribeInstanceTypes", input: { InstanceTypes: ["t9.none"] } },
  {
    call: "DescribeInstanceTypeOfferings",
    input: {
      LocationType: "availability-zone",
      Filters: [
        { Name: "instance-type", Values: ["m5.large"] },
        { Name: "location", Values: ZONES },
      ],
    },
  },
  { call: "DescribeSubnets", input: { Filters: [{ Name: "availability-zone", Values: ZONES }] } },
  { call: "DescribeVpcs", input: {} },
  { call: "GetParameter", input: { Name: IMAGE_PARAMETER } },
  { call: "GetParameter", input: { Name: "/no/such/parameter" } },
  {
    call: "GetParameter",
    input: { Name: "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id" },
  },
  { call: "GetCallerIdentity", input: {} },
];
