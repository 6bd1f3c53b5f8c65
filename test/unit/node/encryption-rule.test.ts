// When a member of a ring that requires encryption may start.
import { expect, it } from "vitest";
import { Settings } from "../../../src/base/settings.ts";
import { requireMeansToEncrypt } from "../../../src/node/encryption-rule.ts";
import { nodeLinkCrypto } from "../../../src/runtime/node/link-crypto.ts";

const required = new Settings({ requireEncryption: true });
const bare = { hmacSha256: nodeLinkCrypto.hmacSha256 };

it.each([undefined, ""])(
  "a node with the secret %j does not start where encryption is required",
  (secret) => {
    expect(() => requireMeansToEncrypt(required, secret, nodeLinkCrypto)).toThrow(
      /^requireEncryption: .* this node has none: give all members the same one \(--cluster-secret-file/,
    );
  },
);

it("nor does one whose runtime cannot encrypt", () => {
  expect(() => requireMeansToEncrypt(required, "sixteen characters", bare)).toThrow(
    "this runtime has no AES-256-GCM",
  );
});

it("one that can, and one that need not, start", () => {
  requireMeansToEncrypt(required, "sixteen characters", nodeLinkCrypto);
  requireMeansToEncrypt(new Settings(), undefined, bare);
});
