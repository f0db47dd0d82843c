// The whole of what `npm test` runs only part of: the contract suite, histories of one key, and seeds.
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
  {
    title: "aws, two processes and one key, launches killed, and a wire that changes answers",
    package: "@slipway/provider-aws",
    script: "test",
    with: ["test/one-key.test.ts", "test/launch.test.ts", "test/wire-fuzz.test.ts"],
    env: { SLIPWAY_KEY_RUNS: "200", SLIPWAY_CRASH_RUNS: "100", SLIPWAY_FUZZ_RUNS: "300" },
  },
  {
    title: "a control loop on a bad Mac",
    package: "slipway-control-loop",
    script: "test",
    env: { SLIPWAY_LOOP_SEEDS: "1,2,3,4,5,6" },
  },
  {
    title: "gcp, a wire that changes answers",
    package: "@slipway/provider-gcp",
    script: "test",
    with: ["test/wire-fuzz.test.ts"],
    env: { SLIPWAY_FUZZ_RUNS: "500" },
  },
];
