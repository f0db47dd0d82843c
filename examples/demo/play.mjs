// A place to try things, over the sources of all packages:
//   node --conditions=@slipway/source --watch examples/demo/play.mjs
import { launch, terminateAndConfirm, waitForBootstrap } from "@slipway/control";
import { local } from "@slipway/provider-local";

const provider = local({ owner: "play" });
const { id } = await launch(provider, { key: "play", bootstrap: { script: "echo hello" } });
const instance = await waitForBootstrap(provider, id);
console.log(instance);
for await (const line of provider.logs(id)) console.log(line);
await terminateAndConfirm(provider, id);
