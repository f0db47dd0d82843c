// Launches one key over a shared store and a shared directory, and prints what it got. With a failpoint's name as the
// last argument it kills itself there, as `kill -9` would.
import { fileStore, launch } from "../../src/index.ts";
import { directoryProvider } from "./directory-provider.ts";

const [store = "", world = "", key = "", lagMs = "0", point] = process.argv.slice(2);
launch(
  directoryProvider(world, Number(lagMs)),
  { key },
  {
    store: fileStore(store),
    leaseTimeoutMs: 60_000,
    pollMs: 20,
    failpoint: (name) => {
      if (name === point) process.kill(process.pid, "SIGKILL");
    },
  },
).then(
  ({ id }) => console.log(id),
  (error: unknown) => {
    console.log(String(error));
    process.exitCode = 1;
  },
);
