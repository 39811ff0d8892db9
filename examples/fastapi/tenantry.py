"""Asks Tenantry whose a credential is, and whether its holder may do what they ask for."""

import logging
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import httpx
from fastapi import Depends, HTTPException, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

log = logging.getLogger("uvicorn.error")

# One client for all requests: it keeps its connections open.
client = httpx.AsyncClient(
    base_url=os.environ.get("TENANTRY_URL", "http://127.0.0.1:8080"),
    headers={"Authorization": f"Bearer {os.environ['TENANTRY_SERVICE_KEY']}"},
    timeout=2,
)

bearer = HTTPBearer(auto_error=False)


def guard(permission: str) -> Callable[..., Awaitable[dict[str, Any]]]:
    """A dependency that lets the caller in if they have this permission in the workspace of the path. Returns who they are."""

    async def check(
        workspace_id: str, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> dict[str, Any]:
        if credentials is None:
            raise unauthorized()
        found = await introspect(credentials.credentials, permission, workspace_id)
        if not found["active"]:
            raise unauthorized()
        answer = found["answers"][0]
        if answer["reason"] == "unknown_permission":
            log.error("%s is not declared in Tenantry's settings", permission)
        if answer["reason"] == "not_found":
            raise HTTPException(status.HTTP_404_NOT_FOUND, "Workspace not found.")
        if not answer["allowed"]:
            raise HTTPException(status.HTTP_403_FORBIDDEN, "Your credential does not allow this.")
        return found

    return check


async def introspect(token: str, permission: str, workspace_id: str) -> dict[str, Any]:
    """One question about a credential. If there is no answer, nobody gets in, and nobody is told that their credential is wrong."""
    question = {"permission": permission, "workspaceId": workspace_id}
    try:
        answer = await client.post("/api/introspect", json={"token": token, "questions": [question]})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
    except (httpx.HTTPError, ValueError) as error:
        log.error("Tenantry cannot be asked: %r", error)
        raise HTTPException(
            status.HTTP_503_SERVICE_UNAVAILABLE,
            "Access cannot be checked right now. Try again in a moment.",
            {"Retry-After": "5"},
        ) from error


def unauthorized() -> HTTPException:
    return HTTPException(
        status.HTTP_401_UNAUTHORIZED, "A valid API key or access token is required.", {"WWW-Authenticate": "Bearer"}
    )
