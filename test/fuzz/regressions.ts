/** Inputs that a parser once got wrong, or that the fuzzer itself did. They must keep passing. */

export interface FuzzRegression {
  readonly target: string;
  readonly variant: number;
  /** The input. */
  readonly hex: string;
  /** What it is about. */
  readonly about: string;
}

export const FUZZ_REGRESSIONS: readonly FuzzRegression[] = [
  {
    target: "resp-request",
    variant: 978431274,
    hex: "2a2d393232333337323033363835343737353830383835343737353830380d0a24360d0a4558495354530d0a",
    about: "a negative count whose first 19 digits are -2^63, and that goes on",
  },
  {
    target: "memcached-request",
    variant: 1,
    hex: "67657400206b0d0a6d6e000d0a",
    about: "a command name with a NUL behind it is another name",
  },
  {
    target: "memcached-reply",
    variant: 1,
    hex: "4f4b000d0a",
    about: "a status with a NUL behind it is another word",
  },
  {
    target: "memcached-reply",
    variant: 3589062028,
    hex: "53544154207069640d353130390d0a535441542061206220630d0a454e440d0a",
    about: "a CR inside of a statistic",
  },
  {
    target: "dnode-redis",
    variant: 1054986901,
    hex: "202020202024323031342420353934323737393330343931373838343337362035203020312030203235302064202a31350d0a24390d0a364ffa7c2735e7ad390d0a20202024323031342420313932313935393337303039373732303335392035203020312031202a312064202a380d0a7c300d0a7e300d0a",
    about: "a data length that reaches over the next frame, in a header that turns out to be none",
  },
  {
    target: "dnode-redis",
    variant: 2396485486,
    hex: "2020202432303134242034333032303031353430333539373631343730203320313420312030202a312064202a35300d0a2a330d0a24360d0a4558495354530d0a24360d0a7b7461677d610d0a2431350d0aa33f32915e9359b321073259088c390d0a",
    about: "a payload that is too long and also wrong",
  },
  {
    target: "resp-reply",
    variant: 7,
    hex: "2a3f0d0a7c310d0a2b610d0a2b620d0a2e0d0a",
    about: "the end of an array where an attribute waits for its value",
  },
];
