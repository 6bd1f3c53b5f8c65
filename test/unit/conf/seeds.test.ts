// Who is asked for the members of a cluster, and asking until there is an answer.
import { describe, expect, it } from "vitest";
import { SILENT } from "../../../src/base/logger.ts";
import { advertisedHost } from "../../../src/conf/advertised-host.ts";
import { askSeeds, type SeedLookup } from "../../../src/conf/ask-seeds.ts";
import { type SeedSource, seedSourceOf } from "../../../src/conf/seed-source.ts";

function variables(values: Readonly<Record<string, string>>) {
  return (name: string) => values[name];
}

describe("a seed source", () => {
  it("is nobody for simple_provider", () => {
    expect(seedSourceOf("simple_provider", variables({}), undefined)).toBeUndefined();
  });

  it.each<[Record<string, string>, string, number, string]>([
    [{}, "127.0.0.1", 8080, "/REST/v1/admin/get_seeds"],
    [
      { DYNOMITE_FLORIDA_IP: "10.0.0.9", DYNOMITE_FLORIDA_PORT: "81" },
      "10.0.0.9",
      81,
      "/REST/v1/admin/get_seeds",
    ],
    [{ DYNOMITE_FLORIDA_IP: "::1" }, "::1", 8080, "/REST/v1/admin/get_seeds"],
    [{ DYNOMITE_FLORIDA_REQUEST: "/seeds" }, "127.0.0.1", 8080, "/seeds"],
    [
      { DYNOMITE_FLORIDA_REQUEST: "GET /s?a=1 HTTP/1.0\r\nHost: x\r\n\r\n" },
      "127.0.0.1",
      8080,
      "/s?a=1",
    ],
    [{ DYNOMITE_FLORIDA_REQUEST: "GET /s HTTP/1.0\\r\\n" }, "127.0.0.1", 8080, "/s"],
  ])("of florida_provider is as %j says", (values, host, port, path) => {
    expect(seedSourceOf("florida_provider", variables(values), undefined)).toEqual({
      kind: "http",
      server: { host, port },
      path,
    });
  });

  it("of dns_provider is as the variables say", () => {
    const server = { host: "127.0.0.1", port: 8600 };
    expect(seedSourceOf("dns_provider", variables({}), undefined)).toEqual({
      kind: "dns",
      name: "_dynomite.ec2-internal",
      server: undefined,
    });
    const values = { DYNOMITE_DNS_NAME: "nodes.example", DYNOMITE_DNS_TYPE: "TXT" };
    expect(seedSourceOf("dns_provider", variables(values), server)).toEqual({
      kind: "dns",
      name: "nodes.example",
      server,
    });
  });

  it.each<["florida_provider" | "dns_provider", Record<string, string>, string]>([
    [
      "florida_provider",
      { DYNOMITE_FLORIDA_PORT: "0" },
      "DYNOMITE_FLORIDA_IP and DYNOMITE_FLORIDA_PORT cannot be",
    ],
    [
      "florida_provider",
      { DYNOMITE_FLORIDA_IP: "a b" },
      "DYNOMITE_FLORIDA_IP and DYNOMITE_FLORIDA_PORT cannot be",
    ],
    [
      "florida_provider",
      { DYNOMITE_FLORIDA_REQUEST: "POST /" },
      'DYNOMITE_FLORIDA_REQUEST cannot be "POST /"',
    ],
    [
      "florida_provider",
      { DYNOMITE_FLORIDA_REQUEST: "/a\u0000" },
      "DYNOMITE_FLORIDA_REQUEST cannot be",
    ],
    ["dns_provider", { DYNOMITE_DNS_TYPE: "A" }, "DYNOMITE_DNS_TYPE cannot be A"],
    ["dns_provider", { DYNOMITE_DNS_TYPE: "SRV" }, 'DYNOMITE_DNS_TYPE cannot be "SRV": give TXT'],
  ])("of %s cannot be %j", (provider, values, message) => {
    expect(() => seedSourceOf(provider, variables(values), undefined)).toThrow(
      expect.objectContaining({
        code: "BAD_SEED_SOURCE",
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe("asking for the members", () => {
  const HTTP: SeedSource = { kind: "http", server: { host: "h", port: 1 }, path: "/s" };
  const DNS: SeedSource = { kind: "dns", name: "n", server: undefined };

  /** Asks where the given answers come one after the other; an Error stands for none. */
  async function ask(source: SeedSource, answers: readonly (readonly string[] | Error)[]) {
    const waits: number[] = [];
    const left = [...answers];
    const next = () => {
      const answer = left.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no answer");
      return answer;
    };
    const lookup: SeedLookup = {
      http: async () => next()[0]!,
      dns: async () => next(),
    };
    const runtime = {
      after: (delayMs: number, task: () => void) => {
        waits.push(delayMs);
        queueMicrotask(task);
        return { cancel() {} };
      },
    };
    const seeds = await askSeeds(source, { lookup, runtime, log: SILENT }).catch((error) => error);
    return { seeds, waits, left: left.length };
  }

  it("takes what is separated by | or on lines of its own", async () => {
    expect(await ask(HTTP, [["a:1:r:d:1|b:1:r:d:2\r\n"]])).toEqual({
      seeds: ["a:1:r:d:1", "b:1:r:d:2"],
      waits: [],
      left: 0,
    });
    const { seeds } = await ask(DNS, [["a:1:r:d:1|b:1:r:d:2", "c:1:r:d:3,4"]]);
    expect(seeds).toEqual(["a:1:r:d:1", "b:1:r:d:2", "c:1:r:d:3,4"]);
  });

  it("goes on until there is an answer", async () => {
    const lost = new Error("nobody listens");
    expect(await ask(HTTP, [lost, [""], lost, ["a:1:r:d:1"]])).toEqual({
      seeds: ["a:1:r:d:1"],
      waits: [500, 1000, 2000],
      left: 0,
    });
  });

  it("ends with SEEDS_UNAVAILABLE, the source and the reason when there is none", async () => {
    const { seeds, waits } = await ask(HTTP, []);
    expect(seeds).toMatchObject({ code: "SEEDS_UNAVAILABLE" });
    expect(seeds.message).toContain("http://h:1/s does not say who the members are (no answer)");
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000]);
    expect((await ask(DNS, [])).seeds.message).toContain("the TXT record of n does not say");
  });

  it("ends at once with BAD_SEED when the answer names no members", async () => {
    const { seeds, left } = await ask(DNS, [["<html> a:1:r:d:1"], ["a:1:r:d:1"]]);
    expect(seeds).toMatchObject({ code: "BAD_SEED" });
    expect(seeds.message).toContain('"<html>" names no member');
    expect(left).toBe(1);
  });
});

describe("the host that the environment names", () => {
  const all = {
    EC2_PUBLIC_HOSTNAME: "ec2-host",
    EC2_PUBLIC_IPV4: "ec2-public",
    EC2_LOCAL_IPV4: "ec2-local",
    PUBLIC_HOSTNAME: "host",
    PUBLIC_IPV4: "public",
    LOCAL_IPV4: "local",
  };
  it.each<["aws" | "network", readonly string[], string | undefined]>([
    ["aws", Object.keys(all), "EC2_PUBLIC_HOSTNAME"],
    ["network", Object.keys(all), "PUBLIC_HOSTNAME"],
    ["aws", ["EC2_LOCAL_IPV4", "PUBLIC_HOSTNAME"], "EC2_LOCAL_IPV4"],
    ["aws", ["LOCAL_IPV4", "PUBLIC_IPV4"], "PUBLIC_IPV4"],
    ["network", ["EC2_PUBLIC_HOSTNAME"], undefined],
    ["aws", [], undefined],
  ])("with env: %s and %j is that of %s", (env, names, variable) => {
    const values: Record<string, string> = {};
    for (const name of names) values[name] = all[name as keyof typeof all];
    const host = advertisedHost(env, variables(values));
    expect(host).toEqual(
      variable === undefined ? undefined : { variable, host: all[variable as keyof typeof all] },
    );
  });
});
