/** When a link takes no more requests, as the host finds it, and when its peer is told what it was not sent. */
import { describe, expect, test } from "vitest";
import { Settings } from "../../../src/base/settings.ts";
import { encodeRead, encodeWrite } from "../../../src/link/frame.ts";
import type { LinkSession } from "../../../src/link/link.ts";
import { HeldBack } from "../../../src/ring/held-back.ts";
import { LINK_FLAG } from "../../../src/store/kernel-ring.ts";
import { openStore } from "../store/store-under-test.ts";

const MIB = 1024 * 1024;
const PEER = 1;
const OTHER = 2;
const KEY = new Uint8Array([107]);

type TestSession = { -readonly [N in keyof LinkSession]: LinkSession[N] };

function open() {
  const store = openStore({ tombstones: true });
  const told: { link: number; since: bigint; heard(): void; lost(): void }[] = [];
  const warnings: string[] = [];
  let nowMs = 1000;
  const heldBack = new HeldBack({
    store,
    runtime: { monotonic: () => nowMs } as ConstructorParameters<typeof HeldBack>[0]["runtime"],
    settings: new Settings({ requestTimeoutMs: 5000, maxLinkQueueBytes: 64 * MIB }),
    log: { debug() {}, info() {}, warn: (text: string) => warnings.push(text), error() {} },
    nameOf: String,
    tell: ({ link }, since) =>
      new Promise((resolve, reject) => {
        told.push({
          ...{ link, since },
          heard: () => resolve(undefined),
          lost: () => reject(new Error("the link is lost")),
        });
      }),
  });
  const session = (link: number): TestSession => {
    store.kernel.linkOpen(link);
    store.kernel.linkSetFlags(link, LINK_FLAG.up);
    heldBack.opened(link);
    return { link, bufferedBytes: 0, lagMs: 0, reachedAt: nowMs } as TestSession;
  };
  const [peer, other] = [session(PEER), session(OTHER)];
  return {
    ...{ store, heldBack, told, warnings, peer, other },
    at: (ms: number) => {
      nowMs = ms;
    },
    /** What a tick does, when both peers have answered all pings. */
    tick: (ms: number, reachedAt = ms) => {
      nowMs = ms;
      peer.reachedAt = ms;
      other.reachedAt = reachedAt;
      heldBack.tell([peer, other]);
    },
  };
}

function write(stamp: bigint): Uint8Array {
  const value = new Uint8Array(1);
  return encodeWrite({ database: 0, flags: 0, stamp, expiry: 0n, node: 0, key: KEY, value });
}

describe("a link", () => {
  test("is full from half of its queue on, and takes all again at a quarter", () => {
    const { heldBack, peer } = open();
    const flags = (mib: number): number => {
      peer.bufferedBytes = mib * MIB;
      return heldBack.settle(peer);
    };
    expect(flags(32)).toBe(LINK_FLAG.up);
    expect(flags(33)).toBe(LINK_FLAG.up | LINK_FLAG.full);
    expect(heldBack.takesAll(PEER)).toBe(false);
    expect(heldBack.isBehind(PEER)).toBe(false);
    expect(flags(17)).toBe(LINK_FLAG.up | LINK_FLAG.full);
    expect(flags(16)).toBe(LINK_FLAG.up);
    expect(heldBack.takesAll(PEER)).toBe(true);
  });

  test("is behind before so much waits that its session would close", () => {
    const { heldBack, peer } = open();
    peer.bufferedBytes = 49 * MIB;
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up | LINK_FLAG.full | LINK_FLAG.behind);
    peer.bufferedBytes = 25 * MIB;
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up | LINK_FLAG.full | LINK_FLAG.behind);
    peer.bufferedBytes = 24 * MIB;
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up | LINK_FLAG.full);
  });

  test("is behind when pings do not come back in the time of a request while something waits to leave", () => {
    const { heldBack, peer, at, warnings } = open();
    peer.bufferedBytes = 1;
    peer.lagMs = 5001;
    at(6000);
    heldBack.sending(peer);
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up);
    at(6001);
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up | LINK_FLAG.behind);
    expect(heldBack.isBehind(PEER)).toBe(true);
    expect(warnings).toHaveLength(1);
    peer.lagMs = 2501;
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up | LINK_FLAG.behind);
    peer.lagMs = 2500;
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up);
  });

  test("is not behind when only its answers are late", () => {
    const { heldBack, peer, at } = open();
    peer.lagMs = 60_000;
    at(60_000);
    heldBack.sending(peer);
    expect(heldBack.settle(peer)).toBe(LINK_FLAG.up);
  });
});

describe("what a peer was not sent", () => {
  test("it is told by its oldest stamp, once; reads are nothing that it lacks", async () => {
    const { heldBack, told, tick } = open();
    const read = encodeRead({ database: 0, flags: 0, key: KEY, stamp: 3n, node: 0 });
    for (const frame of [write(7n), write(5n), read, write(9n)]) heldBack.miss(PEER, frame);
    expect(heldBack.oldestMissed(PEER)).toBe(5n);
    tick(2000);
    tick(2100);
    expect(told).toMatchObject([{ link: PEER, since: 5n }]);
    expect(heldBack.oldestMissed(PEER)).toBe(5n);
    told[0]!.heard();
    await Promise.resolve();
    expect(heldBack.oldestMissed(PEER)).toBeUndefined();
    tick(2200);
    expect(told).toHaveLength(1);
  });

  test("it is not told before what others were sent has reached them: it copies from those", () => {
    const { heldBack, told, tick } = open();
    heldBack.miss(PEER, write(5n));
    tick(2000, 1900);
    tick(9000, 2000);
    expect(told).toEqual([]);
    tick(9100, 2001);
    expect(told).toHaveLength(1);
  });

  test("it is not told while its link takes no requests", () => {
    const { heldBack, told, tick, peer } = open();
    heldBack.miss(PEER, write(5n));
    peer.bufferedBytes = 40 * MIB;
    heldBack.settle(peer);
    tick(2000);
    tick(2100);
    expect(told).toEqual([]);
    peer.bufferedBytes = 0;
    heldBack.settle(peer);
    tick(2200);
    expect(told).toHaveLength(1);
  });

  test("it is told again when its link was lost before it had heard", async () => {
    const { heldBack, told, tick } = open();
    heldBack.miss(PEER, write(5n));
    tick(2000);
    tick(2100);
    heldBack.miss(PEER, write(8n));
    told[0]!.lost();
    await new Promise((resolve) => setTimeout(resolve));
    expect(heldBack.oldestMissed(PEER)).toBe(5n);
    tick(2200);
    tick(2300);
    expect(told.map(({ since }) => since)).toEqual([5n, 5n]);
  });

  test("is taken over from the kernel, also when the link closes", () => {
    const { heldBack, store, peer } = open();
    const { kernel, memory } = store;
    kernel.ringSetLimits(5000, 10_000, 1 << 20, 16);
    const missInKernel = (stamp: bigint): void => {
      memory.data.setBigUint64(kernel.linkAddress(PEER) + 64, stamp, true);
    };
    missInKernel(0x1_0000_0005n);
    heldBack.settle(peer);
    expect(heldBack.oldestMissed(PEER)).toBe(0x1_0000_0005n);
    missInKernel(3n);
    heldBack.closed(PEER);
    expect(heldBack.oldestMissed(PEER)).toBe(3n);
  });
});
