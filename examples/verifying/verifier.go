// Serves GET / to keys with the scope orders:read, by the standard library alone (Go 1.19).
//
//	BASE=http://localhost:3000 KEY_ACCESS_TOKEN=… PORT=4000 go run examples/verifying/verifier.go
//
// KEY_ACCESS_TOKEN is the token of a key with the scope tokens:introspect:orders. Connections are kept open. A token is
// accepted only if the service confirms it: every failure is an error.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

const maxReply = 4 << 20

var (
	bearer = regexp.MustCompile(`^(?i:Bearer) +([\w.~+/-]+=*)$`)

	// ErrInactive means that the token is unknown, revoked, expired, or not accepted now.
	ErrInactive = errors.New("inactive")
	// ErrInsufficientScope means that the key is active, but lacks the scope.
	ErrInsufficientScope = errors.New("insufficient_scope")
)

type entry struct {
	Token      string `json:"token"`
	Scope      string `json:"scope"`
	ScopeError bool   `json:"scope_error"`
	IP         string `json:"ip,omitempty"`
}

// Key is an active key.
type Key struct {
	Active   *bool          `json:"active"`
	Error    string         `json:"error"`
	ID       string         `json:"client_id"`
	Name     string         `json:"username"`
	Scope    string         `json:"scope"`
	Owner    string         `json:"owner"`
	Expires  int64          `json:"exp"`
	Metadata map[string]any `json:"metadata"`
}

// Verifier asks a running service about tokens.
type Verifier struct {
	url, token string
	client     *http.Client
}

// NewVerifier returns a verifier. The token is that of a key with the scope tokens:introspect:<service>.
func NewVerifier(url, token string) *Verifier {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.IdleConnTimeout = 30 * time.Second
	return &Verifier{
		url:   strings.TrimRight(url, "/") + "/introspect/batch",
		token: token,
		client: &http.Client{
			Transport:     transport,
			Timeout:       2 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Verify returns the key of a token. With any error, refuse the request: ErrInactive with 401, ErrInsufficientScope
// with 403, and all others with 503.
func (v *Verifier) Verify(token, scope, ip string) (*Key, error) {
	if token == "" || len(token) > 4096 {
		return nil, ErrInactive
	}
	body, err := json.Marshal([]entry{{token, scope, true, ip}})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, v.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+v.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := v.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the service replied with status %d", response.StatusCode)
	}
	var keys []Key
	if err := json.Unmarshal(reply, &keys); err != nil {
		return nil, err
	}
	if len(keys) != 1 || keys[0].Active == nil {
		return nil, errors.New("the service's reply is malformed")
	}
	return decide(&keys[0], scope)
}

func decide(key *Key, scope string) (*Key, error) {
	if !*key.Active {
		if key.Error == ErrInsufficientScope.Error() {
			return nil, ErrInsufficientScope
		}
		return nil, ErrInactive
	}
	for _, each := range strings.Fields(key.Scope) {
		if each == scope {
			return key, nil
		}
	}
	return nil, ErrInsufficientScope
}

func main() {
	verifier := NewVerifier(os.Getenv("BASE"), os.Getenv("KEY_ACCESS_TOKEN"))
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		token := ""
		if match := bearer.FindStringSubmatch(request.Header.Get("Authorization")); match != nil {
			token = match[1]
		}
		ip, _, _ := net.SplitHostPort(request.RemoteAddr)
		key, err := verifier.Verify(token, "orders:read", ip)
		switch {
		case errors.Is(err, ErrInactive):
			writer.Header().Set("WWW-Authenticate", "Bearer")
			writer.WriteHeader(http.StatusUnauthorized)
		case errors.Is(err, ErrInsufficientScope):
			writer.WriteHeader(http.StatusForbidden)
		case err != nil:
			log.Print(err)
			writer.WriteHeader(http.StatusServiceUnavailable)
		default:
			json.NewEncoder(writer).Encode(map[string]string{"key": key.Name})
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
