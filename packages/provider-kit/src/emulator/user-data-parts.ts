import { gunzipSync } from "node:zlib";

/** One part of user data, by what it begins with. */
export interface UserDataPart {
  readonly type: "script" | "cloud-config" | "boothook";
  readonly text: string;
  /** What becomes of a cloud-config's lists that earlier ones have too: cloud-init's default is the later one's alone. */
  readonly lists: "replace" | "append";
}

const TYPES: Readonly<Record<string, UserDataPart["type"]>> = {
  "text/x-shellscript": "script",
  "text/cloud-config": "cloud-config",
  "text/cloud-boothook": "boothook",
};

const BOOTHOOK = "#cloud-boothook";

/**
 * What cloud-init would make of user data: one part as it is, or those of a MIME message, each of them also compressed.
 * Throws for a part of another type.
 */
export function splitUserData(userData: string | Uint8Array): readonly UserDataPart[] {
  const text = plain(typeof userData === "string" ? Buffer.from(userData) : userData);
  if (text.trim() === "") return [];
  if (text.startsWith("#!")) return [{ type: "script", text: withUnixLines(text), lists: "replace" }];
  if (text.startsWith(BOOTHOOK)) {
    return [{ type: "boothook", text: text.slice(BOOTHOOK.length).trimStart(), lists: "replace" }];
  }
  if (text.startsWith("#cloud-config")) return [{ type: "cloud-config", text, lists: "replace" }];
  const { headers, body } = readMessage(text);
  const boundary = /^multipart\/mixed;.*\bboundary="?([^";]+)"?/i.exec(headers["content-type"] ?? "")?.[1];
  if (boundary === undefined) throw new Error("user data is neither a script nor a cloud-config");
  return body
    .split(new RegExp(`^--${escaped(boundary)}(?:--)?[ \t]*$`, "m"))
    .slice(1, -1)
    .flatMap((part) => readPart(part.replace(/^\n/, "")));
}

function readPart(text: string): readonly UserDataPart[] {
  const { headers, body } = readMessage(text);
  const encoding = headers["content-transfer-encoding"]?.toLowerCase() ?? "7bit";
  if (!["7bit", "8bit", "base64"].includes(encoding)) throw new Error(`a part has the encoding ${encoding}`);
  const content = encoding === "base64" ? plain(Buffer.from(body, "base64")) : body;
  const named = /^[^;\s]+/.exec(headers["content-type"] ?? "")?.[0].toLowerCase() ?? "";
  const type = TYPES[named];
  const lists = mergeOf(headers);
  if (type === "script") return [{ type, text: withUnixLines(content), lists }];
  if (type !== undefined) return [{ type, text: content, lists }];
  if (named === "text/plain" || named === "") return splitUserData(content);
  throw new Error(`user data has a part that this reader does not do: ${named}`);
}

/** As an editor of Windows leaves them: no interpreter is called `sh\r`. */
function withUnixLines(text: string): string {
  return /^[^\n]*\r\n/.test(text) ? text.replaceAll("\r\n", "\n") : text;
}

/** Of cloud-init's many ways of merging the one that joins lists, however it is spelled. */
function mergeOf(headers: Readonly<Record<string, string>>): UserDataPart["lists"] {
  const wanted = headers["x-merge-type"] ?? headers["merge-type"];
  if (wanted === undefined) return "replace";
  const joins = /\blist\(append\)/.test(wanted) && /\bdict\([^)]*\brecurse_(?:list|array)\b[^)]*\)/.test(wanted);
  if (!joins || /\bdict\((?:[^)]*,)?replace\b/.test(wanted)) throw new Error(`a part has the merge type ${wanted}`);
  return "append";
}

function readMessage(text: string): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const unified = text.replaceAll("\r\n", "\n");
  const end = unified.indexOf("\n\n");
  const head = end === -1 ? unified : unified.slice(0, end);
  const lines = head.replace(/\n[ \t]+/g, " ").split("\n");
  const headers = lines.flatMap((line): [string, string][] => {
    const at = line.indexOf(":");
    return at === -1 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]];
  });
  return { headers: Object.fromEntries(headers), body: end === -1 ? "" : unified.slice(end + 2) };
}

function plain(bytes: Uint8Array): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return Buffer.from(isGzip ? gunzipSync(bytes) : bytes).toString("utf8");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
