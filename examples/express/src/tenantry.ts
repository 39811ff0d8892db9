// Asks Tenantry whose a credential is, and whether its holder may do what they ask for.
import type { RequestHandler } from "express";

const { TENANTRY_URL = "http://127.0.0.1:8080", TENANTRY_SERVICE_KEY } = process.env;
if (!TENANTRY_SERVICE_KEY) throw new Error("TENANTRY_SERVICE_KEY is not set");

type Introspection =
  | { active: false }
  | {
      active: true;
      tenant: { id: string; name: string };
      actor: { type: "api_key" | "member"; id: string; name: string };
      answers: { allowed: boolean; reason: string | null }[];
    };

export type Caller = Extract<Introspection, { active: true }>;

/** Lets the caller in if they have this permission in the workspace of the path. Puts who they are into `response.locals.caller`. */
export function guard(permission: string): RequestHandler<{ workspaceId: string }, unknown, unknown, unknown, { caller: Caller }> {
  return async (request, response, next) => {
    const unauthorized = () =>
      response.status(401).set("WWW-Authenticate", "Bearer").json({ error: "A valid API key or access token is required." });
    const token = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (!token) return void unauthorized();

    let found: Introspection;
    try {
      found = await introspect(token, permission, request.params.workspaceId);
    } catch (error) {
      // Nobody gets in, and nobody is told that their credential is wrong.
      console.error("Tenantry cannot be asked:", error);
      response.status(503).set("Retry-After", "5").json({ error: "Access cannot be checked right now. Try again in a moment." });
      return;
    }
    if (!found.active) return void unauthorized();

    const answer = found.answers[0];
    if (answer?.reason === "unknown_permission") console.error(`${permission} is not declared in Tenantry's settings`);
    if (answer?.reason === "not_found") return void response.status(404).json({ error: "Workspace not found." });
    if (!answer?.allowed) return void response.status(403).json({ error: "Your credential does not allow this." });
    response.locals.caller = found;
    next();
  };
}

async function introspect(token: string, permission: string, workspaceId: string): Promise<Introspection> {
  const answer = await fetch(new URL("/api/introspect", TENANTRY_URL), {
    method: "POST",
    headers: { Authorization: `Bearer ${TENANTRY_SERVICE_KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({ token, questions: [{ permission, workspaceId }] }),
    signal: AbortSignal.timeout(2000),
  });
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  return (await answer.json()) as Introspection;
}
