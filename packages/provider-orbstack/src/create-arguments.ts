import { type ImageSpec, imageWord } from "./images.ts";

/** A creation, in the words of `orbctl create`. */
export interface CreateRequest {
  readonly name: string;
  readonly image: ImageSpec;
  /** The login user; see `userFor`. */
  readonly user: string;
  readonly isolated: boolean;
  readonly cpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly diskBytes?: number | undefined;
}

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;

export function createArguments(request: CreateRequest): readonly string[] {
  const { name, image, user, isolated, cpus, memoryBytes, diskBytes } = request;
  return [
    "create",
    ...(image.arch === undefined ? [] : ["--arch", image.arch]),
    ...["--user", user],
    ...(isolated ? ["--isolated"] : []),
    ...(cpus === undefined ? [] : ["--cpus", String(cpus)]),
    ...(memoryBytes === undefined ? [] : ["--memory", `${Math.ceil(memoryBytes / MEBIBYTE)}M`]),
    ...(diskBytes === undefined ? [] : ["--disk", `${Math.ceil(diskBytes / GIBIBYTE)}G`]),
    imageWord(image),
    name,
  ];
}
