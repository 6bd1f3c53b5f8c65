// The built package as its users get it: what is in it, and the same smoke test of it in every runtime that it names.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import hashVectors from "../fixtures/hash-vectors.json" with { type: "json" };
import { startNode } from "./harness.ts";
import { bundle } from "./package/bundle.ts";
import { type InstalledPackage, installPackage } from "./package/installed.ts";
import { runInPage } from "./package/page.ts";
import { NODE_MAJORS, RUNTIMES, requireNode, requireRuntime } from "./package/runtimes.ts";
import { requireProgram } from "./programs.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let installed: InstalledPackage;
beforeAll(() => {
  installed = installPackage();
});
afterAll(() => installed?.remove());

describe("ringlet/codec, installed, passes its smoke test", () => {
  /** A runtime that reports fewer checks has not run the smoke test. */
  const leastChecks = hashVectors.keys.flatMap(({ tokens }) =>
    Object.values(tokens).filter((token) => token !== null),
  ).length;

  async function runSmoke(program: string, args: readonly string[], environment = {}) {
    const { stdout } = await run(program, args, {
      cwd: installed.folder,
      env: { ...process.env, ...environment },
    });
    expect(Number(stdout)).toBeGreaterThan(leastChecks);
  }

  it.for(NODE_MAJORS)("in Node.js %i", async (major, context) => {
    await runSmoke(requireNode(context, major), ["process.mjs"]);
  });

  it("in Deno", async (context) => {
    const deno = requireRuntime(context, "@deno/linux-x64-glibc/deno");
    const args = [
      "run",
      "--no-prompt",
      "--no-remote",
      "--cached-only",
      "--allow-read",
      "process.mjs",
    ];
    await runSmoke(deno, args, {
      DENO_DIR: join(installed.folder, ".deno"),
      DENO_NO_UPDATE_CHECK: "1",
    });
  });

  it("in Bun", async (context) => {
    const bun = requireRuntime(context, "@oven/bun-linux-x64/bin/bun");
    await runSmoke(bun, ["--no-install", "process.mjs"], { DO_NOT_TRACK: "1" });
  });

  it("in workerd", async (context) => {
    requireRuntime(context, "miniflare");
    // Miniflare itself needs Node.js 22; the worker runs in workerd.
    const node = requireNode(context, 22);
    const worker = join(installed.folder, "worker.mjs");
    const script = join(installed.folder, "worker.bundle.mjs");
    const modules = await bundle(worker, script, ["workerd"]);
    expect(modules).toEqual([join(installed.folder, "node_modules/ringlet/dist/codec.wasm")]);
    await runSmoke(node, [join(ROOT, "test/smoke/workerd.mjs"), RUNTIMES, script, ...modules]);
  });

  it("in Chromium", async (context) => {
    requireRuntime(context, "playwright-core");
    const chromium = requireProgram(context, "chromium");
    const script = join(installed.folder, "page.bundle.mjs");
    expect(await bundle(join(installed.folder, "page.mjs"), script, ["browser"])).toEqual([]);
    expect(await runInPage(RUNTIMES, chromium, script)).toBeGreaterThan(leastChecks);
  });
});

describe("ringlet serve, installed, answers a client", () => {
  it.for(NODE_MAJORS)("in Node.js %i", async (major, context) => {
    const node = await startNode({
      node: requireNode(context, major),
      main: join(installed.folder, "node_modules/ringlet/dist/cli/main.js"),
    });
    const socket = connect(node.port, node.host);
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes;
    });
    socket.write("PING\r\nSET greeting hello\r\nGET greeting\r\nHSET h f 1\r\nQUIT\r\n");
    await once(socket, "close");
    expect(received).toBe("+PONG\r\n+OK\r\n$5\r\nhello\r\n:1\r\n+OK\r\n");
    expect(await node.stop()).toMatchObject({ code: 0, signal: null });
  });
});

describe("the package", () => {
  it("holds the compiled code and what a reader needs, nothing else", () => {
    const others = installed.files.filter((file) => !file.startsWith("dist/"));
    expect(others.sort()).toEqual([
      ".ci/ringlet.mjs",
      ...["CHANGELOG.md", "LICENSE", "README.md", "package.json"],
    ]);
    const compiled = installed.files.filter((file) => file.startsWith("dist/"));
    expect(compiled.filter((file) => !/\.(js|js\.map|d\.ts|wasm)$/.test(file))).toEqual([]);
    expect(compiled).toContain("dist/codec.wasm");
    expect(compiled).toContain("dist/kernel.wasm");
  });

  it.each([
    ["codec.wasm", 18_000],
    ["kernel.wasm", 40_000],
  ])("holds a %s of at most %i bytes when gzipped", (file, most) => {
    const bytes = readFileSync(join(installed.folder, "node_modules/ringlet/dist", file));
    expect(gzipSync(bytes, { level: 9 }).length).toBeLessThanOrEqual(most);
  });

  it("is put together as package.json says (publint)", async () => {
    const pkgDir = join(installed.folder, "node_modules/ringlet");
    const { messages } = await publint({ pkgDir, strict: true, pack: false });
    expect(messages).toEqual([]);
  });

  it("has types that every way of importing finds (attw)", async () => {
    const attw = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const args = [installed.tarball, "--profile", "esm-only", "--no-definitely-typed"];
    const files = ["--exclude-entrypoints", "codec.wasm", "kernel.wasm"];
    await run(process.execPath, [attw, ...args, ...files]).catch((error) => {
      throw new Error(error.stdout);
    });
  });

  it("does what the README's example of the codec says", async () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const [, example] = /```js\n(import \{ loadCodec[\s\S]*?)```/.exec(readme)!;
    writeFileSync(join(installed.folder, "example.mjs"), example!);
    const { stdout } = await run(process.execPath, ["example.mjs"], { cwd: installed.folder });
    const promised = [...example!.matchAll(/^console\.log.*; \/\/ (.*)$/gm)].map(
      ([, text]) => text,
    );
    expect(promised.length).toBeGreaterThan(0);
    expect(stdout.trimEnd().split("\n")).toEqual(promised);
  });

  it("has types that a strict project without Node's can use", async () => {
    writeFileSync(
      join(installed.folder, "user.ts"),
      'import { type Codec, loadCodec, type Token } from "ringlet/codec";\n' +
        "const codec: Codec = loadCodec();\n" +
        'export const token: Token = codec.hashKey("murmur", "user:1");\n' +
        '// @ts-expect-error: there is no such hash\ncodec.hashKey("sha", "user:1");\n',
    );
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--types", ""];
    const target = [
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--lib",
      "es2023,dom,esnext.disposable",
    ];
    await run(process.execPath, [tsc, ...flags, ...target, "user.ts"], {
      cwd: installed.folder,
    }).catch((error) => {
      throw new Error(error.stdout);
    });
  });
});
