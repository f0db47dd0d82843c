// The tests of every package, the longest first: what is begun last has to be short, or all cores but one wait for it at the
// end. turbo alone begins them in no order that can be chosen.

// By the seconds of the processor that `npm test` prints. What is not named here takes a few seconds, or is new.
const longestFirst = [
  "@slipway/provider-orbstack",
  "@slipway/provider-aws",
  "slipway",
  "@slipway/provider-apple-container",
  "@slipway/reach",
  "slipway-conformance",
  "@slipway/provider-local",
  "@slipway/provider-kit",
  "@slipway/control",
  "@slipway/contract-tests",
  "slipway-docs",
  "@slipway/core",
  "@slipway/provider-gcp",
  "@slipway/provider-lambda",
  "@slipway/provider-runpod",
];

const testsOf = (name) => ({ title: name, turbo: ["test"], filters: [name], quiet: true });

// Together they take as long as one of the long ones, and one start of turbo.
const others = {
  title: "other packages",
  turbo: ["test"],
  filters: longestFirst.map((name) => `!${name}`),
  concurrency: 1,
  quiet: true,
};

/** The last of the list are begun last. */
export const packageTests = [...longestFirst.slice(0, 6).map(testsOf), others, ...longestFirst.slice(6).map(testsOf)];
