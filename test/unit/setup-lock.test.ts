// The lock that keeps two set-ups of one checkout apart (.ci/lock.mjs).
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

type TakeLock = (file: string, onWait: (pid: string) => void) => Promise<() => void>;

// A plain JavaScript module without types.
const module: string = "../../.ci/lock.mjs";
const { takeLock } = (await import(module)) as { takeLock: TakeLock };

function lockFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "ringlet-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "lock");
}

const noWait = () => {
  throw new Error("waited");
};

it("is taken by one at a time, in turn", async () => {
  const file = lockFile();
  const order: string[] = [];
  const release = await takeLock(file, noWait);
  const second = takeLock(file, (pid) => order.push(`waits for ${pid}`)).then((done) => {
    order.push("second");
    done();
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  order.push("first lets go");
  release();
  await second;
  expect(order).toEqual([`waits for ${process.pid}`, "first lets go", "second"]);
  expect(existsSync(file)).toBe(false);
});

it("is taken from a process that has died", async () => {
  const file = lockFile();
  // No process has this id: it is above the largest that Linux gives.
  writeFileSync(file, `99999999 ${hostname()}`);
  const release = await takeLock(file, noWait);
  expect(readFileSync(file, "utf8")).toBe(`${process.pid} ${hostname()}`);
  release();
});

it("is taken when it is older than any set-up, whoever holds it", async () => {
  const file = lockFile();
  writeFileSync(file, `1 another-machine`);
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(file, hourAgo, hourAgo);
  (await takeLock(file, noWait))();
  expect(existsSync(file)).toBe(false);
});

it("is not released by one who has lost it", async () => {
  const file = lockFile();
  const release = await takeLock(file, noWait);
  writeFileSync(file, "1 another-machine");
  release();
  expect(readFileSync(file, "utf8")).toBe("1 another-machine");
});
