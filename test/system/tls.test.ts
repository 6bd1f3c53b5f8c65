// TLS at the doors of clients: redis-cli, ioredis, memcached's text protocol, and those who are not let in.
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Authority, type Pair, testDirectory } from "./certificates.ts";

import { type RunningNode, runRinglet, startNode } from "./harness.ts";
import { requireProgram } from "./programs.ts";
import { until } from "./until.ts";

const run = promisify(execFile);

beforeEach((context) => {
  requireProgram(context, "openssl");
  requireProgram(context, "redis-cli");
});

/** Flags of a node whose doors speak TLS. */
function tlsFlags({ cert, key }: Pair, authority: Authority, authentication = "yes"): string[] {
  return [
    ...["--tls-cert-file", cert, "--tls-key-file", key],
    ...["--tls-ca-cert-file", authority.file, "--tls-auth-clients", authentication],
  ];
}

/** What a client of node:tls needs to be let in. */
function trusted({ cert, key }: Pair, authority: Authority): ConnectionOptions {
  return { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(authority.file) };
}

/** All that a client receives until the node closes. */
function received(socket: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

async function logs(node: RunningNode, text: string): Promise<void> {
  await until(
    async () => node.stderr.includes(text),
    () => `the log lacks "${text}":\n${node.stderr}`,
  );
}

function redisCli(port: number, authority: Authority, pair: Pair | undefined, ...words: string[]) {
  const own = pair === undefined ? [] : ["--cert", pair.cert, "--key", pair.key];
  const args = ["-p", String(port), "--tls", "--cacert", authority.file, ...own, ...words];
  return run("redis-cli", args).catch((error: { stdout: string; stderr: string }) => error);
}

it("--test-conf reads the files of certificates, as the start would", async () => {
  const directory = testDirectory();
  const authority = new Authority(directory, "ca");
  const { cert, key } = authority.issue("node");
  const path = join(directory, "node.yml");
  const test = async (keyFile: string) => {
    const lines = ["listen: 127.0.0.1:8102", "data_store: embedded", "tls_auth_clients: no"];
    const tls = [`tls_cert_file: ${cert}`, `tls_key_file: ${keyFile}`];
    writeFileSync(path, `p:\n  ${[...lines, ...tls].join("\n  ")}\n`);
    return await runRinglet(["serve", "--conf-file", path, "--test-conf"]);
  };
  expect(await test(key)).toMatchObject({ code: 0 });
  const { code, stderr } = await test(authority.issue("other").key);
  expect([code, stderr]).toEqual([2, expect.stringContaining("is not that of the certificate in")]);
});

describe("a door with TLS", () => {
  it("serves redis-cli that shows a certificate, and tells one that shows none why it is not", async () => {
    const authority = new Authority(testDirectory(), "ca");
    const node = await startNode({ flags: tlsFlags(authority.issue("node"), authority) });
    expect(node.stdout).toContain("redis-cli --tls --cacert <file> --cert <file> --key <file> -h");
    const client = authority.issue("client");
    expect((await redisCli(node.port, authority, client, "SET", "k", "v")).stdout).toBe("OK\n");
    expect((await redisCli(node.port, authority, client, "GET", "k")).stdout).toBe("v\n");

    const options = { port: node.port, host: node.host, ca: readFileSync(authority.file) };
    expect(await received(connectTls(options))).toBe("-ERR TLS: it has shown no certificate\r\n");
    await logs(node, "Refused a client at 127.0.0.1: it has shown no certificate.");
  });

  it("refuses certificates that have expired or are from another CA, with the reason", async () => {
    const directory = testDirectory();
    const authority = new Authority(directory, "ca");
    const other = new Authority(directory, "other");
    const node = await startNode({
      flags: tlsFlags(authority.issue("node"), authority, "optional"),
    });
    const connectAs = (pair: Pair) =>
      received(connectTls({ port: node.port, host: node.host, ...trusted(pair, authority) }));
    expect(await connectAs(authority.issue("late", { days: -1 }))).toMatch(
      /^-ERR TLS: its certificate has expired \(CERT_HAS_EXPIRED\)\r\n$/,
    );
    expect(await connectAs(other.issue("stranger"))).toMatch(
      /^-ERR TLS: its certificate is not from a CA in --tls-ca-cert-file \([A-Z_]+\)\r\n$/,
    );
    // One that shows none may come in.
    expect((await redisCli(node.port, authority, undefined, "PING")).stdout).toBe("PONG\n");
  });

  it("serves ioredis: pipelines, and values of many records of TLS", async () => {
    const authority = new Authority(testDirectory(), "ca");
    const node = await startNode({ flags: tlsFlags(authority.issue("node"), authority) });
    const redis = new Redis({
      host: node.host,
      port: node.port,
      tls: trusted(authority.issue("client"), authority),
    });
    onTestFinished(() => redis.disconnect());
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.set(`key:${i}`, `value:${i}`).get(`key:${i}`);
    const replies = await pipeline.exec();
    expect(replies?.filter((_, i) => i % 2 === 1).map(([, value]) => value)).toEqual(
      Array.from({ length: 1000 }, (_, i) => `value:${i}`),
    );
    const big = Buffer.alloc(20 * 1024 * 1024);
    for (let i = 0; i < big.length; i += 4) big.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
    expect(await redis.set("big", big)).toBe("OK");
    const values = await Promise.all([redis.getBuffer("big"), redis.getBuffer("big")]);
    expect(values.map((value) => value?.equals(big))).toEqual([true, true]);
  });

  it("serves memcached clients", async () => {
    const authority = new Authority(testDirectory(), "ca");
    const flags = [
      ...tlsFlags(authority.issue("node"), authority, "no"),
      ...["--memcached-listen", "127.0.0.1:0"],
    ];
    const node = await startNode({ flags });
    const port = Number(/memcached on \S+?:(\d+)/.exec(node.stdout)?.[1]);
    const socket = connectTls({ port, host: node.host, ca: readFileSync(authority.file) });
    const answer = received(socket);
    socket.write("set k 5 0 3\r\nabc\r\nget k\r\nquit\r\n");
    expect(await answer).toBe("STORED\r\nVALUE k 5 3\r\nabc\r\nEND\r\n");
  });

  it("serves HTTPS to those who show a certificate, and tells others why not", async () => {
    const authority = new Authority(testDirectory(), "ca");
    const flags = ["--stats-listen", "127.0.0.1:0", "--stats-tls", "yes"];
    const node = await startNode({
      flags: [...flags, ...tlsFlags(authority.issue("node"), authority)],
    });
    const url = /stats on (https:\S+?)[,.]? /.exec(node.stdout)?.[1];
    const page = (options: ConnectionOptions) =>
      new Promise<string>((resolve, reject) => {
        const request = get(`${url}/readyz`, { ...options, agent: false }, (response) => {
          let text = `${response.statusCode} `;
          response.setEncoding("utf8").on("data", (more) => {
            text += more;
          });
          response.on("end", () => resolve(text));
        });
        request.on("error", reject);
      });
    expect(await page(trusted(authority.issue("client"), authority))).toBe("200 ready\n");
    expect(await page({ ca: readFileSync(authority.file) })).toBe(
      "403 TLS: it has shown no certificate\n",
    );
  });

  it("closes clients that do not speak TLS, and goes on", async () => {
    const authority = new Authority(testDirectory(), "ca");
    const node = await startNode({ flags: tlsFlags(authority.issue("node"), authority, "no") });
    const plain = connect({ port: node.port, host: node.host });
    const answer = received(plain);
    plain.write("*1\r\n$4\r\nPING\r\n");
    expect(await answer).not.toContain("PONG");
    await logs(node, "Refused a client at 127.0.0.1: it does not speak TLS.");
    expect((await redisCli(node.port, authority, undefined, "PING")).stdout).toBe("PONG\n");
  });

  it("closes who does not agree on TLS in time", async () => {
    const authority = new Authority(testDirectory(), "ca");
    const flags = ["--handshake-timeout-ms", "50", ...tlsFlags(authority.issue("n"), authority)];
    const node = await startNode({ flags });
    expect(await received(connect({ port: node.port, host: node.host }))).toBe("");
    await logs(node, "it took too long to agree on TLS");
  });

  it("reads its certificates again on SIGHUP, and keeps them while the new ones are wrong", async () => {
    const directory = testDirectory();
    const authority = new Authority(directory, "ca");
    const [first, second] = [authority.issue("first"), authority.issue("second")];
    const live = { cert: join(directory, "live.pem"), key: join(directory, "live.key") };
    const put = ({ cert, key }: Pair) => {
      copyFileSync(cert, live.cert);
      copyFileSync(key, live.key);
    };
    put(first);
    const node = await startNode({ flags: tlsFlags(live, authority, "no") });
    const shown = async () => {
      const options = { port: node.port, host: node.host, ca: readFileSync(authority.file) };
      const socket: TLSSocket = connectTls(options);
      const name = await new Promise((resolve, reject) => {
        socket.on("error", reject);
        socket.on("secureConnect", () => resolve(socket.getPeerCertificate().subject.CN));
      });
      return { socket, name };
    };
    const before = await shown();
    expect(before.name).toBe("first");

    writeFileSync(live.key, readFileSync(second.key));
    node.process.kill("SIGHUP");
    await logs(node, "The certificates cannot be used, and those that were read before stay.");
    expect(node.stderr).toContain("is not that of the certificate in");
    expect((await shown()).name).toBe("first");

    put(second);
    node.process.kill("SIGHUP");
    await logs(node, "The certificates have been read again");
    expect((await shown()).name).toBe("second");
    // Connections that were there stay.
    const pong = new Promise((resolve) => before.socket.once("data", resolve));
    before.socket.write("PING\r\n");
    expect(String(await pong)).toBe("+PONG\r\n");
  });

  it("does not start with files that cannot be, and says which", async () => {
    const directory = testDirectory();
    const authority = new Authority(directory, "ca");
    const node = authority.issue("node");
    const empty = join(directory, "empty.pem");
    writeFileSync(empty, "nothing\n");
    const attempts: [string[], RegExp][] = [
      [["--tls-cert-file", node.cert], /give --tls-key-file too/],
      [["--tls-ca-cert-file", authority.file], /give --tls-cert-file too/],
      [tlsFlags({ ...node, cert: `${node.cert}.not` }, authority), /--tls-cert-file: .* ENOENT/],
      [tlsFlags({ ...node, cert: empty }, authority), /--tls-cert-file: .* no certificate in it/],
      [tlsFlags({ ...node, key: empty }, authority), /--tls-key-file: .* cannot be used/],
      [
        tlsFlags({ ...node, key: authority.issue("other").key }, authority),
        /is not that of the certificate in .*: give --tls-cert-file and --tls-key-file/,
      ],
      [["--stats-tls", "yes", "--stats-listen", "127.0.0.1:0"], /give --tls-cert-file too/],
      [
        ["--tls-cert-file", node.cert, "--tls-key-file", node.key],
        /give --tls-ca-cert-file, or --tls-auth-clients no/,
      ],
    ];
    for (const [flags, message] of attempts) {
      const { code, stderr } = await runRinglet(["serve", "--listen", "127.0.0.1:0", ...flags]);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    }
  });
});
