// The whole contract suite where `npm test` runs only part of it.
const whole = (provider, title, args) => ({
  title: `${provider} ${title}`,
  package: `@slipway/provider-${provider}`,
  script: "test",
  with: args,
  env: { SLIPWAY_WHOLE_SUITE: "1" },
});

export const suiteSteps = [
  ...["aws", "gcp", "lambda", "orbstack"].map((provider) => whole(provider, "on a bad wire", ["test/chaos.test.ts"])),
  whole("apple-container", "in other versions", [
    "test/contract.test.ts",
    "test/combinations.test.ts",
    "-t",
    "without networks|cases of the wire",
  ]),
];
