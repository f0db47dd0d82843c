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
  /** Epoch seconds; of a job that waits, an estimate or none. */
  readonly started: string;
  readonly ended: string;
  /** How long it has run, `0:00` for one that waits. */
  readonly used: string;
  readonly comment: string;
  /** It has failed, and was terminated after that. */
  readonly isDismissed: boolean;
}

const FIELD = "\x1f";
const RECORD = "\x1e";
// The comment is last: whatever stands in another job's comment, the fields before it are read.
const FORMAT = ["%i", "%V", "%j", "%T", "%r", "%P", "%N", "%C", "%m", "%b", "%a", "%q", "%S", "%e", "%M", "%k"];

export const SQUEUE_FORMAT: string = RECORD + FORMAT.join(FIELD);

/** Undefined if a record has another shape. Parts of arrays and of het jobs are never ours and are left out. */
export function parseJobs(text: string, cluster: string): readonly Job[] | undefined {
  if (text.trim() === "") return [];
  const [before, ...records] = text.split(RECORD);
  if (before?.trim() !== "") return undefined;
  const jobs: Job[] = [];
  for (const record of records) {
    const fields = record.replace(/\n$/, "").split(FIELD);
    if (fields.length < FORMAT.length) return undefined;
    const [number = "", submitted = "", name = "", state = "", reason = "", partition = "", nodes = ""] = fields;
    const [cpus = "", memory = "", gres = "", account = "", qos = "", started = "", ended = "", used = "", ...rest] =
      fields.slice(7);
    if (!/^\d+$/.test(number)) continue;
    if (!/^\d+$/.test(submitted)) return undefined;
    const comment = rest.join(FIELD);
    const times = { submitted, started, ended, used };
    const asked = { name, partition, cpus, memory, gres, account, qos, comment };
    jobs.push({ cluster, number, state, reason, nodes, ...times, ...asked, isDismissed: false });
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
