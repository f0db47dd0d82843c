/** The names of record files, twenty bytes each: as texts, those of a store of many years are more than its process has. */
export interface RecordNames {
  /** False if it is not the name of a record. */
  readonly add: (file: string) => boolean;
  readonly count: () => number;
  /** Without the suffix. */
  readonly at: (index: number) => string;
}

const RECORD = /^([0-9a-f]{40})\.json$/;
const BYTES = 20;
const FIRST = 64;

export function recordNames(): RecordNames {
  let bytes = Buffer.alloc(FIRST * BYTES);
  let count = 0;
  return {
    add: (file) => {
      const [, name] = RECORD.exec(file) ?? [];
      if (name === undefined) return false;
      if ((count + 1) * BYTES > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2);
      bytes.write(name, count * BYTES, "hex");
      count += 1;
      return true;
    },
    count: () => count,
    at: (index) => bytes.toString("hex", index * BYTES, (index + 1) * BYTES),
  };
}
