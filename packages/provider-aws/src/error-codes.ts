import type { ErrorCode } from "@slipway/core";

/** What a code of AWS means, where the code alone decides. */
export type DecidedBy =
  | "AUTH_ERROR"
  | "BUSY"
  | "CAPACITY_ERROR"
  | "CONFLICT"
  | "INVALID_SPEC"
  | "INVALID_STATE"
  | "NOT_FOUND"
  | "QUOTA_EXCEEDED"
  | "RATE_LIMIT_ERROR"
  | "UNAVAILABLE";

// All codes of EC2's error page, and those of its sister services and of the SDK that it does not list.
const CODES: Readonly<Record<DecidedBy, string>> = {
  AUTH_ERROR: `
    AuthFailure Blocked IncompleteSignature InvalidClientTokenId MissingAuthenticationToken OptInRequired
    PendingVerification RequestExpired UnauthorizedOperation AccountDisabled CustomerKeyHasBeenRevoked
    DeclarativePoliciesAccessDeniedException InaccessibleStorageLocation InaccessibleStorageLocationException
    InvalidSecurity.RequestHasExpired LogDestinationPermissionIssue SignatureDoesNotMatch
    AuthFailure.ServiceLinkedRoleCreationNotPermitted AccessDenied AccessDeniedException
    UnrecognizedClientException MissingAuthenticationTokenException InvalidAccessKeyId InvalidSignatureException ExpiredToken ExpiredTokenException
    RequestInTheFuture RequestTimeTooSkewed CredentialsProviderError TokenProviderError NoCredentialProviders
  `,
  BUSY: `
    BundlingInProgress ConcurrentTagAccess CreditSpecificationUpdateInProgress IncorrectModificationState
    InvalidAddress.Locked
  `,
  CAPACITY_ERROR: `
    InsufficientCapacityOnHost InsufficientFreeAddressesInSubnet InsufficientReservedInstancesCapacity
    InvalidCapacityReservationState.PendingActivation MaxScheduledInstanceCapacityExceeded
    ReservationCapacityExceeded ReservedInstancesUnavailable ScheduledInstanceSlotUnavailable SpotMaxPriceTooLow
    UnavailableHostRequirements UnfulfillableCapacity InsufficientAddressCapacity InsufficientCapacity
    InsufficientInstanceCapacity InsufficientHostCapacity InsufficientReservedInstanceCapacity
    InsufficientVolumeCapacity VolumeTypeNotAvailableInZone
  `,
  CONFLICT: `
    IdempotentParameterMismatch AsnConflict ClientVpnEndpointAssociationExists
    DefaultSubnetAlreadyExistsInAvailabilityZone DefaultVpcAlreadyExists FlowLogAlreadyExists
    HostAlreadyCoveredByReservation IdempotentInstanceTerminated InvalidAMIName.Duplicate InvalidGroup.Duplicate
    InvalidKeyPair.Duplicate InvalidLaunchTemplateName.AlreadyExistsException InvalidOption.Conflict
    InvalidPermission.Duplicate InvalidPlacementGroup.Duplicate InvalidSubnet.Conflict InvalidVolumeID.Duplicate
    NetworkAclEntryAlreadyExists Resource.AlreadyAssigned RouteAlreadyExists
    TrafficMirrorFilterRuleAlreadyExists VpcPeeringConnectionAlreadyExists
  `,
  INVALID_SPEC: `
    InvalidAction InvalidCharacter InvalidPaginationToken InvalidParameter InvalidParameterCombination
    InvalidParameterDependency InvalidParameterValue InvalidQueryParameter MalformedQueryString MissingAction
    MissingParameter TagPolicyViolation UnknownParameter UnsupportedInstanceAttribute UnsupportedOperation
    UnsupportedProtocol ValidationError BootForVolumeTypeUnsupported ClientInvalidParameterValue
    DeclarativePoliciesNotEnabledException DefaultVpcDoesNotExist DiskImageSizeTooLarge
    DuplicateSubnetsInSameZone EncryptedVolumesNotSupported FilterLimitExceeded IncompatibleHostRequirements
    InstanceCreditSpecification.NotSupported InvalidAddress.Malformed InvalidAffinity
    InvalidAMIAttributeItemValue InvalidAMIID.Malformed InvalidAMIName.Malformed InvalidAutoPlacement
    InvalidAvailabilityZone InvalidBlockDeviceMapping InvalidCapacityBlockOfferingIdExpired
    InvalidCapacityBlockOfferingIdMalformed InvalidClientToken InvalidClientVpnDuplicateAssociationException
    InvalidClientVpnDuplicateAuthorizationRule InvalidClientVpnDuplicateRoute
    InvalidClientVpnSubnetId.DifferentAccount InvalidClientVpnSubnetId.DuplicateAz
    InvalidClientVpnSubnetId.OverlappingCidr InvalidConversionTaskId InvalidConversionTaskId.Malformed
    InvalidCpuCredits InvalidCpuCredits.Malformed InvalidCustomerGateway.DuplicateIpAddress
    InvalidCustomerGatewayId.Malformed InvalidDeclarativePoliciesReportId.Malformed
    InvalidDhcpOptionsId.Malformed InvalidEgressOnlyInternetGatewayId.Malformed InvalidElasticGpuID.Malformed
    InvalidExportTaskID.Malformed InvalidFilter InvalidFormat InvalidFpgaImageID.Malformed
    InvalidGroupId.Malformed InvalidHostConfiguration InvalidHostId InvalidHostID.Malformed
    InvalidHostId.Malformed InvalidHostReservationId.Malformed InvalidHostReservationOfferingId.Malformed
    InvalidIamInstanceProfileArn.Malformed InvalidID InvalidInput InvalidInstanceAttributeValue
    InvalidInstanceConnectEndpointId.Malformed InvalidInstanceCreditSpecification
    InvalidInstanceCreditSpecification.DuplicateInstanceId InvalidInstanceEventStartTime InvalidInstanceFamily
    InvalidInstanceID.Malformed InvalidInstanceID.NotLinkable InvalidInstanceType
    InvalidInterface.IpAddressLimitExceeded InvalidInternetGatewayId.Malformed InvalidKernelId.Malformed
    InvalidKey.Format InvalidKeyPair.Format InvalidCapacityReservationId.Malformed InvalidLaunchTargets
    InvalidLaunchTemplateId.Malformed InvalidLaunchTemplateName.MalformedException InvalidManifest
    InvalidMaxResults InvalidNetworkAclId.Malformed InvalidNetworkLoadBalancerArn.Malformed
    InvalidNetworkInterfaceAttachmentId.Malformed InvalidNetworkInterfaceId.Malformed InvalidNextToken
    InvalidPermission.Malformed InvalidPlacementGroupId.Malformed InvalidPolicyDocument
    InvalidPrefixListId.Malformed InvalidPurchaseToken.Expired InvalidPurchaseToken.Malformed InvalidQuantity
    InvalidRamDiskId.Malformed InvalidRegion InvalidRequest InvalidReservationID.Malformed
    InvalidReservedInstancesId InvalidReservedInstancesOfferingId InvalidResourceConfigurationArn.Malformed
    InvalidRoute.Malformed InvalidRouteTableId.Malformed InvalidScheduledInstance
    InvalidSecurityGroupId.Malformed InvalidSecurityGroupRuleId.Malformed InvalidServiceName
    InvalidSnapshotID.Malformed InvalidSpotFleetRequestConfig InvalidSpotFleetRequestId.Malformed
    InvalidSpotInstanceRequestID.Malformed InvalidSubnet InvalidSubnetID.Malformed InvalidSubnet.Range
    InvalidTagKey.Malformed InvalidTargetException InvalidTenancy InvalidTime InvalidUserID.Malformed
    InvalidVolumeID.Malformed InvalidVolumeID.ZoneMismatch InvalidVolume.ZoneMismatch
    InvalidVpcEndpointId.Malformed InvalidVpcEndpointServiceIdId.Malformed InvalidVpcEndpointType
    InvalidVpcID.Malformed InvalidVpcPeeringConnectionId.Malformed
    InvalidVpcPeeringConnectionState.DnsHostnamesDisabled InvalidVpcRange InvalidVpnConnectionID
    InvalidVpnConnection.InvalidType InvalidZone.NotFound LegacySecurityGroup LimitPriceExceeded MissingInput
    NatGatewayMalformed NetworkInterfaceNotSupported NonEBSInstance NoSuchVersion NotExportable
    PrivateIpAddressLimitExceeded ScheduledInstanceParameterMismatch ScheduledInstanceSlotNotOpen
    SecurityGroupsPerInstanceLimitExceeded SecurityGroupsPerInterfaceLimitExceeded
    SnapshotCopyUnsupported.InterRegion TagLimitExceeded UnknownPrincipalType.Unsupported UnknownVolumeType
    UnsupportedException UnsupportedHibernationConfiguration UnsupportedHostConfiguration
    UnsupportedInstanceTypeOnHost UnsupportedTenancy VPCIdNotSpecified VPCResourceNotSpecified ZonesMismatched
    InvalidInstanceID RequestResourceCountExceeded InvalidUserData.Malformed InvalidInstanceType.NotFound
    ValidationException InvalidParameterValueException Unsupported
  `,
  INVALID_STATE: `
    CannotDelete DeleteConversionTaskError DependencyViolation ExistingVpcEndpointConnections
    FleetNotInModifiableState IncorrectInstanceState IncorrectSpotRequestState IncorrectState
    InstanceEventStartTimeCannotChange InterfaceInUseByTrafficMirrorSession InterfaceInUseByTrafficMirrorTarget
    InvalidAMIID.Unavailable InvalidCidr.InUse InvalidCustomerGatewayState InvalidGroup.InUse
    InvalidGroup.Reserved InvalidHostState InvalidInstanceState InvalidIPAddress.InUse
    InvalidNetworkInterface.InUse InvalidPlacementGroup.InUse InvalidRoute.InvalidState InvalidSnapshot.InUse
    InvalidState InvalidStateTransition InvalidVpcState InvalidVpnConnection.InvalidState InvalidVpnGatewayState
    NlbInUseByTrafficMirrorTargetException OperationNotPermitted TrafficMirrorFilterInUse
    TrafficMirrorTargetInUseException VolumeInUse IncorrectStateException
  `,
  NOT_FOUND: `
    Gateway.NotAttached InstanceTpmEkPubNotFound InvalidAddress.NotFound InvalidAddressID.NotFound
    InvalidAllocationID.NotFound InvalidAMIID.NotFound InvalidAssociationID.NotFound InvalidAttachment.NotFound
    InvalidAttachmentID.NotFound InvalidBundleID.NotFound InvalidCapacityBlockOfferingIdNotFound
    InvalidCarrierGatewayID.NotFound InvalidClientVpnActiveAssociationNotFound
    InvalidClientVpnAssociationIdNotFound InvalidClientVpnConnection.IdNotFound
    InvalidClientVpnConnection.UserNotFound InvalidClientVpnEndpointAuthorizationRuleNotFound
    InvalidClientVpnEndpointId.NotFound InvalidClientVpnRouteNotFound InvalidClientVpnSubnetId.NotFound
    InvalidCustomerGatewayID.NotFound InvalidDhcpOptionID.NotFound InvalidDhcpOptionsID.NotFound
    InvalidEgressOnlyInternetGatewayId.NotFound InvalidElasticGpuID.NotFound InvalidExportTaskID.NotFound
    InvalidFlowLogId.NotFound InvalidFpgaImageID.NotFound InvalidHostID.NotFound InvalidHostId.NotFound
    InvalidInstanceConnectEndpointId.NotFound InvalidInstanceEventIDNotFound InvalidInstanceID.NotFound
    InvalidInternetGatewayID.NotFound InvalidKeyPair.NotFound InvalidCapacityReservationId.NotFound
    InvalidLaunchTemplateId.NotFound InvalidLaunchTemplateId.VersionNotFound
    InvalidLaunchTemplateName.NotFoundException InvalidNatGatewayID.NotFound InvalidNetworkAclID.NotFound
    InvalidNetworkLoadBalancerArn.NotFound InvalidNetworkInterface.NotFound InvalidNetworkInterfaceID.NotFound
    InvalidPermission.NotFound InvalidPlacementGroup.Unknown InvalidPrefixListID.NotFound
    InvalidReservationID.NotFound InvalidResourceConfigurationArn.NotFound InvalidResourceType.Unknown
    InvalidRoute.NotFound InvalidRouteTableID.NotFound InvalidSecurityGroupID.NotFound
    InvalidSecurityGroupRuleId.NotFound InvalidSnapshot.NotFound InvalidSpotDatafeed.NotFound
    InvalidSpotFleetRequestId.NotFound InvalidSpotInstanceRequestID.NotFound InvalidSubnetId.NotFound
    InvalidTargetArn.Unknown InvalidTrafficMirrorFilterNotFound InvalidTrafficMirrorFilterRuleNotFound
    InvalidTrafficMirrorSessionNotFound InvalidTrafficMirrorTargetNoFound InvalidVolume.NotFound
    InvalidVpcEndpoint.NotFound InvalidVpcEndpointId.NotFound InvalidVpcEndpointService.NotFound
    InvalidVpcEndpointServiceId.NotFound InvalidVpcID.NotFound InvalidVpcPeeringConnectionID.NotFound
    InvalidVpnConnectionID.NotFound InvalidVpnGatewayAttachment.NotFound InvalidVpnGatewayID.NotFound
    LogDestinationNotFound NatGatewayNotFound NetworkLoadBalancerNotFoundException InvalidGroup.NotFound
    InvalidSubnetID.NotFound InvalidFleetId.NotFound NoSuchEntity ParameterNotFound NoSuchResourceException
    QueueDoesNotExist ParameterVersionNotFound
  `,
  QUOTA_EXCEEDED: `
    ActiveVpcPeeringConnectionPerVpcLimitExceeded AddressLimitExceeded ClientVpnAuthorizationRuleLimitExceeded
    ClientVpnCertificateRevocationListLimitExceeded ClientVpnEndpointLimitExceeded ClientVpnRouteLimitExceeded
    ClientVpnTerminateConnectionsLimitExceeded CustomerGatewayLimitExceeded FlowLogsLimitExceeded
    HostLimitExceeded InstanceLimitExceeded InternetGatewayLimitExceeded KeyPairLimitExceeded
    MaxConfigLimitExceededException MaxIOPSLimitExceeded MaxSpotFleetRequestCountExceeded
    MaxSpotInstanceCountExceeded MaxTemplateLimitExceeded MaxTemplateVersionLimitExceeded
    NatGatewayLimitExceeded NetworkAclEntryLimitExceeded NetworkAclLimitExceeded NetworkInterfaceLimitExceeded
    OutstandingVpcPeeringConnectionLimitExceeded PendingVpcPeeringConnectionLimitExceeded
    PlacementGroupLimitExceeded ReservedInstancesCountExceeded ReservedInstancesLimitExceeded
    ResourceCountExceeded ResourceCountLimitExceeded ResourceLimitExceeded RouteLimitExceeded
    RulesPerSecurityGroupLimitExceeded ScheduledInstanceLimitExceeded SecurityGroupLimitExceeded
    SnapshotLimitExceeded SubnetLimitExceeded TargetCapacityLimitExceededException
    TrafficMirrorSessionsPerInterfaceLimitExceeded TrafficMirrorSessionsPerTargetLimitExceeded
    TrafficMirrorSourcesPerTargetLimitExceeded TrafficMirrorFilterLimitExceeded
    TrafficMirrorFilterRuleLimitExceeded TrafficMirrorSessionLimitExceeded VcpuLimitExceeded VolumeIOPSLimit
    VolumeLimitExceeded VpcEndpointLimitExceeded VpcLimitExceeded VpcPeeringConnectionsPerVpcLimitExceeded
    VpnConnectionLimitExceeded VpnGatewayAttachmentLimitExceeded VpnGatewayLimitExceeded AttachmentLimitExceeded
    MaxFleetCountExceeded
  `,
  RATE_LIMIT_ERROR: `
    CapacityBlockDescribeLimitExceeded ConcurrentSnapshotLimitExceeded PendingSnapshotLimitExceeded
    SnapshotCreationPerVolumeRateExceeded BandwidthLimitExceeded RequestLimitExceeded
    ConcurrentCreateImageNoRebootLimitExceeded UpdateLimitExceeded EC2ThrottledException Throttling
    ThrottlingException ThrottledException RequestThrottled RequestThrottledException TooManyRequestsException
    SlowDown PriorRequestNotComplete LimitExceededException ConcurrentMutationLimitExceeded
    CopyVolumesLimitExceeded ProvisionedThroughputExceededException TransactionInProgressException
  `,
  UNAVAILABLE: `
    RetryableError ServerInternal InternalFailure ServiceUnavailable InternalError Unavailable
    InternalServerError
  `,
};

/** Every code that is known by name. */
export const CODE_MEANINGS: ReadonlyMap<string, DecidedBy & ErrorCode> = new Map(
  (Object.keys(CODES) as DecidedBy[]).flatMap((meaning) =>
    CODES[meaning]
      .trim()
      .split(/\s+/)
      .map((code) => [code, meaning] as const),
  ),
);
