// When Node.js sends what a turn has brought: at its end where much comes, at once where little does.

import { describe, expect, it } from "vitest";
import { endOfTurn } from "../../../src/runtime/node/end-of-turn.ts";

/**
 * One turn of the event loop in which `chunks` come one after the other, each of which asks for the end of the turn unless that
 * is asked for already, as the driver does: how often it was there before the turn was over.
 */
function turn(atEnd: (task: () => void) => void, chunks: number): Promise<number> {
  return new Promise((resolve) => {
    setImmediate(async () => {
      let ends = 0;
      let isAsked = false;
      for (let chunk = 0; chunk < chunks; chunk++) {
        if (!isAsked) {
          isAsked = true;
          atEnd(() => {
            isAsked = false;
            ends++;
          });
        }
        // The callback of a chunk is through when its microtasks are.
        await Promise.resolve();
      }
      resolve(ends);
    });
  });
}

async function turns(atEnd: (task: () => void) => void, count: number, chunks: number) {
  const run: number[] = [];
  for (let i = 0; i < count; i++) run.push(await turn(atEnd, chunks));
  return run;
}

describe("the end of a turn on Node.js", () => {
  it("is not awaited where one or two chunks come in a turn", async () => {
    const atEnd = endOfTurn();
    expect(new Set(await turns(atEnd, 200, 1))).toEqual(new Set([1]));
    expect(new Set(await turns(atEnd, 200, 2))).toEqual(new Set([2]));
  });

  it("is awaited where more come, but for a turn that is looked at now and then", async () => {
    const run = await turns(endOfTurn(), 500, 5);
    const prompt = run.slice(16).filter((ends) => ends > 0);
    expect(prompt.length).toBeGreaterThan(0);
    expect(prompt.length).toBeLessThan(10);
    expect(Math.max(...prompt)).toBeLessThanOrEqual(2);
  });

  it("is not awaited any more when fewer come again", async () => {
    const atEnd = endOfTurn();
    await turns(atEnd, 100, 5);
    const run = await turns(atEnd, 200, 1);
    expect(run[0]).toBe(0);
    expect(new Set(run.slice(100))).toEqual(new Set([1]));
  });

  it("runs every task once, and never within the call", async () => {
    const atEnd = endOfTurn();
    const ran: number[] = [];
    let isCalling = false;
    for (let i = 0; i < 1000; i++) {
      isCalling = true;
      atEnd(() => {
        expect(isCalling).toBe(false);
        ran.push(i);
      });
      isCalling = false;
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect([...ran].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });
});
