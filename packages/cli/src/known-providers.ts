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

/**
 * `slipway aws cleanup` is `slipway cleanup --provider aws`: whoever thinks of a provider first may write it first. Only
 * where the word is a provider's and no command's, and the next word is a command.
 */
export function providerFirst(
  argv: readonly string[],
  commands: readonly string[],
  providers: readonly string[],
): readonly string[] {
  const [provider, command, ...others] = argv;
  if (provider === undefined || command === undefined) return argv;
  if (commands.includes(provider) || !providers.includes(provider) || !commands.includes(command)) return argv;
  const end = others.indexOf("--");
  const at = end === -1 ? others.length : end;
  return [command, ...others.slice(0, at), "--provider", provider, ...others.slice(at)];
}
