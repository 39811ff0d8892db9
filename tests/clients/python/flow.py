"""What a client does with Tenantry, through the package that openapi-python-client generated."""

import os
from http import HTTPStatus

from tenantry_client import AuthenticatedClient
from tenantry_client.api.audit import audit_list
from tenantry_client.api.brands import brands_create
from tenantry_client.api.call_fluent import callfluent_get, callfluent_get_all
from tenantry_client.api.usage import usage_record, usage_show
from tenantry_client.api.workspaces import (
    workspaces_create,
    workspaces_delete,
    workspaces_list,
    workspaces_restore,
    workspaces_show,
    workspaces_update,
)
from tenantry_client.models import (
    AuditEventList,
    AuditListSort,
    Brand,
    CallFluentError,
    CallFluentInfo,
    CallFluentWorkspaces,
    CreateBrand,
    CreateWorkspace,
    Problem,
    RecordedUsage,
    RecordUsage,
    UpdateWorkspace,
    Usage,
    Workspace,
    WorkspaceList,
    WorkspacesListSort,
)
from tenantry_client.types import UNSET, Unset

client = AuthenticatedClient(base_url=os.environ["TENANTRY_URL"], token=os.environ["TENANTRY_KEY"])

# Create.
brand = brands_create.sync(client=client, body=CreateBrand(name="Acme", email_from_name="Acme"))
assert isinstance(brand, Brand), brand
body = CreateWorkspace(name="Nordics, Python", brand_id=brand.id, country="SE", workspace_instructions="Prices include VAT.")
workspace = workspaces_create.sync(client=client, body=body)
assert isinstance(workspace, Workspace), workspace
assert workspace.currency == "SEK"

# Read.
read = workspaces_show.sync_detailed(workspace.id, client=client)
assert read.parsed == workspace
etag = read.headers["ETag"]

# Read every page of a list.
for name in ["Iberia", "Benelux"]:
    created = workspaces_create.sync(client=client, body=CreateWorkspace(name=name, brand_id=brand.id))
    assert isinstance(created, Workspace), created
names: list[str] = []
cursor: str | Unset = UNSET
while True:
    page = workspaces_list.sync(
        client=client, brand_id=brand.id, sort=WorkspacesListSort.NAME, limit=2, cursor=cursor
    )
    assert isinstance(page, WorkspaceList), page
    names += [each.name for each in page.data]
    cursor = page.next_cursor
    if not cursor:
        break
assert names == ["Benelux", "Iberia", "Nordics, Python"], names

# Change only what nobody else has changed. `None` clears a field; a field that is left out keeps its value.
change = UpdateWorkspace(workspace_instructions=None)
changed = workspaces_update.sync(workspace.id, client=client, body=change, if_match=etag)
assert isinstance(changed, Workspace), changed
assert changed.workspace_instructions is None
assert changed.name == "Nordics, Python"
outdated = workspaces_update.sync(workspace.id, client=client, body=change, if_match=etag)
assert isinstance(outdated, Problem), outdated
assert outdated.code == "precondition_failed"

# Errors are typed.
invalid = workspaces_create.sync(client=client, body=CreateWorkspace(name="", country="UK"))
assert isinstance(invalid, Problem), invalid
assert invalid.status == 422
assert invalid.fields
assert {(field.field, field.code) for field in invalid.fields} == {("country", "unknown_country"), ("name", "empty")}

# Delete, and restore.
deleted = workspaces_delete.sync_detailed(workspace.id, client=client)
assert deleted.status_code == HTTPStatus.NO_CONTENT
missing = workspaces_show.sync(workspace.id, client=client)
assert isinstance(missing, Problem), missing
assert missing.code == "not_found"
restored = workspaces_restore.sync(workspace.id, client=client)
assert isinstance(restored, Workspace), restored
assert restored.name == "Nordics, Python"

# Record usage, and read it.
entry = usage_record.sync(workspace.id, client=client, body=RecordUsage(seconds=95, reference="call-1"))
assert isinstance(entry, RecordedUsage), entry
assert entry.month
usage = usage_show.sync(workspace.id, client=client)
assert isinstance(usage, Usage), usage
assert [month.used_minutes for month in usage.months if month.month == entry.month.month] == [2]

# Read the audit log.
events = audit_list.sync(client=client, subject_id=workspace.id, sort=AuditListSort.OCCURREDAT)
assert isinstance(events, AuditEventList), events
actions = [event.action for event in events.data]
assert actions == ["workspace.create", "workspace.update", "workspace.delete", "workspace.restore"], actions
assert events.data[1].changes["workspaceInstructions"].before == "Prices include VAT."

# The CallFluent dialect has the same workspaces, by number.
everything = callfluent_get_all.sync(client=client)
assert isinstance(everything, CallFluentWorkspaces), everything
[number] = [each.id for each in everything.workspaces if each.name == "Nordics, Python"]
info = callfluent_get.sync(number, client=client)
assert isinstance(info, CallFluentInfo), info
assert info.data.used_mins == 2
unknown = callfluent_get.sync(999_999, client=client)
assert isinstance(unknown, CallFluentError), unknown
assert unknown.status is False
