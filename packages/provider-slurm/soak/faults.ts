/** What is done to the submitters and the cluster in one round. */
export interface Fault {
  readonly name: string;
  /** When one submitter, or all of them, are killed; absent: nobody is. */
  readonly kill?: {
    readonly who: "one" | "all";
    /** `random`: up to half a second after the start. */
    readonly at: "random" | "before sbatch" | "after sbatch" | "before scontrol";
    /** Its command is killed too, up to so many milliseconds later. */
    readonly commandMs?: number;
  };
  readonly controller?: "paused" | "silent" | "killed";
  readonly isLossy?: boolean;
  readonly hasOtherSpec?: boolean;
}

const killed = {
  anywhere: { name: "killed anywhere", kill: { who: "one", at: "random" } },
  submitting: { name: "killed while it submits", kill: { who: "one", at: "before sbatch", commandMs: 60 } },
  submitted: { name: "killed with a held job", kill: { who: "one", at: "after sbatch" } },
  all: { name: "all killed with a held job", kill: { who: "all", at: "after sbatch" } },
  releasing: { name: "killed while it releases", kill: { who: "one", at: "before scontrol", commandMs: 30 } },
} as const satisfies Readonly<Record<string, Fault>>;
const none: Fault = { name: "none" };
const lossy: Fault = { name: "answer lost", isLossy: true };
const otherSpec: Fault = { name: "another spec", hasOtherSpec: true };
const paused: Fault = { name: "controller paused, one killed", controller: "paused", kill: killed.anywhere.kill };
const silent: Fault = { name: "controller silent past every time limit", controller: "silent" };
const crashed: Fault = { name: "controller killed and restarted", controller: "killed" };

/** Twenty rounds: in twelve a client is killed, in five something happens to the controller. */
export const FAULTS: readonly Fault[] = [
  ...[none, killed.anywhere, killed.submitting, killed.submitted, killed.all, lossy, killed.releasing, otherSpec],
  ...[paused, killed.anywhere, silent, killed.all, killed.submitting, none, killed.submitted, paused, lossy],
  ...[killed.releasing, paused, crashed],
];

/** What a round may come to; each must be seen in every soak. */
export const SEEN = [
  "a client killed in a spawn",
  "a held job left by a killed client, and found by reconcile",
  "a held job completed by the next spawn",
  "a duplicate cancelled by the election",
  "an answer lost, and the job found",
  "another spec refused",
  "a call that the paused controller delayed",
  "a command that timed out",
  "a controller that came back from its saved state",
] as const;
export type Seen = (typeof SEEN)[number];
