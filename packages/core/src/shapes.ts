import { regionShape } from "./capability.ts";
import { clusterNodeShape, clusterShape } from "./cluster.ts";
import { instanceShape } from "./instance.ts";
import { costShape } from "./price.ts";
import { limitsShape } from "./provider.ts";
import type { AnswerKind, Fields } from "./shape.ts";
import { snapshotShape } from "./snapshot.ts";
import { spotPriceShape, spotRequestShape } from "./spot.ts";
import { volumeShape } from "./volume.ts";

export {
  type AnswerKind,
  type AnswerOf,
  type Fields,
  type FieldsOf,
  fieldName,
  isList,
  isOneOf,
  type OneOf,
  type RequestKind,
  type RequestShapeOf,
  type Shape,
} from "./shape.ts";

/** What providers return, by name. */
export type AnswerName =
  | "instance"
  | "snapshot"
  | "volume"
  | "spotRequest"
  | "spotPrice"
  | "region"
  | "cost"
  | "cluster"
  | "node"
  | "limits";

/** The shape of all that providers return: fields in the order of the types, each with its kind. */
export const answerShapes: { readonly [N in AnswerName]: Fields<AnswerKind> } = {
  instance: instanceShape,
  snapshot: snapshotShape,
  volume: volumeShape,
  spotRequest: spotRequestShape,
  spotPrice: spotPriceShape,
  region: regionShape,
  cost: costShape,
  cluster: clusterShape,
  node: clusterNodeShape,
  limits: limitsShape,
};
