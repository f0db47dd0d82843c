// What runs for long, as data: see commands.mjs.
import { build } from "./build.mjs";
import { suiteSteps } from "./suite-steps.mjs";
import { testSummary } from "./summary.mjs";

export const soaks = {
  "soak:mutants": {
    about: "every mutant of the contract suite before every case: it fails those that it names, and no other",
    steps: [
      build("@slipway/contract-tests^..."),
      {
        title: "mutants",
        package: "@slipway/contract-tests",
        script: "test",
        with: ["test/mutants.test.ts"],
        env: { SLIPWAY_MUTANTS: "all" },
      },
    ],
  },
  "soak:tests": {
    about: "the tests that take seeds and counts, with many more of both than `npm test` gives them",
    steps: [
      {
        title: "tests",
        turbo: ["build", "test"],
        countTests: true,
        quiet: true,
        args: true,
        env: {
          SLIPWAY_MUTANTS: "all",
          SLIPWAY_SEEDS: "600",
          SLIPWAY_RUNS: "1000",
          SLIPWAY_ANYWHERE_RUNS: "1000",
          SLIPWAY_CRASH_RUNS: "500",
          SLIPWAY_KEY_RUNS: "2000",
          SLIPWAY_FUZZ_RUNS: "3000",
          SLIPWAY_CHAOS_SEEDS: "1,2,3",
          SLIPWAY_FAULT_SEEDS: "8",
          SLIPWAY_LOOP_SEEDS: Array.from({ length: 20 }, (_, at) => at + 1).join(),
          SLIPWAY_WHOLE_SUITE: "1",
        },
      },
    ],
    summary: testSummary,
  },
  "soak:suite": {
    about: "the whole contract suite where `npm test` runs part of it: on wires that fail, and on other versions",
    keepGoing: true,
    steps: [build("@slipway/contract-tests..."), ...suiteSteps],
  },
  "soak:local": {
    about: "kill -9 at every step of a launch (--count N --seed S)",
    steps: [
      build("slipway...", "@slipway/provider-local..."),
      { title: "soak", package: "@slipway/provider-local", script: "soak", args: true },
    ],
  },
  "soak:apple": {
    about: "kill -9 at every step of making a cluster on an emulated Mac (--count N --seed S)",
    steps: [
      build("@slipway/provider-apple-container..."),
      { title: "soak", package: "@slipway/provider-apple-container", script: "soak", args: true },
    ],
  },
  "soak:orbstack": {
    about: "fault runs over OrbStack's emulator, from faults to drift (--seeds N --operations N --programs N)",
    steps: [
      build("slipway-conformance^..."),
      { title: "soak", package: "slipway-conformance", script: "soak:orbstack", args: true },
    ],
  },
  "soak:slurm": {
    about:
      "four processes on one key, clients and the controller of a real Slurm killed (--rounds N --seed S --at-once K)",
    steps: [
      build("@slipway/provider-slurm..."),
      { title: "soak", package: "@slipway/provider-slurm", script: "soak", args: true },
    ],
  },
  "soak:kubernetes": {
    about:
      "kill -9 of two processes that spawn one key, on a real API server that is stopped and squeezed (--count N --seed S --pods N); --minor [1.36] also runs the suite, both on that version",
    steps: [
      build("@slipway/provider-kubernetes..."),
      { title: "soak", package: "@slipway/provider-kubernetes", script: "soak", args: true },
    ],
  },
  "soak:gcp": {
    about:
      "20 000 answers of Compute Engine's emulator mutated on the wire, and 1 000 seeds of two processes on one key",
    steps: [
      build("@slipway/provider-gcp..."),
      { title: "soak", package: "@slipway/provider-gcp", script: "soak", args: true },
    ],
  },
  "soak:stores": {
    about:
      "eight processes on 500 keys through PostgreSQL and pgbouncer, killed, the server restarted, a host cut off; and a pool whose controllers are killed",
    steps: [
      build("@slipway/store-postgres^..."),
      {
        title: "soak",
        package: "@slipway/store-postgres",
        script: "test:server",
        with: ["test/herd.server.ts", "test/lost-host.server.ts", "test/pool.server.ts"],
        env: {
          SLIPWAY_HERD_KEYS: "500",
          SLIPWAY_HERD_PROCESSES: "8",
          SLIPWAY_LOST_KEYS: "500",
          SLIPWAY_POOL_CRASHES: "100",
          SLIPWAY_POOL_KILLS: "6",
        },
      },
    ],
  },
  "soak:jobs": {
    about: "twenty jobs on each provider whose machines are real here, read by cloud-init, behind remotes that lag",
    steps: [
      build("slipway-conformance^..."),
      {
        title: "jobs",
        package: "slipway-conformance",
        script: "test:jobs",
        with: ["test/jobs/table.jobs.ts", "--testTimeout=1200000"],
        env: { SLIPWAY_JOBS_SOAK: "1" },
      },
    ],
  },
  "soak:run": {
    about: "`slipway run` killed at random moments, on local and on an emulated cloud (--count N of each, --seed S)",
    steps: [
      build("slipway-conformance^..."),
      { title: "runs", package: "slipway-conformance", script: "soak:run", args: true },
    ],
  },
};
