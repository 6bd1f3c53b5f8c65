/** Memcached clients of a ring: any node answers for all, flags and all, whoever owns the key; what one writes, the others hold. */
import { expect, it } from "vitest";
import { freePorts, places, startCluster } from "../cluster-harness.ts";
import { LineClient } from "./servers.ts";

const KEYS = Array.from({ length: 40 }, (_, i) => `key:${i}`);
const LEVELS = ["--read-consistency", "DC_QUORUM", "--write-consistency", "DC_QUORUM"];

async function startRing(racks: number, membersPerRack: number, flags: readonly string[]) {
  const ports = await freePorts(racks * membersPerRack);
  const cluster = await startCluster({
    places: places(racks, membersPerRack),
    flags,
    flagsOf: (index) => ["--memcached-listen", `127.0.0.1:${ports[index]}`],
  });
  await cluster.ready();
  return { cluster, clients: ports.map((port) => new LineClient(port)) };
}

it.each([
  ["three racks, DC_QUORUM", 3, 1, LEVELS],
  ["two racks of two, DC_QUORUM", 2, 2, LEVELS],
  ["three racks, DC_ONE", 3, 1, []],
] as const)("%s: every node answers for every key", async (_, racks, perRack, flags) => {
  const { cluster, clients } = await startRing(racks, perRack, flags);
  const at = (i: number) => clients[i % clients.length]!;
  for (const [i, key] of KEYS.entries()) {
    expect(await at(i).ask(`set ${key} ${1000 + i} 0 ${key.length}\r\n${key}\r\n`)).toBe(
      "STORED\r\n",
    );
  }
  await cluster.equal(rackMembers(cluster.members, perRack));
  for (const client of clients) {
    const got = await client.ask(`get ${KEYS.join(" ")}\r\n`);
    const items = KEYS.map((key, i) => `VALUE ${key} ${1000 + i} ${key.length}\r\n${key}\r\n`);
    expect(got).toBe(`${items.join("")}END\r\n`);
  }
  const long = "long".repeat(300_000);
  expect(await at(0).ask(`set long 5 0 ${long.length}\r\n${long}\r\n`)).toBe("STORED\r\n");
  for (const client of clients) {
    const got = await client.ask("get long\r\n");
    expect(got === `VALUE long 5 ${long.length}\r\n${long}\r\nEND\r\n`).toBe(true);
  }
  const all = KEYS[3]!;
  expect(await at(0).ask(`append ${all} 0 0 2\r\n!?\r\n`)).toBe("STORED\r\n");
  expect(await at(1).ask(`add ${all} 0 0 1\r\nx\r\n`)).toBe("NOT_STORED\r\n");
  expect(await at(1).ask("set n 7 0 2\r\n10\r\n")).toBe("STORED\r\n");
  for (let i = 0; i < 12; i++) expect(await at(i).ask("incr n 2\r\n")).toBe(`${12 + i * 2}\r\n`);
  const version = /(\d+)\r\n34\r\n/.exec(await at(2).ask("gets n\r\n"))![1]!;
  expect(await at(0).ask(`cas n 9 0 1 ${BigInt(version) + 1n}\r\n5\r\n`)).toBe("EXISTS\r\n");
  expect(await at(1).ask(`cas n 9 0 1 ${version}\r\n5\r\n`)).toBe("STORED\r\n");
  expect(await at(2).ask("touch n 100\r\n")).toBe("TOUCHED\r\n");
  await cluster.equal(rackMembers(cluster.members, perRack));
  expect(await at(0).ask("mg n v f t\r\n")).toMatch(/^VA 1 f9 t(?:99|100)\r\n5\r\n$/);
  expect(await at(1).ask(`get ${all}\r\n`)).toBe(`VALUE ${all} 1003 7\r\n${all}!?\r\nEND\r\n`);
  expect(await at(2).ask(`delete ${all}\r\ndelete ${all}\r\n`)).toBe("DELETED\r\nNOT_FOUND\r\n");
  expect(await at(0).ask(`get ${all}\r\n`)).toBe("END\r\n");
  // Redis clients read the value alone, and what they write has no flags.
  const [value, length] = await cluster.members[0]!.send(["GET", KEYS[5]!], ["STRLEN", KEYS[5]!]);
  expect([value, length]).toEqual([`$5\r\n${KEYS[5]}\r\n`, ":5\r\n"]);
  await cluster.members[1]!.send(["SET", KEYS[5]!, "plain"]);
  expect(await at(1).ask(`get ${KEYS[5]}\r\n`)).toBe(`VALUE ${KEYS[5]} 0 5\r\nplain\r\nEND\r\n`);
  expect(await at(0).ask("flush_all\r\n")).toBe("OK\r\n");
  expect(await at(1).ask(`get ${KEYS.join(" ")}\r\n`)).toBe("END\r\n");
});

it("a member that was away gets values with their flags", async () => {
  const { cluster, clients } = await startRing(3, 1, LEVELS);
  const [first, , last] = cluster.members;
  await last!.kill();
  for (const [i, key] of KEYS.entries()) {
    expect(await clients[0]!.ask(`set ${key} ${i + 1} 0 1\r\nv\r\n`)).toBe("STORED\r\n");
  }
  const long = "long".repeat(300_000);
  expect(await clients[0]!.ask(`set long 5 0 ${long.length}\r\n${long}\r\n`)).toBe("STORED\r\n");
  await last!.start();
  await cluster.ready();
  await cluster.equal();
  await first!.kill();
  for (const [i, key] of KEYS.entries()) {
    const item = `VALUE ${key} ${i + 1} 1\r\nv\r\nEND\r\n`;
    expect(await clients[1]!.ask(`get ${key}\r\n`)).toBe(item);
  }
  expect(await clients[1]!.ask("mg long f s\r\n")).toBe(`HD f5 s${long.length}\r\n`);
});

it("says why there is no answer, and takes the answer when there is one again", async () => {
  const { cluster, clients } = await startRing(3, 1, [...LEVELS, "--request-timeout-ms", "500"]);
  const [, second, third] = cluster.members;
  second!.pause();
  third!.pause();
  const one = clients[0]!;
  expect(await one.ask("set a 1 0 1\r\nv\r\nget a\r\n")).toMatch(
    /^SERVER_ERROR Dynomite: [^\r]+\r\nSERVER_ERROR Dynomite: [^\r]+\r\n$/,
  );
  second!.goOn();
  third!.goOn();
  await cluster.ready();
  expect(await one.ask("set a 1 0 1\r\nv\r\nget a\r\n")).toBe(
    "STORED\r\nVALUE a 1 1\r\nv\r\nEND\r\n",
  );
});

function rackMembers<T>(members: readonly T[], perRack: number): T[][] {
  const racks: T[][] = [];
  for (let i = 0; i < members.length; i += perRack) racks.push(members.slice(i, i + perRack));
  return racks;
}
