// Answers of the HTTP door.

export function text(status: number, body: string): Response {
  return respond(status, "text/plain; charset=utf-8", body);
}

export function json(value: unknown): Response {
  return respond(200, "application/json", `${JSON.stringify(value, undefined, 2)}\n`);
}

export function respond(status: number, type: string, body: string): Response {
  const headers = {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  return new Response(body, { status, headers });
}
