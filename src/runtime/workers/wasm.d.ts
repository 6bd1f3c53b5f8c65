/** A static import of a WebAssembly file is a compiled module on workerd. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
