// A service with one route that Tenantry guards, and one that receives Tenantry's webhooks.
package main

import (
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	tenantry := NewTenantry(env("TENANTRY_URL", "http://127.0.0.1:8080"), env("TENANTRY_SERVICE_KEY", ""))
	webhooks, err := NewWebhooks(env("WEBHOOK_SECRET", ""))
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /workspaces/{workspace}/conversations", tenantry.Guard("conversations:read", conversations))
	mux.Handle("POST /webhooks", webhooks)

	listener, err := net.Listen("tcp", "127.0.0.1:"+env("PORT", "3000"))
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("Listening on http://%s", listener.Addr())
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

func conversations(response http.ResponseWriter, request *http.Request, caller Caller) {
	// Your data is stored under the tenant: the credential says which one, and never the caller.
	writeJSON(response, http.StatusOK, map[string]any{
		"tenantId":      caller.Tenant.ID,
		"workspaceId":   request.PathValue("workspace"),
		"conversations": []string{},
	})
}

func writeJSON(response http.ResponseWriter, status int, body any) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(status)
	if err := json.NewEncoder(response).Encode(body); err != nil {
		log.Printf("writing the answer: %v", err)
	}
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	if fallback == "" {
		log.Fatalf("%s is not set", name)
	}
	return fallback
}
