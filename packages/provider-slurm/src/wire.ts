/** One job of `squeue`. Text, not JSON: before 24.05 `squeue --json` ignores filters and answers a failure with no jobs. */
export interface Job {
  readonly cluster: string;
  readonly number: string;
  /** Epoch seconds. */
  readonly submitted: string;
  readonly name: string;
  readonly state: string;
  readonly reason: string;
  readonly partition: string;
  readonly nodes: string;
  readonly cpus: string;
  readonly memory: string;
  readonly gres: string;
  readonly account: string;
  readonly qos: string;
  readonly comment: string;
  /** It has failed, and was terminated after that. */
  readonly isDismissed: boolean;
}

const FIELD = "\x1f";
const RECORD = "\x1e";
// The comment is last: whatever stands in another job's comment, the fields before it are read.
const FORMAT = ["%i", "%V", "%j", "%T", "%r", "%P", "%N", "%C", "%m", "%b", "%a", "%q", "%k"];

export const SQUEUE_FORMAT: string = RECORD + FORMAT.join(FIELD);

/** Undefined if a record has another shape. Parts of arrays and of het jobs are never ours and are left out. */
export function parseJobs(text: string, cluster: string): readonly Job[] | undefined {
  if (text.trim() === "") return [];
  const [before, ...records] = text.split(RECORD);
  if (before?.trim() !== "") return undefined;
  const jobs: Job[] = [];
  for (const record of records) {
    const [number, submitted, name, state, reason, partition, nodes, cpus, memory, gres, account, qos, ...rest] = record
      .replace(/\n$/, "")
      .split(FIELD);
    if (number === undefined || submitted === undefined || name === undefined || state === undefined) return undefined;
    if (reason === undefined || partition === undefined || nodes === undefined || cpus === undefined) return undefined;
    if (memory === undefined || gres === undefined || account === undefined || qos === undefined) return undefined;
    if (rest.length === 0) return undefined;
    if (!/^\d+$/.test(number)) continue;
    if (!/^\d+$/.test(submitted)) return undefined;
    const common = { cluster, number, submitted, name, state, reason, partition, nodes };
    jobs.push({ ...common, cpus, memory, gres, account, qos, comment: rest.join(FIELD), isDismissed: false });
  }
  return jobs;
}

/** Numbers come again after a crash of the controller: the submit time is part of the id. */
export function idOf({ cluster, number, submitted }: Job): string {
  return `${cluster}/${number}@${submitted}`;
}

const ID = /^(?:[\w.-]{1,64}\/([1-9]\d{0,9})@\d{1,12}|([1-9]\d{0,9}))$/;

/** The job number in an id, or a bare job number; undefined if it cannot be an id. */
export function numberOf(id: string): string | undefined {
  const [, ofId, bare] = ID.exec(id) ?? [];
  return ofId ?? bare;
}
