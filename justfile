# Every recipe is plain cargo or a script; CONTRIBUTING.md names the equivalents.

# Lists the recipes.
default:
    @just --list

# Runs every check, as the CI does.
check:
    .ci/run

# Runs the tests of the workspace, or of one package: just test --package m365-presence
test *arguments="--workspace":
    cargo test --locked {{ arguments }}

# Checks the format and the lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Proves the dependency arrows that must not exist.
arrows:
    .ci/arrows

# Runs the connector against the simulated worlds: just demo --users 5000
demo *arguments:
    cargo run --release --locked -- demo {{ arguments }}

# Holds the running demo against its OpenAPI document: SEED=7 EXAMPLES=40 just openapi
openapi:
    .ci/run openapi

# Has a browser work with the page: just browser sign_in
browser *journey:
    .ci/browser {{ journey }}

# Runs the benchmarks.
bench *arguments:
    cargo bench --workspace --locked {{ arguments }}

# Checks licenses, sources and advisories of the dependencies; needs cargo-deny and the network.
deny:
    cargo deny check

# Builds the binary as it is shipped: static, and the same bytes everywhere.
release:
    deploy/build
