import { refusal } from "./call.ts";
import type { AwsContext, Call } from "./context.ts";
import type { AWSInstance } from "./instance.ts";
import type { UnderKey } from "./lookup.ts";
import type { SpawnRequest } from "./request.ts";

/** The instance that a repeated key already has. CONFLICT where another spec stands under it, or an unmanaged machine has its name. */
export function findExisting(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  { live, ended, unmanaged }: UnderKey,
): AWSInstance | undefined {
  if (unmanaged !== undefined) {
    throw refusal(
      "CONFLICT",
      call.operation,
      `an instance that Slipway has not made is named ${request.name}: ${unmanaged.nativeId}`,
      { nativeId: unmanaged.id, hint: "Slipway leaves it alone: rename or end it by hand, or use another key." },
    );
  }
  const launched = context.launched.find(request.key)?.thing;
  // What this process has launched just now may be over already: then EC2 says so.
  const isOver = launched === undefined || ended.includes(launched.nativeId);
  const there = live.length > 0 || isOver ? live : [launched];
  const same = there.find(({ specHash }) => specHash === request.specHash);
  const [other] = there;
  if (same !== undefined || other === undefined) return same;
  throw refusal(
    "CONFLICT",
    call.operation,
    `the key ${JSON.stringify(request.key)} has an instance of another spec: ${other.id}`,
    {
      nativeId: other.id,
      hint: "Use another key, or terminate that instance first.",
    },
  );
}
