import { expect, test } from "vitest";
import { outcomeOfError } from "../../../src/sim/history.ts";

const NO_QUORUM = "ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 0 answered)";

test("an error is a failure only where it rules out that anything was done", () => {
  expect(outcomeOfError(NO_QUORUM)).toBe("fail");
  expect(outcomeOfError(`${NO_QUORUM}: the outcome of the write is unknown`)).toBe("unknown");
  expect(outcomeOfError(`${NO_QUORUM}; other keys of the command have been written`)).toBe(
    "unknown",
  );
  expect(outcomeOfError("ERR something new")).toBe("unknown");
});
