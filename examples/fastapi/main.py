"""A service with one route that Tenantry guards, and one that receives Tenantry's webhooks."""

import logging
import os
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

from tenantry import guard

log = logging.getLogger("uvicorn.error")
app = FastAPI()
webhook = Webhook(os.environ["WEBHOOK_SECRET"])

# The ids of the events that arrived. Yours belong into a table with a unique key, in the transaction that stores the event.
received: set[str] = set()


@app.get("/workspaces/{workspace_id}/conversations")
async def conversations(
    workspace_id: str, caller: Annotated[dict[str, Any], Depends(guard("conversations:read"))]
) -> dict[str, Any]:
    # Your data is stored under the tenant: the credential says which one, and never the caller.
    return {"tenantId": caller["tenant"]["id"], "workspaceId": workspace_id, "conversations": []}


@app.post("/webhooks", status_code=204)
async def webhooks(request: Request) -> Response:
    try:
        # ValueError: the library does not expect every malformed header.
        event = webhook.verify(await request.body(), dict(request.headers))
    except (WebhookVerificationError, ValueError) as error:
        raise HTTPException(400, "The signature is not valid.") from error
    # Delivery is at least once: the same event can come again.
    if event["id"] in received:
        log.info("again %s %s", event["type"], event["id"])
    else:
        received.add(event["id"])
        log.info("received %s %s", event["type"], event["id"])
    return Response(status_code=204)


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "3000")))
