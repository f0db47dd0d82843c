import { gzipSync } from "node:zlib";
import { renderBootstrap } from "@slipway/provider-kit/bootstrap";

/** User data as people write it: all that it leaves is in `/srv`. */
export const USER_DATA: Readonly<Record<string, (key: string) => string | Uint8Array>> = {
  "a script": () =>
    '#!/bin/sh\nprintf \'%s\\n\' "$(pwd)" "$(umask)" "${HOME-no home}" "$(id -un)" "$#" >/srv/place\ncat >/srv/stdin\necho said\nexit 3\n',
  "a script in another shell, with the line ends of Windows": () =>
    ["#!/bin/bash", "words=(one two)", 'echo "${words[1]}" >/srv/words', "echo $BASH >>/srv/words", ""].join("\r\n"),
  "files of every encoding": () =>
    config({
      write_files: [
        { path: "/srv/plain", content: "it's $HOME `id` \\n é\n", permissions: "0640" },
        { path: "/srv/deep/er/number", content: "x", permissions: 0o600 },
        { path: "/srv/base", encoding: "b64", content: Buffer.from([0, 1, 254, 255]).toString("base64") },
        { path: "/srv/packed", encoding: "gz+b64", content: gzipSync("packed\n").toString("base64") },
        { path: "/srv/plain", append: true, content: "more\n" },
        { path: "/srv/empty" },
        { path: "/srv/owned", owner: "root:root", content: "owned\n" },
      ],
    }),
  "commands as words and as shell text": () =>
    config({
      runcmd: [
        ["sh", "-c", 'echo "$1-$2" >/srv/words', "sh", "it's", "$HOME"],
        "echo $((1 + 1)) >/srv/sum",
        "x=kept",
        "echo $x >/srv/kept",
        "false",
        "cd /srv; pwd >here",
        "pwd >>/srv/here",
        ["echo", 7],
        "echo ${HOME-no home} >/srv/home",
        "exit 4",
        "echo never >/srv/never",
      ],
    }),
  "all the steps, in their order": () =>
    config({
      runcmd: ["echo run >>/srv/order", "cat /srv/late >>/srv/order"],
      bootcmd: ["mkdir -p /srv; echo boot >>/srv/order", ["sh", "-c", "echo list >>/srv/order"]],
      write_files: [
        { path: "/srv/order", append: true, content: "write\n" },
        { path: "/srv/late", defer: true, content: "deferred\n" },
      ],
    }),
  "a message of a script and two cloud-configs": () =>
    message(
      ["text/x-shellscript", "#!/bin/sh\necho script >>/srv/order\n"],
      ["text/cloud-config", config({ runcmd: ["echo run one >>/srv/order"], bootcmd: ["echo boot >>/srv/order"] })],
      ["text/cloud-config", config({ runcmd: ["echo run two >>/srv/order"] })],
    ),
  "a compressed message whose lists are joined": () =>
    gzipSync(
      message(
        [
          "text/cloud-config",
          config({ runcmd: ["echo one >>/srv/order"] }),
          "list(append)+dict(no_replace,recurse_list)",
        ],
        [
          "text/cloud-config",
          config({ runcmd: ["echo two >>/srv/order"] }),
          "list(append)+dict(no_replace,recurse_list)",
        ],
        ["text/plain", "#!/bin/sh\necho plain >>/srv/order\n"],
      ),
    ),
  "a cloud-config in YAML": () =>
    [
      "#cloud-config",
      "# with a comment, an anchor and block text",
      "write_files:",
      "  - &one",
      "    path: /srv/one",
      "    permissions: 0755",
      "    content: |",
      "      #!/bin/sh",
      "      echo from the file",
      "runcmd:",
      "  - /srv/one >/srv/said",
      "  - [ /bin/sh, -c, 'echo yes: no >/srv/colon' ]",
      "  - >-",
      "    echo folded",
      "    text >/srv/folded",
      "",
    ].join("\n"),
  "a bootstrap of slipway's own": () => bootstrap("cloud-init"),
  "a bootstrap of slipway's own, beside a key": (key) =>
    message(["text/cloud-config", config({ ssh_authorized_keys: [key] })], ["text/x-shellscript", bootstrap("shell")]),
};

function bootstrap(format: "cloud-init" | "shell"): string {
  const script = "echo by the bootstrap >/srv/made; echo $TOKEN >>/srv/made; id -u >>/srv/made; exit 5";
  return renderBootstrap({ script, environment: { TOKEN: "it's $one" } }, { provider: "any", format }).content;
}

function config(value: unknown): string {
  return `#cloud-config\n${JSON.stringify(value)}\n`;
}

function message(...parts: readonly (readonly [type: string, text: string, merge?: string])[]): string {
  const body = parts.map(([type, text, merge]) =>
    [
      "--=-part",
      `Content-Type: ${type}; charset="utf-8"`,
      ...(merge === undefined ? [] : [`X-Merge-Type: ${merge}`]),
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from(text).toString("base64"),
      "",
    ].join("\n"),
  );
  return `Content-Type: multipart/mixed; boundary="=-part"\nMIME-Version: 1.0\n\n${body.join("")}--=-part--\n`;
}
