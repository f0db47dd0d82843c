import type { ActionTable } from "./action.ts";
import { attachmentActions } from "./attachments.ts";
import { costExplorerActions } from "./cost-explorer.ts";
import { fleetActions } from "./fleets.ts";
import { identityActions } from "./identity.ts";
import { imageActions } from "./images.ts";
import { instanceAttributeActions } from "./instance-attributes.ts";
import { instanceStateActions } from "./instance-states.ts";
import { instanceActions } from "./instances.ts";
import type { JsonAction } from "./json-action.ts";
import { launchTemplateActions } from "./launch-templates.ts";
import { networkActions } from "./network.ts";
import { parameterStoreActions } from "./parameter-store.ts";
import { priceListActions } from "./price-list.ts";
import { regionActions } from "./regions.ts";
import { securityGroupActions } from "./security-groups.ts";
import { snapshotActions } from "./snapshots.ts";
import { spotActions } from "./spot.ts";
import { tagActions } from "./tags.ts";
import { typeActions } from "./types.ts";
import { volumeActions } from "./volumes.ts";

/** All actions of the Query protocol, by name. */
export const ACTIONS: ActionTable = {
  ...instanceActions,
  ...instanceStateActions,
  ...instanceAttributeActions,
  ...imageActions,
  ...volumeActions,
  ...attachmentActions,
  ...snapshotActions,
  ...securityGroupActions,
  ...networkActions,
  ...typeActions,
  ...spotActions,
  ...fleetActions,
  ...tagActions,
  ...launchTemplateActions,
  ...regionActions,
  ...identityActions,
};

/** All actions of the services that speak JSON, by their target. */
export const JSON_ACTIONS: Readonly<Record<string, JsonAction>> = {
  ...parameterStoreActions,
  ...priceListActions,
  ...costExplorerActions,
};
