// What a client does with Tenantry, through the package that openapi-generator generated.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"

	"example.com/flow/tenantry"
)

func main() {
	configuration := tenantry.NewConfiguration()
	configuration.Servers[0].URL = os.Getenv("TENANTRY_URL")
	client := tenantry.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), tenantry.ContextAccessToken, os.Getenv("TENANTRY_KEY"))

	// Create.
	brand, _, err := client.BrandsAPI.BrandsCreate(ctx).CreateBrand(*tenantry.NewCreateBrand("Acme", "Acme")).Execute()
	check(err)
	create := tenantry.NewCreateWorkspace("Nordics, Go")
	create.SetBrandId(brand.Id)
	create.SetCountry("SE")
	create.SetWorkspaceInstructions("Prices include VAT.")
	workspace, _, err := client.WorkspacesAPI.WorkspacesCreate(ctx).CreateWorkspace(*create).Execute()
	check(err)
	equal(workspace.Currency, "SEK")

	// Read.
	read, response, err := client.WorkspacesAPI.WorkspacesShow(ctx, workspace.Id).Execute()
	check(err)
	equal(read.GetWorkspaceInstructions(), "Prices include VAT.")
	etag := response.Header.Get("ETag")

	// Read every page of a list.
	for _, name := range []string{"Iberia", "Benelux"} {
		create := tenantry.NewCreateWorkspace(name)
		create.SetBrandId(brand.Id)
		_, _, err := client.WorkspacesAPI.WorkspacesCreate(ctx).CreateWorkspace(*create).Execute()
		check(err)
	}
	var names []string
	list := client.WorkspacesAPI.WorkspacesList(ctx).BrandId(brand.Id).Sort("name").Limit(2)
	for {
		page, _, err := list.Execute()
		check(err)
		for _, each := range page.Data {
			names = append(names, each.Name)
		}
		if !page.HasNextCursor() {
			break
		}
		list = list.Cursor(page.GetNextCursor())
	}
	equal(names, []string{"Benelux", "Iberia", "Nordics, Go"})

	// Change only what nobody else has changed. A field that is set to nil is sent as null, which clears it.
	change := tenantry.NewUpdateWorkspace()
	change.SetWorkspaceInstructionsNil()
	update := client.WorkspacesAPI.WorkspacesUpdate(ctx, workspace.Id).UpdateWorkspace(*change).IfMatch(etag)
	changed, _, err := update.Execute()
	check(err)
	equal(changed.WorkspaceInstructions.Get(), (*string)(nil))
	equal(changed.Name, "Nordics, Go")
	_, _, err = update.Execute()
	equal(problem(err).Code, "precondition_failed")

	// Errors are typed.
	create = tenantry.NewCreateWorkspace("")
	create.SetCountry("UK")
	_, _, err = client.WorkspacesAPI.WorkspacesCreate(ctx).CreateWorkspace(*create).Execute()
	invalid := problem(err)
	equal(invalid.Status, 422)
	codes := map[string]string{}
	for _, field := range invalid.Fields {
		codes[field.Field] = field.Code
	}
	equal(codes, map[string]string{"country": "unknown_country", "name": "empty"})

	// Delete, and restore.
	_, err = client.WorkspacesAPI.WorkspacesDelete(ctx, workspace.Id).Execute()
	check(err)
	_, _, err = client.WorkspacesAPI.WorkspacesShow(ctx, workspace.Id).Execute()
	equal(problem(err).Code, "not_found")
	restored, _, err := client.WorkspacesAPI.WorkspacesRestore(ctx, workspace.Id).Execute()
	check(err)
	equal(restored.Name, "Nordics, Go")

	// Record usage, and read it.
	record := client.UsageAPI.UsageRecord(ctx, workspace.Id).RecordUsage(*tenantry.NewRecordUsage(95, "call-1"))
	entry, _, err := record.Execute()
	check(err)
	usage, _, err := client.UsageAPI.UsageShow(ctx, workspace.Id).Execute()
	check(err)
	last := usage.Months[len(usage.Months)-1]
	equal(last.Month, entry.Month.Get().Month)
	equal(last.UsedMinutes, 2)

	// Read the audit log.
	events, _, err := client.AuditAPI.AuditList(ctx).SubjectId(workspace.Id).Sort("occurredAt").Execute()
	check(err)
	var actions []string
	for _, event := range events.Data {
		actions = append(actions, event.Action)
	}
	equal(actions, []string{"workspace.create", "workspace.update", "workspace.delete", "workspace.restore"})
	equal(events.Data[1].Changes["workspaceInstructions"].Before, any("Prices include VAT."))

	// The CallFluent dialect has the same workspaces, by number.
	all, _, err := client.CallFluentAPI.CallfluentGetAll(ctx).Execute()
	check(err)
	var number int64
	for _, each := range all.Workspaces {
		if each.Name == "Nordics, Go" {
			number = each.Id
		}
	}
	info, _, err := client.CallFluentAPI.CallfluentGet(ctx, number).Execute()
	check(err)
	equal(info.Data.UsedMins, 2)
	_, _, err = client.CallFluentAPI.CallfluentGet(ctx, 999999).Execute()
	equal(model[tenantry.CallFluentError](err).Status, false)
}

// The body of an error response of the native API.
func problem(err error) tenantry.Problem {
	return model[tenantry.Problem](err)
}

// The body of an error response.
func model[T any](err error) T {
	var refused *tenantry.GenericOpenAPIError
	if !errors.As(err, &refused) {
		panic(fmt.Sprintf("expected an error response, not %v", err))
	}
	body, ok := refused.Model().(T)
	if !ok {
		panic(fmt.Sprintf("%v has another body: %s", err, refused.Body()))
	}
	return body
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func equal[T any](actual, expected T) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("expected %#v, not %#v", expected, actual))
	}
}
