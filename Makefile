# Huizhi. `make run` and `make test` do all set-up themselves; `make help` lists the rest.
SHELL := /bin/sh
OCR_DIR := build/ocr/assets
GO := go
# nodynamic: HEIC is decoded in the WASM sandbox always, never by a system library loaded into the process.
TAGS := -tags nodynamic

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

.PHONY: run
run: ocr ## set up what is missing, then serve the demo on http://127.0.0.1:8080
	@mkdir -p bin
	$(GO) build $(TAGS) -o bin/web ./cmd/web
	HUIZHI_DEMO=true ./bin/web serve

.PHONY: ocr
ocr: ## install the local OCR engine (51 MB) into build/ocr/assets
	@sh build/ocr/install.sh $(OCR_DIR) || echo "ocr: going on without the local OCR engine"

.PHONY: test
test: ## set up what is missing, then run every check that CI runs
	@sh scripts/setup
	@$(MAKE) --no-print-directory check

.PHONY: check
check: fmt-check gen-check lint unit e2e ## all checks, on a machine that is set up

.PHONY: fmt-check
fmt-check: ## every Go file is formatted
	@out=$$(gofmt -l cmd internal migrations web e2e); [ -z "$$out" ] || { echo "not formatted:"; echo "$$out"; exit 1; }

.PHONY: gen
gen: node_modules/.stamp ## make the generated files: templates, style sheet, scripts
	$(GO) tool templ generate -include-version=false
	npm run --silent build

.PHONY: gen-check
gen-check: gen ## the committed generated files match their sources
	@git diff --exit-code --stat -- '*_templ.go' web/static/dist || { echo "generated files differ: run make gen and commit"; exit 1; }
	npm run --silent types

.PHONY: lint
lint: ## vet and staticcheck; the import table is a test (internal/archtest)
	$(GO) vet $(TAGS) ./...
	$(GO) tool -modfile=build/lint/go.mod staticcheck -tags nodynamic ./...

# Packages that crunch pixels in one goroutine: the race detector finds nothing there and costs ten times the time.
PIXELS := internal/demo|internal/ocr/(cardgen|ocreval|ppocr)|internal/photos/imaging

# Some hundred faults one after the other; under the race detector it alone takes seven minutes, and
# TestInvariantsHoldUnderRandomFaults walks the same code there.
MATRIX := ^TestFaultMatrix$$

# Under the race detector, what is not ours is not looked into: SQLite is C translated to Go and its memory is its own,
# argon2 crunches. They take five times as long with it. Locks are still followed, they are the standard library's.
RACE := -race $(foreach p,modernc.org/sqlite/lib modernc.org/libc golang.org/x/crypto/argon2 golang.org/x/crypto/blake2b,-gcflags=$(p)=-race=false)

.PHONY: unit
unit: ## unit, store, provider and fault tests on SQLite and PostgreSQL, with the race detector
	@scripts/with-postgres $(GO) test $(RACE) -skip '$(MATRIX)' $(TAGS) -timeout 15m $$($(GO) list $(TAGS) ./cmd/... ./internal/... ./migrations/... ./web/... | grep -Ev '$(PIXELS)')
	@scripts/with-postgres $(GO) test $(TAGS) -timeout 15m $$($(GO) list $(TAGS) ./internal/... | grep -E '$(PIXELS)')
	@scripts/with-postgres $(GO) test -run '$(MATRIX)' $(TAGS) -timeout 15m ./internal/orders

.PHONY: e2e
e2e: ## the whole journey in a real browser, on both databases and in both languages
	@scripts/with-postgres $(GO) test $(TAGS) -count=1 -timeout 15m ./e2e/...

.PHONY: chaos
chaos: ## every fault of the provider x every call, and SIGKILL at random points, over thousands of orders
	@scripts/with-postgres sh scripts/chaos

.PHONY: bench
bench: ## figures, as ratios to a baseline measured in the same run
	@scripts/with-postgres sh scripts/bench

# Not `npm ci`: some registries do not carry the binaries for other platforms, which it would insist on in the lock.
node_modules/.stamp: package.json package-lock.json
	npm install --no-save --ignore-scripts --no-audit --no-fund --silent
	@touch $@
