import { z } from "zod";
import { type ActionTable, action } from "./action.ts";

export const identityActions: ActionTable = {
  GetCallerIdentity: action(
    z.strictObject({}),
    ({ world: { settings } }) => ({
      Arn: `arn:aws:iam::${settings.account}:user/emulated`,
      UserId: "AIDAEMULATEDUSER00000",
      Account: settings.account,
    }),
    { service: "sts" },
  ),
};
