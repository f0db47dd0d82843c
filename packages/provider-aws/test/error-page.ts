/** The codes of EC2's error page, by what they are about: written down apart from the table that is tested with it. */
export const ERROR_PAGE: Readonly<Record<string, readonly string[]>> = {
  AUTH_ERROR: words(`
    AuthFailure Blocked IncompleteSignature InvalidClientTokenId MissingAuthenticationToken OptInRequired
    PendingVerification RequestExpired UnauthorizedOperation AccountDisabled CustomerKeyHasBeenRevoked
    DeclarativePoliciesAccessDeniedException InaccessibleStorageLocation InaccessibleStorageLocationException
    InvalidSecurity.RequestHasExpired LogDestinationPermissionIssue SignatureDoesNotMatch
  `),
  CONFLICT: words(`
    IdempotentParameterMismatch AsnConflict BundlingInProgress CannotDelete ClientVpnEndpointAssociationExists
    ConcurrentTagAccess CreditSpecificationUpdateInProgress DeleteConversionTaskError
    DefaultSubnetAlreadyExistsInAvailabilityZone DefaultVpcAlreadyExists DependencyViolation
    ExistingVpcEndpointConnections FleetNotInModifiableState FlowLogAlreadyExists
    HostAlreadyCoveredByReservation IdempotentInstanceTerminated IncorrectInstanceState
    IncorrectModificationState IncorrectSpotRequestState IncorrectState InstanceEventStartTimeCannotChange
    InterfaceInUseByTrafficMirrorSession InterfaceInUseByTrafficMirrorTarget InvalidAddress.Locked
    InvalidAMIID.Unavailable InvalidAMIName.Duplicate InvalidCidr.InUse InvalidCustomerGatewayState
    InvalidGroup.Duplicate InvalidGroup.InUse InvalidGroup.Reserved InvalidHostState InvalidInstanceState
    InvalidIPAddress.InUse InvalidKeyPair.Duplicate InvalidLaunchTemplateName.AlreadyExistsException
    InvalidNetworkInterface.InUse InvalidOption.Conflict InvalidPermission.Duplicate
    InvalidPlacementGroup.Duplicate InvalidPlacementGroup.InUse InvalidRoute.InvalidState
    InvalidSnapshot.InUse InvalidState InvalidStateTransition InvalidSubnet.Conflict InvalidVolumeID.Duplicate
    InvalidVpcState InvalidVpnConnection.InvalidState InvalidVpnGatewayState NetworkAclEntryAlreadyExists
    NlbInUseByTrafficMirrorTargetException OperationNotPermitted Resource.AlreadyAssigned RouteAlreadyExists
    TrafficMirrorFilterInUse TrafficMirrorTargetInUseException TrafficMirrorFilterRuleAlreadyExists
    VolumeInUse VpcPeeringConnectionAlreadyExists IncorrectStateException
  `),
  INVALID_SPEC: words(`
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
    InvalidInstanceID RequestResourceCountExceeded Unsupported
  `),
  QUOTA_EXCEEDED: words(`
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
    VpnConnectionLimitExceeded VpnGatewayAttachmentLimitExceeded VpnGatewayLimitExceeded
    AttachmentLimitExceeded
  `),
  RATE_LIMIT_ERROR: words(`
    CapacityBlockDescribeLimitExceeded ConcurrentSnapshotLimitExceeded PendingSnapshotLimitExceeded
    SnapshotCreationPerVolumeRateExceeded BandwidthLimitExceeded RequestLimitExceeded
    ConcurrentCreateImageNoRebootLimitExceeded UpdateLimitExceeded
  `),
  NOT_FOUND: words(`
    Gateway.NotAttached InstanceTpmEkPubNotFound InvalidAddress.NotFound InvalidAddressID.NotFound
    InvalidAllocationID.NotFound InvalidAMIID.NotFound InvalidAssociationID.NotFound
    InvalidAttachment.NotFound InvalidAttachmentID.NotFound InvalidBundleID.NotFound
    InvalidCapacityBlockOfferingIdNotFound InvalidCarrierGatewayID.NotFound
    InvalidClientVpnActiveAssociationNotFound InvalidClientVpnAssociationIdNotFound
    InvalidClientVpnConnection.IdNotFound InvalidClientVpnConnection.UserNotFound
    InvalidClientVpnEndpointAuthorizationRuleNotFound InvalidClientVpnEndpointId.NotFound
    InvalidClientVpnRouteNotFound InvalidClientVpnSubnetId.NotFound InvalidCustomerGatewayID.NotFound
    InvalidDhcpOptionID.NotFound InvalidDhcpOptionsID.NotFound InvalidEgressOnlyInternetGatewayId.NotFound
    InvalidElasticGpuID.NotFound InvalidExportTaskID.NotFound InvalidFlowLogId.NotFound
    InvalidFpgaImageID.NotFound InvalidHostID.NotFound InvalidHostId.NotFound
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
  `),
  CAPACITY_ERROR: words(`
    InsufficientCapacityOnHost InsufficientFreeAddressesInSubnet InsufficientReservedInstancesCapacity
    InvalidCapacityReservationState.PendingActivation MaxScheduledInstanceCapacityExceeded
    ReservationCapacityExceeded ReservedInstancesUnavailable ScheduledInstanceSlotUnavailable
    SpotMaxPriceTooLow UnavailableHostRequirements UnfulfillableCapacity InsufficientAddressCapacity
    InsufficientCapacity InsufficientInstanceCapacity InsufficientHostCapacity
    InsufficientReservedInstanceCapacity InsufficientVolumeCapacity VolumeTypeNotAvailableInZone
  `),
  UNAVAILABLE: words(`
    RetryableError ServerInternal InternalFailure ServiceUnavailable InternalError Unavailable
  `),
};

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
