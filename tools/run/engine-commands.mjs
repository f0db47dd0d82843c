/** The commands for workflows on real engines. `build`: the step that builds what others need. */
export const engineCommands = (build) => ({
  "test:engines": {
    about:
      "workflows on DBOS with a real PostgreSQL and on a real Restate server; needs Debian's package of the former",
    steps: [
      build("slipway-conformance^..."),
      { title: "restate-server", package: "@slipway/workflow-restate", script: "install:server" },
      { title: "dbos", package: "@slipway/workflow-dbos", script: "test:server", args: true },
      { title: "restate", package: "@slipway/workflow-restate", script: "test:server", args: true },
      { title: "aws", package: "slipway-conformance", script: "test:engines", args: true },
    ],
  },
  "soak:engines": {
    about: "the AWS workflows on DBOS and Restate, with the host killed at every point of each run",
    steps: [
      build("slipway-conformance^..."),
      { title: "restate-server", package: "@slipway/workflow-restate", script: "install:server" },
      {
        title: "soak",
        package: "slipway-conformance",
        script: "test:engines",
        env: { SLIPWAY_ENGINE_STRIDE: "1" },
      },
    ],
  },
});
