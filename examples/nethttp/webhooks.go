package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Webhooks receives the events of Tenantry.
type Webhooks struct {
	secret []byte
	// The ids of the events that arrived. Yours belong into a table with a unique key, in the transaction that stores the event.
	received sync.Map
}

func NewWebhooks(secret string) (*Webhooks, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, errors.New("the secret of the webhook is not base64")
	}
	return &Webhooks{secret: key}, nil
}

func (w *Webhooks) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, 1<<20))
	if err != nil {
		writeJSON(response, http.StatusBadRequest, map[string]string{"error": "The body cannot be read."})
		return
	}
	var event struct{ ID, Type string }
	if !w.signed(request.Header, body, time.Now()) || json.Unmarshal(body, &event) != nil {
		writeJSON(response, http.StatusBadRequest, map[string]string{"error": "The signature is not valid."})
		return
	}
	// Delivery is at least once: the same event can come again.
	if _, again := w.received.LoadOrStore(event.ID, true); again {
		log.Printf("again %s %s", event.Type, event.ID)
	} else {
		log.Printf("received %s %s", event.Type, event.ID)
	}
	response.WriteHeader(http.StatusNoContent)
}

// signed says whether one of the signatures is that of the raw body, and not older or newer than five minutes.
func (w *Webhooks) signed(header http.Header, body []byte, now time.Time) bool {
	sent, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, w.secret)
	mac.Write([]byte(header.Get("webhook-id") + "." + header.Get("webhook-timestamp") + "."))
	mac.Write(body)
	for _, signature := range strings.Fields(header.Get("webhook-signature")) {
		version, encoded, _ := strings.Cut(signature, ",")
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && err == nil && hmac.Equal(decoded, mac.Sum(nil)) {
			return true
		}
	}
	return false
}
