import { expect, test } from "vitest";
import { GuardedClock } from "../../../src/ring/guarded-clock.ts";

function clockAt(start: number) {
  const time = { wall: start, monotonic: 500 };
  const clock = new GuardedClock(
    () => time.wall,
    () => time.monotonic,
    1000,
  );
  const pass = (ms: number) => {
    time.wall += ms;
    time.monotonic += ms;
  };
  return { clock, time, pass };
}

test("the wall clock is believed while it goes on as the monotonic clock does", () => {
  const { clock, time, pass } = clockAt(1_000_000);
  pass(60_000);
  expect(clock.now()).toBe(1_060_000);
  time.wall += 900;
  expect(clock.now()).toBe(1_060_900);
  time.wall -= 900;
  expect(clock.now()).toBe(1_060_000);
  expect(clock.isInDoubt).toBe(false);
});

test.each([600_000, -600_000])("a jump of %i ms is not believed, and time goes on", (jump) => {
  const { clock, time, pass } = clockAt(10_000_000);
  time.wall += jump;
  expect(clock.now()).toBe(10_000_000);
  expect(clock.isInDoubt).toBe(true);
  pass(2500);
  expect(clock.now()).toBe(10_002_500);
});

test("a clock that is set right again is believed again", () => {
  const { clock, time, pass } = clockAt(10_000_000);
  time.wall += 600_000;
  pass(100);
  expect(clock.isInDoubt).toBe(true);
  time.wall -= 600_000;
  expect(clock.now()).toBe(10_000_100);
  expect(clock.isInDoubt).toBe(false);
});

test("a jump that others confirm is believed from then on", () => {
  const { clock, time, pass } = clockAt(10_000_000);
  time.wall += 600_000;
  clock.believe();
  pass(10);
  expect(clock.now()).toBe(10_600_010);
  expect(clock.isInDoubt).toBe(false);
});
