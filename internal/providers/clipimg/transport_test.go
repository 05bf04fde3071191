package clipimg_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"huizhi/internal/providers"
	"huizhi/internal/providers/clipimg"
	"huizhi/internal/providers/simulator"
)

// listen accepts connections until the test ends and gives each to handle, which may do to it whatever it likes.
func listen(t *testing.T, handle func(*net.TCPConn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var handlers sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		handlers.Wait()
	})
	handlers.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handlers.Go(func() {
				defer conn.Close()
				handle(conn.(*net.TCPConn))
			})
		}
	})
	return l.Addr().String()
}

// readRequest reads one whole request.
func readRequest(conn net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	return err
}

func refusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestBrokenConnectionsSayWhatTheyProve(t *testing.T) {
	t.Parallel()
	plain := listen(t, func(conn *net.TCPConn) { io.WriteString(conn, "this is not TLS\n") })
	selfSigned := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(selfSigned.Close)
	answerThen := func(answer string, linger int) string {
		return "http://" + listen(t, func(conn *net.TCPConn) {
			if readRequest(conn) != nil {
				return
			}
			io.WriteString(conn, answer)
			conn.SetLinger(linger)
		})
	}
	for name, c := range map[string]struct {
		address string
		want    providers.Outcome
	}{
		"port refused":          {"http://" + refusedAddress(t), providers.OutcomeNotSent},
		"name unknown":          {"http://clipimg.invalid", providers.OutcomeNotSent},
		"no TLS":                {"https://" + plain, providers.OutcomeNotSent},
		"certificate not valid": {selfSigned.URL, providers.OutcomeNotSent},
		"reset while the request was read": {"http://" + listen(t, func(conn *net.TCPConn) {
			conn.Read(make([]byte, 1)) // any earlier, and the reset may be seen before there is a connection
			conn.SetLinger(0)
		}), providers.OutcomeUnknown},
		"reset after the request was read":  {answerThen("", 0), providers.OutcomeUnknown},
		"closed after the request was read": {answerThen("", -1), providers.OutcomeUnknown},
		"cut in the headers":                {answerThen("HTTP/1.1 200 OK\r\nContent-", -1), providers.OutcomeUnknown},
		"cut in the body":                   {answerThen("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"code\":0", -1), providers.OutcomeUnknown},
		"cut after all that matters": {
			answerThen("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"code\":0,\"data\":{\"application_no\":\"RA1\"}}", -1),
			providers.OutcomeUnknown,
		},
		"not HTTP": {answerThen("your-api-key 110101199001011234\r\n\r\n", -1), providers.OutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			no, err := newClient(t, c.address).Submit(t.Context(), providers.Application{})
			if no != "" || providers.OutcomeOf(err) != c.want {
				t.Errorf("%q, %v, want %s", no, err, c.want)
			}
			assertHarmless(t, err)
		})
	}
}

// assertHarmless fails if the key, an address or anything that was sent could get from an error into a log.
func assertHarmless(t *testing.T, err error) {
	t.Helper()
	for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, key) || strings.Contains(text, "1101011990") || strings.Contains(text, "apikey") {
			t.Errorf("the error tells secrets: %s", text)
		}
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		t.Errorf("the chain of %v holds the address", err)
	}
}

func TestTimeoutsSayWhatTheyProve(t *testing.T) {
	t.Parallel()
	t.Run("before there was a connection", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		c, err := clipimg.New(clipimg.Config{APIKey: key, HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Submit(ctx, providers.Application{})
		if providers.OutcomeOf(err) != providers.OutcomeNotSent || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("while waiting for the answer", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		address := listen(t, func(conn *net.TCPConn) {
			readRequest(conn)
			cancel() // the client gives up when everything has arrived
			io.Copy(io.Discard, conn)
		})
		_, err := newClient(t, "http://"+address).Submit(ctx, providers.Application{})
		if providers.OutcomeOf(err) != providers.OutcomeUnknown || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		assertHarmless(t, err)
	})
	t.Run("by the client's own timeout", func(t *testing.T) {
		t.Parallel()
		address := listen(t, func(conn *net.TCPConn) { io.Copy(io.Discard, conn) })
		c, err := clipimg.New(clipimg.Config{APIKey: key, BaseURL: "http://" + address, HTTPClient: &http.Client{Timeout: 50 * time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Types(t.Context())
		if providers.OutcomeOf(err) != providers.OutcomeUnknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		assertHarmless(t, err)
	})
}

// A kept connection that the server closed meanwhile is the one case in which net/http itself sends a POST again.
func TestKeptConnectionThatWasClosedIsReplaced(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	requests := 0
	address := listen(t, func(conn *net.TCPConn) {
		if readRequest(conn) != nil {
			return
		}
		mu.Lock()
		requests++
		mu.Unlock()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n"+`{"code":0,"data":{"application_no":"RA1"}}`)
	})
	c := newClient(t, "http://"+address)
	succeeded, unknown := 0, 0
	for range 50 {
		switch _, err := c.Submit(t.Context(), providers.Application{}); providers.OutcomeOf(err) {
		case "":
			succeeded++
		case providers.OutcomeUnknown:
			unknown++
		default:
			t.Errorf("got %v", err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if requests < succeeded || requests > succeeded+unknown || succeeded == 0 {
		t.Errorf("the server saw %d requests, the client %d successes and %d unknown", requests, succeeded, unknown)
	}
}

// The promise that everything else builds on, tried with every fault at once: what the client calls not sent, refused,
// throttled or stopped has created nothing, and each number it returns belongs to the one application that it made.
func TestOutcomesNeverPromiseTooMuch(t *testing.T) {
	t.Parallel()
	var faults []simulator.Fault
	for _, kind := range []simulator.Kind{
		simulator.Reset, simulator.Cut, simulator.Truncated, simulator.Empty, simulator.HTML, simulator.ServerError,
	} {
		faults = append(faults,
			simulator.Fault{Op: simulator.OpSubmit, Kind: kind, Rate: 0.06},
			simulator.Fault{Op: simulator.OpSubmit, Kind: kind, After: true, Rate: 0.06})
	}
	for _, code := range []int{2001, 2002} {
		faults = append(faults, simulator.Fault{Op: simulator.OpSubmit, Kind: simulator.Code, Code: code, After: true, Rate: 0.06})
	}
	faults = append(faults,
		simulator.Fault{Op: simulator.OpSubmit, Kind: simulator.Throttle, Rate: 0.06},
		simulator.Fault{Op: simulator.OpSubmit, Kind: simulator.Code, Code: 1013, Rate: 0.06})
	server, client := startSimulator(t, simulator.Config{Faults: simulator.Faults{Seed: 7, List: faults}})

	const total = 600
	var mu sync.Mutex
	outcomes, numbers := make(map[string]providers.Outcome), make(map[string]string)
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := w; i < total; i += 8 {
				ref := fmt.Sprint("ref-", i)
				a := providers.Application{
					TypeID: 1, PhotoURL: "http://photos.invalid/", Simulate: true,
					CustomFields: map[string]string{"city": "广东省,深圳市", providers.ReferenceField: ref},
				}
				if i%10 == 0 {
					a.TypeID = 99
				}
				no, err := client.Submit(t.Context(), a)
				mu.Lock()
				outcomes[ref], numbers[ref] = providers.OutcomeOf(err), no
				mu.Unlock()
			}
		})
	}
	workers.Wait()

	made := make(map[string][]string)
	for _, a := range server.Applications() {
		ref := a.CustomFields[providers.ReferenceField]
		made[ref] = append(made[ref], a.No)
	}
	seen := make(map[providers.Outcome]int)
	for ref, outcome := range outcomes {
		seen[outcome]++
		switch n := len(made[ref]); {
		case n > 1:
			t.Errorf("%s was submitted once and made %d applications", ref, n)
		case outcome == "" && (n != 1 || made[ref][0] != numbers[ref]):
			t.Errorf("%s succeeded as %s, the provider has %v", ref, numbers[ref], made[ref])
		case outcome != "" && outcome != providers.OutcomeUnknown && n != 0:
			t.Errorf("%s is %s, but the provider has %v", ref, outcome, made[ref])
		}
	}
	for _, o := range []providers.Outcome{
		"", providers.OutcomeUnknown, providers.OutcomeRefused, providers.OutcomeAccount, providers.OutcomeThrottled,
	} {
		if seen[o] == 0 {
			t.Errorf("outcome %q never happened: %v", o, seen)
		}
	}
}

// BenchmarkSubmit measures submits per second over loopback, the simulator included.
func BenchmarkSubmit(b *testing.B) {
	_, client := startSimulator(b, simulator.Config{StatePath: b.TempDir(), Pace: simulator.Pace{Pending: time.Hour}})
	a := providers.Application{
		TypeID: 1, PhotoURL: "http://photos.invalid/",
		CustomFields: map[string]string{"city": "广东省,深圳市", providers.ReferenceField: "r"},
	}
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := client.Submit(b.Context(), a); err != nil && !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
}
