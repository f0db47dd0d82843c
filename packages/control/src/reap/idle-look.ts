import type { CallOptions } from "@slipway/core";

/** A way into an instance, as far as a look needs one. A session of `@slipway/reach` is one. */
export interface IdleSession extends AsyncDisposable {
  readonly exec: (
    argv: readonly string[],
    options?: CallOptions,
  ) => Promise<{ readonly exitCode: number; readonly stdout: string }>;
}

/** What one look inside an instance shows. */
export interface IdleLook {
  /** Changes with every boot: the counters begin anew. */
  readonly boot: string;
  /** Seconds since the boot, on the instance's own clock. */
  readonly uptimeS: number;
  /** Which counter `busyS` is: of the whole machine, or of the container. */
  readonly counter: "machine" | "container";
  /** Seconds of processor time that were used since the counter began. */
  readonly busyS: number;
  /** How busy each GPU is at this moment, percent. Empty where there is none. */
  readonly gpus: readonly number[];
}

// The counters grow all the time, so that what happens between two looks counts. A container sees its host in /proc/stat,
// and itself in its own control group.
const SCRIPT = `
read -r boot </proc/sys/kernel/random/boot_id && echo "boot $boot"
read -r up rest </proc/uptime && echo "uptime $up"
if [ "$(cat /proc/self/cgroup)" = "0::/" ] && [ -r /sys/fs/cgroup/cpu.stat ]; then
  while read -r name value; do [ "$name" = usage_usec ] && echo "container $value"; done </sys/fs/cgroup/cpu.stat
else
  read -r cpu user nice system idle iowait irq softirq rest </proc/stat &&
    echo "machine $user $nice $system \${irq:-0} \${softirq:-0} $(getconf CLK_TCK)"
fi
if command -v nvidia-smi >/dev/null 2>&1; then
  if gpus=$(nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null) && [ -n "$gpus" ]; then
    echo "$gpus" | while read -r percent; do echo "gpu $percent"; done
  else
    echo "gpu unreadable"
  fi
else
  for device in /dev/nvidia0 /dev/nvidiactl /dev/kfd /dev/accel /dev/accel0 /dev/neuron0; do
    [ -e "$device" ] && echo "gpu unreadable" && break
  done
fi
echo end
`;

/** The look, or in one sentence why it shows nothing. */
export async function lookInside(
  session: IdleSession,
  call: CallOptions,
  hasGpus: boolean,
): Promise<IdleLook | string> {
  const { exitCode, stdout } = await session.exec(["/bin/sh", "-c", SCRIPT], call);
  if (exitCode !== 0) return `its look inside ended with exit code ${exitCode}`;
  return readLook(stdout, hasGpus);
}

/** What an instance prints is not trusted: what is not exactly as it should be shows nothing. */
export function readLook(text: string, hasGpus: boolean): IdleLook | string {
  const lines = text.trim().split("\n");
  if (lines.at(-1) !== "end") return "its look inside broke off";
  const valuesOf = (name: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());
  const [boot, ...moreBoots] = valuesOf("boot");
  const [uptime, ...moreUptimes] = valuesOf("uptime");
  const busy = busyOf(valuesOf("machine"), valuesOf("container"));
  const uptimeS = numberOf(uptime);
  if (boot === undefined || !/^[\w-]{1,64}$/.test(boot) || moreBoots.length > 0)
    return "it does not say when it booted";
  if (uptimeS === null || moreUptimes.length > 0) return "it does not say how long it has been running";
  if (busy === null) return "it does not say how much processor time it has used";
  const gpus = valuesOf("gpu").map(numberOf);
  if (hasGpus && gpus.length === 0) return "it has GPUs, and nvidia-smi is not there to say how busy they are";
  const known = gpus.filter((percent) => percent !== null && percent <= 100);
  if (known.length < gpus.length) return "it has GPUs, and nothing there says how busy they are";
  return { boot, uptimeS, ...busy, gpus: known.map(Number) };
}

function busyOf(machine: readonly string[], container: readonly string[]): Pick<IdleLook, "counter" | "busyS"> | null {
  const [line = "", ...others] = [...machine, ...container];
  if (others.length > 0) return null;
  const numbers = line.split(" ").map(numberOf);
  const known = numbers.filter((value) => value !== null);
  if (known.length < numbers.length) return null;
  if (container.length === 1)
    return known.length === 1 ? { counter: "container", busyS: Number(known[0]) / 1e6 } : null;
  const hertz = known.at(-1) ?? 0;
  if (known.length !== 6 || hertz === 0) return null;
  return { counter: "machine", busyS: known.slice(0, -1).reduce((sum, ticks) => sum + ticks, 0) / hertz };
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,18}(\.\d{1,6})?$/.test(text) ? Number(text) : null;
}
