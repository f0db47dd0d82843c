export { type FileCopyMethods, fileCopy } from "./capabilities/file-copy.ts";
export { type SshErrorRow, sshErrorTable } from "./errors.ts";
export type { SshInstance } from "./instance.ts";
export { configSchema, type SshHost, type SshHostsConfig, type SshHostsOptions } from "./options.ts";
export { type SshHostsProvider, sshHosts } from "./provider.ts";
export { register } from "./register.ts";
