/** `codec.wasm` as base64. The build replaces the compiled form of this file by one that holds the module it has just built. */
export const codecBase64: string = "";
