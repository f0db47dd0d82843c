/** Names of operations: one or a list; `*` stands for any part of a name. */
export type OperationPattern = string | readonly string[];

export function matches(pattern: OperationPattern, operation: string): boolean {
  return typeof pattern === "string"
    ? matchesOne(pattern, operation)
    : pattern.some((one) => matchesOne(one, operation));
}

function matchesOne(pattern: string, operation: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  const tail = parts.pop();
  if (tail === undefined) return operation === head;
  if (operation.length < head.length + tail.length || !operation.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = operation.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return operation.length - tail.length >= at && operation.endsWith(tail);
}
