# Two commands do everything on a fresh Debian machine: `make demo` and `make test`.
# Settings: PROFILE=stock|privileged, K3S=path (a k3s binary instead of the stand-in).

export PATH := $(CURDIR)/node_modules/node/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export PROFILE K3S

.PHONY: demo test versions profiles sanitize fuzz analyze lint unit supply build dist-check testbed bench
.PHONY: conformance soak kill density matrix charts screens clean
.DEFAULT_GOAL := test

demo: node_modules/.package-lock.json
	node test/demo.ts

test: say-test lint analyze dist-check testbed
	vitest run

.PHONY: say-test
say-test:
	@echo 'make test: lints, analyzes, rebuilds dist and compares it, makes what is missing of the testbed (gVisor, two'
	@echo 'stand-ins for k3s, tools and images; most of 25 minutes, once), then runs the tests: unit, supply,'
	@echo 'native, e2e. About 90 minutes on two cores the first time, 65 after that. `make demo` is quicker.'

# docs/screens.md, from two real runs.
screens: export WRITE_SCREENS = 1
screens: testbed build
	vitest run --project e2e test/e2e/cli.test.ts -t 'a cluster is started|a start that fails'

# The chart on every minor version of Kubernetes; `make test` takes the usual one and the newest.
versions: export VERSIONS = all
versions: testbed
	vitest run --project e2e test/e2e/chart.test.ts

# With what tells little beside the rest, and `make test` leaves out to end within the hour.
profiles: export PROFILES = all
profiles: testbed
	vitest run --project e2e test/e2e/supply.test.ts test/e2e/chart.test.ts test/e2e/user.test.ts

# Charts nobody here wrote, with Helm 3 and Helm 4: `CHARTS=podinfo make charts`.
CHARTS ?= all
charts: export CHARTS := $(CHARTS)
charts: testbed
	vitest run --config test/charts/vitest.config.ts

# The network's tests in a cluster, with the gateway under ASan and UBSan.
sanitize: testbed
	$(MAKE) -C native sanitize
	GATEWAY=$(CURDIR)/build/native/sanitize/gateway vitest run --project e2e test/e2e/network.test.ts

# Ten minutes for each fuzz target, which has three seconds in `make test`.
FUZZ_SECONDS ?= 600
fuzz:
	$(MAKE) -C native sanitize
	test/native/fuzz $(FUZZ_SECONDS)

# gcc's analyzer on the C programs, half a minute. Not of `make lint`, which needs no root and takes any
# compiler: which alarms are false depends on the version, and this is for Debian 12's.
analyze: testbed-packages
	$(MAKE) -C native --silent analyze

lint: node_modules/.package-lock.json
	prettier --check --log-level warn .
	tsc --noEmit
	eslint .
	node scripts/lint/run.ts

unit: node_modules/.package-lock.json
	vitest run --project unit

# Downloads, caches and packages, against servers of its own: no root, no sandbox.
supply: node_modules/.package-lock.json
	vitest run --project supply

bench: testbed
	$(MAKE) -C native all tests
	node test/bench/run.ts

conformance: testbed
	node test/conformance/run.ts

# The table of docs/runners.md: what doctor says in every kind of runner and sandbox.
matrix: testbed build
	node test/matrix/run.ts

# What an hour, a hundred blows and a full node do to it: docs/reliability.md, written by these three.
soak: testbed
	node test/reliability/soak.ts

kill: testbed
	node test/reliability/kill.ts

density: testbed
	node test/reliability/density.ts

# dist/ is what users run: built here, committed, and compared with what was committed.
build: testbed-packages
	$(MAKE) -C native
	$(MAKE) -C native TARGET=linux-arm64
	node scripts/bundle.ts
	node scripts/copy-native.ts

dist-check: build
	@git diff --exit-code --stat -- dist && test -z "$$(git status --porcelain -- dist)" \
		|| { echo 'dist/ is not what the sources build: run "make build" and commit it' >&2; exit 1; }

testbed: testbed-packages
	node test/testbed/bootstrap.ts

.PHONY: testbed-packages
testbed-packages: node_modules/.package-lock.json
	test/testbed/packages

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

clean:
	rm -rf build node_modules
