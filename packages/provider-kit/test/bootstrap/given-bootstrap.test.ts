import type { BootstrapScript } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { carriedBootstrap, givenBootstrap, renderBootstrap } from "../../src/bootstrap/index.ts";

const ours = { provider: "acme", operation: "spawn", format: "shell" } as const;
const script = (content: string, format: BootstrapScript["format"] = "shell"): BootstrapScript => ({
  content,
  format,
  checksum: "sha256:0",
  byteLength: Buffer.byteLength(content),
});

describe("a bootstrap that a spawn was given", () => {
  test("is rendered if it is a config", () => {
    expect(givenBootstrap({ script: "echo hi" }, ours)).toEqual(renderBootstrap({ script: "echo hi" }, ours));
  });

  test("is the script itself if it is one", () => {
    const given = script("#!/bin/sh\n");
    expect(givenBootstrap(given, { ...ours, executed: true })).toBe(given);
    const cloud = script("#cloud-config\n", "cloud-init");
    expect(givenBootstrap(cloud, { ...ours, format: "cloud-init", formats: ["cloud-init", "shell"] })).toBe(cloud);
  });

  test.each([
    ["has the format cloud-init, and only shell runs here", script("#cloud-config\n", "cloud-init"), ours],
    ["holds a NUL character", script("#!/bin/sh\n\0"), ours],
    ["has 3 bytes, and at most 2 are taken", script("abc"), { ...ours, maxBytes: 2 }],
    [
      "has the line ends of Windows (CRLF), which a shell takes for a part of each command: save it with LF",
      script("#!/bin/sh\r\ntrue\r\n"),
      ours,
    ],
    ["has blanks before `#!`: begin with `#!`, or leave that line out", script("\n  #!/bin/sh\n"), ours],
    ["is a shell script that does not begin with `#!`", script("echo hi"), { ...ours, executed: true }],
  ])("is refused where it %s", (fault, given, options) => {
    expect(() => givenBootstrap(given, options)).toThrow(
      expect.objectContaining({
        code: "INVALID_SPEC",
        effect: "none",
        operation: "spawn",
        message: `bootstrap ${fault}`,
      }),
    );
  });

  test.each(["true\r\nfalse\r\n", "#!/bin/bash\r\n", "\r\ntrue", "\n#!/bin/sh\n", " #!/bin/sh", "\uFEFF#!/bin/sh\n"])(
    "is refused as a config whose script a shell would take for another one: %j",
    (text) => {
      for (const format of ["shell", "cloud-init"] as const) {
        expect(() => renderBootstrap({ script: text }, { ...ours, format })).toThrow(
          expect.objectContaining({ code: "INVALID_SPEC", message: expect.stringMatching(/^bootstrap\.script has /) }),
        );
      }
    },
  );

  test.each(["echo one\ncat <<'E'\na\r\nE\n", "\necho two", "# a comment\n#!/bin/sh\n", "echo 'a\r'", ""])(
    "is taken as it is where a shell means the same: %j",
    (text) => {
      expect(carriedBootstrap(renderBootstrap({ script: text }, ours))?.script).toBe(text);
    },
  );
});
