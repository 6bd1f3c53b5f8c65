/** Replicas that have received the same records hold the same, in whatever order and however often these came. */
import { expect, test } from "vitest";
import { concat } from "../../../src/codec/concat.ts";
import { FRAME_FLAG } from "../../../src/link/frame.ts";
import { PEER_STATUS } from "../../../src/store/kernel-ring.ts";
import { RandomSource } from "../store/random-source.ts";
import { START_MS } from "../store/store-under-test.ts";
import * as bytes from "./peer-bytes.ts";
import { PeerKernel, stampAt, TAGGED, TOMBSTONE } from "./peer-kernel.ts";

const PEER = 1;
const KEYS = 500;

test("three replicas that get 6,000 writes in three orders, some of them twice, between two floors", () => {
  const random = new RandomSource(21);
  const records = Array.from({ length: 6000 }, (_, i) => {
    const key = `key:${random.below(KEYS)}`;
    const stamp = stampAt(random.below(3000), random.below(4));
    const facts = { node: random.below(3) };
    if (random.chance(0.25)) return bytes.tombstone(key, stamp, facts);
    const expiry = random.chance(0.2) ? START_MS + 4000 + random.below(2000) : 0;
    // One stamp and node stand for one value: so do they here.
    const value = `${i}`.repeat(1 + random.below(20));
    if (random.chance(0.3)) {
      const flags = FRAME_FLAG.tagged;
      return bytes.write(key, `${value}tag!`, stamp, { ...facts, expiry, flags });
    }
    return bytes.write(key, value, stamp, { ...facts, expiry });
  });
  const unique = [...new Map(records.map((frame) => [identity(frame), frame])).values()];
  const replicas = [1, 2, 3].map(() => {
    const peer = new PeerKernel().open(PEER);
    const floorAt = random.below(unique.length);
    for (const [i, frame] of shuffled([...unique, ...unique.slice(0, 1000)], random).entries()) {
      if (i === floorAt) peer.kernel.setFloor(0, stampAt(700), 1);
      // Some learn the time at which records expire late.
      if (i === 3000) peer.kernel.setNow(START_MS + 3000 + random.below(2000));
      expect(peer.feed(PEER, frame).status).toBe(PEER_STATUS.done);
    }
    peer.kernel.setNow(START_MS + 5000);
    peer.kernel.setFloor(0, stampAt(700), 1);
    return peer;
  });
  const [first, ...others] = replicas as [PeerKernel, ...PeerKernel[]];
  let alive = 0;
  for (let i = 0; i < KEYS; i++) {
    const key = `key:${i}`;
    if (first.get(key) !== undefined) alive++;
    for (const other of others) {
      expect(other.get(key)).toBe(first.get(key));
      expect(other.held(key)).toEqual(first.held(key));
    }
  }
  expect(alive).toBeGreaterThan(100);
  expect(alive).toBeLessThan(KEYS);
  for (const other of others) {
    expect(other.kernel.digest(0, 1)).toBe(first.kernel.digest(0, 1));
    expect(other.kernel.hostCount(0)).toBe(alive);
  }
});

test("two replicas that repair each other by what they answer to reads", () => {
  const random = new RandomSource(22);
  const replicas = [0, 1].map((node) => new PeerKernel({ node }).open(PEER)) as [
    PeerKernel,
    PeerKernel,
  ];
  for (let i = 0; i < 3000; i++) {
    const key = `key:${random.below(KEYS)}`;
    const stamp = stampAt(random.below(1000), i);
    const frame = random.chance(0.3)
      ? bytes.tombstone(key, stamp)
      : bytes.write(key, `${i}tag!`, stamp, { flags: random.chance(0.3) ? FRAME_FLAG.tagged : 0 });
    replicas[random.below(2)]!.feed(PEER, frame);
  }
  for (const replica of replicas) replica.take(PEER);
  const [asker, asked] = replicas;
  for (let i = 0; i < KEYS; i++) {
    const key = `key:${i}`;
    const { stamp, node } = asker.held(key) ?? { stamp: 0n, node: 0 };
    asked.feed(PEER, bytes.read(key, stamp, node));
    const [answer] = asked.frames(PEER);
    if (answer?.name === "newer") {
      const frame = answer.bytes.slice();
      frame[4] = 0x10;
      expect(asker.feed(PEER, frame).status).toBe(PEER_STATUS.done);
    } else if (answer?.name === "older") {
      const { value, flags, ...held } = asker.held(key)!;
      const frame = { ...held, flags: flags & TAGGED ? FRAME_FLAG.tagged : 0 };
      const isAlive = (flags & TOMBSTONE) === 0;
      const make = isAlive ? bytes.write(key, value, held.stamp, frame) : undefined;
      asked.feed(PEER, concat([make ?? bytes.tombstone(key, held.stamp, { node: held.node })]));
      asked.take(PEER);
    } else expect(answer?.name).toBe("acks");
  }
  expect(asker.kernel.digest(0, 1)).toBe(asked.kernel.digest(0, 1));
  for (let i = 0; i < KEYS; i++) expect(asked.held(`key:${i}`)).toEqual(asker.held(`key:${i}`));
});

test("a table whose segments split, and that loses entries, while chunks of many frames come", () => {
  const random = new RandomSource(23);
  const peer = new PeerKernel().open(PEER);
  const newest = new Map<string, string>();
  let stamp = stampAt(0);
  const next = () => ++stamp;
  let floor = 0n;
  peer.onHost = (link) => {
    // What lies at or below the floor goes while the rest of the chunk waits.
    peer.kernel.setFloor(0, floor, 1);
    peer.kernel.peerAnswer(link, 0, 0, 0);
  };
  for (let chunk = 0; chunk < 500; chunk++) {
    const frames = Array.from({ length: 100 }, (_, i) => {
      const key = `key:${random.below(25_000)}`;
      // Longer and shorter: many get another record, which only the right slot may hold.
      const value = `${chunk}:${i}`.padEnd(random.below(300), ".");
      newest.set(key, value);
      return bytes.write(key, value, next());
    });
    if (chunk === 300) {
      floor = next();
      frames.splice(50, 0, bytes.floor(floor));
      const kept = new Set(frames.slice(51).map(identity));
      for (const frame of frames.slice(51)) newest.set(textKey(frame), textValue(frame));
      for (const key of [...newest.keys()]) {
        if (![...kept].some((text) => text.endsWith(` ${key}`))) newest.delete(key);
      }
      // Those behind the FLOOR frame get stamps above it.
      for (let i = 51; i < frames.length; i++) {
        frames[i] = bytes.write(textKey(frames[i]!), textValue(frames[i]!), next());
      }
    }
    expect(peer.feed(PEER, concat(frames)).status).toBe(PEER_STATUS.done);
    peer.take(PEER);
  }
  expect(newest.size).toBeGreaterThan(10_000);
  expect(peer.kernel.hostCount(0)).toBe(newest.size);
  for (const [key, value] of newest) expect(peer.get(key)).toBe(value);
});

function textKey(frame: Uint8Array): string {
  return identity(frame).split(" ")[2]!;
}

function textValue(frame: Uint8Array): string {
  return String.fromCharCode(...frame.subarray(28 + textKey(frame).length));
}

/** Stamp, node and key: what one value belongs to. */
function identity(frame: Uint8Array): string {
  const view = new DataView(frame.buffer);
  const key = frame.subarray(28, 28 + view.getUint32(24, true));
  return `${view.getBigUint64(8, true)} ${view.getUint16(16, true)} ${String.fromCharCode(...key)}`;
}

function shuffled<T>(items: readonly T[], random: RandomSource): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
