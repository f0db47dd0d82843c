import { spawnSync } from "node:child_process";
import { type ReachHarness, reachCases, runReachCase } from "@slipway/contract-tests/reach";
import { memoryStore } from "@slipway/control";
import type { Instance, Provider } from "@slipway/core";
import { openSession, type Session, type SshAccess, withInstance } from "@slipway/reach";

interface OpenPlace {
  /** Gives every case the same session, and others of its own. */
  readonly harness: ReachHarness;
  readonly via: Session["via"];
  /** Terminates the instance and confirms it. */
  readonly close: () => Promise<void>;
}

export interface ReachVerdict {
  readonly via: Session["via"];
  /** The cases that failed, each with what it says. */
  readonly faults: readonly string[];
  /** The cases that this session has nothing for. */
  readonly skipped: readonly string[];
}

/** Lets every case of the group `reach` look into an instance of its own, which is terminated afterwards. */
export async function judgeSession(...place: Parameters<typeof openPlace>): Promise<ReachVerdict> {
  const { via, harness, close } = await openPlace(...place);
  const faults: string[] = [];
  const skipped: string[] = [];
  for (const one of reachCases) {
    const skip = await runReachCase(one, harness).catch((error: unknown) => {
      faults.push(`${one.id}: ${String(error)}`);
    });
    if (skip !== undefined) skipped.push(one.id);
  }
  await close();
  return { via, faults, skipped };
}

/** An instance that stays while cases look into it. Over SSH its shared connection is killed where a case cuts it. */
async function openPlace(
  provider: Provider,
  machine: { readonly spec?: string; readonly image?: string },
  access: SshAccess,
): Promise<OpenPlace> {
  const ready = Promise.withResolvers<readonly [Session, Instance]>();
  const over = Promise.withResolvers<void>();
  const work = withInstance(provider, { ...machine, key: "reach" }, { store: memoryStore(), access }, (...inside) => {
    ready.resolve(inside);
    return over.promise;
  });
  work.catch(ready.reject);
  const [session, instance] = await ready.promise;
  return {
    via: session.via,
    harness: harnessOf(
      session,
      () => openSession(provider, instance.id, access),
      session.via === "ssh" ? () => cutConnection(instance, access) : undefined,
    ),
    close: async () => {
      over.resolve();
      await work;
    },
  };
}

function harnessOf(session: Session, open: () => Promise<Session>, cut?: () => Promise<void>): ReachHarness {
  return {
    create: async () => {
      const opened: Session[] = [];
      const reopen = async (): Promise<Session> => {
        const another = await open();
        opened.push(another);
        return another;
      };
      const dispose = async (): Promise<void> => {
        for (const another of opened) await another[Symbol.asyncDispose]();
      };
      return { session, reopen, dispose, ...(cut === undefined ? {} : { cut }) };
    },
  };
}

async function cutConnection({ ssh }: Instance, { endpoint }: SshAccess): Promise<void> {
  const host = (endpoint === undefined ? ssh : endpoint(ssh))?.host.replaceAll(".", "[.]");
  const killed = spawnSync("pkill", ["-KILL", "-f", `^ssh .* -M -N .* ${host}$`]);
  if (killed.status !== 0) throw new Error("there is no shared connection to cut");
}
