import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { afterAll } from "vitest";
import { sshHarness } from "./harness.ts";
import { startSshd } from "./sshd.ts";

const sshd = startSshd();
afterAll(async () => (await sshd).close());

describeProviderContract("ssh-hosts", sshHarness(sshd));
