import { shellCommand } from "./printable.ts";

/** Where `slipway reap` can be run from, so that it goes on when no terminal is open. */
export const REAP_PLACES = ["systemd", "cron", "github", "kubernetes"] as const;
export type ReapPlace = (typeof REAP_PLACES)[number];

export interface ReapFile {
  /** Where it belongs. */
  readonly path: string;
  readonly content: string;
}

/** What a file is made for: the words behind `slipway`, and the directory that holds slipway.config. */
export interface ReapCall {
  readonly words: readonly string[];
  readonly directory: string;
  /** Whose state directory names the owner; null where the system does not number its users. */
  readonly uid: number | null;
}

const MAKERS: Readonly<Record<ReapPlace, (call: ReapCall) => readonly ReapFile[]>> = {
  systemd: (call) => [
    { path: "/etc/systemd/system/slipway-reap.service", content: systemdService(call) },
    { path: "/etc/systemd/system/slipway-reap.timer", content: SYSTEMD_TIMER },
  ],
  cron: (call) => [{ path: "crontab -e", content: cronLine(call) }],
  github: (call) => [{ path: ".github/workflows/slipway-reap.yml", content: githubWorkflow(call) }],
  kubernetes: (call) => [{ path: "slipway-reap.yaml", content: kubernetesCronJob(call) }],
};

export function reapFiles(place: ReapPlace, call: ReapCall): readonly ReapFile[] {
  return MAKERS[place](call);
}

/** A service that failed shows in `systemctl --failed`: reap exits with 1 where it could not look everywhere. */
function systemdService({ words, directory, uid }: ReapCall): string {
  return `[Unit]
Description=Terminate what slipway launched and what has expired
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
${systemdUser(uid)}WorkingDirectory=${directory.replaceAll("%", "%%")}
# The credentials of your providers, one NAME=value a line; root's own, mode 0600.
EnvironmentFile=-/etc/slipway/reap.env
ExecStart=/usr/bin/env ${systemdWords(["slipway", ...words])}
TimeoutStartSec=15min
`;
}

const SYSTEMD_TIMER = `[Unit]
Description=Terminate every five minutes what slipway launched and what has expired

[Timer]
OnCalendar=*:0/5
RandomizedDelaySec=30
Persistent=true

[Install]
WantedBy=timers.target
`;

/** Without a user a system unit has no HOME, and slipway finds neither the owner nor what was launched. */
function systemdUser(uid: number | null): string {
  return uid === null ? "" : `# Whose state directory names the owner and the launches.\nUser=${uid}\n`;
}

function systemdWords(words: readonly string[]): string {
  const quoted = words.map((word) =>
    /^[A-Za-z0-9_./:=@+,-]+$/.test(word)
      ? word
      : `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$")}"`,
  );
  return quoted.join(" ");
}

function cronLine({ words, directory }: ReapCall): string {
  const command = `cd ${shellCommand([directory])} && ${shellCommand(["slipway", ...words])}`;
  // cron reads % as a newline; it mails what a job prints, and reap without --json prints nothing where all is well.
  return `PATH=/usr/local/bin:/usr/bin:/bin
*/5 * * * * ${command.replaceAll("%", "\\%")}
`;
}

/** A string as YAML and JSON both read it. */
const quoted = (text: string): string => JSON.stringify(text);

function githubWorkflow({ words }: ReapCall): string {
  return `# GitHub starts scheduled workflows late at times, and stops them in a repository that is idle for 60 days.
name: slipway reap
on:
  schedule:
    - cron: "*/15 * * * *"
  workflow_dispatch: {}
permissions:
  contents: read
concurrency:
  group: slipway-reap
  cancel-in-progress: false
jobs:
  reap:
    runs-on: ubuntu-latest
    timeout-minutes: 14
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      # package.json holds slipway and its providers, slipway.config the owner.
      - run: npm ci
      - run: ${quoted(shellCommand(["npx", "--no-install", "slipway", ...words]))}
        env:
          # One line for each credential that your providers read.
          LAMBDA_API_KEY: \${{ secrets.LAMBDA_API_KEY }}
`;
}

function kubernetesCronJob({ words }: ReapCall): string {
  return `# kubectl create configmap slipway-reap --from-file=package.json --from-file=package-lock.json --from-file=slipway.config.json
# kubectl create secret generic slipway-reap --from-env-file=reap.env
apiVersion: batch/v1
kind: CronJob
metadata:
  name: slipway-reap
spec:
  schedule: "*/5 * * * *"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 200
  failedJobsHistoryLimit: 3
  successfulJobsHistoryLimit: 1
  jobTemplate:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 900
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          securityContext:
            runAsNonRoot: true
            runAsUser: 1000
          containers:
            - name: reap
              image: node:24-slim
              workingDir: /work
              # package.json holds slipway and its providers, slipway.config.json the owner.
              command:
                - sh
                - -c
                - ${quoted(`cp /config/* . && npm ci --silent && exec ${shellCommand(["npx", "--no-install", "slipway", ...words])}`)}
              env:
                - name: HOME
                  value: /work
              envFrom:
                - secretRef:
                    name: slipway-reap
              volumeMounts:
                - name: config
                  mountPath: /config
                - name: work
                  mountPath: /work
          volumes:
            - name: config
              configMap:
                name: slipway-reap
            - name: work
              emptyDir: {}
`;
}
