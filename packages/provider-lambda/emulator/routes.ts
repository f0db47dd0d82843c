import {
  addSshKey,
  createFileSystem,
  deleteFileSystem,
  deleteSshKey,
  type Handler,
  launch,
  listFileSystems,
  listImages,
  listInstances,
  listSshKeys,
  listTypes,
  readInstance,
  restart,
  terminate,
} from "./operations.ts";

export interface Route {
  /** The name of the request on the wire; faults may stand at it. */
  readonly operation: string;
  /** The method of the contract whose own request this is, where there is one. */
  readonly serves?: string;
  readonly method: string;
  readonly path: RegExp;
  readonly handler: Handler;
}

export const ROUTES: readonly Route[] = [
  { operation: "list-instances", serves: "list", method: "GET", path: /^instances$/, handler: listInstances },
  { operation: "read-instance", serves: "get", method: "GET", path: /^instances\/([^/]+)$/, handler: readInstance },
  { operation: "list-types", method: "GET", path: /^instance-types$/, handler: listTypes },
  { operation: "list-images", method: "GET", path: /^images$/, handler: listImages },
  { operation: "launch", serves: "spawn", method: "POST", path: /^instance-operations\/launch$/, handler: launch },
  {
    operation: "terminate",
    serves: "terminate",
    method: "POST",
    path: /^instance-operations\/terminate$/,
    handler: terminate,
  },
  { operation: "restart", method: "POST", path: /^instance-operations\/restart$/, handler: restart },
  { operation: "list-ssh-keys", serves: "onStartup", method: "GET", path: /^ssh-keys$/, handler: listSshKeys },
  { operation: "add-ssh-key", method: "POST", path: /^ssh-keys$/, handler: addSshKey },
  { operation: "delete-ssh-key", method: "DELETE", path: /^ssh-keys\/([^/]+)$/, handler: deleteSshKey },
  {
    operation: "list-file-systems",
    serves: "listVolumes",
    method: "GET",
    path: /^file-systems$/,
    handler: listFileSystems,
  },
  {
    operation: "create-file-system",
    serves: "createVolume",
    method: "POST",
    path: /^filesystems$/,
    handler: createFileSystem,
  },
  {
    operation: "delete-file-system",
    serves: "deleteVolume",
    method: "DELETE",
    path: /^filesystems\/([^/]+)$/,
    handler: deleteFileSystem,
  },
];
