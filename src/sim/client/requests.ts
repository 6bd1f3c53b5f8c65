/** Writes requests as clients send them; texts are one character per byte. */
export function encodeCommands(commands: readonly (readonly string[])[]): Uint8Array<ArrayBuffer> {
  let text = "";
  for (const command of commands) {
    text += `*${command.length}\r\n`;
    for (const word of command) text += `$${word.length}\r\n${word}\r\n`;
  }
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
