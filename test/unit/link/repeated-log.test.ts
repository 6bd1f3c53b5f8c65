/** What repeats at every retry is said once. */
import { expect, test } from "vitest";
import { SILENT } from "../../../src/base/logger.ts";
import { RepeatedLog } from "../../../src/link/repeated-log.ts";

function logging() {
  const said: string[] = [];
  const warn = (message: string) => {
    said.push(message);
  };
  return { said, log: new RepeatedLog({ ...SILENT, warn }) };
}

test("a line comes again only for another reason, and numbers do not make one", () => {
  const { said, log } = logging();
  log.say("link 1", "the clock is 12034 ms off", "one");
  log.say("link 1", "the clock is 12035 ms off", "two");
  log.say("link 2", "the clock is 12035 ms off", "three");
  log.say("link 1", "nobody listens", "four");
  log.say("link 1", "the clock is 1 ms off", "five");
  expect(said).toEqual(["one", "three", "four", "five"]);
});

test("what is over is said again when it comes back", () => {
  const { said, log } = logging();
  log.say("link 1", "nobody listens", "one");
  log.forget("link 1");
  log.say("link 1", "nobody listens", "two");
  expect(said).toEqual(["one", "two"]);
});

test("strangers of ever new addresses do not make it grow: the oldest is forgotten", () => {
  const { said, log } = logging();
  log.say("host 0", "x", "first");
  for (let i = 1; i <= 1024; i++) log.say(`host ${i}`, "x", "");
  log.say("host 0", "x", "first again");
  expect(said.filter((line) => line !== "")).toEqual(["first", "first again"]);
});
