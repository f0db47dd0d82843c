// Nothing sleeps in a test: time is simulated, and waiting is for an event.
export const testRules = [
  {
    name: "no-sleep",
    *check(tree) {
      for (const member of tree.packages) {
        for (const file of tree.tests(member)) {
          for (const { what, line } of tree.module(file).realTime) {
            yield {
              file,
              line,
              todo: `${what} waits for real time: take a simulated clock, or wait for the event itself`,
            };
          }
        }
      }
    },
  },
];
