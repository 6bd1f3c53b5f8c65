// Asking for the members of a cluster: HTTP and DNS servers on loopback, by themselves and through `ringlet serve`.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeSeedLookup } from "../../src/runtime/node/seed-lookup.ts";
import { runRinglet, startNode, startRinglet } from "./harness.ts";
import { freePort } from "./other-servers.ts";

const LOOPBACK = "127.0.0.1";

/** An HTTP server that answers /seeds with `answer()`, and everything else with 404. */
async function httpServer(answer: () => string): Promise<number> {
  const server = createServer((request, response) => {
    if (request.method === "GET" && request.url === "/seeds") response.end(answer());
    else response.writeHead(404).end("a:1:r:d:1");
  }).listen(0, LOOPBACK);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}

/** A DNS server that knows TXT records: each a list of strings of at most 255 bytes. */
async function dnsServer(
  records: Readonly<Record<string, readonly (readonly string[])[]>>,
): Promise<number> {
  const socket = createSocket("udp4", (query, sender) => {
    socket.send(answerOf(query, records), sender.port, sender.address);
  });
  onTestFinished(() => void socket.close());
  socket.bind(0, LOOPBACK);
  await once(socket, "listening");
  return socket.address().port;
}

/** The answer to a query with one question (RFC 1035, section 4): header of 12 bytes, question, records. */
function answerOf(
  query: Buffer,
  records: Readonly<Record<string, readonly (readonly string[])[]>>,
): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const found = records[labels.join(".").toLowerCase()] ?? [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  // An answer, recursion wanted and available; code 3 is "no such name".
  header.writeUInt16BE(0x8180 | (found.length === 0 ? 3 : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(found.length, 6);
  const answers = found.map((strings) => {
    const data = Buffer.concat(
      strings.map((text) => Buffer.from(`${String.fromCharCode(text.length)}${text}`, "latin1")),
    );
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc00c, 0); // the name of the question
    head.writeUInt16BE(16, 2); // TXT
    head.writeUInt16BE(1, 4); // IN
    head.writeUInt32BE(60, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  });
  return Buffer.concat([header, question, ...answers]);
}

/** A configuration file of this test: a member whose seeds the provider knows. */
function confFile(provider: string, ...lines: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "ringlet-seeds-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "node.yml");
  const pool = [
    "listen: 127.0.0.1:8102",
    "stats_listen: off",
    "data_store: embedded",
    "tokens: 0",
    `dyn_seed_provider: ${provider}`,
    ...lines,
  ];
  writeFileSync(path, ["p:", ...pool.map((line) => `  ${line}`), ""].join("\n"));
  return path;
}

describe("the members of a cluster", () => {
  it("are asked for over HTTP", async () => {
    const port = await httpServer(() => "a:1:r:d:1|b:1:r:d:2");
    const server = { host: LOOPBACK, port };
    expect(await nodeSeedLookup.http({ kind: "http", server, path: "/seeds" })).toBe(
      "a:1:r:d:1|b:1:r:d:2",
    );
    await expect(nodeSeedLookup.http({ kind: "http", server, path: "/" })).rejects.toThrow(
      "status 404",
    );
    const nobody = { host: LOOPBACK, port: await freePort() };
    await expect(nodeSeedLookup.http({ kind: "http", server: nobody, path: "/" })).rejects.toThrow(
      "ECONNREFUSED",
    );
  });

  it("are asked for over HTTP, but not all too many", async () => {
    const port = await httpServer(() => "x".repeat(20 * 1024 * 1024));
    const server = { host: LOOPBACK, port };
    await expect(nodeSeedLookup.http({ kind: "http", server, path: "/seeds" })).rejects.toThrow(
      "too long",
    );
  });

  it("are asked for in TXT records, whose strings belong together", async () => {
    const port = await dnsServer({ "nodes.example": [["a:1:r:d:1|b:1", ":r:d:2"], ["c:1:r:d:3"]] });
    const server = { host: LOOPBACK, port };
    const found = await nodeSeedLookup.dns({ kind: "dns", name: "nodes.example", server });
    expect(found.toSorted()).toEqual(["a:1:r:d:1|b:1:r:d:2", "c:1:r:d:3"]);
    const named = { host: "localhost", port };
    expect(
      await nodeSeedLookup.dns({ kind: "dns", name: "nodes.example", server: named }),
    ).toHaveLength(2);
    await expect(
      nodeSeedLookup.dns({ kind: "dns", name: "other.example", server }),
    ).rejects.toThrow("ENOTFOUND");
  });
});

/** The peers' addresses in what a node says of its ring. */
async function addressesOf(statsUrl: string): Promise<string> {
  return JSON.stringify(await (await fetch(`${statsUrl}/ring`)).json());
}

describe("ringlet serve", () => {
  const OPEN = ["--dyn-listen", "127.0.0.1:0", "--stats-listen", "127.0.0.1:0"];

  it("asks florida_provider at the start, again until it answers, and adds the members to those of the file", async () => {
    let asked = 0;
    const port = await httpServer(() =>
      ++asked === 1 ? "" : "127.0.0.1:9:r8:localdc:0|127.0.0.1:7:r7:localdc:0",
    );
    const path = confFile("florida_provider", "dyn_seeds: ['127.0.0.1:9:r8:localdc:0']");
    const node = await startNode({
      flags: ["-c", path, ...OPEN],
      env: {
        DYNOMITE_FLORIDA_IP: LOOPBACK,
        DYNOMITE_FLORIDA_PORT: String(port),
        DYNOMITE_FLORIDA_REQUEST: "GET /seeds HTTP/1.0\r\nHost: x\r\n\r\n",
      },
    });
    const ring = await addressesOf(node.statsUrl);
    for (const rack of ["r7", "r8", "localrack"]) expect(ring).toContain(rack);
    expect(asked).toBe(2);
    expect(node.stderr).toContain("The members cannot be asked for yet");
  });

  it("asks dns_provider at the server of the file", async () => {
    const port = await dnsServer({ "nodes.example": [["127.0.0.1:9:r9:localdc:0"]] });
    const path = confFile("dns_provider", `dns_server: 127.0.0.1:${port}`);
    const node = await startNode({
      flags: ["-c", path, ...OPEN],
      env: { DYNOMITE_DNS_NAME: "nodes.example", DYNOMITE_DNS_TYPE: "TXT" },
    });
    expect(await addressesOf(node.statsUrl)).toContain("r9");
  });

  it("ends with 2 and one line when the answer names no members", async () => {
    const port = await httpServer(() => "none today");
    const { code, stdout, stderr } = await runRinglet(
      ["serve", "-c", confFile("florida_provider"), "--log-level", "error", ...OPEN],
      {
        env: { DYNOMITE_FLORIDA_PORT: String(port), DYNOMITE_FLORIDA_REQUEST: "/seeds" },
      },
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^ringlet: http:\/\/127\.0\.0\.1:\d+\/seeds answered "none today", in which "none" names no member: [^\n]+\n$/,
    );
  });

  it("ends with 2 when nobody has answered after a while", async () => {
    const env = { DYNOMITE_FLORIDA_PORT: String(await freePort()) };
    const { code, stderr } = await runRinglet(
      ["serve", "-c", confFile("florida_provider"), "--log-level", "error", ...OPEN],
      { env },
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^ringlet: http:\/\/127\.0\.0\.1:\d+\/REST\/v1\/admin\/get_seeds does not say who the members are \([^\n]*ECONNREFUSED[^\n]*\n$/,
    );
  });

  it("ends with 0 when it is told to stop while it asks", async () => {
    const env = { DYNOMITE_FLORIDA_PORT: String(await freePort()) };
    const started = startRinglet(["serve", "-c", confFile("florida_provider"), ...OPEN], { env });
    onTestFinished(() => void started.process.kill("SIGKILL"));
    while (!started.stderr.includes("cannot be asked for yet")) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    started.process.kill("SIGTERM");
    expect(await started.ended).toMatchObject({ code: 0, stdout: "" });
  });
});
