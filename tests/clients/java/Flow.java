import com.example.tenantry.ApiClient;
import com.example.tenantry.ApiException;
import com.example.tenantry.api.AuditApi;
import com.example.tenantry.api.AuditApi.APIAuditListRequest;
import com.example.tenantry.api.BrandsApi;
import com.example.tenantry.api.CallFluentApi;
import com.example.tenantry.api.UsageApi;
import com.example.tenantry.api.UsageApi.APIUsageShowRequest;
import com.example.tenantry.api.WorkspacesApi;
import com.example.tenantry.api.WorkspacesApi.APIWorkspacesListRequest;
import com.example.tenantry.api.WorkspacesApi.APIWorkspacesUpdateRequest;
import com.example.tenantry.model.CallFluentError;
import com.example.tenantry.model.CreateBrand;
import com.example.tenantry.model.CreateWorkspace;
import com.example.tenantry.model.Problem;
import com.example.tenantry.model.RecordUsage;
import com.example.tenantry.model.UpdateWorkspace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What a client does with Tenantry, through the package that openapi-generator generated. */
public final class Flow {
    private static final ApiClient client = new ApiClient();

    public static void main(String[] arguments) throws Exception {
        client.updateBaseUri(System.getenv("TENANTRY_URL"));
        client.setRequestInterceptor(
                request -> request.header("Authorization", "Bearer " + System.getenv("TENANTRY_KEY")));
        var brands = new BrandsApi(client);
        var workspaces = new WorkspacesApi(client);
        var usage = new UsageApi(client);
        var audit = new AuditApi(client);
        var callFluent = new CallFluentApi(client);

        // Create.
        var brand = brands.brandsCreate(new CreateBrand().name("Acme").emailFromName("Acme"));
        var workspace = workspaces.workspacesCreate(new CreateWorkspace()
                .name("Nordics, Java")
                .brandId(brand.getId())
                .country("SE")
                .workspaceInstructions("Prices include VAT."));
        equal(workspace.getCurrency(), "SEK");

        // Read.
        var read = workspaces.workspacesShowWithHttpInfo(workspace.getId(), null);
        equal(read.getData(), workspace);
        var etag = read.getHeaders().get("ETag").get(0);

        // Read every page of a list.
        for (var name : List.of("Iberia", "Benelux")) {
            workspaces.workspacesCreate(new CreateWorkspace().name(name).brandId(brand.getId()));
        }
        var names = new ArrayList<String>();
        String cursor = null;
        do {
            var request = APIWorkspacesListRequest.newBuilder().brandId(brand.getId()).sort("name").limit(2L);
            var page = workspaces.workspacesList(request.cursor(cursor).build());
            page.getData().forEach(each -> names.add(each.getName()));
            cursor = page.getNextCursor();
        } while (cursor != null);
        equal(names, List.of("Benelux", "Iberia", "Nordics, Java"));

        // Change only what nobody else has changed. A field that is set to null is sent as null, which clears it.
        var change = APIWorkspacesUpdateRequest.newBuilder()
                .workspaceId(workspace.getId())
                .ifMatch(etag)
                .updateWorkspace(new UpdateWorkspace().workspaceInstructions(null))
                .build();
        var changed = workspaces.workspacesUpdate(change);
        equal(changed.getWorkspaceInstructions(), null);
        equal(changed.getName(), "Nordics, Java");
        var outdated = problem(() -> workspaces.workspacesUpdate(change));
        equal(outdated.getCode(), "precondition_failed");

        // Errors have types, too.
        var invalid = problem(() -> workspaces.workspacesCreate(new CreateWorkspace().name("").country("UK")));
        equal(invalid.getStatus(), 422L);
        var codes = new HashMap<String, String>();
        invalid.getFields().forEach(field -> codes.put(field.getField(), field.getCode()));
        equal(codes, Map.of("country", "unknown_country", "name", "empty"));

        // Delete, and restore.
        workspaces.workspacesDelete(workspace.getId(), null);
        var missing = problem(() -> workspaces.workspacesShow(workspace.getId(), null));
        equal(missing.getCode(), "not_found");
        equal(workspaces.workspacesRestore(workspace.getId()).getName(), "Nordics, Java");

        // Record usage, and read it.
        var entry = usage.usageRecord(workspace.getId(), new RecordUsage().seconds(95L).reference("call-1"));
        var months = usage.usageShow(APIUsageShowRequest.newBuilder().workspaceId(workspace.getId()).build())
                .getMonths();
        var last = months.get(months.size() - 1);
        equal(last.getMonth(), entry.getMonth().getMonth());
        equal(last.getUsedMinutes(), 2L);

        // Read the audit log.
        var request = APIAuditListRequest.newBuilder().subjectId(workspace.getId()).sort("occurredAt").build();
        var events = audit.auditList(request);
        var actions = new ArrayList<String>();
        events.getData().forEach(event -> actions.add(event.getAction()));
        equal(actions, List.of("workspace.create", "workspace.update", "workspace.delete", "workspace.restore"));
        equal(events.getData().get(1).getChanges().get("workspaceInstructions").getBefore(), "Prices include VAT.");

        // The CallFluent dialect has the same workspaces, by number.
        var number = callFluent.callfluentGetAll().getWorkspaces().stream()
                .filter(each -> each.getName().equals("Nordics, Java"))
                .findFirst().orElseThrow().getId();
        equal(callFluent.callfluentGet(number).getData().getUsedMins(), 2L);
        equal(refused(CallFluentError.class, () -> callFluent.callfluentGet(999_999L)).getStatus(), false);
    }

    private interface Call {
        void run() throws ApiException;
    }

    private static Problem problem(Call call) throws Exception {
        return refused(Problem.class, call);
    }

    /** The body of the error response to a call. */
    private static <T> T refused(Class<T> body, Call call) throws Exception {
        try {
            call.run();
        } catch (ApiException error) {
            return client.getObjectMapper().readValue(error.getResponseBody(), body);
        }
        throw new AssertionError("the call was not refused");
    }

    private static void equal(Object actual, Object expected) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError("expected " + expected + ", not " + actual);
        }
    }
}
