// What package.json and package-lock.json must say for the package to install and run everywhere.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RINGLET_VERSION } from "../../src/base/version.ts";

const root = new URL("../../", import.meta.url);

function read(path: string) {
  return JSON.parse(readFileSync(new URL(path, root), "utf8"));
}

it("the version in the sources is the package's", () => {
  expect(RINGLET_VERSION).toBe(read("package.json").version);
});

it("every dependency is pinned to one version", () => {
  const { dependencies, devDependencies } = read("package.json");
  for (const version of Object.values({ ...dependencies, ...devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe.each(["package-lock.json", ".ci/runtimes/package-lock.json"])("%s", (file) => {
  const packages: Readonly<Record<string, LockedPackage>> = read(file).packages;

  // npm leaves out what its registry does not serve at the time; `npm ci` then fails, or lacks the tool, elsewhere.
  it("has the packages of every platform", () => {
    for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
      for (const name of Object.keys(optionalDependencies)) {
        const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
        expect(places.filter((place) => place in packages)).not.toEqual([]);
      }
    }
  });

  it("names no registry", () => {
    for (const { resolved } of Object.values(packages)) expect(resolved).toBeUndefined();
  });
});
