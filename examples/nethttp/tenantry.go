package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"
)

// Tenantry asks whose a credential is, and whether its holder may do what they ask for.
type Tenantry struct {
	url, serviceKey string
	client          *http.Client
}

// Caller is whose the credential is.
type Caller struct {
	Tenant struct{ ID, Name string }
	Actor  struct{ Type, ID, Name string }
}

type introspection struct {
	Active bool
	Caller
	Answers []struct {
		Allowed bool
		Reason  string
	}
}

func NewTenantry(url, serviceKey string) *Tenantry {
	return &Tenantry{url, serviceKey, &http.Client{Timeout: 2 * time.Second}}
}

// Guard lets the caller in if they have this permission in the workspace of the path.
func (t *Tenantry) Guard(permission string, next func(http.ResponseWriter, *http.Request, Caller)) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		refuse := func(status int, why string) {
			writeJSON(response, status, map[string]string{"error": why})
		}
		unauthorized := func() {
			response.Header().Set("WWW-Authenticate", "Bearer")
			refuse(http.StatusUnauthorized, "A valid API key or access token is required.")
		}
		scheme, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") || token == "" {
			unauthorized()
			return
		}
		found, err := t.introspect(request.Context(), token, permission, request.PathValue("workspace"))
		if err != nil {
			// Nobody gets in, and nobody is told that their credential is wrong.
			log.Printf("Tenantry cannot be asked: %v", err)
			response.Header().Set("Retry-After", "5")
			refuse(http.StatusServiceUnavailable, "Access cannot be checked right now. Try again in a moment.")
			return
		}
		switch {
		case !found.Active:
			unauthorized()
		case found.Answers[0].Reason == "not_found":
			refuse(http.StatusNotFound, "Workspace not found.")
		case !found.Answers[0].Allowed:
			if found.Answers[0].Reason == "unknown_permission" {
				log.Printf("%s is not declared in Tenantry's settings", permission)
			}
			refuse(http.StatusForbidden, "Your credential does not allow this.")
		default:
			next(response, request, found.Caller)
		}
	})
}

func (t *Tenantry) introspect(ctx context.Context, token, permission, workspace string) (*introspection, error) {
	question := map[string]string{"permission": permission, "workspaceId": workspace}
	body, err := json.Marshal(map[string]any{"token": token, "questions": []any{question}})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url+"/api/introspect", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+t.serviceKey)
	request.Header.Set("Content-Type", "application/json")
	answer, err := t.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", answer.Status)
	}
	var found introspection
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return nil, err
	}
	if found.Active && len(found.Answers) != 1 {
		return nil, fmt.Errorf("it gave %d answers to one question", len(found.Answers))
	}
	return &found, nil
}
