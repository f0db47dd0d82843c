/** The providers that Slipway itself publishes, as `@slipway/provider-<name>`. */
export const KNOWN_PROVIDERS: readonly string[] = [
  "local",
  "memory",
  "orbstack",
  "apple-container",
  "lambda",
  "runpod",
  "slurm",
  "kubernetes",
  "coreweave",
  "aws",
  "gcp",
];
