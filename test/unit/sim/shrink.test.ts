// Shrinking a list of faults: what is left is what the failure needs, within the runs that it may take.
import { expect, it } from "vitest";
import type { Fault } from "../../../src/sim/faults/fault.ts";
import { shrinkFaults } from "../../../src/sim/shrink.ts";

const FAULTS: Fault[] = Array.from({ length: 50 }, (_, i) => ({
  kind: "pause",
  atMs: i,
  forMs: 1,
  node: `${i}`,
}));

const needing =
  (...times: number[]) =>
  (faults: readonly Fault[]) =>
    Promise.resolve(times.every((time) => faults.some((fault) => fault.atMs === time)));

it.each([[[]], [[0]], [[49]], [[3, 4, 31]], [[0, 25, 49]]])(
  "a failure that needs the faults %j is shrunk to them",
  async (times) => {
    const shrunk = await shrinkFaults(FAULTS, needing(...times), 1000);
    expect(shrunk.map((fault) => fault.atMs)).toEqual(times);
  },
);

it("runs no more often than it may, and then keeps what it has", async () => {
  let runs = 0;
  const fails = needing(3, 31);
  const shrunk = await shrinkFaults(
    FAULTS,
    (faults) => {
      runs++;
      return fails(faults);
    },
    10,
  );
  expect(runs).toBe(10);
  expect(shrunk.length).toBeLessThan(50);
  expect(await fails(shrunk)).toBe(true);
});
