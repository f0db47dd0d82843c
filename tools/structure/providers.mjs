// A provider package has the same rooms everywhere, so that whoever knows one finds their way in all of them.
import { matches } from "./arrows.mjs";

export const providerRules = [
  {
    name: "room",
    *check(tree, { providers }) {
      for (const { name, folder } of providerPackages(tree, providers)) {
        const local = Object.hasOwn(providers.withoutRemote, name);
        const rooms = local ? providers.rooms : [...providers.rooms, ...providers.remoteRooms];
        for (const either of rooms) {
          // A list: one of them is enough, as a driver, whose hooks are the kit's, or hooks written by hand.
          const names = Array.isArray(either) ? either : [either];
          const isThere = (name) =>
            tree.has(`${folder}/${name}`) || tree.under(`${folder}/${asFolder(name)}`).length > 0;
          if (names.some(isThere)) continue;
          const [room] = names;
          yield { file: `${folder}/${room}`, line: 1, todo: `write this room (or the folder ${asFolder(room)}/)` };
        }
      }
    },
  },
  {
    name: "provider-field",
    *check(tree, { providers }) {
      for (const { name, file, manifest } of providerPackages(tree, providers)) {
        const provider = name.slice(name.indexOf("provider-") + "provider-".length);
        const field = manifest.slipway;
        if (field?.provider === provider && Number.isInteger(field.contract) && field.contract > 0) continue;
        const line = tree.lineOf(file, '"slipway"');
        yield {
          file,
          line,
          todo: `say "slipway": { "provider": "${provider}", "contract": <n> }, so that the command finds it`,
        };
      }
    },
  },
];

export function providerPackages(tree, providers) {
  return tree.packages.filter(
    ({ folder, name }) =>
      folder.startsWith("packages/") && matches(providers.packages, name) && !matches(providers.not, name),
  );
}

/** `src/errors.ts` may grow into `src/errors/`, and `test/contract.test.ts` into `test/contract/`. */
function asFolder(room) {
  return room.replace(/(?:\.test)?\.[a-z]+$/, "");
}
