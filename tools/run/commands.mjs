// The commands, as data. A step is one of
//   { turbo: [tasks], filters? }     turbo over the workspace
//   { package, script }              a script of a workspace package, in its own folder
//   { node: [file, ...arguments] }   a program of this repository
//   { atOnce: (context) => steps }   many, begun in their order, a few at once
// `with` are arguments of the step's own, `env` variables that it adds; `quiet` keeps the output unless the step fails; `args` hands on what the user wrote after the command.
import { build } from "./build.mjs";
import { engineCommands } from "./engine-commands.mjs";
import { packageTests } from "./package-tests.mjs";
import { soaks } from "./soaks.mjs";
import { testSummary } from "./summary.mjs";

// The job runner and a session on a real cluster. Before the provider's own tests, whose count is the stage's.
const jobsOn = (provider) => ({
  title: `${provider} jobs`,
  package: "slipway-conformance",
  script: "test:clusters",
  with: [`test/clusters/${provider}.clusters.ts`],
});

const wholeBuild = { title: "build", turbo: ["build"], quiet: true };

export const commands = {
  demo: {
    about: "two real instances on this machine, start to end",
    steps: [build("slipway-demo..."), { title: "demo", package: "slipway-demo", script: "start", args: true }],
  },
  "demo:slurm": {
    about: "forty jobs on a real Slurm that is started here, four at a time; needs root and Debian's slurm packages",
    steps: [
      build("slipway-slurm-sweep..."),
      { title: "sweep", package: "slipway-slurm-sweep", script: "start:test-cluster" },
    ],
  },
  test: {
    about: "build, types, unit and contract tests, mutants, structure",
    // A breach of the structure should not hide a failing test, nor the other way round.
    keepGoing: true,
    steps: [
      {
        title: "checks",
        note: "structure, words and tools, beside the build",
        atOnce: ({ args }) => [
          ...(args.length > 0 ? [] : [wholeBuild]),
          { title: "structure", node: ["tools/structure.mjs"] },
          { title: "words", node: ["tools/words.mjs"] },
          { title: "tools", note: "the tests of tools/", node: ["--test", "tools/test/*.test.mjs"], quiet: true },
        ],
      },
      {
        title: "packages",
        note: "types, unit and contract tests of every package",
        countTests: true,
        atOnce: ({ args, results }) => [
          {
            title: "types",
            note: "every package in one program: what they share is read and checked once",
            argv: ["tsc", "-p", "tsconfig.all.json"],
            quiet: true,
          },
          // Filters and the like are turbo's. Where a build failed, it tests what does not need it.
          ...(args.length > 0 || results.some(({ step, code }) => step === wholeBuild && code !== 0)
            ? [{ title: "tests", turbo: ["build", "test"], quiet: true, args: true }]
            : packageTests),
        ],
      },
    ],
    summary: testSummary,
  },
  bench: {
    about: "what the contract costs (--quick for a smoke run)",
    steps: [build("slipway-bench..."), { title: "bench", package: "slipway-bench", script: "start", args: true }],
  },
  "bench:profile": {
    about:
      'where the CPU time of a work of the growth table goes, by its name: npm run bench:profile -- "steps of one run"',
    steps: [{ title: "profile", package: "slipway-bench", script: "profile", args: true }],
  },
  "bench:stores": {
    about:
      "launches per second of each store, by 1, 4 and 16 processes (--quick), or time and memory of a reconcile (--reconcile 1000000); PostgreSQL needs Debian's packages",
    steps: [{ title: "stores", package: "slipway-bench", script: "stores", args: true }],
  },
  "bench:reach": {
    about: "a session beside plain ssh and scp, fifty commands at once, and the first output of a launch (--quick)",
    steps: [{ title: "reach", package: "slipway-bench", script: "reach", args: true }],
  },
  "bench:aws": {
    about:
      "a thousand reads of EC2 instances, beside the plain SDK, on the emulator's limits (--quick for a smoke run)",
    steps: [build("slipway-bench..."), { title: "bench", package: "slipway-bench", script: "aws", args: true }],
  },
  "test:moto": {
    about: "the AWS provider and its emulator against moto, an independent stand-in for EC2; needs python3 and pip",
    steps: [
      build("@slipway/provider-aws..."),
      { title: "moto", package: "@slipway/provider-aws", script: "test:moto", args: true },
    ],
  },
  "test:slurm": {
    about:
      "the Slurm provider against a real Slurm on this machine, and twenty jobs on it; needs root, Debian's slurm packages, python3 and pip",
    steps: [
      build("@slipway/provider-slurm..."),
      jobsOn("slurm"),
      { title: "slurm", package: "@slipway/provider-slurm", script: "test:slurm", args: true },
    ],
  },
  "test:stores": {
    about:
      "the shared store on a real PostgreSQL and behind pgbouncer, and a fleet on two hosts, with kills and restarts; needs Debian's packages",
    steps: [
      build("@slipway/store-postgres^..."),
      { title: "stores", package: "@slipway/store-postgres", script: "test:server", args: true },
      build("slipway-runner-fleet^..."),
      { title: "fleet", package: "slipway-runner-fleet", script: "test:server" },
    ],
  },
  ...engineCommands(build),
  "cluster:kubernetes": {
    about: "the cluster of test:kubernetes to play with, until Ctrl-C",
    steps: [
      build("slipway-kubernetes-cluster..."),
      { title: "cluster", package: "slipway-kubernetes-cluster", script: "cluster" },
    ],
  },
  "test:kubernetes": {
    about:
      "Kubernetes and CoreWeave on a real cluster with one node, and twenty jobs on it, built once from its modules; needs root, Go, etcd and containerd",
    steps: [
      build("@slipway/provider-coreweave..."),
      jobsOn("kubernetes"),
      { title: "kubernetes", package: "@slipway/provider-kubernetes", script: "test:cluster", args: true },
      { title: "coreweave", package: "@slipway/provider-coreweave", script: "test:cluster" },
    ],
  },
  "test:jobs": {
    about:
      "twenty jobs on each provider whose machines are real here, and clients that nobody here wrote; needs python3 and pip",
    steps: [
      build("slipway-conformance^..."),
      { title: "jobs", package: "slipway-conformance", script: "test:jobs", args: true },
    ],
  },
  "test:gcp-judges": {
    about:
      "the GCP provider and its emulator before Google's document and clients that nobody here wrote; needs python3 and pip",
    steps: [
      build("@slipway/provider-gcp..."),
      { title: "judges", package: "@slipway/provider-gcp", script: "test:judges", args: true },
    ],
  },
  "test:live:lambda": {
    about:
      "one short launch on the real Lambda Cloud; needs LAMBDA_API_KEY and SLIPWAY_LIVE_SSH_KEY_NAME, and costs money",
    steps: [
      build("@slipway/provider-lambda..."),
      { title: "live", package: "@slipway/provider-lambda", script: "test:live" },
    ],
  },
  "test:live:gcp": {
    about: "one short launch on the real Compute Engine; needs GOOGLE_CLOUD_PROJECT and credentials, and costs money",
    steps: [
      build("@slipway/provider-gcp..."),
      { title: "live", package: "@slipway/provider-gcp", script: "test:live" },
    ],
  },
  "test:live:runpod": {
    about: "one short launch on the real RunPod; needs RUNPOD_API_KEY, and costs money",
    steps: [
      build("@slipway/provider-runpod..."),
      { title: "live", package: "@slipway/provider-runpod", script: "test:live" },
    ],
  },
  api: {
    about: "the public API of every package against its text in release/api (--update writes it)",
    steps: [
      { title: "build", turbo: ["build"], quiet: true },
      { title: "api", package: "slipway-release", script: "api", args: true },
    ],
  },
  docs: {
    about: "the site in docs/.vitepress/dist, with every internal link looked up",
    steps: [{ title: "docs", package: "slipway-docs", script: "site" }],
  },
  e2e: {
    about:
      "what a third party does with the packages, from a registry of this machine (--only <story>; needs a registry)",
    steps: [
      { title: "build", turbo: ["build"], quiet: true },
      { title: "e2e", package: "slipway-release", script: "e2e", args: true },
    ],
  },
  "release:rehearse": {
    about:
      "a release on a registry of this machine: publish all, install one provider alone, patch it (needs a registry)",
    steps: [
      { title: "build", turbo: ["build"], quiet: true },
      { title: "rehearsal", package: "slipway-release", script: "rehearse", args: true },
    ],
  },
  "test:live:apple": {
    about:
      "short-lived containers on this Mac, and what its container really answers; needs Apple's container, running",
    steps: [
      build("@slipway/provider-apple-container..."),
      { title: "live", package: "@slipway/provider-apple-container", script: "test:live" },
    ],
  },
  "test:live:orbstack": {
    about: "short-lived machines on this Mac, and what its orbctl really answers; needs OrbStack, running",
    steps: [
      build("@slipway/provider-orbstack..."),
      { title: "live", package: "@slipway/provider-orbstack", script: "test:live" },
    ],
  },
  words: {
    about:
      "one word for one thing: the list in tools/words.json, over code, messages, tests, docs and file names; --write makes the page of all messages",
    steps: [{ title: "words", node: ["tools/words.mjs"], args: true }],
  },
  setup: { about: "the install alone", steps: [] },
  consumers: {
    about: "the packed packages in empty folders: ESM, CJS, TypeScript 5.9 and 7.0, Node 22 and 24 (needs a registry)",
    steps: [
      { title: "build", turbo: ["build"], quiet: true },
      { title: "consumers", node: ["tools/consumers.mjs"], args: true },
    ],
  },
  ...soaks,
};

export function unknownCommand(name) {
  const known = Object.keys(commands).join(", ");
  return name ? `Unknown command "${name}". Known: ${known}.` : `Which command? Known: ${known}.`;
}
