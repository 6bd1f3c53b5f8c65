// Any text makes diagnostics, and never an exception: random ones, and files that are right but for a few changes.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readConfiguration } from "../../../src/conf/configuration.ts";
import { keyNames } from "../../../src/conf/keys.ts";

const EXAMPLE = readFileSync(new URL("../../../examples/ringlet.yml", import.meta.url), "utf8");

/** Reads a text twice, and checks what holds of every answer. */
function check(text: string): void {
  const { configuration, diagnostics } = readConfiguration(text);
  const lines = text.split(/\r?\n|\r/).length;
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(configuration === undefined).toBe(errors.length > 0);
  for (const { line, column, message } of diagnostics) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).toMatch(/^[^\n\r]+$/);
    expect(message.length).toBeLessThan(600);
  }
  expect(readConfiguration(text).diagnostics).toEqual(diagnostics);
}

const scalar = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom(
    "0",
    "-1",
    "true",
    "off",
    "{}",
    "[]",
    "a:1",
    "a:1:1",
    "a:1:r:d:1",
    "~",
    "''",
    "|",
  ),
  fc.integer().map(String),
  fc.bigInt().map(String),
);

const key = fc.oneof(fc.constantFrom(...keyNames()), fc.string({ maxLength: 8 }));

const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
  fc.array(scalar, { maxLength: 3 }).map((items) => items.map((item) => `\n  - ${item}`).join("")),
  fc.tuple(scalar, scalar).map(([name, inner]) => `\n    ${name}: ${inner}`),
);

it("any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), check), { numRuns: 500 });
});

it("any text of the signs of YAML", () => {
  const signs = fc.constantFrom(..."ab01:-?#&*!|>'\"%@`{}[], \t\n\r<~=".split(""));
  fc.assert(fc.property(fc.string({ unit: signs, maxLength: 60 }), check), { numRuns: 1000 });
});

it("any keys and values", () => {
  const pool = fc
    .array(fc.tuple(key, value), { maxLength: 8 })
    .map((entries) => `p:\n${entries.map(([name, text]) => `  ${name}: ${text}\n`).join("")}`);
  fc.assert(fc.property(pool, check), { numRuns: 1000 });
});

it("the example, cut short or changed at any place", () => {
  const place = fc.nat(EXAMPLE.length);
  const changed = fc
    .tuple(place, fc.nat(20), fc.string({ unit: "binary", maxLength: 4 }))
    .map(([at, length, text]) => EXAMPLE.slice(0, at) + text + EXAMPLE.slice(at + length));
  fc.assert(
    fc.property(
      fc.oneof(
        changed,
        place.map((end) => EXAMPLE.slice(0, end)),
      ),
      check,
    ),
    { numRuns: 200 },
  );
});
