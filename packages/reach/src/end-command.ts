/** The time of the whole call: two seconds for a command that was told to end, and what a slow connection needs. */
export const END_TIMEOUT_MS = 30_000;

// What descends from the process `$1` or is in its group, by /proc: not every remote makes a command the leader of a group,
// and not every image has `ps`. `t` keeps who was found once, `f` has who of them runs; a zombie does not. A process that
// moved out of both is left to the instance's end.
const FIND = [
  // One look for all rounds: a command that starts something at each look would never be found whole.
  // The program's name stands in brackets and may hold anything.
  "find() { s=$(cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/^\\([0-9]*\\) (.*) [A-WY] \\([0-9]*\\) \\([0-9]*\\) .*/\\1 \\2 \\3/p')",
  'n=; while [ "$t" != "$n" ]; do n=$t; f=; set -- $s; while [ $# -gt 2 ]; do',
  'case "$t" in *" $1 "*) f="$f $1" ;; *) case "$t" in *" $2 "* | *" $3 "*) t="$t$1 "; f="$f $1" ;; esac ;; esac; shift 3',
  "done; done; }",
].join("\n");

/** A script that ends the command whose shell has the process id `$1`: TERM first, and KILL after two seconds. */
export const END_COMMAND: string = [
  FIND,
  't=" $1 "; find; [ -z "$f" ] || kill -s TERM $f 2>/dev/null',
  'for i in 1 2 3 4 5 6 7 8 9 10; do find; [ -n "$f" ] || exit 0; sleep 0.2; done',
  // What is stopped starts nothing more, so that all of it is found.
  'for i in 1 2 3 4 5; do kill -s STOP $f 2>/dev/null; p=$f; find; [ "$f" != "$p" ] || break; done',
  "kill -s KILL $f 2>/dev/null; exit 0",
].join("\n");
