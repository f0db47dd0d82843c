#!/usr/bin/env node
// Old syntax and no import before the check: a Node that cannot read the rest must still get to the sentence below.
var wanted = [22, 13];
var have = process.versions.node.split(".").map(Number);
if (have[0] < wanted[0] || (have[0] === wanted[0] && have[1] < wanted[1])) {
  process.stderr.write(
    "slipway: error NODE_TOO_OLD: this is Node " +
      process.versions.node +
      ", and slipway needs " +
      wanted.join(".") +
      " or newer\n",
  );
  process.exitCode = 2;
} else {
  import("../dist/start.js").then(function (cli) {
    return cli.start();
  });
}
